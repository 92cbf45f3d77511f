"""Variational bounds and estimates of score matrices, in nats: NWJ, DV, JS, SMILE, the
probabilistic classifier, CLUB and leave-one-out.

Owns the functionals. May import torch only.

The n positives on the diagonal stand for the joint law, the n(n - 1) other pairs for the product of
margins. A critic's log ratio is log p(u, v) / (p(u) p(v)).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

# FactorCL's official code clamps probabilities so far from 0 and 1.
OFFICIAL_CLAMP = 1e-6


def nwj_lower_bound_nats(scores: Float[Tensor, "*stack n n"]) -> Float[Tensor, "*stack"]:
    """NWJ (f-GAN-KL, MINE-f) lower bound on I(U; V), in nats: E_joint[f] - E_product[exp(f - 1)].

    Tight at f = 1 + log ratio.

    Returns:
        A lower bound in expectation for any critic that was fixed before the scores were drawn. Its
        variance grows as exp(I): at high information a sample misses the rare pairs that carry the
        second term, and most values then lie above the expectation.

    Source:
        Nguyen, Wainwright and Jordan 2010; Poole et al. 2019, section 2.2.
    """
    return _positives(scores).mean(-1) - (_log_mean_exp_product(scores) - 1.0).exp()


def dv_estimate_nats(scores: Float[Tensor, "*stack n n"]) -> Float[Tensor, "*stack"]:
    """Donsker-Varadhan estimate of I(U; V), in nats: E_joint[f] - log E_product[exp f].

    Tight at f = log ratio plus any constant; MINE is its training by Adam.

    Returns:
        A lower bound in population; the log of a sample mean adds about half that log's variance,
        upward. The variance grows as exp(I).

    Source:
        Donsker and Varadhan 1983; Belghazi et al. 2018, Eq. 10.
    """
    return _positives(scores).mean(-1) - _log_mean_exp_product(scores)


def mine_objective_nats(
    scores: Float[Tensor, "*stack n n"], log_partition: Float[Tensor, "*stack"]
) -> Float[Tensor, "*stack"]:
    """MINE's training objective, in nats: DV with the partition's gradient divided by a running
    mean of it.

    Its gradient is E_joint[grad f] - E_product[exp(f) grad f] / exp(log_partition), which is not
    biased by the batch's own mean in the denominator. Its value is no estimate.

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

    A lower bound on 2 JSD(joint, product) - 2 log 2, not on I(U; V); stable to train, and its
    optimum is the log ratio.

    Source:
        Nowozin et al. 2016; Hjelm et al. 2019, Eq. 4.
    """
    return -softplus(-_positives(scores)).mean(-1) - _mean_product(softplus(scores))


def js_nwj_lower_bound_nats(
    scores: Float[Tensor, "*stack n n"], *, shift: bool = True
) -> Float[Tensor, "*stack"]:
    """NWJ read from a critic trained by the Jensen-Shannon objective, in nats.

    Args:
        scores: critic values of all pairs.
        shift: add the 1 by which NWJ's optimum differs from the log ratio. The published code
            (ermongroup/smile, afa72e0) does not, and reads 1/e = 0.37 nats too low at the optimum.

    Returns:
        A lower bound in expectation, as ``nwj_lower_bound_nats``.

    Source:
        Poole et al. 2019, section 2.3.
    """
    return nwj_lower_bound_nats(scores + 1.0 if shift else scores)


def mean_logit_estimate_nats(scores: Float[Tensor, "*stack n n"]) -> Float[Tensor, "*stack"]:
    """Mean log ratio of the positives, in nats, read from a critic of which f is the log ratio.

    Neither bound: nothing normalises the critic.
    """
    return _positives(scores).mean(-1)


def smile_estimate_nats(
    scores: Float[Tensor, "*stack n n"], *, clip: float = 5.0
) -> Float[Tensor, "*stack"]:
    """SMILE estimate of I(U; V), in nats: DV with exp(f) clipped to [exp(-clip), exp(clip)] in the
    partition.

    Args:
        scores: critic values of all pairs, from a critic trained by the Jensen-Shannon objective.
        clip: where the scores of the second term are clipped; infinite gives DV.

    Returns:
        Neither bound: clipping lowers the variance and takes away what the partition held back. It
        reads above the truth on bits.

    Source:
        Song and Ermon 2020, Eq. 11.
    """
    return _positives(scores).mean(-1) - _log_mean_exp_product(scores.clamp(-clip, clip))


def classifier_objective_nats(
    scores: Float[Tensor, "*stack n n"], *, negatives: int | None = None
) -> Float[Tensor, "*stack"]:
    """Mean log-likelihood, in nats, of telling positives from all other pairs by sigmoid(f).

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


