"""NT-Xent and SupCon of score matrices, in nats.

Owns the functional. May import torch and ``normalisers``.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fctestbed.bounds.normalisers import other_row_normalisers


def nt_xent_nats(
    scores: Float[Tensor, "*stack two_n two_n"], *, labels: Int[Tensor, "*stack n"] | None = None
) -> Float[Tensor, "*stack"]:
    """NT-Xent (SimCLR), or SupCon if labels are given, over the 2n anchors of two views, in nats.

    Args:
        scores: critic values of all pairs of anchors, view 1 before view 2: similarities divided by
            the temperature, in both papers. Those of an anchor with itself are not read. No base
            temperature rescales the loss.
        labels: classes; positives of an anchor are then all others of its class in both views (the
            L_out form) rather than its other view alone.

    Returns:
        The loss: the mean over anchors of -log softmax of the positives, averaged over an anchor's
        positives.

    Source:
        Chen et al. 2020, Eq. 1; Khosla et al. 2020, Eq. 2.
    """
    n = scores.shape[-1] // 2
    normaliser = other_row_normalisers(scores)
    if labels is None:
        ahead, behind = (scores.diagonal(shift, dim1=-2, dim2=-1) for shift in (n, -n))
        return (normaliser - torch.cat([ahead, behind], -1)).mean(-1)
    itself = torch.eye(2 * n, dtype=torch.bool, device=scores.device)
    both = torch.cat([labels, labels], -1)
    same = (both.unsqueeze(-1) == both.unsqueeze(-2)) & ~itself
    # An anchor's other view is always a positive, so that the divisor is never zero.
    positives = scores.masked_fill(~same, 0.0).sum(-1) / same.sum(-1)
    return (normaliser - positives).mean(-1)
