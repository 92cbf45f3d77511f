"""A sweep from its plan to its results; but for ``adopt`` the only writer of the store.

May import the rest of ``fctestbed.sweep``, ``fctestbed.testing`` and what is below them.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from fctestbed._version import __version__
from fctestbed.nets import check_precision
from fctestbed.objectives import METHODS, encoder_source, method_source
from fctestbed.results import (
    STORE_NAME,
    AxisCells,
    ResultsStore,
    RunRecord,
    StoreRefused,
    check_directory,
    check_encoder_place,
    describe_difference,
    remove_drafts,
    write_encoders,
)
from fctestbed.sweep.axes import describe, shown
from fctestbed.sweep.executors import Executor
from fctestbed.sweep.plan import Plan, Unit, make_plan
from fctestbed.sweep.resources import Resources, executor_of
from fctestbed.sweep.spec import SweepSpec
from fctestbed.sweep.worker import UnitProgress, end_a_worker_in_its_start
from fctestbed.synthesis import digest
from fctestbed.testing import check_method


@dataclass(frozen=True)
class Outcome:
    """How a sweep ended.

    Attributes:
        n_runs: runs of the whole grid.
        n_new: runs done now.
        n_diverged: of these, runs that diverged.
        n_failed: of these, runs that failed.
        problems: one line for each run that is not ok.
        notes: what was done to the store before, and what was left out, in lines.
        n_left_out: runs that were not done because nothing to measure was kept of them.
    """

    n_runs: int
    n_new: int
    n_diverged: int
    n_failed: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    n_left_out: int = 0


class Display(Protocol):
    """Shows the progress of a sweep."""

    def begin(self, plan: Plan, executor: Executor) -> None:
        """Called when the plan is made and the store is open."""
        ...

    def progress(self, progress: UnitProgress) -> None:
        """Called with the progress of a unit."""
        ...

    def committed(self, unit: int, records: Sequence[RunRecord]) -> None:
        """Called when the records of a unit, given by its place in the plan, are stored."""
        ...


class _Silent:
    def begin(self, plan: Plan, executor: Executor) -> None:
        pass

    def progress(self, progress: UnitProgress) -> None:
        pass

    def committed(self, unit: int, records: Sequence[RunRecord]) -> None:
        pass


def sweep_digest(spec: SweepSpec) -> tuple[dict[str, object], str]:
    """What identifies a sweep, JSON-able, and its digest: the specification, the version of the
    code, and the source of users' methods and encoders."""
    content = {**spec.model_dump(mode="json"), "fctestbed": __version__}
    encoders = (spec.nets.encoder, *spec.axes.get("nets.encoder", ()))
    sources = {name: method_source(name) for name in spec.methods}
    sources |= {name: encoder_source(name) for name in encoders}
    if any(sources.values()):
        content["sources"] = {name: source for name, source in sources.items() if source}
    return content, digest(content)


def run_sweep(
    spec: SweepSpec,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    max_stack: int | None = None,
    keep_encoders: bool = True,
    display: Display | None = None,
) -> Outcome:
    """Run what is missing of a sweep, and store it.

    Args:
        spec: the sweep.
        out: directory of the results store; made if missing, continued if it holds the same sweep.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: worker processes; by default one per core on a CPU and none on a GPU.
        max_stack: most trainings in one stack; by default what the device gains from, and on a GPU
            what its free memory holds.
        keep_encoders: whether the encoders and heads of each training are written to
            ``out/encoders``, so that ``measure_sweep`` and ``load_encoder`` can use them. It
            changes no row; runs that are done already are not trained again for it.
        display: what shows the progress.

    Returns:
        What was done. A run that diverged or failed is a record with its reason; the sweep goes on.

    Raises:
        StoreRefused: if ``out`` holds another sweep, is damaged, in use or cannot be written;
            nothing was written.
        ValueError: for an impossible run, a method that breaks its contract, an unknown device, a
            precision that the device cannot do or what is no whole number of at least 1; nothing
            was written.
        WorkersCannotStart: if worker processes end before they have started.
    """
    end_a_worker_in_its_start()
    _check_spec(spec)
    resources = Resources.resolved(device, workers, max_stack)
    # Every run is checked before anything is written.
    _ = spec.grid
    _check_precisions(spec, resources.device)
    check_plugins(spec)
    if keep_encoders:
        check_encoder_place(out)
    content, _ = sweep_digest(spec)
    return run_units(
        spec,
        out,
        content,
        resources,
        change=lambda unit: replace(unit, keeps_encoders=keep_encoders),
        display=display,
    )


