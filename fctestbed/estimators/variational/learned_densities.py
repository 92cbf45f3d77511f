"""Estimators that learn a density of y: ``vclub``, ``l1out`` and ``doe``.

May import torch.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from fctestbed.estimators.base import Direction, Target, check_whole
from fctestbed.estimators.variational.base import PseudoValues, TrainedEstimator
from fctestbed.estimators.variational.networks import Density
from fctestbed.estimators.variational.pseudo_values import leave_one_out, mean_difference
from fctestbed.estimators.variational.sources import Source

_MARGINAL_SPEED = 10.0


@dataclass(frozen=True, kw_only=True)
class _DensityEstimator(TrainedEstimator):
    """Fits log q(y | x) on the training part, stopped by the stop part."""

    conditional: ClassVar[bool] = False

    def _density(
        self, source: Source, generator: torch.Generator, *, components: int, marginal: bool
    ) -> Density:
        density = Density(
            0 if marginal else source.dim_x,
            source.dim_y,
            source.y_classes,
            self._hidden(generator),
            components=components,
        ).to(device=self.device, dtype=getattr(torch, self.dtype))

        def objective(noise: torch.Generator) -> Tensor:
            pairs = source.batch(self.batch)
            return density.log_density(pairs.x, pairs.y, noise).mean()

        @torch.no_grad()
        def stop_value() -> float:
            values = [density.log_density(block.x, block.y) for block in source.stop()]
            return float(torch.cat(values).mean())

        # A density of y alone is a few numbers, for which a network's rate is too low.
        rate = _MARGINAL_SPEED * self.rate if marginal else self.rate
        self._fit(density, objective, stop_value, generator, rate)
        return density


class _PairEstimator(_DensityEstimator):
    """Evaluates a density of one component on all pairs.

    Its classes in different columns of Y are independent given X: one-hot columns of one variable,
    of which the note warns, are not.
    """

    _one_target: ClassVar[bool] = True

    @abstractmethod
    def _pseudo_values(self, log_conditional: Tensor) -> Tensor:
        """Pseudo-values of log q(y_j | x_i), [n, n], one number for each sample."""

    def _fitted(self, source: Source, batch: int) -> PseudoValues:
        density = self._density(source, self._generator(), components=1, marginal=False)
        return lambda block: self._pseudo_values(density.log_matrix(block.x, block.y).double())


@dataclass(frozen=True, kw_only=True)
class VClub(_PairEstimator):
    """vCLUB: CLUB with a learned q(y | x), a diagonal Gaussian or a product of categoricals.

    Bounds: neither; an upper bound only while q is nearer to the joint law than to the product.
    Fails: it aims at the Jeffreys divergence, not at I(X; Y): it is a penalty.

    Source:
        Cheng et al. 2020, Eq. 11. The published class limits the log-variance to [-1, 1]; here it
        may be from -8 to 8.
    """

    name: ClassVar[str] = "vclub"
    bound: ClassVar[Direction] = "none"
    target: ClassVar[Target] = "jeffreys"

    def _pseudo_values(self, log_conditional: Tensor) -> Tensor:
        return mean_difference(log_conditional.diagonal(), log_conditional)


@dataclass(frozen=True, kw_only=True)
class LeaveOneOut(_PairEstimator):
    """L1Out with a learned q(y | x), a diagonal Gaussian or a product of categoricals.

    Bounds: neither; it is an upper bound with the true conditional only. Fails: with a poor q it is
    below the truth, and below 0.

    Source:
        Poole et al. 2019, Eq. 15.
    """

    name: ClassVar[str] = "l1out"
    bound: ClassVar[Direction] = "none"

    def _pseudo_values(self, log_conditional: Tensor) -> Tensor:
        return leave_one_out(log_conditional)


@dataclass(frozen=True, kw_only=True)
class DifferenceOfEntropies(_DensityEstimator):
    """DoE: the cross-entropy of a learned q(y) minus that of a learned q(y | x), held out.

    Bounds: neither, because it is the difference of two upper bounds. Fails: high where q(y) is
    poor, low where q(y | x) is. It has no ceiling of log n.

    Attributes:
        components: of both mixtures (diagonal Gaussians, or products of categoricals).

    Source:
        McAllester and Stratos 2020.
    """

    name: ClassVar[str] = "doe"
    bound: ClassVar[Direction] = "none"
    components: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("components", self.components, least=1)

    def _fitted(self, source: Source, batch: int) -> PseudoValues:
        generator = self._generator()
        marginal, joint = (
            self._density(source, generator, components=self.components, marginal=alone)
            for alone in (True, False)
        )
        return lambda block: (
            joint.log_density(block.x, block.y) - marginal.log_density(block.x, block.y)
        )
