"""Pseudo-values: what each held-out sample adds to a functional of a score matrix, in nats.

May import torch only.

A functional of all pairs of n samples is not a mean of n independent terms. The mean of its
pseudo-values is its value, and their standard deviation over sqrt(n) is its standard error, to
first order (Hoeffding projection, or infinitesimal jackknife): each holds what its sample adds as
anchor, as positive and as a negative of other samples.
"""

import math

import torch
from torch import Tensor


def contrast(scores: Tensor) -> Tensor:
    """InfoNCE: positives minus the log mean exp of their row, the positive included.

    Args:
        scores: [n, n], positives on the diagonal.

    Returns:
        Pseudo-values, [n]; their mean is ``infonce_lower_bound_nats``.
    """
    n = len(scores)
    anchors = scores.diagonal() - scores.logsumexp(1) + math.log(n)
    return anchors + (1.0 - scores.softmax(1).sum(0))


def leave_one_out(log_conditional: Tensor) -> Tensor:
    """L1Out: positives minus the log mean exp of the others of their column.

    Args:
        log_conditional: [n, n], log q(v_j | u_i) in row i, column j.

    Returns:
        Pseudo-values, [n]; their mean is the leave-one-out estimate.
    """
    others = _others(log_conditional)
    n = len(others)
    anchors = log_conditional.diagonal() - others.logsumexp(0) + math.log(n - 1)
    return anchors + (1.0 - others.softmax(0).sum(1))


def mean_difference(positives: Tensor, product: Tensor) -> Tensor:
    """The positives' mean minus the mean over other pairs.

    Args:
        positives: one term for each positive, [n].
        product: terms of all pairs, [n, n]; the diagonal is ignored.

    Returns:
        Pseudo-values, [n].
    """
    n = len(product)
    itself = torch.eye(n, dtype=torch.bool, device=product.device)
    others = product.masked_fill(itself, 0.0)
    as_row, as_column = others.sum(1) / (n - 1), others.sum(0) / (n - 1)
    return positives - (as_row + as_column - as_row.mean())


def log_mean_difference(positives: Tensor, log_product: Tensor) -> Tensor:
    """The positives' mean minus the log of the mean over other pairs of exp(``log_product``).

    Args:
        positives: one term for each positive, [n].
        log_product: [n, n]; the diagonal is ignored.

    Returns:
        Pseudo-values, [n].
    """
    n = len(log_product)
    others = _others(log_product)
    log_total = others.logsumexp((0, 1))
    shares = (others - log_total).exp()
    # Each pair has a row and a column, so that the two projections have mean 2.
    projection = n * (shares.sum(1) + shares.sum(0)) - 2.0
    return positives - (log_total - math.log(n * (n - 1))) - projection


def _others(scores: Tensor) -> Tensor:
    """Scores with -inf on the diagonal."""
    itself = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    return scores.masked_fill(itself, -torch.inf)
