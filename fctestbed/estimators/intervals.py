"""Intervals of held-out means and shares. May import numpy and scipy only."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

LEVEL = 0.95
HALF_WIDTH = float(norm.ppf(0.5 + LEVEL / 2))
"""Half of a 95 % interval, in standard errors."""
LONE_SAMPLE = "one sample read, which shows no spread"


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


def held_out_interval(
    values: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Mean of held-out values with its 95 % interval, where a few of them carry the spread.

    A probe's losses are small but for rare large ones, and a held-out sample that has none would
    seem exact: of 200 readings of a bit through BSC(0.1), 40 samples held out, 11 were more than 3
    such errors above the truth. So the variance is that of all losses, or of the held-out ones
    where it is larger; the degrees of freedom are those of the held-out ones.

    Args:
        values: one number per held-out sample, [n].
        others: the same of samples that were fitted on or chosen by, for the variance alone, [m].

    Returns:
        (mean, low, high), in the unit of the values; the ends are NaN for a single value.
    """
    n, mean = len(values), float(values.mean())
    if n < 2:
        return mean, math.nan, math.nan
    variance = max(values.var(ddof=1), np.concatenate([values, others]).var(ddof=1))
    half = float(t.ppf(0.5 + LEVEL / 2, n - 1) * math.sqrt(variance / n))
    return mean, mean - half, mean + half


def share_interval(hits: int, n: int) -> tuple[float, float, float]:
    """Share of hits with its 95 % Wilson interval, which stays inside [0, 1].

    Args:
        hits: how many of the samples were right.
        n: how many samples there were.

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


def score_interval(centre: float, slope: float, floor: float) -> tuple[float, float]:
    """95 % interval of an information from an estimate whose variance depends on the truth.

    Holds every i with (centre - i)^2 <= z^2 (slope max(i, 0) + floor): the variance is that under
    i, as in Wilson's interval, not the one at the estimate. The two agree for large samples; near
    independence, where an estimate varies like chi-squared and its own variance is as random as
    itself, only this one covers as often as it says. It always reaches up to 0, since no
    information is negative.

    Args:
        centre: the estimate, its bias taken off.
        slope: variance per unit of information.
        floor: variance under independence.

    Returns:
        (low, high) in the unit of the centre; the variances are in its square.
    """
    z = HALF_WIDTH
    rest = z * math.sqrt(floor)
    middle = centre + z * z * slope / 2
    half = math.sqrt(max(middle * middle - centre * centre + rest * rest, 0.0))
    low = middle - half if centre > rest else centre - rest
    high = middle + half if centre + rest > 0 else centre + rest
    return low, max(high, 0.0)
