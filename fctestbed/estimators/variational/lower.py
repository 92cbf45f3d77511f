"""Lower bounds on held-out samples: InfoNCE, NWJ, DV, MINE, and NWJ of a Jensen-Shannon critic.

Owns the estimators. May import torch and ``fctestbed.bounds``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fctestbed.bounds import (
    dv_estimate_nats,
    infonce_lower_bound_nats,
    js_objective_nats,
    mine_objective_nats,
    nwj_lower_bound_nats,
)
from fctestbed.estimators.base import Direction
from fctestbed.estimators.variational import readings
from fctestbed.estimators.variational.base import CriticEstimator


@dataclass(frozen=True, kw_only=True)
class InfoNce(CriticEstimator):
    """InfoNCE of a critic, on held-out samples.

    Bounds: I(X; Y) from below in expectation; never above log(``read_block``), nor above the log of
    the samples read. With a discrete ``given``, I(X; Y | given): negatives share the condition.

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

    def _stop_value(self, scores: Tensor, batch: int) -> Tensor:
        return infonce_lower_bound_nats(scores)

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return readings.contrast(scores)

    def _ceiling_nats(self, sizes: Sequence[int], batch: int) -> float:
        return sum(n * math.log(n) for n in sizes) / sum(sizes)


@dataclass(frozen=True, kw_only=True)
class Nwj(CriticEstimator):
    """NWJ (f-GAN-KL) of a critic, on held-out samples.

    Bounds: I(X; Y) from below in expectation. Fails: its variance grows as exp(I); at high
    information the sample misses the rare pairs that hold the bound down, and its own interval is
    then too narrow.

    Source:
        Nguyen, Wainwright and Jordan 2010; Poole et al. 2019.
    """

    name: ClassVar[str] = "nwj"
    bound: ClassVar[Direction] = "lower"

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return nwj_lower_bound_nats

    def _stop_value(self, scores: Tensor, batch: int) -> Tensor:
        return nwj_lower_bound_nats(scores)

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return readings.mean_difference(scores.diagonal(), (scores - 1.0).exp())


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
        return readings.log_mean_difference(scores.diagonal(), scores)


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

        def climbs(scores: Tensor) -> Tensor:
            nonlocal past
            with torch.no_grad():
                now = scores.diagonal(dim1=-2, dim2=-1).mean(-1) - dv_estimate_nats(scores)
                past = now if past is None else _log_blend(past, now, self.decay)
            return mine_objective_nats(scores, past)

        return climbs


@dataclass(frozen=True, kw_only=True)
class JensenShannon(CriticEstimator):
    """A critic trained by the Jensen-Shannon objective, read as 1 + f in NWJ, on held-out samples.

    Bounds: I(X; Y) from below in expectation. Fails: as ``nwj`` does, and the reading falls without
    limit where the critic is overconfident on product pairs. Training is stable.

    Source:
        Poole et al. 2019, section 2.3; Hjelm et al. 2019. The published reading in
        ermongroup/smile lacks the 1 and reads 0.37 nats lower.
    """

    name: ClassVar[str] = "js"
    bound: ClassVar[Direction] = "lower"

    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        return js_objective_nats

    def _stop_value(self, scores: Tensor, batch: int) -> Tensor:
        return js_objective_nats(scores)

    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        return readings.mean_difference(scores.diagonal() + 1.0, scores.exp())


def _log_blend(past: Tensor, now: Tensor, decay: float) -> Tensor:
    """log(decay exp(past) + (1 - decay) exp(now))."""
    weights = torch.tensor([decay, 1 - decay], dtype=now.dtype, device=now.device).log()
    return (torch.stack([past, now], -1) + weights).logsumexp(-1)
