"""Losses in exact expectation: functionals of scores of patterns and of their law, in nats.

Owns the functionals. May import torch, and a type of ``fctestbed.bounds``.

Each is the limit of its namesake in ``fctestbed.bounds`` for infinitely many samples: the mean of
exponentials over a batch is an expectation over the law of the negatives. Scores are [*stack, rows,
columns], ``joint`` is the law of rows and columns.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from fctestbed.bounds import Contrast

_MOST_SPREAD = 0.7
"""Most nats between scores of a row whose exponentials are added, as a share of those between 1 and
the largest number."""


def population_infonce_nats(
    scores: Float[Tensor, "*stack rows columns"],
    joint: Float[Tensor, "rows columns"],
    *,
    contrast: Contrast = "second",
) -> Float[Tensor, "*stack"]:
    """E[f(u, v)] - E log E[exp f(u, v')], v' independent of u: a lower bound on I(U; V).

    Args:
        scores: critic values.
        joint: p(u, v).
        contrast: as in ``infonce_lower_bound_nats``.
    """
    axis = -1 if contrast == "second" else -2
    other = joint.sum(0) if contrast == "second" else joint.sum(1).unsqueeze(1)
    anchors = joint.sum(axis)
    normaliser = (scores + other.log()).logsumexp(axis)
    return (joint * scores).sum((-2, -1)) - (anchors * normaliser).sum(-1)


def population_conditional_infonce_nats(
    scores: Float[Tensor, "*stack _ rows columns"],
    joint: Float[Tensor, "groups rows columns"],
    *,
    contrast: Contrast = "second",
) -> Float[Tensor, "*stack"]:
    """InfoNCE within each group, weighted by the groups: a lower bound on I(U; V | group).

    Args:
        scores: critic values for each group, or one entry for all groups.
        joint: p(group, u, v).
        contrast: as in ``infonce_lower_bound_nats``.
    """
    if contrast == "first":
        scores, joint = scores.transpose(-2, -1), joint.transpose(-2, -1)
    # A group that never occurs has no law of its own.
    scores, joint = _occurring(scores, joint)
    anchors = joint.sum(-1)
    other = joint.sum(-2) / joint.sum((1, 2)).unsqueeze(1)
    if scores.shape[-3] == 1:
        scores = scores.squeeze(-3)
        normaliser = _log_means(scores, other)
        return (joint.sum(0) * scores).sum((-2, -1)) - (anchors.T * normaliser).sum((-2, -1))
    normaliser = (scores + other.log().unsqueeze(-2)).logsumexp(-1)
    return (joint * scores).sum((-3, -2, -1)) - (anchors * normaliser).sum((-2, -1))


def population_club_nats(
    scores: Float[Tensor, "*stack rows columns"], joint: Float[Tensor, "rows columns"]
) -> Float[Tensor, "*stack"]:
    """NCE-CLUB: E[f(u, v)] - E[f(u, v')], v' independent of u."""
    product = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    return ((joint - product) * scores).sum((-2, -1))


def population_conditional_club_nats(
    scores: Float[Tensor, "*stack _ rows columns"], joint: Float[Tensor, "groups rows columns"]
) -> Float[Tensor, "*stack"]:
    """NCE-CLUB within each group, weighted by the groups.

    Args:
        scores: critic values for each group, or one entry for all groups.
        joint: p(group, u, v).
    """
    scores, joint = _occurring(scores, joint)
    share = joint.sum((1, 2), keepdim=True)
    product = joint.sum(2, keepdim=True) * joint.sum(1, keepdim=True) / share
    weights = joint - product
    if scores.shape[-3] == 1:
        weights = weights.sum(0, keepdim=True)
    return (weights * scores).sum((-3, -2, -1))


def optimal_club_nats(joint: Float[Tensor, "rows columns"]) -> Float[Tensor, ""]:
    """NCE-CLUB at the critic that is optimal for InfoNCE, the log density ratio, in nats.

    Returns:
        The Jeffreys divergence of p(u, v) and p(u) p(v), at least I(U; V): infinite where a pair
        that never occurs has members that do.
    """
    product = joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True)
    possible = product > 0
    ratio = joint[possible].log() - product[possible].log()
    terms = (joint[possible] - product[possible]) * ratio
    # A cell of probability 0 on both sides adds nothing.
    return terms.sum()


def population_nt_xent_nats(
    scores: Float[Tensor, "*stack anchors anchors"],
    joint: Float[Tensor, "rows columns"],
    *,
    with_label: Float[Tensor, "rows columns classes"] | None = None,
) -> Float[Tensor, "*stack"]:
    """NT-Xent minus log(2n - 1) for infinitely many samples; SupCon where a label's law is given.

    Args:
        scores: of all pairs of patterns, those of view 1 before those of view 2, [rows + columns].
        joint: p(view 1, view 2).
        with_label: p(view 1, view 2, y): the positives of an anchor are then the patterns of both
            views in its class.
    """
    rows = joint.shape[0]
    shares = torch.cat([joint.sum(1), joint.sum(0)]) / 2
    normaliser = ((scores + shares.log()).logsumexp(-1) * shares).sum(-1)
    if with_label is None:
        weights = torch.zeros_like(scores[(0,) * (scores.ndim - 2)])
        weights[:rows, rows:] = joint / 2
        weights[rows:, :rows] = joint.T / 2
    else:
        # p(anchor, y) and p(candidate | y).
        of_class = torch.cat([with_label.sum(1), with_label.sum(0)]) / 2
        weights = of_class @ (of_class / of_class.sum(0).clamp_min(1e-300)).T
    return normaliser - (weights * scores).sum((-2, -1))


def population_self_nt_xent_nats(
    scores: Float[Tensor, "*stack patterns patterns"], joint: Float[Tensor, "patterns patterns"]
) -> Float[Tensor, "*stack"]:
    """``population_nt_xent_nats`` of two views that are patterns of one set.

    Args:
        scores: of all pairs of patterns.
        joint: p(view 1, view 2).
    """
    weights = (joint + joint.T) / 2
    shares = weights.sum(1)
    normaliser = ((scores + shares.log()).logsumexp(-1) * shares).sum(-1)
    return normaliser - (weights * scores).sum((-2, -1))


def _log_means(scores: Tensor, laws: Tensor) -> Tensor:
    """log E[exp score] of each row under each law of the columns, [*stack, rows, laws]."""
    largest = math.log(torch.finfo(scores.dtype).max)
    spread = (scores.amax(-1) - scores.amin(-1)).max()
    if float(spread.detach()) > _MOST_SPREAD * largest:
        # Exponentials of one row would underflow.
        return (scores.unsqueeze(-2) + laws.log()).logsumexp(-1)
    highest = scores.amax(-1, keepdim=True).detach()
    return ((scores - highest).exp() @ laws.T).log() + highest


def _occurring(scores: Tensor, joint: Tensor) -> tuple[Tensor, Tensor]:
    """Scores and law of the groups that occur."""
    occurs = joint.sum((1, 2)) > 0
    if scores.shape[-3] == len(joint):
        scores = scores[..., occurs, :, :]
    return scores, joint[occurs]
