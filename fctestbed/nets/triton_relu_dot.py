"""The pair critic with one hidden layer on a GPU: Triton kernels and their launches.

Owns both. May import torch, triton, ``fctestbed.nets.triton_launches`` and
``fctestbed.nets.triton_problem``; it is imported only where triton is there.
"""

from collections.abc import Callable
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from fctestbed.nets.triton_launches import add_parts
from fctestbed.nets.triton_problem import ceil_div, sum_type

_SCORE_ROWS = 32
_SCORE_COLUMNS = 64
_ROWS = 16
_UNITS = 64


@triton.jit
def relu_dot_kernel(
    a, c, w, scores, rows, columns, width,
    SUM: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """scores[k, i, j] = sum_h w[k, h] relu(a[k, i, h] + c[k, j, h]), for a critic of one layer.

    ``a`` [stack, width, rows] and ``c`` [stack, width, columns] are transposed. Grid: (row tiles,
    column tiles, stack).
    """
    run = tl.program_id(2).to(tl.int64)
    i = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    j = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    total = tl.zeros([ROWS, COLUMNS], SUM)
    for h in range(0, width):
        a_h = tl.load(a + (run * width + h) * rows + i, mask=i < rows, other=0.0)
        c_h = tl.load(c + (run * width + h) * columns + j, mask=j < columns, other=0.0)
        x = a_h[:, None] + c_h[None, :]
        total += tl.load(w + run * width + h) * tl.where(x <= 0, 0.0, x)
    place = (run * rows + i)[:, None] * columns + j[None, :]
    tl.store(scores + place, total, mask=(i < rows)[:, None] & (j < columns)[None, :])


@triton.jit
def relu_dot_gradient_kernel(
    a, c, grad, grad_a, parts_w, rows, columns, width, row_stride, column_stride,
    SUM: tl.constexpr, WEIGHTS: tl.constexpr, ROWS: tl.constexpr, UNITS: tl.constexpr,
):  # fmt: skip
    """grad_a[k, i, h] = sum_j g[k, i, j] [a[k, i, h] + c[k, j, h] > 0], without the factor w.

    If WEIGHTS, also the sum over a tile's pairs of g relu(a + c): [stack, row tiles, width]. With
    ``a`` and ``c`` and the strides of ``grad`` exchanged it gives the gradient of ``c``.

    Grid: (row tiles, tiles of UNITS units, stack).
    """
    run = tl.program_id(2).to(tl.int64)
    i = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    h = tl.program_id(1) * UNITS + tl.arange(0, UNITS)
    inside = (i < rows)[:, None] & (h < width)[None, :]
    place = (run * rows + i)[:, None] * width + h[None, :]
    own = tl.load(a + place, mask=inside, other=0.0)
    total = tl.zeros([ROWS, UNITS], SUM)
    weights = tl.zeros([ROWS, UNITS], SUM)
    for j in range(0, columns):
        c_j = tl.load(c + (run * columns + j) * width + h, mask=h < width, other=0.0)
        g_place = run * rows * columns + i * row_stride + j * column_stride
        g = tl.load(grad + g_place, mask=i < rows, other=0.0)
        x = own + c_j[None, :]
        passed = tl.where(x <= 0, 0.0, g[:, None])
        total += passed
        if WEIGHTS:
            weights += passed * x
    tl.store(grad_a + place, total, mask=inside)
    if WEIGHTS:
        part = (run * tl.num_programs(0) + tl.program_id(0)) * width + h
        tl.store(parts_w + part, tl.sum(weights, 0), mask=h < width)


class _OneLayerScores(torch.autograd.Function):
    """Scores of all pairs by a critic with one hidden layer, without its bias."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, c: Tensor, w: Tensor) -> Tensor:
        stack, rows, width = a.shape
        columns = c.shape[1]
        ctx.save_for_backward(a, c, w)
        scores = a.new_empty(stack, rows, columns)
        relu_dot_kernel[(ceil_div(rows, _SCORE_ROWS), ceil_div(columns, _SCORE_COLUMNS), stack)](
            a.transpose(1, 2).contiguous(),
            c.transpose(1, 2).contiguous(),
            w.contiguous(),
            scores,
            rows,
            columns,
            width,
            SUM=sum_type(a),
            ROWS=_SCORE_ROWS,
            COLUMNS=_SCORE_COLUMNS,
        )
        return scores

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, ...]:
        a, c, w = (tensor.contiguous() for tensor in ctx.saved_tensors)
        grad = grad_outputs[0].contiguous()
        stack, rows, width = a.shape
        columns = c.shape[1]
        grad_a, grad_c, grad_w = torch.empty_like(a), torch.empty_like(c), torch.zeros_like(w)
        parts_w = a.new_empty(stack, ceil_div(rows, _ROWS), width)
        for own, other, out, strides, weights in (
            (a, c, grad_a, (columns, 1), True),
            (c, a, grad_c, (1, columns), False),
        ):
            n = own.shape[1]
            grid = ceil_div(n, _ROWS), ceil_div(width, _UNITS), stack
            relu_dot_gradient_kernel[grid](
                own,
                other,
                grad,
                out,
                parts_w,
                n,
                other.shape[1],
                width,
                *strides,
                SUM=sum_type(a),
                WEIGHTS=weights,
                ROWS=_ROWS,
                UNITS=_UNITS,
            )
        add_parts(parts_w, grad_w)
        weight = w.unsqueeze(1)
        return grad_a.mul_(weight), grad_c.mul_(weight), grad_w


def one_layer_scores(a: Tensor, c: Tensor, w: Tensor) -> Tensor:
    """w . relu(a_i + c_j) of all pairs, [stack, rows, columns]; no product is rounded to tf32 or
    bf16, since there is none.

    Args:
        a: first layer of the rows, [stack, rows, width].
        c: first layer of the columns, [stack, columns, width].
        w: weights of the last layer, [stack, width].
    """
    apply: Callable[..., Tensor] = _OneLayerScores.apply
    return apply(a, c, w)
