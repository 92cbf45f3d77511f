"""log sum exp over rows of scores, with a gradient that needs one pass.

Owns the choice of what computes it: compiled loops for float32 on a CPU, torch elsewhere. May
import torch and ``softmax_kernels``.
"""

from typing import Any, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from fctestbed.bounds.softmax_kernels import row_softmax


def row_normalisers(scores: Float[Tensor, "*stack n m"]) -> Float[Tensor, "*stack n"]:
    """log sum_j exp(scores_ij), in nats."""
    if not _compiled(scores):
        return scores.logsumexp(-1)
    return cast(Tensor, _RowSoftmax.apply(scores, None, False))  # type: ignore[no-untyped-call]


def masked_row_normalisers(
    scores: Float[Tensor, "*stack n m"], kept: Bool[Tensor, "*stack n m"]
) -> Float[Tensor, "*stack n"]:
    """log of the sum of exp(scores_ij) over the j that are kept, one of each row at least, in
    nats. The other scores are not read."""
    if not _compiled(scores):
        return scores.masked_fill(~kept, -torch.inf).logsumexp(-1)
    return cast(Tensor, _RowSoftmax.apply(scores, kept, False))  # type: ignore[no-untyped-call]


def other_row_normalisers(scores: Float[Tensor, "*stack n n"]) -> Float[Tensor, "*stack n"]:
    """log of the sum of exp(scores_ij) over all j but i, in nats."""
    if not _compiled(scores):
        itself = torch.eye(scores.shape[-1], dtype=torch.bool, device=scores.device)
        return scores.masked_fill(itself, -torch.inf).logsumexp(-1)
    return cast(Tensor, _RowSoftmax.apply(scores, None, True))  # type: ignore[no-untyped-call]


def _compiled(scores: Tensor) -> bool:
    return scores.device.type == "cpu" and scores.dtype == torch.float32


class _RowSoftmax(torch.autograd.Function):
    """log sum exp of rows; the softmax, which is its gradient, is kept from the forward pass."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, kept: Tensor | None, without_own: bool) -> Tensor:
        *stack, n, m = scores.shape
        flat = scores.detach().contiguous().view(-1, n, m)
        shares = torch.empty_like(flat)
        values = flat.new_empty(len(flat), n)
        if kept is None:
            mask = torch.empty(0, 0, 0, dtype=torch.bool)
        else:
            mask = kept.expand(scores.shape).reshape(flat.shape)
        row_softmax(flat.numpy(), mask.numpy(), without_own, shares.numpy(), values.numpy())
        ctx.save_for_backward(shares.view(scores.shape))
        return values.view(*stack, n)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        (shares,) = ctx.saved_tensors
        return shares * grad_outputs[0].unsqueeze(-1), None, None
