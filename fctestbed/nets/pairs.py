"""Scores of all pairs of two sets by a concat critic, without an array of pairs x width.

Owns the pair scores and their gradients. May import torch and ``fctestbed.nets.kernels``.

A concat critic's first layer is linear in [u, v], so for all pairs it is two small products and a
broadcast sum, a_i + c_j. With one hidden layer of width h, a compiled loop (CPU) or tiles (GPU) do
the rest: N^2 scores need about 3 N^2 h operations forward and 7 N^2 h backward, and no memory but
the scores' own.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from fctestbed.nets.kernels import relu_dot_backward, relu_dot_forward

# Elements of one tile: enough work for a GPU, and 256 MiB of its memory in float32.
_TILE_ELEMENTS = 1 << 26


def _tiles(stack: int, rows: int, row_elements: int) -> Iterator[tuple[slice, slice]]:
    """Cut [stack, rows] into rectangles of at most a tile: whole runs, or rows of one run."""
    if rows * row_elements <= _TILE_ELEMENTS:
        runs = _TILE_ELEMENTS // (rows * row_elements)
        for k in range(0, stack, runs):
            yield slice(k, k + runs), slice(0, rows)
        return
    step = max(1, _TILE_ELEMENTS // row_elements)
    for k in range(stack):
        for i in range(0, rows, step):
            yield slice(k, k + 1), slice(i, i + step)


class _ReluDotPairs(torch.autograd.Function):
    """scores[k, i, j] = sum_h w[k, h] relu(a[k, i, h] + c[k, j, h]), without its hidden layer."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, c: Tensor, w: Tensor) -> Tensor:
        a, c, w = a.contiguous(), c.contiguous(), w.contiguous()
        ctx.save_for_backward(a, c, w)
        if a.device.type == "cpu":
            scores = a.new_empty(a.shape[0], a.shape[1], c.shape[1])
            relu_dot_forward(*_arrays(a, c, w, scores))
            return scores
        return _forward_tiles(a, c, w)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, c, w = ctx.saved_tensors
        grad = grad_outputs[0].contiguous()
        if a.device.type == "cpu":
            gradients = torch.zeros_like(a), torch.zeros_like(c), torch.zeros_like(w)
            relu_dot_backward(*_arrays(a, c, w, grad, *gradients))
            return gradients
        return _backward_tiles(a, c, w, grad)


def _arrays(*tensors: Tensor) -> list[NDArray[np.floating[Any]]]:
    return [tensor.detach().numpy() for tensor in tensors]


def _forward_tiles(a: Tensor, c: Tensor, w: Tensor) -> Tensor:
    stack, rows, width = a.shape
    columns = c.shape[1]
    scores = a.new_empty(stack, rows, columns)
    for k, i in _tiles(stack, rows, columns * width):
        hidden = (a[k, i].unsqueeze(2) + c[k].unsqueeze(1)).relu_()
        scores[k, i] = (hidden @ w[k].unsqueeze(1).unsqueeze(3)).squeeze(3)
    return scores


def _backward_tiles(a: Tensor, c: Tensor, w: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    stack, rows, width = a.shape
    columns = c.shape[1]
    grad_a, grad_c, grad_w = torch.empty_like(a), torch.zeros_like(c), torch.zeros_like(w)
    for k, i in _tiles(stack, rows, columns * width):
        hidden = (a[k, i].unsqueeze(2) + c[k].unsqueeze(1)).relu_()
        tile = grad[k, i]
        flat = tile.reshape(tile.shape[0], 1, -1)
        grad_w[k] += torch.bmm(flat, hidden.flatten(1, 2)).squeeze(1)
        active = hidden.sign_()
        grad_a[k, i] = (tile.unsqueeze(2) @ active).squeeze(2)
        grad_c[k] += active.mul_(tile.unsqueeze(3)).sum(1)
    weight = w.unsqueeze(1)
    return grad_a.mul_(weight), grad_c.mul_(weight), grad_w


def relu_dot_pairs(
    a: Float[Tensor, "stack rows width"],
    c: Float[Tensor, "stack columns width"],
    w: Float[Tensor, "stack width"],
) -> Float[Tensor, "stack rows columns"]:
    """All-pairs scores of a critic with one hidden layer: w . relu(a_i + c_j).

    About 3 rows * columns * width operations forward and 7 backward; memory beyond the result is
    one tile.
    """
    scores: Tensor = _ReluDotPairs.apply(a, c, w)  # type: ignore[no-untyped-call]
    return scores


def mlp_pairs(
    a: Float[Tensor, "stack rows width"],
    c: Float[Tensor, "stack columns width"],
    layers: Sequence[tuple[Tensor, Tensor]],
) -> Float[Tensor, "stack rows columns"]:
    """All-pairs scores of a critic with several hidden layers.

    Args:
        a: the first layer's output for the row elements alone, with its bias.
        c: the first layer's output for the column elements alone, without its bias.
        layers: weights [stack, in, out] and biases [stack, 1, out] of the layers after the first;
            the last one has a single output.

    Returns:
        The scores. With more than one tile, the backward pass computes each tile's hidden layers
        again instead of keeping them.
    """
    stack, rows, width = a.shape
    columns = c.shape[1]

    def tile_scores(a_tile: Tensor, c_tile: Tensor, *parameters: Tensor) -> Tensor:
        runs, n = a_tile.shape[:2]
        hidden = (a_tile.unsqueeze(2) + c_tile.unsqueeze(1)).relu_().view(runs, n * columns, width)
        pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
        for weight, bias in pairs[:-1]:
            hidden = torch.baddbmm(bias, hidden, weight).relu_()
        return torch.baddbmm(pairs[-1][1], hidden, pairs[-1][0]).view(runs, n, columns)

    tiles = list(_tiles(stack, rows, columns * width))
    parts: list[Tensor] = []
    for k, i in tiles:
        arguments = (a[k, i], c[k], *(tensor[k] for layer in layers for tensor in layer))
        if len(tiles) == 1:
            parts.append(tile_scores(*arguments))
        else:
            tile = checkpoint(
                tile_scores, *arguments, use_reentrant=False, preserve_rng_state=False
            )
            assert isinstance(tile, Tensor)
            parts.append(tile)
    return torch.cat([part.flatten(0, 1) for part in parts]).view(stack, rows, columns)
