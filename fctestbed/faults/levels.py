"""The levels of an explanation: what each trains, how it is read, and whether it has converged.

Owns the levels. May import ``fctestbed.measurement``, ``fctestbed.training``,
``fctestbed.synthesis`` and this package.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fctestbed.faults.free import check_free, free_method
from fctestbed.faults.optimum import check_optimum, objective_optimum
from fctestbed.faults.reading import Bits, module_code, read_bits, true_bits
from fctestbed.measurement import MeasureSpec, measure_readouts, readout_codes
from fctestbed.results import JOINT, LABEL, LINEAR_PROBE
from fctestbed.synthesis import (
    BitsObservation,
    Dataset,
    WorldSpec,
    make_dataset,
    modality_codewords,
)
from fctestbed.training import TrainedStack, TrainingSpec, stack_readouts, train_stack

LEVELS = ("truth", "objective", "batch", "samples", "network", "run", "reader")
_MAX_CODEWORDS = 1 << 18
_SETTLED = 0.02
_FASTER = 10
_MOST_FRESH = 1 << 17


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one level of one training holds.

    Attributes:
        bits: label, shared and unique bits; None where the level does not exist. Of a linear probe
            the label's alone, the others are NaN.
        lowest_label: the least label bits over optima of equal loss; as ``bits`` elsewhere.
        highest_label: the most.
        converged: whether the criterion was met; None where there is none.
        criterion: in words.
        note: why there is no such level, or a warning; or empty.
    """

    bits: Bits | None = None
    lowest_label: float = float("nan")
    highest_label: float = float("nan")
    converged: bool | None = None
    criterion: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much each level does.

    Attributes:
        rate: of all readings, in bits.
        n_starts: starts of level 1.
        long: steps of levels 2 to 4, as a multiple of the training's own.
    """

    rate: float
    n_starts: int = 8
    long: int = 4


def truth_level(trainings: Sequence[TrainingSpec], effort: Effort) -> list[Reading]:
    """Level 0: what the worlds hold, as far as the rate lets it through."""
    return [_exact(true_bits(one.world), effort.rate) for one in trainings]


def objective_level(trainings: Sequence[TrainingSpec], effort: Effort) -> list[Reading]:
    """Level 1: free vectors in exact expectation; the same for every seed of a world."""
    by_world: dict[str, Reading] = {}
    for one in trainings:
        if one.world.digest() in by_world:
            continue
        try:
            check_optimum(one)
        except ValueError as error:
            reading = Reading(note=str(error))
        else:
            found = objective_optimum(one, n_starts=effort.n_starts, rate=effort.rate)
            spread = f"{found.n_equal} of {effort.n_starts} starts have the least loss"
            reading = Reading(
                bits=found.bits,
                lowest_label=found.lowest.label,
                highest_label=found.highest.label,
                converged=found.converged[int(np.argmin(found.losses_nats))],
                criterion=found.criterion,
                note=f"{spread}; {found.note}" if found.note else spread,
            )
        by_world[one.world.digest()] = reading
    return [by_world[one.world.digest()] for one in trainings]


def batch_level(trainings: Sequence[TrainingSpec], effort: Effort) -> list[Reading]:
    """Level 2: free vectors, every batch drawn fresh."""
    return _table_level([_fresh(one, effort) for one in trainings], effort)


def samples_level(trainings: Sequence[TrainingSpec], effort: Effort) -> list[Reading]:
    """Level 3: free vectors on the worlds' own number of samples."""
    return _table_level([_longer(one, effort) for one in trainings], effort)


def network_level(trainings: Sequence[TrainingSpec], effort: Effort) -> list[Reading]:
    """Level 4: the method's own networks, every batch drawn fresh, a long schedule."""
    return _network_level([_fresh(one, effort) for one in trainings], effort)[0]


def run_levels(
    trainings: Sequence[TrainingSpec], effort: Effort
) -> tuple[list[Reading], list[Reading]]:
    """Levels 5 and 6: the training as it is, by the exact reader and by a linear probe."""
    return _network_level(trainings, effort)


def _exact(bits: Bits, rate: float) -> Reading:
    label = min(bits.label, rate)
    limited = Bits(label=label, shared=min(bits.shared, rate), unique=min(bits.unique, rate))
    return Reading(bits=limited, lowest_label=label, highest_label=label)


def _longer(one: TrainingSpec, effort: Effort) -> TrainingSpec:
    assert one.train is not None, "a method that is trained"
    train = one.train.model_copy(update={"steps": effort.long * one.train.steps})
    return one.model_copy(update={"train": train})


