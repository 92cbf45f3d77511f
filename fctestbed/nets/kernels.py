"""CPU kernels of the pair critic, compiled by numba, without a temporary of pairs x width.

Owns the loops that ``fctestbed.nets.pairs`` runs on a CPU. May import numpy and
``_compilation``.

Sums may be reassociated, so that they vectorise. NaN and infinity are propagated as usual, so that
a diverged run is recognised.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed._compilation import compiled

_FAST = {"reassoc", "contract", "nsz", "arcp"}
Array = NDArray[np.floating[Any]]


@compiled(fastmath=_FAST)
def relu_dot_forward(a: Array, c: Array, w: Array, scores: Array) -> None:
    """scores[k, i, j] = sum_h w[k, h] relu(a[k, i, h] + c[k, j, h])."""
    stack, rows, width = a.shape
    columns = c.shape[1]
    zero = a.dtype.type(0)
    for k in range(stack):
        for i in range(rows):
            for j in range(columns):
                total = zero
                for h in range(width):
                    value = a[k, i, h] + c[k, j, h]
                    # This comparison lets NaN pass, as torch's relu does.
                    total += w[k, h] * (zero if value <= zero else value)
                scores[k, i, j] = total


@compiled(fastmath=_FAST)
def relu_dot_backward(
    a: Array, c: Array, w: Array, grad: Array, grad_a: Array, grad_c: Array, grad_w: Array
) -> None:
    """Gradients of ``relu_dot_forward``; the three results must be zero on entry.

    It takes four rows at a time: the gradients of a column and of the weights are then loaded and
    stored once for four pairs, which halves the time.
    """
    stack, rows, width = a.shape
    columns = c.shape[1]
    zero = a.dtype.type(0)
    whole = rows - rows % 4
    for k in range(stack):
        for i in range(0, whole, 4):
            for j in range(columns):
                g0, g1 = grad[k, i, j], grad[k, i + 1, j]
                g2, g3 = grad[k, i + 2, j], grad[k, i + 3, j]
                for h in range(width):
                    column = c[k, j, h]
                    v0, v1 = a[k, i, h] + column, a[k, i + 1, h] + column
                    v2, v3 = a[k, i + 2, h] + column, a[k, i + 3, h] + column
                    p0 = zero if v0 <= zero else g0
                    p1 = zero if v1 <= zero else g1
                    p2 = zero if v2 <= zero else g2
                    p3 = zero if v3 <= zero else g3
                    grad_a[k, i, h] += p0
                    grad_a[k, i + 1, h] += p1
                    grad_a[k, i + 2, h] += p2
                    grad_a[k, i + 3, h] += p3
                    grad_c[k, j, h] += (p0 + p1) + (p2 + p3)
                    grad_w[k, h] += (p0 * v0 + p1 * v1) + (p2 * v2 + p3 * v3)
        for i in range(whole, rows):
            for j in range(columns):
                g = grad[k, i, j]
                for h in range(width):
                    value = a[k, i, h] + c[k, j, h]
                    passed = zero if value <= zero else g
                    grad_a[k, i, h] += passed
                    grad_c[k, j, h] += passed
                    grad_w[k, h] += passed * value
        for h in range(width):
            for i in range(rows):
                grad_a[k, i, h] *= w[k, h]
            for j in range(columns):
                grad_c[k, j, h] *= w[k, h]


Index = NDArray[np.integer[Any]]
Bytes = NDArray[np.uint8]


@compiled(fastmath=_FAST)
def first_layer(a: Array, c: Array, rows: Index, columns: Index, hidden: Array) -> None:
    """hidden[p] = relu(a[rows[p]] + c[columns[p]])."""
    zero = a.dtype.type(0)
    for p in range(rows.shape[0]):
        own, other = a[rows[p]], c[columns[p]]
        for h in range(a.shape[1]):
            value = own[h] + other[h]
            hidden[p, h] = zero if value <= zero else value


@compiled(fastmath=_FAST)
def second_layer(z: Array, bias: Array, weight: Array, scores: Array, active: Bytes) -> None:
    """scores[p] = weight . relu(z[p] + bias), and 1 in ``active`` where a unit is active."""
    zero = z.dtype.type(0)
    for p in range(z.shape[0]):
        total = zero
        for u in range(z.shape[1]):
            value = z[p, u] + bias[u]
            off = value <= zero
            total += weight[u] * (zero if off else value)
            active[p, u] = 0 if off else 1
        scores[p] = total


@compiled(fastmath=_FAST)
def gradient_factors(
    a: Array,
    c: Array,
    rows: Index,
    columns: Index,
    grad: Array,
    active: Bytes,
    hidden: Array,
    units: Array,
) -> None:
    """hidden[p] = grad[p] relu(a[rows[p]] + c[columns[p]]), and ``active`` as numbers."""
    zero = a.dtype.type(0)
    for p in range(rows.shape[0]):
        own, other, g = a[rows[p]], c[columns[p]], grad[p]
        for h in range(a.shape[1]):
            value = own[h] + other[h]
            hidden[p, h] = g * (zero if value <= zero else value)
        for u in range(units.shape[1]):
            units[p, u] = active[p, u]


@compiled(fastmath=_FAST)
def add_input_gradients(
    a: Array,
    c: Array,
    rows: Index,
    columns: Index,
    grad: Array,
    through: Array,
    grad_a: Array,
    grad_c: Array,
) -> None:
    """Add grad[p] through[p] to the gradients of row and column where the first layer is active."""
    zero = a.dtype.type(0)
    for p in range(rows.shape[0]):
        i, j, g = rows[p], columns[p], grad[p]
        for h in range(a.shape[1]):
            value = a[i, h] + c[j, h]
            passed = zero if value <= zero else g * through[p, h]
            grad_a[i, h] += passed
            grad_c[j, h] += passed
