"""CPU kernels of linear layers, compiled by numba: products by BLAS, bias and ReLU on what is still
in cache.

Owns the loops that ``fctestbed.nets.cpu_layers`` runs. May import numpy, scipy, ``_compilation``
and ``_kernel_math``.

Each map of a stack is computed alone, so that its rounding is the same in every stack. A product of
torch over a whole stack has half of this rate for layers as narrow as a critic's.
"""

from typing import Any

import numpy as np

# numba's products are scipy's BLAS: it is loaded here, so that its number of threads can be set.
import scipy.linalg.cython_blas  # noqa: F401
from numpy.typing import NDArray

from fctestbed._compilation import compiled
from fctestbed._kernel_math import FAST

Array = NDArray[np.floating[Any]]
Index = NDArray[np.integer[Any]]


@compiled(fastmath=FAST)
def affine(
    x: Array,
    inputs: Index,
    weight: Array,
    bias: Array,
    places: Index,
    first_row: int,
    rectify: bool,
    out: Array,
) -> None:
    """out[m] = x[inputs[m]] W + b for the weights and the bias at places[m], with ReLU on demand.

    Args:
        x: [inputs, n, in].
        inputs: of each map, its input.
        weight: [maps, rows, out]; a map's W is as many of its rows as the input is wide.
        bias: [maps, 1, out]; an array without maps for none.
        places: of each map, its weights.
        first_row: the first of those rows.
        rectify: whether a ReLU follows.
        out: [len(inputs), n, out], written.
    """
    zero = x.dtype.type(0)
    has_bias = len(bias) > 0
    last_row = first_row + x.shape[2]
    for m in range(len(inputs)):
        own = out[m]
        np.dot(x[inputs[m]], weight[places[m]][first_row:last_row], own)
        if has_bias:
            offset = bias[places[m], 0]
            for i in range(own.shape[0]):
                for h in range(own.shape[1]):
                    value = own[i, h] + offset[h]
                    # This comparison lets NaN pass, as torch's relu does.
                    own[i, h] = zero if rectify and value <= zero else value


@compiled(fastmath=FAST)
def affine_backward(
    x: Array,
    inputs: Index,
    weight: Array,
    places: Index,
    first_row: int,
    out: Array,
    rectify: bool,
    grad: Array,
    grad_x: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    """Gradients of ``affine``.

    Args:
        x: as of ``affine``.
        inputs: as of ``affine``.
        weight: as of ``affine``.
        places: as of ``affine``; no two maps have the same.
        first_row: as of ``affine``.
        out: what ``affine`` has written; it is read where a ReLU follows.
        rectify: whether a ReLU follows.
        grad: of ``out``.
        grad_x: added to, of x; an array without inputs if nobody wants it.
        grad_weight: written at the places and rows that the map reads.
        grad_bias: written; an array without maps for none.
    """
    zero = x.dtype.type(0)
    n, width = grad.shape[1:]
    last_row = first_row + x.shape[2]
    passed = np.empty((n, width), x.dtype)
    back = np.empty((width, x.shape[2]), x.dtype)
    through = np.empty((n, x.shape[2]), x.dtype)
    for m in range(len(inputs)):
        own, place = grad[m], places[m]
        if rectify:
            value = out[m]
            for i in range(n):
                for h in range(width):
                    passed[i, h] = own[i, h] if value[i, h] > zero else zero
        else:
            for i in range(n):
                for h in range(width):
                    passed[i, h] = own[i, h]
        if len(grad_bias) > 0:
            total = grad_bias[place, 0]
            for h in range(width):
                total[h] = zero
            for i in range(n):
                for h in range(width):
                    total[h] += passed[i, h]
        np.dot(x[inputs[m]].T, passed, grad_weight[place][first_row:last_row])
        if len(grad_x) > 0:
            # BLAS has twice the rate for a second factor that is not transposed.
            rows = weight[place]
            for h in range(width):
                for k in range(x.shape[2]):
                    back[h, k] = rows[first_row + k, h]
            np.dot(passed, back, through)
            total_x = grad_x[inputs[m]]
            for i in range(n):
                for k in range(x.shape[2]):
                    total_x[i, k] += through[i, k]
