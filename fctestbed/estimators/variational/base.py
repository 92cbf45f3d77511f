"""What the trained estimators share: settings, the split in three parts, training and evaluation.

May import torch and ``fctestbed.information``.

An estimator is trained on one part of the samples, stopped on a second and evaluated on a third. A
critic's bound on its own training data says nothing (25 + 25 dimensions, n = 5000, true 1.0 nat:
3.5 there, and -1.6 on new data without early stopping).
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from fctestbed.estimators.base import (
    Array,
    Estimate,
    Estimator,
    Fractions,
    check_choice,
    check_fractions,
    check_whole,
)
from fctestbed.estimators.inputs import LEAST_SAMPLES, checked, conditions, refuse_given
from fctestbed.estimators.intervals import HALF_WIDTH, LONE_SAMPLE, held_out_interval
from fctestbed.estimators.roles import (
    check_roles,
    classes_text,
    columns,
    doubt_of_targets,
    with_roles,
)
from fctestbed.estimators.variational.fitting import fit
from fctestbed.estimators.variational.networks import (
    ConcatCritic,
    Critic,
    Hidden,
    SeparableCritic,
)
from fctestbed.estimators.variational.sources import TRANSFORMS, Pairs, Source, Transform
from fctestbed.information import nats_to_bits

DType = Literal["float32", "float64"]
PseudoValues = Callable[[Pairs], Tensor]
"""Pseudo-values of a block in nats, one for each sample."""


@dataclass(frozen=True, kw_only=True)
class TrainedEstimator(Estimator):
    """Settings of every trained estimator.

    None is symmetric or invariant to the last digits: the order of the samples decides the split,
    and training amplifies rounding.

    In X and Y, whole numbers of at most 64 values in each column, truth values and columns of zeros
    and ones are names of classes, which networks take one-hot and densities as categories; floats
    and other whole numbers are amounts. ``classes`` and ``amounts`` say otherwise. The condition is
    of classes whatever its type. The estimate says which was taken (``x_as``, ``y_as``), and its
    note mentions floats of few values and whole numbers of many.

    Attributes:
        seed: of the split, the initial weights, batches and dropout.
        fractions: shares of the samples to train, to stop and to evaluate.
        batch: samples in a training batch.
        steps: largest number of training steps.
        stop_every: steps between two evaluations of the stop sample.
        patience: evaluations without a gain after which training ends.
        rate: Adam's learning rate.
        hidden: widths of the hidden layers.
        dropout: share of hidden units that are dropped in training.
        transform: of real columns, fitted on the training part: ``standard``, ``asinh`` (for heavy
            tails), ``auto`` (``asinh`` where a column needs it) or ``none``. Each is one-to-one and
            does not change the information.
        read_block: largest number of samples whose pairs are evaluated together.
        device: where it trains.
        dtype: of the networks; values are computed in float64.
        classes: names of arguments that are classes whatever their type.
        amounts: names of those, of ``x`` and ``y``, that are amounts.

    Raises:
        ValueError: one line, for a setting out of its range.
    """

    # Whether one-hot columns of Y would have to be one column of classes.
    _one_target: ClassVar[bool] = False

    seed: int = 0
    fractions: Fractions = (0.6, 0.2, 0.2)
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
    classes: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_roles(self.classes, self.amounts)
        check_whole("seed", self.seed, least=0)
        for name in ("batch", "steps", "stop_every", "patience", "read_block"):
            check_whole(
                name, getattr(self, name), least=2 if name in {"batch", "read_block"} else 1
            )
        check_fractions(self.fractions)
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected a share from 0 to under 1, got {self.dropout}")
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate: expected a number above 0, got {self.rate}")
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"hidden: expected widths of at least 1, got {self.hidden}")
        check_choice("transform", self.transform, TRANSFORMS)
        check_choice("dtype", self.dtype, ("float32", "float64"))

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; ``given`` must be discrete, with several samples a value."""
        if not self.conditional:
            refuse_given(self.name, given)
        arrays = checked(x, y, given, least=LEAST_SAMPLES, text=("given",))
        taken = {
            name: columns(name, arrays[name], classes=self.classes, amounts=self.amounts)
            for name in ("x", "y")
        }
        taken_as = {name: found.taken_as for name, found in taken.items()}
        condition = conditions(arrays["given"]) if "given" in arrays else None
        if condition is not None:
            taken_as["given"] = classes_text([int(condition.max()) + 1])
        source = Source(
            taken["x"],
            taken["y"],
            condition,
            fractions=self.fractions,
            transform=self.transform,
            block=self.read_block,
            rng=np.random.default_rng(self.seed),
            device=torch.device(self.device),
            dtype=getattr(torch, self.dtype),
        )
        batch = min(self.batch, source.n_train)
        pseudo_values = self._fitted(source, batch)
        with torch.no_grad():
            values, others = (
                [pseudo_values(block).double().cpu().numpy() for block in blocks]
                for blocks in (source.evaluation(), source.stop())
            )
        ceiling = self._ceiling_nats([len(block) for block in values], batch)
        estimate = self._result(np.concatenate(values), np.concatenate(others), ceiling)
        doubts = [found.doubt for found in taken.values()]
        if self._one_target:
            doubts.append(doubt_of_targets("y", arrays["y"]))
        return with_roles(estimate, taken_as, doubts)

    @abstractmethod
    def _fitted(self, source: Source, batch: int) -> PseudoValues:
        """Train on batches of that size; return the function from a block to pseudo-values."""

    def _ceiling_nats(self, sizes: Sequence[int], batch: int) -> float:
        """The largest value that blocks of these sizes could have."""
        return math.inf

    def _result(self, values: Array, others: Array, ceiling_nats: float) -> Estimate:
        """The estimate from pseudo-values of the evaluation sample and of the stop sample."""
        if not np.isfinite(values).all():
            raise ValueError(
                f"x, y: expected samples on which {self.name} can be evaluated, got a value that "
                f"overflows (heavy tails, or held-out samples far from the training ones)"
            )
        # Values that are not finite on the stop sample say nothing of the spread.
        mean, low, high = held_out_interval(
            nats_to_bits(values), nats_to_bits(others[np.isfinite(others)])
        )
        se = (high - low) / (2 * HALF_WIDTH)
        note = LONE_SAMPLE if math.isnan(se) else ""
        if self.bound == "none":
            # The spread of held-out samples does not show the error of the training.
            low, high, note = math.nan, math.nan, "a trained value that is not a bound"
        return Estimate(
            estimator=self.name,
            bound=self.bound,
            value_bits=mean,
            low_bits=low,
            high_bits=high,
            ceiling_bits=nats_to_bits(ceiling_nats),
            n_samples=len(values),
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

    def _hidden(self, generator: torch.Generator) -> Hidden:
        return Hidden(self.hidden, self.dropout, generator)

    def _generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed)


