"""Bounds on mutual information as functions of score matrices, in nats.

Owns the functionals; knows no network and no method. May import torch only.

``scores[..., i, j]`` is the critic's value of the pair (u_i, v_j); positives are on the diagonal.
Every function keeps the leading axes, so that a stack of runs gives one number per run.
"""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

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
    normaliser = scores.logsumexp(-1 if contrast == "second" else -2)
    return (positives - normaliser).mean(-1) + math.log(scores.shape[-1])


def nce_club_estimate_nats(
    scores: Float[Tensor, "*stack n n"], *, keep_diagonal: bool = False
) -> Float[Tensor, "*stack"]:
    """NCE-CLUB: mean score of the positives minus mean score of the product of margins, in nats.

    An upper bound on I(U; V) only where the critic is exactly InfoNCE-optimal (it then is the
    Jeffreys divergence); a constant critic gives 0. Use it as a penalty.

    Args:
        scores: critic values of all pairs, positives on the diagonal.
        keep_diagonal: average the second term over all n^2 pairs, as the official code does,
            instead of over the n(n - 1) that stand for the product of margins.

    Source:
        FactorCL (arXiv 2306.05268) Eq. 11.
    """
    n = scores.shape[-1]
    positives = scores.diagonal(dim1=-2, dim2=-1).mean(-1)
    everything = scores.mean((-2, -1))
    if keep_diagonal or n == 1:
        return positives - everything
    return (positives - everything) * (n / (n - 1))


def conditional_infonce_lower_bound_nats(
    scores: Float[Tensor, "*stack n n"],
    same: Bool[Tensor, "*stack n n"],
    *,
    contrast: Contrast = "second",
) -> Float[Tensor, "*stack"]:
    """InfoNCE lower bound on I(U; V | condition), in nats, negatives sharing the anchor's
    condition.

    Args:
        scores: critic values of the pairs, positives on the diagonal; read where ``same`` is true.
        same: whether the pair's two members have the same condition.
        contrast: as in ``infonce_lower_bound_nats``.

    Returns:
        A lower bound in expectation over fresh data. A sample alone in its condition adds 0.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 13 and 15.
    """
    axis = -1 if contrast == "second" else -2
    counts = same.sum(axis, dtype=scores.dtype).log()
    normaliser = scores.masked_fill(~same, -torch.inf).logsumexp(axis)
    return (scores.diagonal(dim1=-2, dim2=-1) - normaliser + counts).mean(-1)


def conditional_nce_club_estimate_nats(
    scores: Float[Tensor, "*stack n n"],
    same: Bool[Tensor, "*stack n n"],
    *,
    keep_diagonal: bool = False,
) -> Float[Tensor, "*stack"]:
    """NCE-CLUB estimate of I(U; V | condition), in nats, product pairs sharing the anchor's
    condition.

    Args:
        scores: critic values of the pairs, positives on the diagonal; read where ``same`` is true.
        same: whether the pair's two members have the same condition.
        keep_diagonal: as in ``nce_club_estimate_nats``.

    Returns:
        The estimate; neither bound away from the InfoNCE-optimal critic. A sample alone in its
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


def label_infonce_lower_bound_nats(
    scores: Float[Tensor, "*stack n classes"], labels: Int[Tensor, "*stack n"]
) -> Float[Tensor, "*stack"]:
    """InfoNCE lower bound on I(U; Y) for a label Y, in nats.

    The n negatives of an anchor are the batch's own labels, of which at most one value per class
    differs, so one column of scores per class, weighted by its count, gives exactly the bound over
    all n^2 pairs.

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
    normaliser = (scores + counts.log().unsqueeze(-2)).logsumexp(-1)
    return (positives - normaliser).mean(-1) + math.log(n)


def label_first_infonce_lower_bound_nats(
    scores: Float[Tensor, "*stack n classes"], labels: Int[Tensor, "*stack n"]
) -> Float[Tensor, "*stack"]:
    """The same with the first argument contrasted: u_j for a fixed label, as the official code
    does.

    Args:
        scores: critic values of (u_i, class c).
        labels: classes of the batch.

    Returns:
        A lower bound in expectation over fresh data, at most log(n).
    """
    positives = scores.gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    normaliser = scores.logsumexp(-2).gather(-1, labels)
    return (positives - normaliser).mean(-1) + math.log(scores.shape[-2])


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
    n = view1.shape[-2]
    features = torch.cat([view1, view2], -2)
    logits = features @ features.transpose(-1, -2) / temperature
    itself = torch.eye(2 * n, dtype=torch.bool, device=logits.device)
    logits = logits.masked_fill(itself, -torch.inf)
    normaliser = logits.logsumexp(-1)
    if labels is None:
        positives = logits.roll(n, -1).diagonal(dim1=-2, dim2=-1)
        return (normaliser - positives).mean(-1)
    both = torch.cat([labels, labels], -1)
    same = (both.unsqueeze(-1) == both.unsqueeze(-2)) & ~itself
    # An anchor always has its own other view as a positive, so no division by zero.
    positives = logits.masked_fill(~same, 0.0).sum(-1) / same.sum(-1)
    return (normaliser - positives).mean(-1)
