"""How many seeds would decide a claim, from the means and spreads that were measured.

Imports numpy, scipy and ``statistics``.
"""

import math

import numpy as np
from scipy import stats

from fctestbed.claims.statistics import ALPHA, Decision, Region

POWER = 0.9
"""The chance of a verdict that the number of seeds gives."""
MOST_SEEDS = 1000


def seeds_to_decide(
    decision: Decision, region: Region, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """The number of seeds with which a claim like this would be decided.

    It takes the measured means and standard deviations as the true ones, so after three seeds it is
    a rough number. Where all means are inside their regions it is the number for *holds*, else the
    smallest number for *fails* of one of the cells whose mean is outside.

    Args:
        decision: about the cells of one claim.
        region: of the same cells.
        alpha: the largest chance of a false verdict.
        power: the chance of the verdict.

    Returns:
        The number; None where it is above 1000, or where a cell has fewer than two seeds.
    """
    summary = decision.summary
    if not (summary.n > 1).all():
        return None
    cells = list(zip(summary.mean, summary.sd, region.low, region.high, strict=True))
    outside = [(max(low - mean, mean - high), sd) for mean, sd, low, high in cells]
    if any(distance >= 0 for distance, _ in outside):
        tail = alpha / (2 * len(cells))
        found = [
            _least_seeds((distance,), sd, tail, power) for distance, sd in outside if distance >= 0
        ]
        return min((n for n in found if n is not None), default=None)
    open_cells = [cell for cell, holds in zip(cells, decision.holds, strict=True) if not holds]
    each = 1 - (1 - power) / max(len(open_cells), 1)
    needed = [
        _least_seeds((mean - low, high - mean), sd, alpha, each)
        for mean, sd, low, high in open_cells
    ]
    if None in needed:
        return None
    return max((n for n in needed if n is not None), default=2)


def _least_seeds(distances: tuple[float, ...], sd: float, tail: float, power: float) -> int | None:
    """The least number of seeds whose interval keeps within all distances of the mean."""
    low, high = 1, MOST_SEEDS
    if _power(distances, sd, high, tail) < power:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _power(distances, sd, middle, tail) < power:
            low = middle
        else:
            high = middle
    return high


def _power(distances: tuple[float, ...], sd: float, n: int, tail: float) -> float:
    if sd == 0:
        return float(min(distances) > 0)
    critical = float(stats.t.isf(tail, n - 1))
    missed = 0.0
    for distance in distances:
        if math.isfinite(distance):
            missed += _chance_below(critical, n - 1, distance / sd * math.sqrt(n))
    return 1 - missed


# Quantiles of the spread, over which the chance is a mean.
_LEVELS = (np.arange(400) + 0.5) / 400


def _chance_below(critical: float, freedom: int, shift: float) -> float:
    """The noncentral t distribution's chance below a point, for any shift.

    SciPy's own is NaN for some large shifts, which small spreads give.
    """
    spreads = np.sqrt(stats.chi2.ppf(_LEVELS, freedom) / freedom)
    return float(stats.norm.cdf(critical * spreads - shift).mean())
