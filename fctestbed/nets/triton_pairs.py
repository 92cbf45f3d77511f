"""Pair scores on a GPU by Triton kernels, forward and backward, without an array of pairs x width.

Owns the scores of critics with two hidden layers. May import torch and the other modules of pairs
in ``fctestbed.nets``; it is imported only where triton is there.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fctestbed.nets.pair_list import PairList
from fctestbed.nets.precision import Precision
from fctestbed.nets.triton_launches import (
    LEAST_SHARED_BYTES,
    empty_bits,
    launch_scores,
    sums_over_pairs,
)
from fctestbed.nets.triton_problem import problem_of
from fctestbed.nets.triton_relu_dot import one_layer_scores

__all__ = ["LEAST_SHARED_BYTES", "one_layer_scores", "two_layer_scores"]

# Bits of active units are kept for the backward pass if they take at most 256 MiB.
_KEPT_BYTES = 1 << 28


class _TwoLayerScores(torch.autograd.Function):
    """Scores of pairs [stack, pairs] by a critic with two hidden layers, without its last bias."""

    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        c: Tensor,
        w2: Tensor,
        b2: Tensor,
        w3: Tensor,
        pairs: PairList | None,
        product: Precision,
    ) -> Tensor:
        problem = problem_of(a, c, w2, b2, w3, pairs, product)
        scores = problem.a.new_empty(problem.stack, problem.n_pairs)
        bits = None
        size = problem.stack * problem.n_pairs * problem.w2.shape[2] // 8
        if any(ctx.needs_input_grad) and size <= _KEPT_BYTES:
            bits = empty_bits(problem, problem.n_pairs)
        launch_scores(problem, scores, bits, 0, problem.n_pairs)
        ctx.save_for_backward(a, c, w2, b2, w3, *(() if bits is None else (bits,)))
        ctx.pairs, ctx.product = pairs, product
        return scores

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        a, c, w2, b2, w3, *kept = ctx.saved_tensors
        problem = problem_of(a, c, w2, b2, w3, ctx.pairs, ctx.product)
        sums = sums_over_pairs(problem, grad_outputs[0].contiguous(), kept[0] if kept else None)
        h1, h2 = w2.shape[1:]
        q, r = sums.q[:, :h1, :h2], sums.r[:, :h2]
        return (
            sums.a[..., :h1],
            sums.c[..., :h1],
            q * w3.unsqueeze(1),
            r * w3,
            (w2 * q).sum(1) + b2 * r,
            None,
            None,
        )


def two_layer_scores(
    a: Tensor,
    c: Tensor,
    w2: Tensor,
    b2: Tensor,
    w3: Tensor,
    pairs: PairList | None,
    *,
    product: Precision,
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
        product: precision of the products with W2; sums have the precision of ``a``.
    """
    apply: Callable[..., Tensor] = _TwoLayerScores.apply
    scores = apply(a, c, w2, b2, w3, pairs, product)
    return scores.view(a.shape[0], a.shape[1], c.shape[1]) if pairs is None else scores
