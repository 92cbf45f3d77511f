"""The levels of an explanation up to samples: what each trains, and how it is read.

Owns the record of a reading, and the levels without a method's own networks. May import
``fctestbed.synthesis``, ``fctestbed.training`` and this package.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fctestbed.faults.free import check_free, free_method
from fctestbed.faults.losses import affordable_starts
from fctestbed.faults.optimum import Optimum, check_optimum, objective_optimum
from fctestbed.faults.reached import (
    all_inputs,
    exact_losses,
    late_loss_nats,
    settled,
    shared_trainings,
)
from fctestbed.faults.reading import Bits, module_codes, read_bits, true_bits
from fctestbed.nets import StackedTable
from fctestbed.synthesis import BitsObservation, WorldSpec, digest
from fctestbed.training import TrainedStack, TrainingSpec, train_stack

LEVELS = ("truth", "objective", "batch", "samples", "network", "run", "reader")
"""The levels of a waterfall, from 0."""
DISTILLED, CONTINUED = "distilled", "continued"
"""The rows of level 4 that start from the best known code: as it is, and trained on."""
_FASTER = 10
_MOST_FRESH = 1 << 17


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one level of one training holds.

    Attributes:
        bits: label, shared and unique bits; None where the level does not exist. Of a linear probe
            the label's alone, the others are NaN.
        lowest_label: the least label bits over optima of equal loss; NaN at other levels.
        highest_label: the most.
        lowest_whitened: as ``lowest_label``, each direction read at a variance of 1.
        highest_whitened: as ``highest_label``.
        loss_nats: the loss in exact expectation, without ``ExactLoss.offsets_nats``; NaN where
            there is none.
        late_loss_nats: the mean of the stochastic loss over the last fifth of the schedule.
        converged: whether the criterion was met; None where there is none.
        criterion: in words.
        note: why there is no such level, or a warning; or empty.
        failed: whether the level ended in an error, which is the note.
    """

    bits: Bits | None = None
    lowest_label: float = float("nan")
    highest_label: float = float("nan")
    lowest_whitened: float = float("nan")
    highest_whitened: float = float("nan")
    loss_nats: float = float("nan")
    late_loss_nats: float = float("nan")
    converged: bool | None = None
    criterion: str = ""
    note: str = ""
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much each level does.

    Attributes:
        rate: of all readings, in bits.
        n_starts: starts of level 1, fewer where a loss scores many pairs.
        long: steps of levels 2 to 4, as a multiple of the training's own.
        n_restarts: initial weights of level 4, of which the one of least loss is read.
    """

    rate: float
    n_starts: int = 8
    long: int = 4
    n_restarts: int = 3


@dataclass(frozen=True, kw_only=True)
class Optima:
    """Level 1 of each world, searched once.

    Args:
        effort: of the searches.
    """

    effort: Effort
    found: dict[str, Optimum] = field(default_factory=dict)

    def of(self, training: TrainingSpec) -> Optimum:
        """The optimum of a training's objective; its seed does not matter.

        Raises:
            ValueError: as ``check_optimum``.
        """
        world = training.world
        # Patterns depend on neither the number of samples nor the observation.
        key = digest({"latents": world.latents.model_dump(), "label": world.label.model_dump()})
        if key not in self.found:
            check_optimum(training)
            self.found[key] = objective_optimum(
                training,
                n_starts=affordable_starts(training, self.effort.n_starts),
                rate=self.effort.rate,
            )
        return self.found[key]


Readings = list[dict[str, Reading]]
"""For each training, its readings by the names of rows."""


def truth_level(trainings: Sequence[TrainingSpec], effort: Effort, optima: Optima) -> Readings:
    """Level 0: what the worlds hold, as far as the rate lets it through."""
    return [{LEVELS[0]: _exact(true_bits(one.world), effort.rate)} for one in trainings]


def objective_level(trainings: Sequence[TrainingSpec], effort: Effort, optima: Optima) -> Readings:
    """Level 1: free vectors in exact expectation; the same for every seed of a world."""
    return [{LEVELS[1]: _of_optimum(one, effort, optima)} for one in trainings]


def batch_level(trainings: Sequence[TrainingSpec], effort: Effort, optima: Optima) -> Readings:
    """Level 2: free vectors, every batch drawn fresh."""
    return _table_level(LEVELS[2], [fresh(one, effort) for one in trainings], effort)


def samples_level(trainings: Sequence[TrainingSpec], effort: Effort, optima: Optima) -> Readings:
    """Level 3: free vectors on the worlds' own number of samples."""
    return _table_level(LEVELS[3], [_longer(one, effort) for one in trainings], effort)


