"""InfoNCE of score matrices: unconditional, conditional, and with a label, in nats.

Owns the functionals. May import torch and ``normalisers``.
"""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from fctestbed.bounds.normalisers import masked_row_normalisers, row_normalisers

Contrast = Literal["second", "first"]


def infonce_lower_bound_nats(
    scores: Float[Tensor, "*stack n n"], *, contrast: Contrast = "second"
) -> Float[Tensor, "*stack"]:
    """InfoNCE lower bound on I(U; V), in nats.

    Args:
        scores: critic values of all pairs, positives on the diagonal.
        contrast: which argument the negatives replace: ``second`` compares v_j for a fixed u_i
            (the paper's Eq. 10), ``first`` compares u_i for a fixed v_j (the official code).

    Returns:
        A lower bound in expectation over fresh data; at most log(n), and possibly negative.

    Source:
        van den Oord et al. 2018, section 2.3; FactorCL (arXiv 2306.05268) Eq. 10.
    """
    positives = scores.diagonal(dim1=-2, dim2=-1)
    normaliser = row_normalisers(_by_anchor(scores, contrast))
    return (positives - normaliser).mean(-1) + math.log(scores.shape[-1])


def conditional_infonce_lower_bound_nats(
    scores: Float[Tensor, "*stack n n"],
    same: Bool[Tensor, "*stack n n"],
    *,
    contrast: Contrast = "second",
) -> Float[Tensor, "*stack"]:
    """InfoNCE lower bound on I(U; V | condition), in nats, negatives sharing the anchor's
    condition.

    Args:
        scores: critic values of the pairs, positives on the diagonal; only those where ``same`` is
            true are read.
        same: whether the pair's two members have the same condition.
        contrast: as in ``infonce_lower_bound_nats``.

    Returns:
        A lower bound in expectation over fresh data. A sample alone in its condition adds 0.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 13 and 15.
    """
    candidates = _by_anchor(same, contrast)
    counts = candidates.sum(-1, dtype=scores.dtype).log()
    normaliser = masked_row_normalisers(_by_anchor(scores, contrast), candidates)
    return (scores.diagonal(dim1=-2, dim2=-1) - normaliser + counts).mean(-1)


def own_negatives_infonce_lower_bound_nats(
    positives: Float[Tensor, "*stack n"], negatives: Float[Tensor, "*stack n k"]
) -> Float[Tensor, "*stack"]:
    """InfoNCE lower bound where every anchor has k negatives of its own, in nats.

    Args:
        positives: scores of the positive pairs.
        negatives: scores of (u_i, v) with v drawn from the marginal of the second argument, or from
            its conditional given anchor i's condition; the bound is then on I(U; V | condition).

    Returns:
        A lower bound in expectation over fresh data; at most log(1 + k).

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 13 and 15.
    """
    scores = torch.cat([positives.unsqueeze(-1), negatives], -1)
    return (positives - row_normalisers(scores)).mean(-1) + math.log(scores.shape[-1])


def label_infonce_lower_bound_nats(
    scores: Float[Tensor, "*stack n classes"], labels: Int[Tensor, "*stack n"]
) -> Float[Tensor, "*stack"]:
    """InfoNCE lower bound on I(U; Y) for a label Y, in nats.

    The candidates of an anchor are the batch's own labels, of which each class has one score. One
    column of scores per class, weighted by the class's count, therefore gives exactly the bound
    over all n^2 pairs.

    Args:
        scores: critic values of (u_i, class c).
        labels: classes of the batch.

    Returns:
        A lower bound in expectation over fresh data, at most log(n) and at most H(Y) for the
        batch's frequencies.

    Source:
        FactorCL (arXiv 2306.05268) Eq. 10 with Y for the second argument.
    """
    n, classes = scores.shape[-2:]
    each = torch.arange(classes, device=labels.device)
    counts = (labels.unsqueeze(-1) == each).sum(-2, dtype=scores.dtype)
    positives = scores.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    normaliser = row_normalisers(scores + counts.log().unsqueeze(-2))
    return (positives - normaliser).mean(-1) + math.log(n)


def label_first_infonce_lower_bound_nats(
    scores: Float[Tensor, "*stack n classes"], labels: Int[Tensor, "*stack n"]
) -> Float[Tensor, "*stack"]:
    """InfoNCE lower bound on I(U; Y) that contrasts the first argument, u_j for a fixed label, as
    the official code does; in nats.

    Args:
        scores: critic values of (u_i, class c).
        labels: classes of the batch.

    Returns:
        A lower bound in expectation over fresh data, at most log(n).
    """
    positives = scores.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    normaliser = scores.logsumexp(-2).gather(-1, labels)
    return (positives - normaliser).mean(-1) + math.log(scores.shape[-2])


def _by_anchor(pairs: Tensor, contrast: Contrast) -> Tensor:
    """An array of pairs [*, n, n] with one row for each anchor and one column for each of its
    candidates."""
    return pairs if contrast == "second" else pairs.transpose(-1, -2)