def _fresh(one: TrainingSpec, effort: Effort) -> TrainingSpec:
    """The training with so many samples that none is drawn twice, up to 2^17 of them."""
    longer = _longer(one, effort)
    assert longer.train is not None, "a method that is trained"
    # Methods with an inner loop take fresh batches for it.
    inner = getattr(one.build_method().settings, "inner_steps", 0)
    drawn = longer.train.steps * longer.train.batch_size * (1 + inner)
    n_train = max(min(drawn, _MOST_FRESH), one.world.n_train)
    world = WorldSpec.model_validate({**longer.world.model_dump(), "n_train": n_train})
    return longer.model_copy(update={"world": world})


def _table_level(trainings: Sequence[TrainingSpec], effort: Effort) -> list[Reading]:
    try:
        trainings = [_on_bits(one) for one in trainings]
    except ValueError as error:
        return [Reading(note=str(error)) for _ in trainings]
    first = trainings[0]
    method = first.build_method()
    free = True
    try:
        check_free(first.method, first.world)
    except ValueError:
        free = False
    if free:
        method = free_method(first.method, method, first.world)
    datasets = _datasets(trainings)
    trained = train_stack(trainings, datasets, method=method)
    # Tables know a pattern by the observation, whose bits are in another order than the law's.
    first_modality, second_modality = (
        torch.from_numpy(np.stack([modality_codewords(data.world, m) for data in datasets]))
        for m in (1, 2)
    )
    inputs = first_modality.to(trained.dtype), second_modality.to(trained.dtype)
    readings = []
    for run, one in enumerate(trainings):
        if trained.diverged[run] is not None:
            readings.append(Reading(note=str(trained.diverged[run])))
            continue
        code = module_code(method, trained.module, one.world, inputs, run=run, as_scored=free)
        bits = read_bits(code, one.world, rate=effort.rate)
        readings.append(_read(bits, trained, run))
    return readings


def _datasets(trainings: Sequence[TrainingSpec]) -> list[Dataset]:
    """The data of each training; worlds that differ in the label alone share their inputs."""
    drawn: dict[tuple[str, int], Dataset] = {}
    found = []
    for one in trainings:
        key = one.world.without_label_digest(), one.seed
        if key not in drawn:
            drawn[key] = make_dataset(one.world, one.seed)
        found.append(drawn[key].with_label(one.world.label))
    return found


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


def _network_level(
    trainings: Sequence[TrainingSpec], effort: Effort
) -> tuple[list[Reading], list[Reading]]:
    """Readings of trained networks by the exact reader and by a linear probe."""
    datasets = _datasets(trainings)
    trained = train_stack(trainings, datasets)
    probes = MeasureSpec(rate=None, scores=None, equal_width=None)
    exact, linear = [], []
    found = stack_readouts(trained, datasets, n_fit=probes.n_fit, max_codewords=_MAX_CODEWORDS)
    for run, (readouts, one, data) in enumerate(zip(found, trainings, datasets, strict=True)):
        if trained.diverged[run] is not None or not readouts.finite:
            why = Reading(note=trained.diverged[run] or "readouts are not finite")
            exact.append(why)
            linear.append(why)
            continue
        codes = readout_codes(readouts)
        if JOINT in codes:
            bits = read_bits(codes[JOINT], one.world, rate=effort.rate)
            exact.append(_read(bits, trained, run))
        else:
            exact.append(Reading(note=readouts.by_name[JOINT].no_codewords))
        (measured,) = measure_readouts(readouts, [data], probes)
        nan = float("nan")
        value = next(
            (
                row.value_bits
                for row in measured.captured
                if (row.readout, row.quantity, row.estimator) == (JOINT, LABEL, LINEAR_PROBE)
                and row.value_bits is not None
            ),
            nan,
        )
        linear.append(
            Reading(
                bits=Bits(label=value, shared=nan, unique=nan),
                lowest_label=value,
                highest_label=value,
            )
        )
    return exact, linear


def _read(bits: Bits, trained: TrainedStack, run: int) -> Reading:
    converged, criterion = _settled(trained, run)
    return Reading(
        bits=bits,
        lowest_label=bits.label,
        highest_label=bits.label,
        converged=converged,
        criterion=criterion,
    )


def _settled(trained: TrainedStack, run: int) -> tuple[bool | None, str]:
    """Whether a training's loss no longer falls, and the criterion."""
    if not trained.losses_nats:
        return None, ""
    losses = torch.tensor([at[run] for at in trained.losses_nats["total"]], dtype=torch.float64)
    window = max(1, len(losses) // 5)
    # The rate is still half of its first value in the middle of the schedule; at the end it is 0,
    # and the loss flat, whatever is left to learn.
    middle = (len(losses) - window) // 2
    last, before = losses[-window:], losses[middle : middle + window]
    noise = float((last.var() + before.var()).sqrt() / window**0.5) if window > 1 else 0.0
    criterion = (
        f"mean loss over the last fifth of the schedule is within {_SETTLED:g} nat, or two "
        "standard errors, of that over the fifth in its middle"
    )
    return abs(float(before.mean() - last.mean())) <= max(_SETTLED, 2 * noise), criterion