def fresh(one: TrainingSpec, effort: Effort) -> TrainingSpec:
    """The training with so many samples that none is drawn twice, up to 2^17 of them."""
    longer = _longer(one, effort)
    assert longer.train is not None, "a method that is trained"
    # Methods with an inner loop take fresh batches for it.
    inner = getattr(one.build_method().settings, "inner_steps", 0)
    drawn = longer.train.steps * longer.train.batch_size * (1 + inner)
    n_train = max(min(drawn, _MOST_FRESH), one.world.n_train)
    world = WorldSpec.model_validate({**longer.world.model_dump(), "n_train": n_train})
    return longer.model_copy(update={"world": world})


def reading_of(bits: Bits, trained: TrainedStack, run: int, loss_nats: float) -> Reading:
    """The reading of a training that did not diverge."""
    converged, criterion = settled(trained, run)
    return Reading(
        bits=bits,
        loss_nats=loss_nats,
        late_loss_nats=late_loss_nats(trained, run) if trained.losses_nats else float("nan"),
        converged=converged,
        criterion=criterion,
    )


def _of_optimum(one: TrainingSpec, effort: Effort, optima: Optima) -> Reading:
    try:
        found = optima.of(one)
    except ValueError as error:
        return Reading(note=str(error))
    spread = f"{found.n_equal} of {len(found.losses_nats)} starts have the least loss"
    least, most = found.lowest_whitened, found.highest_whitened
    best = int(np.argmin(found.losses_nats))
    return Reading(
        bits=found.bits,
        lowest_label=found.lowest.label,
        highest_label=found.highest.label,
        lowest_whitened=float("nan") if least is None else least.label,
        highest_whitened=float("nan") if most is None else most.label,
        loss_nats=found.losses_nats[best],
        converged=found.converged[best],
        criterion=found.criterion,
        note=f"{spread}; {found.note}" if found.note else spread,
    )


def _exact(bits: Bits, rate: float) -> Reading:
    return Reading(
        bits=Bits(
            label=min(bits.label, rate),
            shared=min(bits.shared, rate),
            unique=min(bits.unique, rate),
        )
    )


def _longer(one: TrainingSpec, effort: Effort) -> TrainingSpec:
    assert one.train is not None, "a method that is trained"
    train = one.train.model_copy(update={"steps": effort.long * one.train.steps})
    return one.model_copy(update={"train": train})


def _table_level(name: str, trainings: Sequence[TrainingSpec], effort: Effort) -> Readings:
    try:
        trainings = [_on_bits(one) for one in trainings]
    except ValueError as error:
        return [{name: Reading(note=str(error))} for _ in trainings]
    first = trainings[0]
    method = first.build_method()
    free = True
    try:
        check_free(first.method, first.world)
    except ValueError:
        free = False
    if free:
        method = free_method(first.method, method, first.world)
    shared = shared_trainings(trainings)
    trained = train_stack(shared.own, shared.datasets, method=method)
    if not any(isinstance(part, StackedTable) for part in trained.module.modules()):
        note = (
            "nets.encoder: expected encoders by nets for a table in their place, got a method "
            "with encoders of its own"
        )
        return [{name: Reading(note=note)} for _ in trainings]
    # Tables know a pattern by the observation, whose bits are in another order than the law's.
    first_modality, second_modality = all_inputs(shared.datasets)
    inputs = first_modality.to(trained.dtype), second_modality.to(trained.dtype)
    losses = exact_losses(shared, method, trained.module)
    codes = module_codes(
        method, trained.module, first.world, inputs, runs=shared.places, as_scored=free
    )
    readings = []
    for one, place, loss, code in zip(trainings, shared.places, losses, codes, strict=True):
        if trained.diverged[place] is not None:
            readings.append({name: Reading(note=str(trained.diverged[place]))})
            continue
        bits = read_bits(code, one.world, rate=effort.rate)
        readings.append({name: reading_of(bits, trained, place, loss)})
    return readings


def _on_bits(one: TrainingSpec) -> TrainingSpec:
    """The training of tables in the world of the same bits, at ten times the learning rate.

    Raises:
        ValueError: one line, for a world without patterns, or too many of them.
    """
    if one.world.observation.noise > 0:
        raise ValueError(
            "observation.noise: expected 0 for a table of patterns, got "
            f"{one.world.observation.noise:g}"
        )
    assert one.nets is not None, "a method with networks"
    fields = one.model_dump(mode="json")
    fields["world"]["observation"] = BitsObservation().model_dump()
    fields["nets"]["encoder"] = "table"
    # A vector has a gradient only where its pattern is drawn.
    fields["train"]["learning_rate"] *= _FASTER
    return TrainingSpec.model_validate(fields)
