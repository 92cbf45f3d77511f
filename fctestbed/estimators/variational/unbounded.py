"""Trained critics whose readings bound nothing: SMILE, the probabilistic classifier, NCE-CLUB.

Owns the estimators. May import torch and ``fctestbed.bounds``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from fctestbed.bounds import (
    OFFICIAL_CLAMP,
    clamped_logits,
    classifier_objective_nats,
    infonce_lower_bound_nats,
    js_objective_nats,
)
from fctestbed.estimators.base import Direction, Target
from fctestbed.estimators.variational import readings
from fctestbed.estimators.variational.base import CriticEstimator


@dataclass(frozen=True, kw_only=True)
class Smile(CriticEstimator):
    """SMILE: a Jensen-Shannon critic read by Donsker-Varadhan with a clipped partition.

    Bounds: neither; the clip takes away what holds the value down. Fails: above the truth on bits,
    and on whatever has scores past the clip. Its variance stays low at high information, where the
    lower bounds' does not.

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

    def _stop_value(self, scores: Tensor, batch: int) -> Tensor:
        return js_objective_nats(scores)

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return readings.log_mean_difference(scores.diagonal(), scores.clamp(-self.clip, self.clip))


@dataclass(frozen=True, kw_only=True)
class ProbabilisticClassifier(CriticEstimator):
    """The paper's estimator: a classifier of true against shuffled pairs, read as mean log odds.

    Bounds: neither. Fails: above the truth where the classifier is overconfident, below where it is
    timid; right where it is calibrated. FactorCL's code reads it on its training data and calls
    nats bits; here it is read on held-out samples, in bits.

    Attributes:
        clamp: how near its probabilities may come to 0 and 1, which sets the ceiling
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


def _logits(scores: Tensor, batch: int) -> Tensor:
    """Log odds of a positive where the critic is the log ratio: training need not find the odds of
    the batch, which takes it longer than all else."""
    return scores - math.log(batch - 1)


@dataclass(frozen=True, kw_only=True)
class NceClub(CriticEstimator):
    """NCE-CLUB: an InfoNCE critic read as the positives' mean score minus other pairs'.

    Bounds: neither. A penalty, not a measurement: with the optimal critic it is the Jeffreys
    divergence KL(joint || product) + KL(product || joint), at least twice I(X; Y) for Gaussians and
    infinite for a noise-free link; with a critic short of it, anything below, 0 for a constant one.
    Fails: as a measurement of I(X; Y), everywhere but near 0. With a discrete ``given``, product
    pairs share the condition.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 11 and 14.
    """

    name: ClassVar[str] = "nce-club"
    bound: ClassVar[Direction] = "none"
    target: ClassVar[Target] = "jeffreys"
    conditional: ClassVar[bool] = True

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return infonce_lower_bound_nats

    def _stop_value(self, scores: Tensor, batch: int) -> Tensor:
        return infonce_lower_bound_nats(scores)

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return readings.mean_difference(scores.diagonal(), scores)