def classifier_estimate_nats(
    scores: Float[Tensor, "*stack n n"],
    *,
    negatives: int | None = None,
    clamp: float = OFFICIAL_CLAMP,
) -> Float[Tensor, "*stack"]:
    """The probabilistic classifier's estimate of I(U; V), in nats: the positives' mean log odds
    plus log(negatives).

    Args:
        scores: logits of all pairs; only positives are read.
        negatives: negatives for each positive in the batches that it was trained on; None: n - 1.
        clamp: how near sigmoid(f) may come to 0 and 1; 0 does not clamp. The ceiling is
            log(negatives (1 - clamp) / clamp).

    Returns:
        Neither bound: right for a calibrated classifier only, above the truth for an overconfident
        one.

    Source:
        Tsai et al. 2020, section 3.1; FactorCL's official code at 0f9f740, which reads it on the
        training data and calls nats bits.
    """
    n_negatives = scores.shape[-1] - 1 if negatives is None else negatives
    logits = clamped_logits(_positives(scores), clamp)
    return logits.mean(-1) + math.log(n_negatives)


def clamped_logits(logits: Float[Tensor, "*any"], clamp: float) -> Float[Tensor, "*any"]:
    """Logits of the probabilities clamped to [clamp, 1 - clamp]; a clamp of 0 changes nothing."""
    if clamp == 0:
        return logits
    most = math.log1p(-clamp) - math.log(clamp)
    return logits.clamp(-most, most)


def club_estimate_nats(
    log_conditional: Float[Tensor, "*stack n n"], *, keep_diagonal: bool = False
) -> Float[Tensor, "*stack"]:
    """CLUB, in nats: the mean log q(v_i | u_i) minus the mean log q(v_j | u_i) over other pairs.

    A penalty, not a measurement. With the true conditional it estimates KL(joint || product) +
    KL(product || joint), the Jeffreys divergence: an upper bound on I(U; V), at least twice it for
    Gaussians, infinite for a deterministic link. With a learned q it bounds nothing.

    Args:
        log_conditional: log q(v_j | u_i) in row i, column j; terms in u_i alone cancel.
        keep_diagonal: average the second term over all n^2 pairs, as the published code does; that
            scales the value by 1 - 1/n.

    Source:
        Cheng et al. 2020, Eqs. 9 and 11; the identity: Palomar and Verdu 2008 (lautum information).
    """
    positives = _positives(log_conditional).mean(-1)
    if keep_diagonal:
        return positives - log_conditional.mean((-2, -1))
    return positives - _mean_product(log_conditional)


def l1out_estimate_nats(log_conditional: Float[Tensor, "*stack n n"]) -> Float[Tensor, "*stack"]:
    """Leave-one-out estimate of I(U; V), in nats: the mean of log q(v_i | u_i) minus the log of the
    mean of q(v_i | u_j) over the others.

    An upper bound in expectation with the true conditional; neither with a learned one, whose
    first term falls with its error.

    Args:
        log_conditional: log q(v_j | u_i) in row i, column j.

    Source:
        Poole et al. 2019, Eq. 15; Cheng et al. 2020, Eq. 6.
    """
    marginal = _without_diagonal(log_conditional).logsumexp(-2) - math.log(
        _n_others(log_conditional.shape[-1])
    )
    return (_positives(log_conditional) - marginal).mean(-1)


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


def _sum_product(values: Tensor) -> Tensor:
    return _without_diagonal(values, 0.0).sum((-2, -1))


def _mean_product(values: Tensor) -> Tensor:
    n = values.shape[-1]
    return _sum_product(values) / (n * _n_others(n))
