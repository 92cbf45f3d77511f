"""What the trained estimators have in common: settings, the three samples, the reading.

Owns their base classes. May import torch, ``fctestbed.bounds`` and ``fctestbed.information``.

An estimator is trained on one part of the samples, stopped on a second and read on a third: a
critic's bound on its own training data says nothing (25 + 25 dimensions, n = 5000, true 1.0 nat: it
reads 3.5 there and -1.6 on new data when nothing stops it).
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from fctestbed.estimators.base import Array, Estimate, Estimator
from fctestbed.estimators.inputs import checked, refuse_given
from fctestbed.estimators.intervals import HALF_WIDTH, LONE_SAMPLE, held_out_interval
from fctestbed.estimators.variational.fitting import fit
from fctestbed.estimators.variational.inputs import LEAST_SAMPLES, columns, conditions
from fctestbed.estimators.variational.networks import ConcatCritic, Critic, SeparableCritic
from fctestbed.estimators.variational.sources import (
    ArraySource,
    FreshBatches,
    Pairs,
    Sampler,
    Source,
    Transform,
)
from fctestbed.information.units import nats_to_bits

DType = Literal["float32", "float64"]
Reading = Callable[[Pairs], Tensor]


@dataclass(frozen=True, kw_only=True)
class TrainedEstimator(Estimator):
    """Settings of every trained estimator.

    None is symmetric or invariant to anything to the last digits: the order of the samples decides
    the split, and training makes more of any rounding.

    Attributes:
        seed: of the split, the initial weights, batches and dropout.
        fractions: shares of the samples that train, stop and read.
        batch: samples in a training batch.
        steps: most training steps.
        stop_every: steps between looks at the stop sample.
        patience: looks without a gain after which training ends.
        rate: Adam's.
        hidden: widths of the hidden layers.
        dropout: share of hidden units left out in training.
        transform: of real columns, fitted on the training part: ``standard``, ``asinh`` (for heavy
            tails), ``auto`` (whichever a column needs) or ``none``. Each is one-to-one and leaves
            the information as it is.
        read_block: most samples whose pairs are read together.
        device: where it trains.
        dtype: of the networks; values are read in float64.

    Raises:
        ValueError: one line, for a setting out of its range.
    """

    seed: int = 0
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2)
    batch: int = 128
    steps: int = 1500
    stop_every: int = 25
    patience: int = 12
    rate: float = 1e-3
    hidden: tuple[int, ...] = (128, 128)
    dropout: float = 0.2
    transform: Transform = "auto"
    read_block: int = 1024
    device: str = "cpu"
    dtype: DType = "float32"

    def __post_init__(self) -> None:
        for name in ("batch", "steps", "stop_every", "patience", "read_block"):
            least = 2 if name in ("batch", "read_block") else 1
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected at least {least}, got {getattr(self, name)}")
        if min(self.fractions) <= 0 or not math.isclose(sum(self.fractions), 1.0):
            raise ValueError(
                f"fractions: expected three shares above 0 whose sum is 1, got {self.fractions}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected a share from 0 to under 1, got {self.dropout}")
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate: expected a number above 0, got {self.rate}")
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"hidden: expected widths of at least 1, got {self.hidden}")

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; ``given`` must be discrete, with several samples a value."""
        if not self.conditional:
            refuse_given(self.name, given)
        arrays = checked(x, y, given, least=LEAST_SAMPLES, text=("given",))
        rng = np.random.default_rng(self.seed)
        source = ArraySource(
            columns("x", arrays["x"]),
            columns("y", arrays["y"]),
            conditions(arrays["given"]) if "given" in arrays else None,
            fractions=self.fractions,
            transform=self.transform,
            block=self.read_block,
            rng=rng,
            device=torch.device(self.device),
            dtype=getattr(torch, self.dtype),
        )
        return self._estimate(source, min(self.batch, source.n_train))

    def estimate_from(self, sampler: Sampler, *, n_read: int = 4096) -> Estimate:
        """Estimate I(X; Y) of a known generator, every training batch newly drawn.

        Args:
            sampler: ``sampler(n, rng)`` gives n samples of (x, y), each (n,) or (n, dim): real
                numbers, or zeros and ones.
            n_read: samples that the value is read on, drawn after the first of training.

        Raises:
            ValueError: one line, for samples that ``estimate`` would refuse.
        """
        source = FreshBatches(
            sampler,
            n_read=n_read,
            transform=self.transform,
            block=self.read_block,
            rng=np.random.default_rng(self.seed),
            device=torch.device(self.device),
            dtype=getattr(torch, self.dtype),
        )
        return self._estimate(source, self.batch)

    @abstractmethod
    def _fitted(self, source: Source, batch: int) -> Reading:
        """Train, and give what reads a block: its pseudo-values in nats, one for each sample."""

    def _ceiling_nats(self, sizes: Sequence[int], batch: int) -> float:
        """The most that could be read from blocks of these sizes."""
        return math.inf

    def _estimate(self, source: Source, batch: int) -> Estimate:
        reading = self._fitted(source, batch)
        with torch.no_grad():
            values, others = (
                [reading(block).double().cpu().numpy() for block in blocks]
                for blocks in (source.read(), source.stop())
            )
        terms = np.concatenate(values)
        if not np.isfinite(terms).all():
            raise ValueError(
                f"x, y: expected samples on which {self.name} can be read, got a reading that "
                f"overflows (heavy tails, or held-out samples far from the training ones)"
            )
        # A stop sample that cannot be read says nothing of the spread.
        rest = np.concatenate(others)
        mean, low, high = held_out_interval(
            nats_to_bits(terms), nats_to_bits(rest[np.isfinite(rest)])
        )
        se = (high - low) / (2 * HALF_WIDTH)
        note = LONE_SAMPLE if math.isnan(se) else ""
        if self.bound == "none":
            # The spread of the samples read says nothing of what training missed.
            low, high, note = math.nan, math.nan, "a trained value that bounds nothing"
        return Estimate(
            estimator=self.name,
            bound=self.bound,
            value_bits=mean,
            low_bits=low,
            high_bits=high,
            ceiling_bits=nats_to_bits(self._ceiling_nats([len(v) for v in values], batch)),
            n_samples=sum(len(v) for v in values),
            se_bits=se,
            note=note,
        )

    def _fit(
        self,
        module: torch.nn.Module,
        objective: Callable[[torch.Generator], Tensor],
        stop_value: Callable[[], float],
        generator: torch.Generator,
        rate: float | None = None,
    ) -> None:
        fit(
            module,
            objective,
            stop_value,
            steps=self.steps,
            rate=self.rate if rate is None else rate,
            stop_every=self.stop_every,
            patience=self.patience,
            noise=generator,
        )

    def _generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)


