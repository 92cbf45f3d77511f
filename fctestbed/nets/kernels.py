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
def relu_dot_forward_by_columns(a: Array, c: Array, w: Array, scores: Array) -> None:
    """``relu_dot_forward`` for many columns, in half of its time.

    The columns are the vectors, so that no sum goes across one, and four units are taken at a time:
    two rows of scores are then loaded and stored once for four units.
    """
    stack, rows, width = a.shape
    columns = c.shape[1]
    zero = a.dtype.type(0)
    # Units of weight 0 fill up the last four.
    padded = width + -width % 4
    units = np.zeros((padded, columns), a.dtype)
    own, last = np.zeros(padded, a.dtype), np.zeros(padded, a.dtype)
    weight, sums = np.zeros(padded, a.dtype), np.zeros((2, columns), a.dtype)
    for k in range(stack):
        for h in range(width):
            weight[h] = w[k, h]
            for j in range(columns):
                units[h, j] = c[k, j, h]
        for i in range(0, rows, 2):
            # An odd last row is computed twice.
            i1 = min(i + 1, rows - 1)
            for h in range(width):
                own[h], last[h] = a[k, i, h], a[k, i1, h]
            out0, out1 = sums[0], sums[1]
            for j in range(columns):
                out0[j] = out1[j] = zero
            for h in range(0, padded, 4):
                u0, u1, u2, u3 = units[h], units[h + 1], units[h + 2], units[h + 3]
                w0, w1, w2, w3 = weight[h], weight[h + 1], weight[h + 2], weight[h + 3]
                a0, a1, a2, a3 = own[h], own[h + 1], own[h + 2], own[h + 3]
                b0, b1, b2, b3 = last[h], last[h + 1], last[h + 2], last[h + 3]
                for j in range(columns):
                    c0, c1, c2, c3 = u0[j], u1[j], u2[j], u3[j]
                    # Comparisons let NaN pass, as torch's relu does.
                    x0, x1, x2, x3 = a0 + c0, a1 + c1, a2 + c2, a3 + c3
                    y0, y1, y2, y3 = b0 + c0, b1 + c1, b2 + c2, b3 + c3
                    x0, x1 = zero if x0 <= zero else x0, zero if x1 <= zero else x1
                    x2, x3 = zero if x2 <= zero else x2, zero if x3 <= zero else x3
                    y0, y1 = zero if y0 <= zero else y0, zero if y1 <= zero else y1
                    y2, y3 = zero if y2 <= zero else y2, zero if y3 <= zero else y3
                    out0[j] += (w0 * x0 + w1 * x1) + (w2 * x2 + w3 * x3)
                    out1[j] += (w0 * y0 + w1 * y1) + (w2 * y2 + w3 * y3)
            for j in range(columns):
                scores[k, i, j] = out0[j]
                scores[k, i1, j] = out1[j]


@compiled(fastmath=_FAST)
def relu_dot_backward(
    a: Array, c: Array, w: Array, grad: Array, grad_a: Array, grad_c: Array, grad_w: Array
) -> None:
    """Gradients of ``relu_dot_forward``; the three results must be zero on entry.

    Let m be 1 where a unit is active, and g the gradient of a score. With the sums A[i] = sum_j g m
    and C[j] = sum_i g m the gradients are w A, w C and, as g m (a + c) is summed over all pairs,
    sum_i a A + sum_j c C, so that a pair adds to A and C alone.

    It takes four rows at a time: a column and its sums are then loaded and stored once for four
    pairs.
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
                    p0 = zero if a[k, i, h] + column <= zero else g0
                    p1 = zero if a[k, i + 1, h] + column <= zero else g1
                    p2 = zero if a[k, i + 2, h] + column <= zero else g2
                    p3 = zero if a[k, i + 3, h] + column <= zero else g3
                    grad_a[k, i, h] += p0
                    grad_a[k, i + 1, h] += p1
                    grad_a[k, i + 2, h] += p2
                    grad_a[k, i + 3, h] += p3
                    grad_c[k, j, h] += (p0 + p1) + (p2 + p3)
        for i in range(whole, rows):
            for j in range(columns):
                g = grad[k, i, j]
                for h in range(width):
                    passed = zero if a[k, i, h] + c[k, j, h] <= zero else g
                    grad_a[k, i, h] += passed
                    grad_c[k, j, h] += passed
        for i in range(rows):
            for h in range(width):
                grad_w[k, h] += a[k, i, h] * grad_a[k, i, h]
                grad_a[k, i, h] *= w[k, h]
        for j in range(columns):
            for h in range(width):
                grad_w[k, h] += c[k, j, h] * grad_c[k, j, h]
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
