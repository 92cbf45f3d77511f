"""Intervals of held-out means and shares. May import numpy and scipy only."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

LEVEL = 0.95


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
    half = float(norm.ppf(0.5 + LEVEL / 2) * values.std(ddof=1) / math.sqrt(len(values)))
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
    z = float(norm.ppf(0.5 + LEVEL / 2))
    share = hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return share, max(0.0, centre - half), min(1.0, centre + half)
