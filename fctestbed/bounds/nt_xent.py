"""NT-Xent and SupCon of features, in nats. Owns the functional. May import torch only."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def nt_xent_nats(
    view1: Float[Tensor, "*stack n dim"],
    view2: Float[Tensor, "*stack n dim"],
    *,
    temperature: float,
    labels: Int[Tensor, "*stack n"] | None = None,
) -> Float[Tensor, "*stack"]:
    """NT-Xent (SimCLR), or SupCon where labels are given, over the 2n anchors of two views, in
    nats.

    Args:
        view1: features of the first view; their inner products are the similarities (normalise
            first for cosines).
        view2: features of the second view.
        temperature: divisor of the similarities; no base temperature rescales the loss.
        labels: classes; positives of an anchor are then all others of its class in both views (the
            L_out form) rather than its other view alone.

    Returns:
        The loss: the mean over anchors of -log softmax of the positives, averaged over an anchor's
            positives.

    Source:
        Chen et al. 2020, Eq. 1; Khosla et al. 2020, Eq. 2.
    """
    features = torch.cat([view1, view2], -2)
    logits = features @ features.transpose(-1, -2) / temperature
    return nt_xent_of_scores_nats(logits, labels=labels)


def nt_xent_of_scores_nats(
    scores: Float[Tensor, "*stack two_n two_n"], *, labels: Int[Tensor, "*stack n"] | None = None
) -> Float[Tensor, "*stack"]:
    """The same from any critic's scores of all pairs of the 2n anchors, view 1 before view 2, in
    nats.

    Args:
        scores: critic values; those of an anchor with itself are left out.
        labels: as in ``nt_xent_nats``.
    """
    n = scores.shape[-1] // 2
    itself = torch.eye(2 * n, dtype=torch.bool, device=scores.device)
    logits = scores.masked_fill(itself, -torch.inf)
    normaliser = logits.logsumexp(-1)
    if labels is None:
        positives = logits.roll(n, -1).diagonal(dim1=-2, dim2=-1)
        return (normaliser - positives).mean(-1)
    both = torch.cat([labels, labels], -1)
    same = (both.unsqueeze(-1) == both.unsqueeze(-2)) & ~itself
    # An anchor always has its own other view as a positive, so no division by zero.
    positives = logits.masked_fill(~same, 0.0).sum(-1) / same.sum(-1)
    return (normaliser - positives).mean(-1)
