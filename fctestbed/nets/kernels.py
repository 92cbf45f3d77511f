"""CPU kernels of the pair critic, compiled by numba: no temporary of pairs x width at all.

Owns the loops behind ``fctestbed.nets.pairs`` on a CPU. May import numba and numpy only.

Sums may be reassociated (so that they vectorise), but NaN and infinity keep their meaning: a
diverged run must show.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_FAST = {"reassoc", "contract", "nsz", "arcp"}
Array = NDArray[np.floating[Any]]


@njit(fastmath=_FAST, cache=True, nogil=True)
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
                    # Written so that NaN passes, as it does through torch's relu.
                    total += w[k, h] * (zero if value <= zero else value)
                scores[k, i, j] = total


@njit(fastmath=_FAST, cache=True, nogil=True)
def relu_dot_backward(
    a: Array, c: Array, w: Array, grad: Array, grad_a: Array, grad_c: Array, grad_w: Array
) -> None:
    """Gradients of ``relu_dot_forward``; the three results must be zero on entry."""
    stack, rows, width = a.shape
    columns = c.shape[1]
    zero = a.dtype.type(0)
    for k in range(stack):
        for i in range(rows):
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
