"""Checks for a bias that the spread of an estimate does not show: why an estimate has no interval.

May import numpy only.

An interval from an estimate's spread covers the truth only where the bias is small compared with
that spread. Each check returns one line that says why the bias may be large, or an empty string.
The thresholds were chosen by simulation on the laws of ``fctestbed.calibration``.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# With fewer samples parts have too few neighbours, and the test of kurtosis has no power.
_LEAST_SAMPLES = 100
_MOST_COLUMNS = 20
# A column with at least this many different values per sample counts as continuous.
_CONTINUOUS = 0.5
_MOST_RARE = 0.05
# Interquartile ranges per log n.
_TAIL = 4
_MOST_UNSEEN = 0.75
_MOST_EQUAL = 0.05
# Two-sided, 0.1 % of Gaussian samples.
_MOST_DEVIATIONS = 3.3


def few_samples(n: int) -> str:
    """Too few samples to show how the value changes with their number, or their distribution."""
    if n >= _LEAST_SAMPLES:
        return ""
    return f"{n} samples, under {_LEAST_SAMPLES}, do not show the bias of such an estimate"


def many_columns(columns: int) -> str:
    """So many columns that parts of the sample may not show a bias of any size.

    At the slowest known rate, n^(-1/20), a hundred times as many samples reduce the bias by a fifth
    in 20 columns; in 200 columns an estimate was 0.00 of 6 bits on every part of the sample.

    Args:
        columns: of all variables together.
    """
    if columns <= _MOST_COLUMNS:
        return ""
    return f"{columns} columns, over {_MOST_COLUMNS}: the bias may not change with n at all"


def long_tails(variables: Sequence[Floats]) -> str:
    """Tails much longer than exponential ones, where neighbours are far for every n.

    The largest of n values with exponential tails is some log n scale lengths from the median. A
    column whose largest value is four times as many interquartile ranges away has much longer
    tails; those of log-normal columns (of logarithms with a standard deviation of 1) are shorter.

    Args:
        variables: columns of each variable, [n, columns].
    """
    points = np.hstack(variables)
    limit = _TAIL * math.log(len(points))
    low, middle, high = np.quantile(points, (0.25, 0.5, 0.75), axis=0)
    reach = np.abs(points - middle).max(axis=0)
    for column in np.flatnonzero(reach > limit * (high - low)):
        if len(np.unique(points[:, column])) >= _CONTINUOUS * len(points):
            return "a column has long tails, where neighbours are far (margins normal or rank help)"
    return ""


def rare_cells(variables: Sequence[NDArray[np.int64]], k: int) -> str:
    """Discrete data with many samples in cells of at most k samples.

    Args:
        variables: codes of each variable's rows and, last, of all of them together, [n].
        k: number of neighbours.
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
    """A table with many cells of one sample, whose share estimates that of unseen cells.

    Args:
        counts: number of samples of each cell, all above 0.
        most: largest share of the samples that may be alone in their cell; one always may.

    Source:
        Good 1953: the share of singletons estimates the probability of unseen cells.
    """
    alone, n = int((counts == 1).sum()), int(counts.sum())
    if alone <= max(1.0, most * n):
        return ""
    share = alone / n
    return f"{share:.1%} of the samples are alone in their cell, over {most:.0%}: too many unseen"


def unseen_cells(lowered: float, se: float) -> str:
    """A value that is lower by much of its standard error where unseen cells are accounted for.

    Args:
        lowered: by how much, in any unit.
        se: standard error of the value, in the same unit.
    """
    if lowered <= _MOST_UNSEEN * se:
        return ""
    return (
        f"accounting for unseen cells lowers the value by {lowered / se:.2g} standard errors "
        "(chao-wang-jost does)"
    )


def atoms(variables: Sequence[Floats]) -> str:
    """A value that so many samples share that the column is not continuous.

    Args:
        variables: columns of each variable, [n, columns].
    """
    for column in np.hstack(variables).T:
        counts = np.unique(column, return_counts=True)[1]
        share = float(counts.max()) / len(column)
        if share > _MOST_EQUAL:
            return f"{share:.0%} of the samples share one value of a column, which is not Gaussian"
    return ""


def repeats(variables: Sequence[Floats]) -> bool:
    """Whether samples of a column share their value, other than by chance: then ranks have ties.

    Args:
        variables: columns of each variable, [n, columns].
    """
    for column in np.hstack(variables).T:
        counts = np.unique(column, return_counts=True)[1]
        if counts[counts > 1].sum() > _MOST_EQUAL * len(column):
            return True
    return False


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
