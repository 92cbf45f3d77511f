"""One unit of work from start to end: data, training or loading, measurement, records.

Runs in the driver's process or in a worker process, and returns records and the content of encoder
files; it writes nothing but checkpoints of its own training. May import ``fctestbed.training``,
``fctestbed.measurement`` and ``fctestbed.synthesis``.
"""

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from fctestbed.measurement import Measured, MeasureSpec, measure_readouts
from fctestbed.results import ENCODER_KEY, AlongRow, RunRecord, ScoreRow
from fctestbed.sweep.alarms import alarms
from fctestbed.sweep.along import AlongTraining
from fctestbed.sweep.checkpoints import unit_checkpoints
from fctestbed.sweep.grid import RunSpec
from fctestbed.sweep.losses import logged_losses, logged_temperatures, loss_scores
from fctestbed.sweep.memory import is_out_of_memory, need_in_words, release_memory
from fctestbed.sweep.plan import Job, Unit
from fctestbed.sweep.provenance import environment, provenance
from fctestbed.sweep.records import about_the_loss, run_provenance, run_record, run_truth
from fctestbed.synthesis import Dataset, WorldSpec, make_dataset
from fctestbed.training import (
    Progress,
    TrainedStack,
    head_spreads,
    kept_encoders,
    load_stack,
    stack_readouts,
    train_stack,
)

_HEAD_SAMPLES = 2048


@dataclass(frozen=True)
class UnitResult:
    """What became of a unit.

    Attributes:
        records: a record for every run.
        encoders: the content of the encoder files of its trainings, by the training's key.
        notes: what became of its checkpoints, where they were not as they should be, in lines.
    """

    records: list[RunRecord]
    encoders: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def execute(
    unit: Unit, *, device: str, report: Callable[[Progress], None] | None = None
) -> UnitResult:
    """Train and measure a unit's runs.

    Args:
        unit: the jobs of one stack.
        device: a torch device.
        report: called with the training's progress.

    Returns:
        A record for every run, and the trainings' encoders. If the stack fails as a whole (for lack
        of memory, for instance), its halves are tried; a single job that fails gives records with
        the reason.
    """
    notes: list[str] = []
    result = _attempt(unit, device, report, notes.append)
    if isinstance(result, UnitResult):
        return replace(result, notes=tuple(notes))
    if len(unit.jobs) == 1:
        return replace(failed(unit, result.reason, trace=result.trace), notes=tuple(notes))
    # Not in the handler of the error, whose traceback holds the arrays of the attempt.
    release_memory(device)
    first, second = (execute(half, device=device, report=report) for half in unit.halves())
    return UnitResult(
        [*first.records, *second.records],
        {**first.encoders, **second.encoders},
        (*notes, *first.notes, *second.notes),
    )


@dataclass(frozen=True)
class _Failure:
    """Why a unit failed: one line, and the traceback as text."""

    reason: str
    trace: str


def _attempt(
    unit: Unit,
    device: str,
    report: Callable[[Progress], None] | None,
    note: Callable[[str], None],
) -> UnitResult | _Failure:
    try:
        return _execute(unit, device, report, note)
    except KeyboardInterrupt:
        raise
    # A user's method may raise anything, SystemExit too.
    except BaseException as error:
        reason, trace = describe_error(error), traceback.format_exc()
        out_of_memory = is_out_of_memory(error)
    if out_of_memory and len(unit.jobs) == 1:
        reason = f"out of memory: {need_in_words(unit.jobs[0].training, device)} ({reason:.200})"
    return _Failure(reason, trace)


def describe_error(error: BaseException) -> str:
    """An error's type and message in one line, as the reason of a failed run."""
    line = " ".join(f"{type(error).__name__}: {error}".split())
    # Names of files need not be valid text.
    return line.encode(errors="replace").decode()


def failed(unit: Unit, reason: str, *, trace: str = "") -> UnitResult:
    """Records of runs that failed; the same sweep, run again, retries them."""
    return UnitResult(
        [
            run_record(
                run,
                status="failed",
                reason=reason,
                provenance=environment(),
                diagnostics={"traceback": trace},
            )
            for job in unit.jobs
            for run in job.runs
        ]
    )


