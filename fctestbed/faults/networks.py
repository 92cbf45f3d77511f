"""Levels 4 to 6: a method's own networks, from drawn weights and from the best known code.

Owns these levels. May import ``fctestbed.measurement``, ``fctestbed.results``,
``fctestbed.training`` and this package.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby

from fctestbed.faults.distilled import distilled, join_states
from fctestbed.faults.levels import (
    CONTINUED,
    DISTILLED,
    LEVELS,
    Effort,
    Optima,
    Reading,
    Readings,
    fresh,
    reading_of,
)
from fctestbed.faults.optimum import check_optimum
from fctestbed.faults.reached import (
    SETTLED_NATS,
    Shared,
    all_inputs,
    exact_losses,
    late_loss_nats,
    shared_trainings,
)
from fctestbed.faults.reading import Bits, module_codes, read_bits
from fctestbed.measurement import MeasureSpec, measure_readouts, readout_codes
from fctestbed.nets import Stack
from fctestbed.objectives import NetSpec
from fctestbed.results import JOINT, LABEL, LINEAR_PROBE
from fctestbed.synthesis import Dataset
from fctestbed.training import (
    Readouts,
    TrainedStack,
    TrainingSpec,
    stack_readouts,
    torch_stream,
    train_stack,
)

LARGE_BITS = 0.1
"""The least change of label bits that counts."""
_MAX_CODEWORDS = 1 << 18


def network_level(trainings: Sequence[TrainingSpec], effort: Effort, optima: Optima) -> Readings:
    """Level 4: the method's own networks, every batch drawn fresh, a long schedule: the best of
    several initial weights, and from the best known code where level 1 has one."""
    trainings = [fresh(one, effort) for one in trainings]
    shared = shared_trainings(trainings)
    best = _best_of(shared, effort)
    try:
        for one in trainings:
            check_optimum(one)
    except ValueError as error:
        none = Reading(note=f"no best code is known: {error}")
        return [{LEVELS[4]: reading, DISTILLED: none, CONTINUED: none} for reading in best]
    if any(one.world.observation.noise > 0 for one in trainings):
        none = Reading(note="observation.noise: expected 0 for the code of a pattern, got more")
        return [{LEVELS[4]: reading, DISTILLED: none, CONTINUED: none} for reading in best]
    at_start, at_end = _from_best_code(shared, effort, optima)
    return [
        {LEVELS[4]: reading, DISTILLED: first, CONTINUED: last}
        for reading, first, last in zip(best, at_start, at_end, strict=True)
    ]


def run_level(trainings: Sequence[TrainingSpec], effort: Effort, optima: Optima) -> Readings:
    """Levels 5 and 6: the training as it is, by the exact reader and by a linear probe."""
    shared = shared_trainings(trainings)
    trained = train_stack(shared.own, shared.datasets)
    losses = exact_losses(shared, trained.method, trained.module)
    probes = MeasureSpec(rate=None, scores=None, equal_width=None)
    found: Readings = [{} for _ in trainings]
    members = stack_readouts(
        trained, shared.datasets, n_fit=probes.n_fit, max_codewords=_MAX_CODEWORDS
    )
    for member, readouts in enumerate(members):
        for at, one in enumerate(trainings):
            if shared.places[at] != member:
                continue
            why = trained.diverged[member] or ("" if readouts.finite else "readouts not finite")
            if why:
                found[at] = dict.fromkeys(LEVELS[5:], Reading(note=why))
                continue
            data = shared.datasets[member].with_label(one.world.label)
            found[at] = {
                LEVELS[5]: _exact_reading(
                    readouts, one, trained, member, loss_nats=losses[at], rate=effort.rate
                ),
                LEVELS[6]: _probed(readouts, data, probes),
            }
    return found


def _best_of(shared: Shared, effort: Effort) -> list[Reading]:
    count, starts = len(shared.own), range(effort.n_restarts)
    # A stack of all initial weights, the first ones of all trainings first.
    own = [one for _ in starts for one in shared.own]
    datasets = [data for _ in starts for data in shared.datasets]
    trained = train_stack(own, datasets, prepare=partial(_draw_weights, count=count))
    members = [[start * count + place for place in shared.places] for start in starts]
    losses = [
        exact_losses(
            replace(shared, own=own, places=places, datasets=datasets),
            trained.method,
            trained.module,
        )
        for places in members
    ]
    best: list[tuple[float, int] | None] = []
    for which in range(len(shared.trainings)):
        candidates = []
        for start in starts:
            member, loss = members[start][which], losses[start][which]
            if trained.diverged[member] is None:
                loss = late_loss_nats(trained, member) if math.isnan(loss) else loss
                candidates.append((loss, member))
        best.append(min(candidates, default=None))
    readings = [Reading(note="diverged from all initial weights") for _ in shared.trainings]
    found = stack_readouts(trained, datasets, n_fit=1, max_codewords=_MAX_CODEWORDS)
    for member, readouts in enumerate(found):
        for which, one in enumerate(shared.trainings):
            chosen = best[which]
            if chosen is None or chosen[1] != member:
                continue
            loss = losses[member // count][which]
            readings[which] = _exact_reading(
                readouts, one, trained, member, loss_nats=loss, rate=effort.rate
            )
    return readings


def _draw_weights(trained: TrainedStack, *, count: int) -> None:
    """Give the members of a stack after the first ``count`` other initial weights."""
    generators = tuple(
        torch_stream(
            "initialisation" + (f"{place // count}" if place >= count else ""), one.key, one.seed
        )
        for place, one in enumerate(trained.specs)
    )
    first = trained.specs[0]
    stack = Stack(generators=generators, dtype=trained.dtype)
    drawn = trained.method.build(stack, first.data_shape, first.nets or NetSpec())
    trained.module.load_state_dict(drawn.state_dict())


def _from_best_code(
    shared: Shared, effort: Effort, optima: Optima
) -> tuple[list[Reading], list[Reading]]:
    """Readings of networks at the best known code, and after they were trained on."""
    trainings, places, datasets = shared.trainings, shared.places, shared.datasets
    parts: list[TrainedStack] = []
    errors: list[float] = []
    pairs = list(zip(shared.own, datasets, strict=True))
    for _, of_world in groupby(pairs, key=lambda pair: pair[0].world.digest()):
        specs, data = zip(*of_world, strict=True)
        made = distilled(specs, data, optima.of(specs[0]))
        parts.append(made.stack)
        errors += made.error
    begun: list[tuple[list[Bits], list[float]]] = []

    def prepare(trained: TrainedStack) -> None:
        join_states(trained, parts)
        first, second = all_inputs(datasets)
        inputs = first.to(trained.dtype), second.to(trained.dtype)
        codes = module_codes(
            trained.method,
            trained.module,
            trainings[0].world,
            inputs,
            runs=places,
            as_scored=False,
        )
        bits = [
            read_bits(code, one.world, rate=effort.rate)
            for code, one in zip(codes, trainings, strict=True)
        ]
        begun.append((bits, exact_losses(shared, trained.method, trained.module)))

    trained = train_stack(shared.own, datasets, prepare=prepare)
    ((bits, first_losses),) = begun
    losses = exact_losses(shared, trained.method, trained.module)
    at_start = [
        Reading(
            bits=bits[at],
            loss_nats=first_losses[at],
            note=f"level 1's code with an error of {errors[places[at]]:.1%}",
        )
        for at in range(len(trainings))
    ]
    at_end = [Reading(note="diverged from the best code") for _ in trainings]
    members = stack_readouts(trained, datasets, n_fit=1, max_codewords=_MAX_CODEWORDS)
    for member, readouts in enumerate(members):
        for at, one in enumerate(trainings):
            if places[at] != member or trained.diverged[member] is not None:
                continue
            last = _exact_reading(
                readouts, one, trained, member, loss_nats=losses[at], rate=effort.rate
            )
            at_end[at] = _with_verdict(at_start[at], last)
    return at_start, at_end


def _with_verdict(start: Reading, end: Reading) -> Reading:
    """The reading with a note that says whether the loss stayed at the code it started from."""
    if start.bits is None or end.bits is None:
        return end
    fall = start.loss_nats - end.loss_nats
    if abs(end.bits.label - start.bits.label) < LARGE_BITS:
        verdict = "stays"
    elif fall > SETTLED_NATS:
        verdict = "leaves for a lower loss"
    elif fall < -SETTLED_NATS:
        verdict = "leaves for a higher loss"
    else:
        verdict = "leaves at an equal loss"
    return replace(end, note="; ".join(text for text in (verdict, end.note) if text))


def _exact_reading(
    readouts: Readouts,
    one: TrainingSpec,
    trained: TrainedStack,
    member: int,
    *,
    loss_nats: float,
    rate: float,
) -> Reading:
    if JOINT not in readouts.by_name:
        return Reading(note="readouts: expected a joint one, got a modality without a readout")
    codes = readout_codes(readouts)
    if JOINT not in codes:
        return Reading(note=readouts.by_name[JOINT].no_codewords)
    bits = read_bits(codes[JOINT], one.world, rate=rate)
    return reading_of(bits, trained, member, loss_nats)


def _probed(readouts: Readouts, data: Dataset, probes: MeasureSpec) -> Reading:
    (measured,) = measure_readouts(readouts, [data], probes)
    for row in measured.captured:
        asked = (row.readout, row.quantity, row.estimator) == (JOINT, LABEL, LINEAR_PROBE)
        if asked and row.value_bits is not None:
            return Reading(bits=Bits(label=row.value_bits, shared=math.nan, unique=math.nan))
    return Reading(note="the probe found no value")
