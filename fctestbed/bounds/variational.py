"""Objectives that critics are trained by, of score matrices, in nats: NWJ, DV, MINE, JS and the
probabilistic classifier.

Owns the functionals. May import torch only.

The n positives on the diagonal are samples of the joint distribution, the n(n - 1) other pairs
samples of the product of marginals. A critic's log ratio is log p(u, v) / (p(u) p(v)).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

OFFICIAL_CLAMP = 1e-6
"""The distance from 0 and 1 to which FactorCL's official code clamps probabilities."""


def nwj_lower_bound_nats(scores: Float[Tensor, "*stack n n"]) -> Float[Tensor, "*stack"]:
    """NWJ (f-GAN-KL, MINE-f) lower bound on I(U; V), in nats: E_joint[f] - E_product[exp(f - 1)].

    Tight at f = 1 + log ratio.

    Returns:
        A lower bound in expectation for any critic that was fixed before the scores were drawn. Its
        variance grows as exp(I): at high information a sample misses the rare pairs that dominate
        the second term, and most values are then above the expectation.

    Source:
        Nguyen, Wainwright and Jordan 2010; Poole et al. 2019, section 2.2.
    """
    return _positives(scores).mean(-1) - (_log_mean_exp_product(scores) - 1.0).exp()


def dv_estimate_nats(scores: Float[Tensor, "*stack n n"]) -> Float[Tensor, "*stack"]:
    """Donsker-Varadhan estimate of I(U; V), in nats: E_joint[f] - log E_product[exp f].

    Tight at f = log ratio plus any constant.

    Returns:
        A lower bound in the limit of many samples. The log of a sample mean adds an upward bias of
        about half its variance, and the variance grows as exp(I).

    Source:
        Donsker and Varadhan 1983; Belghazi et al. 2018, Eq. 10.
    """
    return _positives(scores).mean(-1) - _log_mean_exp_product(scores)


def mine_objective_nats(
    scores: Float[Tensor, "*stack n n"], log_partition: Float[Tensor, "*stack"]
) -> Float[Tensor, "*stack"]:
    """MINE's training objective, in nats: DV with the gradient of the partition function divided
    by a running mean of it.

    Its gradient is E_joint[grad f] - E_product[exp(f) grad f] / exp(log_partition), which is not
    biased by the batch's own mean in the denominator. Its value does not estimate I(U; V).

    Args:
        scores: critic values of all pairs.
        log_partition: log of the running mean of E_product[exp f]; no gradient flows through it.

    Source:
        Belghazi et al. 2018, section 3.2.
    """
    ratio = (_log_mean_exp_product(scores) - log_partition.detach()).exp()
    return _positives(scores).mean(-1) - ratio


def js_objective_nats(scores: Float[Tensor, "*stack n n"]) -> Float[Tensor, "*stack"]:
    """The Jensen-Shannon objective, in nats: -E_joint[softplus(-f)] - E_product[softplus(f)].

    A lower bound on 2 JSD(joint, product) - 2 log 2, not on I(U; V). Its optimum is the log ratio,
    and training by it is stable.

    Source:
        Nowozin et al. 2016; Hjelm et al. 2019, Eq. 4.
    """
    return -softplus(-_positives(scores)).mean(-1) - _mean_product(softplus(scores))


def classifier_objective_nats(
    scores: Float[Tensor, "*stack n n"], *, negatives: int | None = None
) -> Float[Tensor, "*stack"]:
    """Mean log-likelihood, in nats, of a classifier of positives against all other pairs, whose
    probability is sigmoid(f).

    Its optimum is the log ratio minus log(negatives).

    Args:
        scores: logits of all pairs.
        negatives: weight of the other pairs against the positives; None: the n - 1 of the batch.

    Source:
        Tsai et al. 2020, section 3.1; FactorCL's official code at 0f9f740.
    """
    weight = scores.shape[-1] - 1 if negatives is None else negatives
    positives = -softplus(-_positives(scores)).mean(-1)
    return (positives - weight * _mean_product(softplus(scores))) / (weight + 1)


def clamped_logits(logits: Float[Tensor, "*any"], clamp: float) -> Float[Tensor, "*any"]:
    """Logits of the probabilities clamped to [clamp, 1 - clamp]; a clamp of 0 changes nothing."""
    if clamp == 0:
        return logits
    most = math.log1p(-clamp) - math.log(clamp)
    return logits.clamp(-most, most)


def _n_others(n: int) -> int:
    if n < 2:
        raise ValueError(f"scores: expected at least 2 samples, got {n}")
    return n - 1


def _positives(scores: Tensor) -> Tensor:
    return scores.diagonal(dim1=-2, dim2=-1)


def _without_diagonal(scores: Tensor, fill: float = -torch.inf) -> Tensor:
    n = scores.shape[-1]
    itself = torch.eye(n, dtype=torch.bool, device=scores.device)
    return scores.masked_fill(itself, fill)


def _log_mean_exp_product(scores: Tensor) -> Tensor:
    n = scores.shape[-1]
    return _without_diagonal(scores).logsumexp((-2, -1)) - math.log(n * _n_others(n))


def _mean_product(values: Tensor) -> Tensor:
    n = values.shape[-1]
    return _without_diagonal(values, 0.0).sum((-2, -1)) / (n * _n_others(n))
