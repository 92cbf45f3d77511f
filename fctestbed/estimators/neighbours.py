"""Nearest neighbours and counts of neighbours within a distance, in the maximum norm.

Chooses the quickest way: sorting (one column), scipy's tree (few columns) or all pairs (many, where
a tree visits most of its leaves). The last two compute the same float64 distances; sorted values
may differ from them by a rounding error. Uses every core. May import numpy, scipy and
``neighbour_kernels``.
"""

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

# From so many columns on all pairs are quicker than a tree (measured on Gaussian points); from
# _LARGE points on, where the time of pairs grows faster than that of a tree, some columns later.
_NEAREST_DIM = 8
_COUNT_DIM = 2
_LARGE = 50_000
_LARGE_EXTRA_DIM = 4
# Below, starting threads takes longer than the work.
_THREADED = 2000
# Share of the points whose distance is to be computed in all columns.
_SURVIVORS = 0.03


@dataclass(frozen=True)
class Nearest:
    """The k nearest other points of each point.

    Attributes:
        radius: distance to the k-th, [n].
        indices: the points' indices, in no order, [n, k].
    """

    radius: Floats
    indices: Counts


def nearest(points: Floats, k: int, *, pairs: bool | None = None) -> Nearest:
    """The k nearest other points of each point.

    Args:
        points: [n, dim], n above k.
        k: number of neighbours.
        pairs: whether to compute all pairs; None where that is quicker.
    """
    n, dim = points.shape
    if _by_pairs(n, dim, _NEAREST_DIM) if pairs is None else pairs:
        from fctestbed.estimators import neighbour_kernels  # noqa: PLC0415 - numba is slow to load

        order, columns = _sweep(points)
        rows = np.ascontiguousarray(columns.T)
        # Independent columns each pass the same share, (k / n)^(1 / dim).
        head = (
            math.ceil(dim * math.log(_SURVIVORS) / math.log(k / n)) if k < n * _SURVIVORS else dim
        )
        head = min(-(-head // 4) * 4, dim)
        radius, indices = np.empty(n), np.empty((n, k), dtype=np.int64)
        _in_threads(
            n,
            lambda a, b: neighbour_kernels.nearest(columns, rows, head, k, a, b, radius, indices),
        )
        result = Nearest(np.empty(n), np.empty((n, k), dtype=np.int64))
        result.radius[order], result.indices[order] = radius, order[indices]
        return result
    tree = tree_of(points)
    distances, found = tree.query(points, k + 1, p=np.inf, workers=_workers(n))
    itself = found == np.arange(n)[:, None]
    # Among many equal points a point may not be among its own nearest: then drop the last one.
    itself[~itself.any(axis=1), k] = True
    return Nearest(distances[:, k], found[~itself].reshape(n, k).astype(np.int64))


def count_shells(
    points: Floats,
    weights: Counts | None,
    inner: Floats,
    outer: Floats,
    *,
    pairs: bool | None = None,
) -> tuple[Counts, Counts]:
    """Number of samples within two distances of each point, with the samples of the point itself.

    Args:
        points: [n, dim].
        weights: number of samples of each point, [n]; None for one each.
        inner: the smaller distance of each point, [n].
        outer: the larger one, [n].
        pairs: whether to compute all pairs; None where that is quicker. A tree has no weights.

    Returns:
        The counts for ``inner`` and for ``outer``, [n] each. In one column a sample at a distance
        that differs from these by a rounding error may be counted or not.
    """
    n, dim = points.shape
    if dim == 1 and not pairs:
        rows = np.arange(n)
        first, second = (_count_line(points[:, 0], weights, rows, r) for r in (inner, outer))
        return first, second
    by_pairs = _by_pairs(n, dim, _COUNT_DIM) if pairs is None else pairs
    if weights is None and not by_pairs:
        tree = tree_of(points)
        first, second = (
            tree.query_ball_point(points, r, p=np.inf, workers=_workers(n), return_length=True)
            for r in (inner, outer)
        )
        return first.astype(np.int64), second.astype(np.int64)
    from fctestbed.estimators import neighbour_kernels  # noqa: PLC0415 - numba is slow to load

    order, columns = _sweep(points)
    sizes = _weights(weights, n)[order]
    near, far = inner[order], outer[order]
    found, counts = np.empty((2, n), dtype=np.int64), np.empty((2, n), dtype=np.int64)
    _in_threads(
        n, lambda a, b: neighbour_kernels.count_shells(columns, sizes, near, far, a, b, found)
    )
    counts[:, order] = found
    return counts[0], counts[1]


def count_boxes(
    points: Floats, weights: Counts | None, rows: NDArray[np.intp], reach: Floats
) -> Counts:
    """Number of samples in boxes around some of the points, with the point's own, [boxes].

    Args:
        points: [n, dim].
        weights: as for ``count_shells``.
        rows: indices of the points in the middle of the boxes, [boxes].
        reach: half widths of the boxes, [boxes, dim].

    Returns:
        The counts. In one column: as for ``count_shells``.
    """
    n, dim = points.shape
    if dim == 1:
        return _count_line(points[:, 0], weights, rows, reach[:, 0])
    from fctestbed.estimators import neighbour_kernels  # noqa: PLC0415 - numba is slow to load

    widest, order = _sweep_order(points)
    columns = np.ascontiguousarray(points[order][:, widest].T)
    sizes = _weights(weights, n)[order]
    places = np.empty(n, dtype=np.int64)
    places[order] = np.arange(n)
    centres, widths = places[rows], np.ascontiguousarray(reach[:, widest])
    counts = np.empty(len(rows), dtype=np.int64)
    _in_threads(
        len(rows),
        lambda a, b: neighbour_kernels.count_boxes(columns, sizes, centres, widths, a, b, counts),
    )
    return counts


def tree_of(points: Floats) -> Any:
    """scipy's tree of points [n, dim], also where denormal numbers are flushed to zero.

    After ``torch.set_flush_denormal`` a balanced tree splits a column of many zeros at the smallest
    number above 0 without end, until the stack overflows. A tree that splits at the middle of the
    range does not.
    """
    denormals = bool(np.nextafter(0.0, 1.0) > 0)
    return cKDTree(points, balanced_tree=denormals)


def _by_pairs(n: int, dim: int, threshold: int) -> bool:
    return dim >= threshold + (_LARGE_EXTRA_DIM if n >= _LARGE else 0)


def _sweep(points: Floats) -> tuple[NDArray[np.intp], Floats]:
    """The points as columns, the one of widest spread first and ascending, and their order."""
    widest, order = _sweep_order(points)
    return order, np.ascontiguousarray(points[order][:, widest].T)


def _sweep_order(points: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The columns, that of the widest spread first, and the points in ascending order of it."""
    widest = np.argsort(-points.std(axis=0), kind="stable")
    return widest, np.argsort(points[:, widest[0]], kind="stable")


def _weights(weights: Counts | None, n: int) -> Counts:
    return np.ones(n, dtype=np.int64) if weights is None else weights


def _count_line(
    values: Floats, weights: Counts | None, rows: NDArray[np.intp], reach: Floats
) -> Counts:
    """Number of samples within reach of some of the values in one column, with their own."""
    order = np.argsort(values)
    line = values[order]
    before = np.concatenate([[0], np.cumsum(_weights(weights, len(values))[order])])
    low = np.searchsorted(line, values[rows] - reach, side="left")
    high = np.searchsorted(line, values[rows] + reach, side="right")
    return np.asarray(before[high] - before[low], dtype=np.int64)


def _workers(n: int) -> int:
    """Number of scipy's threads: starting them takes longer than a small query."""
    return 1 if n < _THREADED else -1


def _in_threads(n: int, work: Callable[[int, int], None]) -> None:
    if n < _THREADED:
        work(0, n)
        return
    n_threads = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    # More pieces than threads, because other processes may use some cores.
    edges = np.linspace(0, n, 4 * (n_threads or 1) + 1).astype(int)
    with ThreadPoolExecutor(n_threads) as pool:
        for done in [pool.submit(work, a, b) for a, b in pairwise(edges)]:
            done.result()
