"""Rescaling of columns before distances or covariances are taken. Imports numpy and scipy only."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

Margins = Literal["unit", "raw", "rank", "normal"]
MARGINS: tuple[str, ...] = get_args(Margins)


def rescale(columns: NDArray[np.float64], margins: Margins) -> NDArray[np.float64]:
    """Columns on a common scale; equal values stay equal.

    Args:
        columns: [n, dim], none of them constant.
        margins: ``raw``: as they are; ``unit``: each divided by its standard deviation; ``rank``:
            ranks over n; ``normal``: normal scores of the ranks.

    Returns:
        A new array, or ``columns`` itself for ``raw``.
    """
    if margins == "raw":
        return columns
    if margins == "unit":
        # Powers of two first: columns near the ends of float64 have no standard deviation there.
        size = np.abs(columns).max(axis=0)
        shrunk = np.ldexp(columns, -np.frexp(size)[1])
        spread = shrunk.std(axis=0)
        return shrunk / np.where(spread > 0, spread, 1.0)
    ranks = (rankdata(columns, axis=0) - 0.5) / len(columns)
    return np.asarray(ndtri(ranks) if margins == "normal" else ranks)
