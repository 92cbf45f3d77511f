"""Estimators that train a critic: lower bounds, and values that are not bounds.

``infonce``, ``nwj``, ``dv``, ``mine`` and ``js`` are lower bounds on held-out samples; ``smile``,
``classifier`` and ``nce-club`` bound nothing. May import torch and ``fctestbed.bounds``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fctestbed.bounds import (
    OFFICIAL_CLAMP,
    clamped_logits,
    classifier_objective_nats,
    dv_estimate_nats,
    infonce_lower_bound_nats,
    js_objective_nats,
    mine_objective_nats,
    nwj_lower_bound_nats,
)
from fctestbed.estimators.base import Direction, Target
from fctestbed.estimators.variational.base import CriticEstimator
from fctestbed.estimators.variational.pseudo_values import (
    contrast,
    log_mean_difference,
    mean_difference,
)


@dataclass(frozen=True, kw_only=True)
class InfoNce(CriticEstimator):
    """InfoNCE of a critic, on held-out samples.

    Bounds: I(X; Y) from below in expectation; never above log(``read_block``), nor above the log of
    the number of held-out samples. With a discrete ``given``, I(X; Y | given): negatives share the
    condition.

    Fails: low by design near its ceiling, and low where the critic has too few samples to learn
    from, as in high dimension. Values a little under 0 are usual for independent variables.

    Source:
        van den Oord et al. 2018; conditional: FactorCL (arXiv 2306.05268) Eq. 13.
    """

    name: ClassVar[str] = "infonce"
    bound: ClassVar[Direction] = "lower"
    conditional: ClassVar[bool] = True

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return infonce_lower_bound_nats

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return contrast(scores)

    def _ceiling_nats(self, sizes: Sequence[int], batch: int) -> float:
        return sum(n * math.log(n) for n in sizes) / sum(sizes)


@dataclass(frozen=True, kw_only=True)
class Nwj(CriticEstimator):
    """NWJ (f-GAN-KL) of a critic, on held-out samples.

    Bounds: I(X; Y) from below in expectation. Fails: its variance grows as exp(I); at high
    information the sample lacks the rare pairs that keep the bound low, and its own interval is
    then too narrow.

    Source:
        Nguyen, Wainwright and Jordan 2010; Poole et al. 2019.
    """

    name: ClassVar[str] = "nwj"
    bound: ClassVar[Direction] = "lower"

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return nwj_lower_bound_nats

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return mean_difference(scores.diagonal(), (scores - 1.0).exp())


@dataclass(frozen=True, kw_only=True)
class DonskerVaradhan(CriticEstimator):
    """The Donsker-Varadhan bound of a critic, on held-out samples.

    Bounds: I(X; Y) from below in population; the log of a sample mean adds half its variance.
    Fails: as ``nwj`` does at high information. Trained on the batch's own log mean, whose gradient
    is biased; ``mine`` corrects that.

    Source:
        Donsker and Varadhan 1983; Belghazi et al. 2018.
    """

    name: ClassVar[str] = "dv"
    bound: ClassVar[Direction] = "lower"

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return dv_estimate_nats

    def _stop_value(self, scores: Tensor, batch: int) -> Tensor:
        return dv_estimate_nats(scores)

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return log_mean_difference(scores.diagonal(), scores)


@dataclass(frozen=True, kw_only=True)
class Mine(DonskerVaradhan):
    """MINE: the Donsker-Varadhan bound, its gradient divided by a running mean of the partition.

    Bounds: as ``dv``. Fails: as ``dv``.

    Attributes:
        decay: weight of the past in the running mean.

    Source:
        Belghazi et al. 2018, section 3.2.
    """

    name: ClassVar[str] = "mine"
    decay: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.decay < 1:
            raise ValueError(f"decay: expected a number from 0 to under 1, got {self.decay}")

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        past: Tensor | None = None

        def objective(scores: Tensor) -> Tensor:
            nonlocal past
            with torch.no_grad():
                now = scores.diagonal(dim1=-2, dim2=-1).mean(-1) - dv_estimate_nats(scores)
                past = now if past is None else _log_blend(past, now, self.decay)
            return mine_objective_nats(scores, past)

        return objective


@dataclass(frozen=True, kw_only=True)
class JensenShannon(CriticEstimator):
    """A critic trained by the Jensen-Shannon objective, evaluated as 1 + f in NWJ, held out.

    Bounds: I(X; Y) from below in expectation. Fails: as ``nwj`` does, and the value falls without
    limit where the critic is overconfident on product pairs. Training is stable.

    Source:
        Poole et al. 2019, section 2.3; Hjelm et al. 2019. The published code in ermongroup/smile
        lacks the 1 and is 0.37 nats lower.
    """

    name: ClassVar[str] = "js"
    bound: ClassVar[Direction] = "lower"

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return js_objective_nats

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return mean_difference(scores.diagonal() + 1.0, scores.exp())


@dataclass(frozen=True, kw_only=True)
class Smile(CriticEstimator):
    """SMILE: a Jensen-Shannon critic in the Donsker-Varadhan form with a clipped partition.

    Bounds: neither; the clip removes the terms that keep the value low. Fails: above the truth on
    bits, and wherever scores exceed the clip. Its variance stays low at high information, where
    that of the lower bounds does not.

    Attributes:
        clip: where scores of the partition are clipped; infinite gives DV.

    Source:
        Song and Ermon 2020, Eq. 11.
    """

    name: ClassVar[str] = "smile"
    bound: ClassVar[Direction] = "none"
    clip: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.clip > 0:
            raise ValueError(f"clip: expected a number above 0, got {self.clip}")

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return js_objective_nats

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return log_mean_difference(scores.diagonal(), scores.clamp(-self.clip, self.clip))


@dataclass(frozen=True, kw_only=True)
class ProbabilisticClassifier(CriticEstimator):
    """The paper's estimator: the mean log odds of a classifier of true against shuffled pairs.

    Bounds: neither. Fails: above the truth where the classifier is overconfident, below where it is
    underconfident; right where it is calibrated. FactorCL's code evaluates it on its training data
    and reports nats as bits; here it is evaluated on held-out samples, in bits.

    Attributes:
        clamp: least distance of its probabilities from 0 and 1, which sets the ceiling
            log((batch - 1) (1 - clamp) / clamp); 0 sets none.

    Source:
        Tsai et al. 2020, section 3.1; FactorCL's official code at 0f9f740.
    """

    name: ClassVar[str] = "classifier"
    bound: ClassVar[Direction] = "none"
    clamp: float = OFFICIAL_CLAMP

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.clamp < 0.5:
            raise ValueError(f"clamp: expected a number from 0 to under 0.5, got {self.clamp}")

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return lambda scores: classifier_objective_nats(_logits(scores, batch))

    def _stop_value(self, scores: Tensor, batch: int) -> Tensor:
        return classifier_objective_nats(_logits(scores, batch), negatives=batch - 1)

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        logits = clamped_logits(_logits(scores.diagonal(), batch), self.clamp)
        return logits + math.log(batch - 1)

    def _ceiling_nats(self, sizes: Sequence[int], batch: int) -> float:
        if self.clamp == 0:
            return math.inf
        return math.log(batch - 1) + math.log1p(-self.clamp) - math.log(self.clamp)


@dataclass(frozen=True, kw_only=True)
class NceClub(CriticEstimator):
    """NCE-CLUB of an InfoNCE critic: the positives' mean score minus that of other pairs.

    Bounds: neither. A penalty, not an estimate of I(X; Y): with the optimal critic it is the
    Jeffreys divergence KL(joint || product) + KL(product || joint), at least twice I(X; Y) for
    Gaussians and infinite for a noise-free link; with another critic it may have any lower value, 0
    for a constant one. Fails: as an estimate of I(X; Y), except near 0. With a discrete ``given``,
    product pairs share the condition.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 11 and 14.
    """

    name: ClassVar[str] = "nce-club"
    bound: ClassVar[Direction] = "none"
    target: ClassVar[Target] = "jeffreys"
    conditional: ClassVar[bool] = True

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return infonce_lower_bound_nats

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return mean_difference(scores.diagonal(), scores)


def _log_blend(past: Tensor, now: Tensor, decay: float) -> Tensor:
    """log(decay exp(past) + (1 - decay) exp(now))."""
    weights = torch.tensor([decay, 1 - decay], dtype=now.dtype, device=now.device).log()
    return (torch.stack([past, now], -1) + weights).logsumexp(-1)


def _logits(scores: Tensor, batch: int) -> Tensor:
    """Log odds of a positive where the critic is the log ratio.

    Without this offset training would have to learn the odds of the batch, which takes longer than
    everything else.
    """
    return scores - math.log(batch - 1)
