"""Pair scores of a critic with two hidden layers on a CPU, in tiles of pairs that stay in cache.

Owns the tiles and their gradients. May import torch, numpy, ``fctestbed.nets.kernels`` and
``fctestbed.nets.pair_list``.

The score is s = w3 . relu(W2^T x + b2) with x = relu(a_i + c_j). Let m be 1 where the second layer
is active, and g the gradient of s. Then

    Q[h, u] = sum g x[h] m[u],    r[u] = sum g m[u]         (sums over pairs)
    dW2 = w3 Q,    db2 = w3 r,    dw3 = sum_h W2 Q + b2 r,
    d(a_i + c_j) = g [x > 0] (W2 w3) m

so that the backward pass needs m alone of the forward pass, one bit a unit, and computes x again.
A tile is built, multiplied and summed before the next one; a run's tiles depend on its own pairs
only, so that its rounding is the same in every stack.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.nets.kernels import (
    add_input_gradients,
    first_layer,
    gradient_factors,
    second_layer,
)
from fctestbed.nets.pair_list import PairList

# Pairs of a tile: its two arrays of pairs x width take 2 MB at width 512 in float32.
_TILE = 512


class _Tiles:
    """Tiles of one run's pairs, row by row or as listed."""

    def __init__(self, n_columns: int, n_pairs: int, pairs: PairList | None, run: int) -> None:
        self.n_columns, self.n_pairs = n_columns, n_pairs
        self.listed: tuple[NDArray[Any], NDArray[Any]] | None = None
        if pairs is not None:
            own = pairs.rows[run] >= 0
            self.listed = pairs.rows[run][own].numpy(), pairs.columns[run][own].numpy()
            self.n_pairs = len(self.listed[0])

    def __iter__(self) -> Iterator[tuple[slice, NDArray[Any], NDArray[Any]]]:
        """Places, rows and columns of the pairs of each tile."""
        for begin in range(0, self.n_pairs, _TILE):
            places = slice(begin, min(begin + _TILE, self.n_pairs))
            if self.listed is not None:
                yield places, self.listed[0][places], self.listed[1][places]
            else:
                all_places = np.arange(places.start, places.stop)
                yield places, all_places // self.n_columns, all_places % self.n_columns


class _TwoLayerScores(torch.autograd.Function):
    """Scores of pairs, [stack, pairs], without the last layer's bias; 0 behind the last pair of a
    list."""

    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        c: Tensor,
        w2: Tensor,
        b2: Tensor,
        w3: Tensor,
        pairs: PairList | None,
    ) -> Tensor:
        a, c, w2, b2, w3 = (tensor.detach().contiguous() for tensor in (a, c, w2, b2, w3))
        stack, rows, width = a.shape
        columns, units = c.shape[1], w2.shape[2]
        n_pairs = rows * columns if pairs is None else pairs.rows.shape[1]
        scores = a.new_zeros(stack, n_pairs)
        kept = any(ctx.needs_input_grad)
        bits = np.empty((stack, n_pairs if kept else 0, -(-units // 8)), dtype=np.uint8)
        hidden, z = a.new_empty(_TILE, width), a.new_empty(_TILE, units)
        active = np.empty((_TILE, units), dtype=np.uint8)
        for run in range(stack):
            own = [tensor[run].numpy() for tensor in (a, c, b2, w3, scores)]
            for places, i, j in _Tiles(columns, n_pairs, pairs, run):
                n = len(i)
                first_layer(own[0], own[1], i, j, hidden.numpy())
                torch.mm(hidden[:n], w2[run], out=z[:n])
                second_layer(z[:n].numpy(), own[2], own[3], own[4][places], active)
                if kept:
                    bits[run, places] = np.packbits(active[:n], axis=1)
        ctx.save_for_backward(a, c, w2, b2, w3)
        ctx.pairs, ctx.bits = pairs, bits
        return scores

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        a, c, w2, b2, w3 = ctx.saved_tensors
        grad = grad_outputs[0].contiguous()
        stack, _, width = a.shape
        units = w2.shape[2]
        grad_a, grad_c = torch.zeros_like(a), torch.zeros_like(c)
        q, r = torch.zeros_like(w2), torch.zeros_like(b2)
        back = (w2 * w3.unsqueeze(1)).transpose(1, 2).contiguous()
        hidden, m = a.new_empty(_TILE, width), a.new_empty(_TILE, units)
        for run in range(stack):
            own = [tensor[run].numpy() for tensor in (a, c, grad, grad_a, grad_c)]
            for places, i, j in _Tiles(c.shape[1], grad.shape[1], ctx.pairs, run):
                n, g = len(i), own[2][places]
                active = np.unpackbits(ctx.bits[run, places], axis=1, count=units)
                gradient_factors(own[0], own[1], i, j, g, active, hidden.numpy(), m.numpy())
                q[run].addmm_(hidden[:n].T, m[:n])
                r[run].addmv_(m[:n].T, grad[run, places])
                torch.mm(m[:n], back[run], out=hidden[:n])
                add_input_gradients(own[0], own[1], i, j, g, hidden.numpy(), own[3], own[4])
        return (
            grad_a,
            grad_c,
            q * w3.unsqueeze(1),
            r * w3,
            (w2 * q).sum(1) + b2 * r,
            None,
        )


def two_layer_scores(
    a: Tensor,
    c: Tensor,
    w2: Tensor,
    b2: Tensor,
    w3: Tensor,
    pairs: PairList | None,
) -> Tensor:
    """w3 . relu(W2^T relu(a_i + c_j) + b2) of all pairs, [stack, rows, columns], or of listed ones,
    [stack, pairs].

    Args:
        a: first layer of the rows, [stack, rows, width].
        c: first layer of the columns, [stack, columns, width].
        w2: weights of the second layer, [stack, width, width2].
        b2: its biases, [stack, width2].
        w3: weights of the last layer, [stack, width2].
        pairs: the pairs to score; None for all.
    """
    apply: Callable[..., Tensor] = _TwoLayerScores.apply
    scores = apply(a, c, w2, b2, w3, pairs)
    return scores.view(a.shape[0], a.shape[1], c.shape[1]) if pairs is None else scores