def _execute(
    unit: Unit,
    device: str,
    report: Callable[[Progress], None] | None,
    note: Callable[[str], None],
) -> UnitResult:
    started = time.perf_counter()
    if report is not None:
        report(Progress(step=0, steps=1, losses_nats=()))
    _check_sources(unit)
    datasets = [_labelled(job) for job in unit.jobs]
    ready = (
        _loaded(unit, device) if unit.is_trained else _trained(unit, datasets, device, report, note)
    )
    trained = ready.stack
    measured = {
        (method, measurement): _measured(
            trained.read_as(training.build_method()), datasets, measurement
        )
        for method, training in unit.trainings.items()
        for measurement in unit.measurements
    }
    whole = [
        trained.diverged[place] is None and all(found[place] for found in measured.values())
        for place in range(len(unit.jobs))
    ]
    seconds = (time.perf_counter() - started + trained.earlier_seconds) / unit.n_runs
    about = provenance(device=device, stack_size=len(unit.jobs))
    keeps = unit.keeps_encoders and not unit.is_trained
    records = []
    for place, job in enumerate(unit.jobs):
        diagnostics = {**ready.diagnostics[place], "training_runs": len(job.runs)}
        if keeps and whole[place]:
            diagnostics[ENCODER_KEY] = job.training.key
        for run in job.runs:
            of_run = measured[run.training.method, run.measurement][place]
            reason = trained.diverged[place]
            if reason is None and not of_run:
                reason = "a readout was not finite after the last step"
            position = job.worlds.index(run.training.world)
            found = of_run[position] if reason is None else Measured()
            records.append(
                run_record(
                    run,
                    status="ok" if reason is None else "diverged",
                    reason=reason or "",
                    truth=run_truth(datasets[place][position], run.training.augmentation),
                    seconds=seconds,
                    provenance=run_provenance(about, job, run),
                    diagnostics={**diagnostics, **about_the_loss(run)},
                    warnings=(*ready.diagnostics[place]["alarms"], *found.warnings),
                    captured=found.captured,
                    accuracy=found.accuracy,
                    scores=(*found.scores, *_loss_scores(run, diagnostics, reason)),
                    along=ready.along_rows(run, place, position) if reason is None else (),
                )
            )
    encoders = (
        {
            encoder.key: encoder.to_bytes()
            for encoder, is_whole in zip(kept_encoders(trained), whole, strict=True)
            if is_whole
        }
        if keeps
        else {}
    )
    return UnitResult(records, encoders)


@dataclass(frozen=True)
class _Ready:
    """A stack that is ready to be measured.

    Attributes:
        stack: the stack.
        diagnostics: of each training: losses, spreads of heads, alarms, learned temperatures.
        along_rows: the rows along training of a run, by the place of its job and of its data set.
    """

    stack: TrainedStack
    diagnostics: list[dict[str, Any]]
    along_rows: Callable[[RunSpec, int, int], tuple[AlongRow, ...]]


def _trained(
    unit: Unit,
    datasets: Sequence[Sequence[Dataset]],
    device: str,
    report: Callable[[Progress], None] | None,
    note: Callable[[str], None],
) -> _Ready:
    """A unit's stack after its training."""
    first = [labelled[0] for labelled in datasets]
    along = AlongTraining(unit, datasets)
    stack = train_stack(
        [job.training for job in unit.jobs],
        first,
        device=device,
        report=report,
        visit=along.measure,
        visited_steps=along.steps,
        checkpoints=unit_checkpoints(unit, along, note),
    )
    heads = head_spreads(stack, first, n_samples=_HEAD_SAMPLES)
    diagnostics = []
    for place in range(len(unit.jobs)):
        spreads = {name: float(f"{values[place]:.4g}") for name, values in heads.items()}
        diagnostics.append(
            {
                "losses_nats": logged_losses(stack, place),
                "head_spread": spreads,
                "alarms": [*alarms(stack, place, spreads), *stack.warnings],
                **logged_temperatures(stack, place),
                **({"continued_at": stack.continued_at} if stack.continued_at else {}),
            }
        )
    return _Ready(stack, diagnostics, along.rows)


def _loaded(unit: Unit, device: str) -> _Ready:
    """A unit's stack from the encoders that were kept."""
    done = [job.done for job in unit.jobs if job.done is not None]
    kept = [one.encoder for one in done]
    stack = load_stack(
        [job.training for job in unit.jobs],
        [None if one is None else one.arrays for one in kept],
        device=device,
    )
    stack.diverged = [one.diverged for one in done]

    def along_rows(run: RunSpec, place: int, position: int) -> tuple[AlongRow, ...]:
        return done[place].along.get(run.run_id, ())

    return _Ready(stack, [dict(one.diagnostics) for one in done], along_rows)


def _measured(
    trained: TrainedStack, datasets: Sequence[Sequence[Dataset]], spec: MeasureSpec
) -> list[list[Measured]]:
    """For each training, what was measured on each of its data sets; nothing where the training
    diverged, or where a readout is not finite."""
    of_trainings = stack_readouts(
        trained,
        [labelled[0] for labelled in datasets],
        n_fit=spec.n_fit,
        max_codewords=spec.most_codewords,
    )
    return [
        measure_readouts(readouts, labelled, spec) if reason is None and readouts.finite else []
        for readouts, labelled, reason in zip(of_trainings, datasets, trained.diverged, strict=True)
    ]


def _check_sources(unit: Unit) -> None:
    """Refuse to run other code than the run's identity names: a worker imports a user's file
    itself."""
    for run in (run for job in unit.jobs for run in job.runs):
        found = run.training.source
        if found != run.source:
            raise ValueError(
                f"{run.training.method}: expected the source {run.source}, got {found}: its file "
                "changed after the sweep began"
            )


def _loss_scores(
    run: RunSpec, diagnostics: Mapping[str, Any], reason: str | None
) -> tuple[ScoreRow, ...]:
    """The last loss of a finished training, where scores are measured."""
    train = run.training.train
    if reason is not None or train is None or run.measurement.scores is None:
        return ()
    return loss_scores(diagnostics["losses_nats"], train.batch_size)


# One process sees few seeds at a time; each data set holds its arrays once for every label.
@lru_cache(maxsize=4)
def _dataset(world: WorldSpec, seed: int) -> Dataset:
    return make_dataset(world, seed)


def _labelled(job: Job) -> list[Dataset]:
    """The data sets of a job's worlds; within a process, data sets of one seed that differ in the
    label share x."""
    base = _dataset(job.worlds[0].without_label(), job.training.seed)
    return [base.with_label(world.label) for world in job.worlds]
