"""Nearest neighbours and counts over all pairs, compiled by numba: for points of many columns.

May import numpy and ``_compilation``. Distances are maximum norms, the same float64 values as a
tree's.

The points are sorted by their first column, so that only points near in it are visited, tile by
tile.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed._compilation import compiled

_TILE = 128
Array = NDArray[Any]


@compiled()
def nearest(  # noqa: PLR0912, PLR0917 - one loop, compiled; arrays by position
    columns: Array,
    rows: Array,
    head: int,
    k: int,
    start: int,
    stop: int,
    radius: Array,
    neighbours: Array,
) -> None:
    """Write the k nearest other points of the points from ``start`` to ``stop``.

    Args:
        columns: the points, [dim, n], the first column ascending.
        rows: the same, [n, dim].
        head: number of columns that are compared for every point; the remaining ones are compared
            only for points that are near in these.
        k: number of neighbours.
        start: the first point.
        stop: one after the last.
        radius: output, the distance of the k-th neighbour, [n].
        neighbours: output, the neighbours' indices, in no order, [n, k].
    """
    dim, n = columns.shape
    line = columns[0]
    distances = np.empty(_TILE)
    best = np.empty(k)
    who = np.empty(k, dtype=np.int64)
    for i in range(start, stop):
        found = 0
        limit = np.inf
        left, right = i, i
        # Tiles on either side in turn, until both are farther than the k-th neighbour so far.
        rightwards = True
        while True:
            right_on = right < n and line[right] - line[i] < limit
            left_on = left > 0 and line[i] - line[left - 1] < limit
            if not (right_on or left_on):
                break
            rightwards = right_on and (rightwards or not left_on)
            if rightwards:
                low = right
                right = min(right + _TILE, n)
                size = right - low
            else:
                low = max(left - _TILE, 0)
                size = left - low
                left = low
            rightwards = not rightwards
            _tile(columns, head, i, low, size, distances)
            for t in range(size):
                distance = distances[t]
                if distance < limit and low + t != i:
                    for d in range(head, dim):
                        v = abs(rows[low + t, d] - rows[i, d])
                        if v > distance:
                            distance = v
                            if v >= limit:
                                break
                    if distance >= limit:
                        continue
                    place = min(found, k - 1)
                    while place > 0 and best[place - 1] > distance:
                        best[place] = best[place - 1]
                        who[place] = who[place - 1]
                        place -= 1
                    best[place] = distance
                    who[place] = low + t
                    found += 1
                    if found >= k:
                        limit = best[k - 1]
        radius[i] = best[k - 1]
        for place in range(k):
            neighbours[i, place] = who[place]


@compiled()
def count_shells(  # noqa: PLR0917 - as for ``nearest``
    columns: Array,
    weights: Array,
    inner: Array,
    outer: Array,
    start: int,
    stop: int,
    counts: Array,
) -> None:
    """Write the weight within two distances of the points from ``start`` to ``stop``.

    Args:
        columns: the points, [dim, n], the first column ascending.
        weights: number of samples of each point, [n].
        inner: the smaller distance of each point, [n].
        outer: the larger one, [n].
        start: the first point.
        stop: one after the last.
        counts: output, for ``inner`` and for ``outer``, [2, n].
    """
    dim = len(columns)
    distances = np.empty(_TILE)
    for i in range(start, stop):
        near, far = inner[i], outer[i]
        first, last = _window(columns[0], i, far)
        inside, within = 0, 0
        for tile in range(first, last + 1, _TILE):
            size = min(_TILE, last + 1 - tile)
            _tile(columns, dim, i, tile, size, distances)
            for t in range(size):
                inside += weights[tile + t] if distances[t] <= near else 0
                within += weights[tile + t] if distances[t] <= far else 0
        counts[0, i] = inside
        counts[1, i] = within


@compiled()
def count_boxes(  # noqa: PLR0917 - as for ``nearest``
    columns: Array,
    weights: Array,
    centres: Array,
    reach: Array,
    start: int,
    stop: int,
    counts: Array,
) -> None:
    """Write the weight in the boxes from ``start`` to ``stop``.

    Args:
        columns: the points, [dim, n], the first column ascending.
        weights: number of samples of each point, [n].
        centres: the points in the middle of the boxes, [boxes].
        reach: half widths, [boxes, dim].
        start: the first box.
        stop: one after the last.
        counts: output, [boxes].
    """
    dim = len(columns)
    for box in range(start, stop):
        i = centres[box]
        first, last = _window(columns[0], i, reach[box, 0])
        total = 0
        for j in range(first, last + 1):
            inside = True
            for d in range(1, dim):
                if abs(columns[d, j] - columns[d, i]) > reach[box, d]:
                    inside = False
                    break
            if inside:
                total += weights[j]
        counts[box] = total


@compiled()
def _window(line: Array, i: int, limit: float) -> tuple[int, int]:
    """First and last index of the ascending values within ``limit`` of the i-th."""
    low, high = 0, i
    while low < high:
        middle = (low + high) // 2
        if line[i] - line[middle] <= limit:
            high = middle
        else:
            low = middle + 1
    first = low
    low, high = i, len(line) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if line[middle] - line[i] <= limit:
            low = middle
        else:
            high = middle - 1
    return first, low


@compiled(inline="always")
def _tile(  # noqa: PLR0917 - as for ``nearest``
    columns: Array, dim: int, i: int, low: int, size: int, distances: Array
) -> None:
    """Write distances in the first ``dim`` columns of point i to the points from ``low`` on."""
    # Four columns at a time need one load and store of the running maximum, not four.
    first = dim % 4
    if first == 0:
        for t in range(size):
            distances[t] = 0.0
    for d in range(first):
        at = columns[d, i]
        if d == 0:
            for t in range(size):
                distances[t] = abs(columns[d, low + t] - at)
        else:
            for t in range(size):
                v = abs(columns[d, low + t] - at)
                a = distances[t]
                distances[t] = v if v > a else a
    for d in range(first, dim, 4):
        at0, at1 = columns[d, i], columns[d + 1, i]
        at2, at3 = columns[d + 2, i], columns[d + 3, i]
        for t in range(size):
            a = distances[t]
            v0 = abs(columns[d, low + t] - at0)
            v1 = abs(columns[d + 1, low + t] - at1)
            v2 = abs(columns[d + 2, low + t] - at2)
            v3 = abs(columns[d + 3, low + t] - at3)
            v0 = v1 if v1 > v0 else v0
            v2 = v3 if v3 > v2 else v2
            v0 = v2 if v2 > v0 else v0
            distances[t] = v0 if v0 > a else a
