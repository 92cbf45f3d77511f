"""NCE-CLUB of score matrices, unconditional and conditional, in nats: a penalty, not an estimate.

Owns the functionals. May import torch only.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def nce_club_estimate_nats(
    scores: Float[Tensor, "*stack n n"], *, keep_diagonal: bool = False
) -> Float[Tensor, "*stack"]:
    """NCE-CLUB: mean score of the positives minus mean score of the product of marginals, in nats.

    An upper bound on I(U; V) only if the critic is exactly InfoNCE-optimal (it then is the Jeffreys
    divergence); a constant critic gives 0. Use it as a penalty. With scores log p(v_j | u_i) it is
    CLUB (Cheng et al. 2020, Eq. 11).

    Args:
        scores: critic values of all pairs, positives on the diagonal.
        keep_diagonal: average the second term over all n^2 pairs, as the official code does,
            instead of over the n(n - 1) that are samples of the product of marginals.

    Source:
        FactorCL (arXiv 2306.05268) Eq. 11.
    """
    n = scores.shape[-1]
    positives = scores.diagonal(dim1=-2, dim2=-1).mean(-1)
    everything = scores.mean((-2, -1))
    if keep_diagonal or n == 1:
        return positives - everything
    return (positives - everything) * (n / (n - 1))


def conditional_nce_club_estimate_nats(
    scores: Float[Tensor, "*stack n n"],
    same: Bool[Tensor, "*stack n n"],
    *,
    keep_diagonal: bool = False,
) -> Float[Tensor, "*stack"]:
    """NCE-CLUB of I(U; V | condition), in nats; product pairs share the anchor's condition.

    Args:
        scores: critic values of the pairs, positives on the diagonal; only those where ``same`` is
            true are read.
        same: whether the pair's two members have the same condition.
        keep_diagonal: as in ``nce_club_estimate_nats``.

    Returns:
        A value that is not a bound unless the critic is InfoNCE-optimal. A sample alone in its
        condition adds 0.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 14 and 16.
    """
    itself = torch.eye(same.shape[-1], dtype=torch.bool, device=same.device)
    product = same if keep_diagonal else same & ~itself
    counts = product.sum(-1)
    means = scores.masked_fill(~product, 0.0).sum(-1) / counts.clamp_min(1)
    terms = scores.diagonal(dim1=-2, dim2=-1) - means
    return terms.masked_fill(counts == 0, 0.0).mean(-1)


def own_negatives_nce_club_estimate_nats(
    positives: Float[Tensor, "*stack n"], negatives: Float[Tensor, "*stack n k"]
) -> Float[Tensor, "*stack"]:
    """NCE-CLUB where every anchor has k negatives of its own, in nats.

    Args:
        positives: scores of the positive pairs.
        negatives: scores of (u_i, v) with v drawn from its conditional given anchor i's condition.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 14 and 16.
    """
    return (positives - negatives.mean(-1)).mean(-1)
