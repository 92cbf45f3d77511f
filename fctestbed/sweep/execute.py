"""One unit of work from start to end: data, training, measurement, records.

Runs in the driver's process or in a worker process, and returns records only. May import
``fctestbed.training``, ``fctestbed.measurement`` and ``fctestbed.synthesis``.
"""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from fctestbed.measurement import Measured, MeasureSpec, measure_readouts
from fctestbed.objectives import find_method, method_source
from fctestbed.results import RunRecord
from fctestbed.sweep.alarms import alarms
from fctestbed.sweep.along import AlongTraining
from fctestbed.sweep.grid import RunSpec
from fctestbed.sweep.plan import Job, Unit
from fctestbed.sweep.provenance import environment, provenance
from fctestbed.synthesis import (
    AugmentationSpec,
    Dataset,
    WorldSpec,
    augmentation_information_bits,
    make_dataset,
)
from fctestbed.training import (
    Progress,
    TrainedStack,
    encode_samples,
    stack_readouts,
    train_stack,
)

_HEAD_SAMPLES = 2048


def execute(
    unit: Unit, *, device: str, report: Callable[[Progress], None] | None = None
) -> list[RunRecord]:
    """Train and measure a unit's runs.

    Args:
        unit: the jobs of one stack.
        device: a torch device.
        report: called with the training's progress.

    Returns:
        A record for every run. If the stack fails as a whole (for lack of memory, for instance),
        its halves are tried; a single job that fails gives records with the reason.
    """
    try:
        return _execute(unit, device, report)
    except KeyboardInterrupt:
        raise
    # A user's method may raise anything, SystemExit too.
    except BaseException as error:
        if len(unit.jobs) > 1:
            return [
                record
                for half in unit.halves()
                for record in execute(half, device=device, report=report)
            ]
        return failed_records(unit, describe_error(error), trace=traceback.format_exc())


def describe_error(error: BaseException) -> str:
    """An error's type and message in one line, as the reason of a failed run."""
    line = " ".join(f"{type(error).__name__}: {error}".split())
    # Names of files need not be valid text.
    return line.encode(errors="replace").decode()


def failed_records(unit: Unit, reason: str, *, trace: str = "") -> list[RunRecord]:
    """Records of runs that failed; the same sweep, run again, retries them."""
    return [
        _record(
            run,
            status="failed",
            reason=reason,
            provenance=environment(),
            diagnostics={"traceback": trace},
        )
        for job in unit.jobs
        for run in job.runs
    ]


def _execute(unit: Unit, device: str, report: Callable[[Progress], None] | None) -> list[RunRecord]:
    started = time.perf_counter()
    if report is not None:
        report(Progress(step=0, steps=1, losses_nats=()))
    _check_sources(unit)
    datasets = [_labelled(job) for job in unit.jobs]
    along = AlongTraining(unit, datasets)
    trained = train_stack(
        [job.training for job in unit.jobs],
        [labelled[0] for labelled in datasets],
        device=device,
        report=report,
        visit=along.measure,
        visited_steps=along.steps,
    )
    measured = {
        (method, measurement): _measured(
            trained.read_as(training.build_method()), datasets, measurement
        )
        for method, training in unit.trainings.items()
        for measurement in unit.measurements
    }
    heads = _head_spreads(trained, [labelled[0] for labelled in datasets])
    seconds = (time.perf_counter() - started) / unit.n_runs
    about = provenance(device=device, stack_size=len(unit.jobs))
    records = []
    for place, job in enumerate(unit.jobs):
        spreads = {name: values[place] for name, values in heads.items()}
        warnings = alarms(trained, place, spreads)
        diagnostics = {
            "losses_nats": _losses(trained, place),
            "head_spread": spreads,
            "training_runs": len(job.runs),
        }
        for run in job.runs:
            of_run = measured[run.training.method, run.measurement][place]
            reason = trained.diverged[place]
            if reason is None and not of_run:
                reason = "a readout was not finite after the last step"
            position = job.worlds.index(run.training.world)
            found = of_run[position] if reason is None else Measured()
            records.append(
                _record(
                    run,
                    status="ok" if reason is None else "diverged",
                    reason=reason or "",
                    truth=_truth(datasets[place][position], run.training.augmentation),
                    seconds=seconds,
                    provenance=about if run.source is None else {**about, "source": run.source},
                    diagnostics={**diagnostics, **_about_the_loss(run)},
                    warnings=(*warnings, *found.warnings),
                    captured=found.captured,
                    accuracy=found.accuracy,
                    scores=found.scores,
                    along=along.rows(run, place, position) if reason is None else (),
                )
            )
    return records


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
        found = method_source(run.training.method)
        if found != run.source:
            raise ValueError(
                f"{run.training.method}: expected the source {run.source}, got {found}: its file "
                "changed after the sweep began"
            )