@dataclass(frozen=True, kw_only=True)
class CriticEstimator(TrainedEstimator):
    """An estimator that trains a critic f(x, y) and evaluates its scores of all pairs.

    Attributes:
        critic: ``separable`` (g(x) . h(y), quick) or ``concat`` (an MLP on [x, y], many times
            slower; one or two narrow hidden layers are enough).
        embed_dim: width of the separable critic's outputs.
    """

    conditional: ClassVar[bool] = False
    critic: Literal["separable", "concat"] = "separable"
    embed_dim: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("critic", self.critic, ("separable", "concat"))
        check_whole("embed_dim", self.embed_dim, least=1)

    @abstractmethod
    def _objective(self, batch: int) -> Callable[[Tensor], Tensor]:
        """What training maximises, of scores [..., n, n]; made anew for each training."""

    def _stop_value(self, scores: Tensor, batch: int) -> Tensor:
        """The value of the stop sample's scores [n, n] by which parameters are selected."""
        return self._objective(batch)(scores)

    @abstractmethod
    def _pseudo_values(self, scores: Tensor, batch: int) -> Tensor:
        """Pseudo-values of scores [n, n], one for each sample; their mean is the value."""

    def _fitted(self, source: Source, batch: int) -> PseudoValues:
        generator = self._generator()
        module = self._new_critic(source, generator).to(
            device=self.device, dtype=getattr(torch, self.dtype)
        )
        critic: Critic = module
        objective_of = self._objective(batch)

        def objective(noise: torch.Generator) -> Tensor:
            pairs = source.batch(batch)
            return objective_of(critic(pairs.x, pairs.y, noise)).mean()

        def stop_value() -> float:
            values = [
                (len(block.x), float(self._stop_value(_scores(critic, block), batch)))
                for block in source.stop()
                if len(block.x) > 1
            ]
            return sum(n * value for n, value in values) / max(1, sum(n for n, _ in values))

        self._fit(module, objective, stop_value, generator)

        def pseudo_values(block: Pairs) -> Tensor:
            if len(block.x) == 1:
                # The only sample of its condition has no negatives, and adds 0.
                return torch.zeros(1, dtype=torch.float64)
            return self._pseudo_values(_scores(critic, block), batch)

        return pseudo_values

    def _new_critic(
        self, source: Source, generator: torch.Generator
    ) -> SeparableCritic | ConcatCritic:
        dims, hidden = (source.dim_x, source.dim_y), self._hidden(generator)
        if self.critic == "concat":
            return ConcatCritic(*dims, hidden)
        return SeparableCritic(*dims, hidden, embed_dim=self.embed_dim)


@torch.no_grad()
def _scores(critic: Critic, pairs: Pairs) -> Tensor:
    return critic(pairs.x, pairs.y).double()