def run_units(
    spec: SweepSpec,
    out: str | Path,
    content: Mapping[str, object],
    resources: Resources,
    *,
    change: Callable[[Unit], Unit],
    display: Display | None,
) -> Outcome:
    """Do what is missing of a sweep's units, each changed before, and store it.

    Args:
        spec: the sweep.
        out: directory of the results store.
        content: what identifies the sweep, JSON-able.
        resources: where units are done.
        change: what is done with each unit of the plan; jobs that it takes away are left out.
        display: what shows the progress.

    Raises:
        StoreRefused: as ``run_sweep``.
        WorkersCannotStart: if worker processes end before they have started.
    """
    display = display or _Silent()
    axes = AxisCells(axes=spec.grid.axes, cells=spec.grid.cells)
    with ResultsStore.create_or_open(out, content, digest(content), axes) as store:
        remove_drafts(out)
        missing = make_plan(spec, finished=store.finished(), max_stack=resources.stack_size)
        plan = missing.changed(change)
        executor = executor_of(resources.device, resources.workers, plan)
        display.begin(plan, executor)
        # Of committed rows, only what the outcome says is kept.
        statuses: Counter[str] = Counter()
        problems: list[str] = []
        # Closed on every exit, so that an interrupt ends the workers.
        with closing(executor.run(plan.units, display.progress)) as finished:
            for place, done in finished:
                # Encoders first: a stored run that names its encoders has them.
                write_encoders(out, done.encoders)
                store.commit(done.records)
                statuses.update(record.status for record in done.records)
                problems += [
                    plan.problem(record) for record in done.records if record.status != "ok"
                ]
                display.committed(place, done.records)
    n_left_out = missing.n_runs_left - plan.n_runs_left
    return Outcome(
        n_runs=plan.n_runs,
        n_new=statuses.total(),
        n_diverged=statuses["diverged"],
        n_failed=statuses["failed"],
        problems=tuple(problems),
        notes=store.notes,
        n_left_out=n_left_out,
    )


def _check_spec(spec: object) -> None:
    if not isinstance(spec, SweepSpec):
        raise ValueError(
            f"spec: expected a SweepSpec, which sweep_spec makes, got {type(spec).__name__}"
        )


def _check_precisions(spec: SweepSpec, device: str) -> None:
    trains = (run.training.train for run in spec.runs())
    for precision in {train.precision for train in trains if train is not None}:
        check_precision(precision, device, name="train.precision")


def check_plugins(spec: SweepSpec) -> None:
    """Check the methods of a sweep that do not come with this package, with all their settings.

    Raises:
        ValueError: one line, for a method that breaks the contract of methods.
    """
    trainings = [run.training for run in spec.runs() if run.training.method not in METHODS]
    for training in {repr((one.method, one.settings)): one for one in trainings}.values():
        try:
            check_method(training.method, training.settings)
        except ValueError as error:
            raise ValueError(f"methods: {error}") from error


def describe_plan(
    spec: SweepSpec,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    max_stack: int | None = None,
) -> list[str]:
    """What ``run_sweep`` would do, in lines; nothing stays written.

    Raises:
        StoreRefused: if ``out`` holds another sweep, or something that is no store.
        ValueError: as for ``run_sweep``.
    """
    _check_spec(spec)
    resources = Resources.resolved(device, workers, max_stack)
    _check_precisions(spec, resources.device)
    check_plugins(spec)
    finished: set[str] = set()
    if (Path(out) / STORE_NAME).exists():
        with ResultsStore.open_read(out) as store:
            content, stored = sweep_digest(spec)[0], store.tables().sweep_spec
            if digest(stored) != digest(content):
                difference = describe_difference(stored, json.loads(json.dumps(content)))
                raise StoreRefused(f"{out}: holds another sweep: {difference}")
            finished = store.finished()
    else:
        try:
            check_directory(out)
        except ValueError as error:
            raise ValueError(f"out: {error}") from error
    plan = make_plan(spec, finished=finished, max_stack=resources.stack_size)
    lines = [
        f"unique ratios: {', '.join(f'{ratio:g}' for ratio in spec.unique_ratio)}",
        f"methods: {', '.join(spec.methods)}",
        f"seeds: {', '.join(map(str, spec.seeds))}",
        *(f"{path}: {', '.join(map(shown, values))}" for path, values in spec.axes.items()),
        *(f"one axis at a time around {describe(own)}" for own in [spec.baseline] if own),
        f"runs: {plan.n_runs}, of which {plan.n_finished} are done",
        f"trainings left: {plan.n_trainings}, in {len(plan.units)} stacks of at most "
        f"{resources.max_stack}",
    ]
    for method in spec.methods:
        units = [unit for unit in plan.units if unit.method == method]
        runs, jobs = sum(unit.n_runs for unit in units), sum(len(unit.jobs) for unit in units)
        lines.append(f"  {method}: {runs} runs, {jobs} trainings, {len(units)} stacks")
    lines += [f"  {note}" for note in plan.notes]
    return [*lines, f"device: {resources.device}, {resources.workers} workers, results in {out}"]