def _about_the_loss(run: RunSpec) -> dict[str, Any]:
    """The terms of the method's loss, and its settings that have the official code's value."""
    method = find_method(run.training.method)
    settings = run.training.settings
    return {
        "terms": list(method.terms),
        "departures": {
            name: value for name, value in method.departures.items() if settings[name] == value
        },
    }


def _record(run: RunSpec, **values: Any) -> RunRecord:
    return RunRecord(
        run_id=run.run_id,
        method=run.training.method,
        variant=run.variant,
        preset=run.preset,
        unique_ratio=run.unique_ratio,
        seed=run.training.seed,
        spec=run.model_dump(mode="json"),
        **values,
    )


# One process sees few seeds at a time; each data set holds its arrays once for every label.
@lru_cache(maxsize=4)
def _dataset(world: WorldSpec, seed: int) -> Dataset:
    return make_dataset(world, seed)


def _labelled(job: Job) -> list[Dataset]:
    """The data sets of a job's worlds; within a process, data sets of one seed that differ in the
    label share x."""
    base = _dataset(job.worlds[0].without_label(), job.training.seed)
    return [base.with_label(world.label) for world in job.worlds]


def _truth(dataset: Dataset, augmentation: AugmentationSpec | None) -> dict[str, Any]:
    relevant = [
        f"{block}[{place}]"
        for block, count in zip(("w_s", "w_1", "w_2"), dataset.spec.relevant, strict=True)
        for place in range(count)
    ]
    copies = None if augmentation is None else _copies(dataset.spec, augmentation)
    return {
        **dataset.truth.as_dict(),
        "relevant_latents": relevant,
        **({} if copies is None else {"augmentation": copies}),
    }


# The table of many relevant bits is slow to compute, and a world has many seeds and methods.
@lru_cache(maxsize=64)
def _copies(world: WorldSpec, augmentation: AugmentationSpec) -> dict[str, float] | None:
    """Information that augmented copies hold about their originals, in bits; None if unknown."""
    try:
        return asdict(augmentation_information_bits(world, augmentation))
    except ValueError:
        return None


def _losses(trained: TrainedStack, place: int) -> dict[str, list[float]]:
    """Every other logged point of each term, the last one among them, to five digits: enough for a
    curve."""
    logged = slice((len(trained.logged_steps) + 1) % 2, None, 2)
    steps = {"step": [float(step) for step in trained.logged_steps[logged]]}
    terms = {
        name: [float(f"{point[place]:.5g}") for point in points[logged]]
        for name, points in trained.losses_nats.items()
    }
    return {**steps, **terms}


def _head_spreads(trained: TrainedStack, datasets: Sequence[Dataset]) -> dict[str, list[float]]:
    """Largest standard deviation of each head's outputs over test samples, per run."""
    outputs = encode_samples(trained, trained.heads, datasets, "test", _HEAD_SAMPLES)
    return {
        name: [float(f"{spread:.4g}") for spread in out.std(1).amax(1).tolist()]
        for name, out in outputs.items()
    }