@dataclass(frozen=True, kw_only=True)
class CriticEstimator(TrainedEstimator):
    """An estimator that trains a critic f(x, y) and reads its scores of all pairs.

    Attributes:
        critic: ``separable`` (g(x) . h(y), quick) or ``concat`` (an MLP on [x, y], many times
            slower; give it one or two narrow layers).
        embed_dim: width of the separable critic's outputs.
    """

    conditional: ClassVar[bool] = False
    critic: Literal["separable", "concat"] = "separable"
    embed_dim: int = 32

    @abstractmethod
    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        """What training climbs, of scores [..., n, n]; made anew for each training."""

    @abstractmethod
    def _stop_value(self, scores: Tensor, batch: int) -> Tensor:
        """What the stop sample climbs, of scores [n, n]."""

    @abstractmethod
    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        """The reading of scores [n, n], one number for each sample; their mean is the value."""

    def _fitted(self, source: Source, batch: int) -> Reading:
        generator = self._generator()
        module = self._new_critic(source, generator).to(
            device=self.device, dtype=getattr(torch, self.dtype)
        )
        scores_of: Critic = module
        climbs = self._objective(batch)

        def objective(noise: torch.Generator) -> Tensor:
            pairs = source.batch(batch)
            return climbs(scores_of(pairs.x, pairs.y, noise)).mean()

        def stop_value() -> float:
            values = [
                (len(block.x), float(self._stop_value(_scores(scores_of, block), batch)))
                for block in source.stop()
                if len(block.x) > 1
            ]
            return sum(n * value for n, value in values) / max(1, sum(n for n, _ in values))

        self._fit(module, objective, stop_value, generator)

        def reading(block: Pairs) -> Tensor:
            if len(block.x) == 1:
                # Alone in its condition it has no other to be told from, and adds 0.
                return torch.zeros(1, dtype=torch.float64)
            return self._pseudo_values(_scores(scores_of, block), batch)

        return reading

    def _new_critic(
        self, source: Source, generator: torch.Generator
    ) -> SeparableCritic | ConcatCritic:
        dims = source.dim_x, source.dim_y
        if self.critic == "concat":
            return ConcatCritic(
                *dims, hidden=self.hidden, dropout=self.dropout, generator=generator
            )
        return SeparableCritic(
            *dims,
            hidden=self.hidden,
            embed_dim=self.embed_dim,
            dropout=self.dropout,
            generator=generator,
        )


@torch.no_grad()
def _scores(critic: Critic, pairs: Pairs) -> Tensor:
    return critic(pairs.x, pairs.y).double()
