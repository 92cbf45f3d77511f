"""95 % intervals of means, shares and estimates of information. May import numpy and scipy only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Not scipy.stats, whose import takes longer than most commands.
from scipy.special import ndtri, stdtrit

LEVEL = 0.95
HALF_WIDTH = float(ndtri(0.5 + LEVEL / 2))
"""Half of a 95 % interval, in standard errors."""
LONE_SAMPLE = "one held-out sample, which shows no spread"


def mean_interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Mean of independent values with its 95 % interval by the central limit theorem.

    Args:
        values: one number per held-out sample, [n].

    Returns:
        (mean, low, high), in the unit of the values; the ends are NaN for a single value.

    Raises:
        ValueError: if there is no value.
    """
    if values.ndim != 1 or not len(values):
        raise ValueError(f"values: expected shape (n,) with n above 0, got {values.shape}")
    mean = float(values.mean())
    if len(values) < 2:
        return mean, math.nan, math.nan
    half = float(HALF_WIDTH * values.std(ddof=1) / math.sqrt(len(values)))
    return mean, mean - half, mean + half


def sum_intervals(
    values: NDArray[np.float64], groups: Sequence[Sequence[int]]
) -> list[tuple[float, float, float]]:
    """``mean_interval`` of the sum of some columns, for each of several groups of columns.

    The columns' means and their covariance serve all groups.

    Args:
        values: [n, columns].
        groups: numbers of columns.
    """
    n, means = len(values), values.mean(0)
    away = values - means
    products = away.T @ away
    found = []
    for group in groups:
        own = list(group)
        mean = float(means[own].sum())
        if n < 2:
            found.append((mean, math.nan, math.nan))
            continue
        variance = max(float(products[np.ix_(own, own)].sum()), 0.0) / (n - 1)
        half = HALF_WIDTH * math.sqrt(variance / n)
        found.append((mean, mean - half, mean + half))
    return found


def held_out_interval(
    values: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Mean of held-out values with its 95 % interval, where a few values carry the spread.

    A probe's losses are small except for a few large ones. A held-out sample without such a loss
    would seem exact: of 200 estimates of a bit through BSC(0.1), with 40 samples held out, 11 were
    more than 3 such errors above the truth. Therefore the variance is that of all losses, or of
    the held-out ones where it is larger; the degrees of freedom are those of the held-out ones.

    Args:
        values: one number per held-out sample, [n].
        others: the same for samples of the fit or of its selection, for the variance only, [m].

    Returns:
        (mean, low, high), in the unit of the values; the ends are NaN for a single value.
    """
    n, mean = len(values), float(values.mean())
    if n < 2:
        return mean, math.nan, math.nan
    variance = max(values.var(ddof=1), np.concatenate([values, others]).var(ddof=1))
    half = float(stdtrit(n - 1, 0.5 + LEVEL / 2) * math.sqrt(variance / n))
    return mean, mean - half, mean + half


def share_interval(hits: int, n: int) -> tuple[float, float, float]:
    """Share of hits with its 95 % Wilson interval, which stays inside [0, 1].

    Args:
        hits: number of samples that were right.
        n: number of samples.

    Returns:
        (share, low, high).

    Raises:
        ValueError: if there are no samples, or more hits than samples.

    Source:
        Wilson 1927.
    """
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"hits: expected 0 to n = {n} of at least one sample, got {hits}")
    z = HALF_WIDTH
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return share, max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True)
class LinearVariance:
    """Variance of an estimate of information: slope times the true information, plus a floor.

    Attributes:
        slope: variance per unit of information.
        floor: variance under independence, in the unit of the information squared.
    """

    slope: float
    floor: float

    def standard_error(self, value: float) -> float:
        """Standard error where the information is ``value``, or 0 if that is negative."""
        return math.sqrt(self.slope * max(value, 0.0) + self.floor)

    def score_interval(self, centre: float) -> tuple[float, float]:
        """95 % score interval of the information from an unbiased estimate.

        The interval holds every i with (centre - i)^2 <= z^2 (slope max(i, 0) + floor). As in
        Wilson's interval the variance is that at i, not that at the estimate. The two agree for
        large samples. Near independence, where an estimate is distributed like chi-squared and its
        own variance is as random as the estimate, only the score interval has the stated coverage.
        It always contains a value of at least 0, because information is not negative.

        Args:
            centre: the estimate without its bias.

        Returns:
            (low, high) in the unit of the centre.
        """
        z = HALF_WIDTH
        rest = z * math.sqrt(self.floor)
        middle = centre + z * z * self.slope / 2
        half = math.sqrt(max(middle * middle - centre * centre + rest * rest, 0.0))
        low = middle - half if centre > rest else centre - rest
        high = middle + half if centre + rest > 0 else centre + rest
        return low, max(high, 0.0)
