"""What a sample shows of a bias that no spread tells: why an estimate has no interval.

Owns the checks. Imports numpy only.

An interval from an estimate's spread holds the truth where its bias is small beside that spread,
and nowhere else. Each check gives one line that says why the bias may not be, or nothing. The
numbers in them were chosen by simulation on the laws of ``fctestbed.calibration``.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Below, parts of the sample have too few neighbours, and kurtosis no power.
_LEAST_SAMPLES = 100
_MOST_COLUMNS = 20
# A column of these many different values per sample or more is taken as continuous.
_CONTINUOUS = 0.5
_MOST_RARE = 0.05
# Two-sided, 0.1 % of Gaussian samples.
_MOST_DEVIATIONS = 3.3


def few_samples(n: int) -> str:
    """Too few samples to show how a value moves with their number, or of what law they are."""
    if n >= _LEAST_SAMPLES:
        return ""
    return f"{n} samples, under {_LEAST_SAMPLES}, do not show the bias of such an estimate"


def many_columns(columns: int) -> str:
    """So many columns that neighbours may show nothing of a bias, however large it is.

    At the rate of ``drift`` a hundred times the samples take off a fifth of it in 20 columns, and
    in 200 an estimate was 0.00 of 6 bits on every part of the sample.

    Args:
        columns: of all variables together.
    """
    if columns <= _MOST_COLUMNS:
        return ""
    return f"{columns} columns, over {_MOST_COLUMNS}: the bias may not move with n at all"


def drift(moved: float, parts: int, columns: int, half_width: float) -> str:
    """A value that still moves with the number of samples.

    A bias of b n^-a moves the value by b (m^a - 1) n^-a from a part of n / m samples to all n. The
    slowest rate that is known of neighbour estimates in d columns is a = 1 / d (Gao, Oh and
    Viswanath 2018), so that the bias left is up to the move over m^(1/d) - 1.

    Args:
        moved: value on all samples less its mean over parts, in any unit.
        parts: m, how many parts there are.
        columns: d, of all variables together.
        half_width: half of the interval that the spread gives, in the same unit.
    """
    # One column each of X and Y are the least there can be.
    left = abs(moved) / (parts ** (1 / max(columns, 2)) - 1)
    if left <= half_width:
        return ""
    # Parts that all have one value have no spread.
    times = left / half_width if half_width > 0 else math.inf
    return (
        "the value still moves with the number of samples: its bias may be "
        f"{times:.2g} times the half width that an interval would have"
    )


def long_tails(variables: Sequence[Floats]) -> str:
    """Tails longer than exponential ones, where neighbours are far whatever n is.

    The largest of n values with exponential tails is some log n scale lengths from the median; with
    twice as many interquartile ranges a column has longer ones.

    Args:
        variables: columns of each variable, [n, columns].
    """
    points = np.hstack(variables)
    limit = 2 * math.log(len(points))
    low, middle, high = np.quantile(points, (0.25, 0.5, 0.75), axis=0)
    reach = np.abs(points - middle).max(axis=0)
    for column in np.flatnonzero(reach > limit * (high - low)):
        if len(np.unique(points[:, column])) >= _CONTINUOUS * len(points):
            return "a column has long tails, where neighbours are far (margins normal or rank help)"
    return ""


def rare_cells(variables: Sequence[NDArray[np.int64]], k: int) -> str:
    """Discrete data many of which are in cells of no more samples than neighbours are asked for.

    Args:
        variables: codes of each variable's rows and, last, of all of them together, [n].
        k: how many neighbours.
    """
    n = len(variables[-1])
    if any(code.max() + 1 >= _CONTINUOUS * n for code in variables[:-1]):
        return ""
    sizes = np.bincount(variables[-1])[variables[-1]]
    rare = float((sizes <= k).mean())
    if rare <= _MOST_RARE:
        return ""
    return f"{rare:.0%} of the samples are in cells of at most k = {k}, which neighbours bridge"


def singletons(counts: NDArray[np.int64], most: float) -> str:
    """A table many of whose cells were seen once: as many samples as that lie in unseen cells.

    Args:
        counts: how often each cell was seen, all above 0.
        most: share of the samples that may be alone in their cell; one always may.

    Source:
        Good 1953: the share of singletons estimates the mass of what was not seen.
    """
    alone, n = int((counts == 1).sum()), int(counts.sum())
    if alone <= max(1.0, most * n):
        return ""
    share = alone / n
    return f"{share:.1%} of the samples are alone in their cell, over {most:.0%}: too many unseen"


def not_gaussian(variables: Sequence[Floats]) -> str:
    """Columns whose joint kurtosis is not a Gaussian's, at 0.1 %.

    Args:
        variables: columns of each variable, [n, columns].

    Source:
        Mardia 1974, with the exact mean and variance of the statistic.
    """
    points = np.hstack(variables)
    n, dim = points.shape
    # Whitened by the sample's own covariance (over n, as Mardia's is).
    basis = np.linalg.qr(points - points.mean(axis=0))[0] * math.sqrt(n)
    kurtosis = float(np.square(np.square(basis).sum(axis=1)).mean())
    mean = dim * (dim + 2) * (n - 1) / (n + 1)
    variance = 8 * dim * (dim + 2) * (n - 3) * (n - dim - 1) * (n - dim + 1)
    variance /= (n + 1) ** 2 * (n + 3) * (n + 5)
    deviations = (kurtosis - mean) / math.sqrt(variance)
    if abs(deviations) <= _MOST_DEVIATIONS:
        return ""
    return (
        f"the samples are not Gaussian: Mardia's kurtosis is {abs(deviations):.2g} standard "
        f"deviations {'above' if deviations > 0 else 'below'} that of Gaussian ones"
    )
