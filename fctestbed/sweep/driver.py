"""A sweep from its plan to its results; but for ``adopt`` the only writer of the store.

May import the rest of ``fctestbed.sweep``, ``fctestbed.testing`` and what is below them.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from fctestbed.nets import check_precision
from fctestbed.objectives import METHODS
from fctestbed.results import (
    ResultsStore,
    RunRecord,
    check_encoder_place,
    remove_checkpoint_drafts,
    remove_drafts,
    remove_stale_checkpoints,
    write_encoders,
)
from fctestbed.sweep.checkpoints import (
    CHECKPOINT_SECONDS,
    checked_seconds,
    remove_unit_checkpoints,
)
from fctestbed.sweep.executors import Executor
from fctestbed.sweep.growth import description_of, growth_to, not_asked_note, sweep_digest
from fctestbed.sweep.plan import CheckpointPlace, Plan, Unit, make_plan
from fctestbed.sweep.resources import Resources, executor_of
from fctestbed.sweep.spec import SweepSpec
from fctestbed.sweep.worker import UnitProgress, end_a_worker_in_its_start
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

    def warn(self, line: str) -> None:
        """Called with what a user has to know of the engine."""
        ...


class Silent:
    """Shows nothing."""

    def begin(self, plan: Plan, executor: Executor) -> None:
        """Show nothing."""

    def progress(self, progress: UnitProgress) -> None:
        """Show nothing."""

    def committed(self, unit: int, records: Sequence[RunRecord]) -> None:
        """Show nothing."""

    def warn(self, line: str) -> None:
        """Show nothing."""


def run_sweep(
    spec: SweepSpec,
    out: str | Path,
    *,
    device: str = "auto",
    workers: int | None = None,
    max_stack: int | None = None,
    keep_encoders: bool = True,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    display: Display | None = None,
    engine: str = "auto",
    address: str | None = None,
) -> Outcome:
    """Run what is missing of a sweep, and store it.

    Args:
        spec: the sweep.
        out: directory of the results store; made if missing, continued if it holds the same sweep,
            or one that differs from it in ratios, methods, seeds, variants and axes alone: the
            store then has both.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: worker processes; by default one per core on a CPU and none on a GPU.
        max_stack: most trainings in one stack; by default what the device gains from, and on a GPU
            what its free memory holds.
        keep_encoders: whether the encoders and heads of each training are written to
            ``out/encoders``, so that ``measure_sweep`` and ``load_encoder`` can use them. It
            changes no row; runs that are done already are not trained again for it.
        checkpoint_seconds: a training that takes longer is saved in ``out/checkpoints`` at most
            once in so many seconds, and goes on from there if the sweep is interrupted; 0 for
            never. It changes no row.
        display: what shows the progress.
        engine: ``auto`` (worker processes where there are several workers and stacks), ``process``
            (this process), ``workers`` (worker processes) or ``dask`` (a Dask cluster, which the
            extra ``cluster`` installs).
        address: of a Dask scheduler, ``HOST:PORT``; without one, ``dask`` starts a cluster of
            ``workers`` in this machine.

    Returns:
        What was done. A run that diverged or failed is a record with its reason; the sweep goes on.

    Raises:
        StoreRefused: if ``out`` holds a sweep whose other settings differ, is damaged, in use or
            cannot be written; nothing was written.
        ValueError: for an impossible run, a method that breaks its contract, an unknown device, a
            precision that the device cannot do, what is no whole number of at least 1 or no number
            of seconds, or a cluster that cannot do the units; nothing was written.
        WorkersCannotStart: if worker processes end before they have started.
        ClusterLost: if a cluster's scheduler has gone; what was done is stored.
    """
    end_a_worker_in_its_start()
    check_spec(spec)
    checkpoint_seconds = checked_seconds(checkpoint_seconds)
    resources = Resources.resolved(device, workers, max_stack, engine, address)
    # Every run is checked before anything is written.
    _ = spec.grid
    check_precisions(spec, resources)
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
        display=display or Silent(),
        checkpoint_seconds=checkpoint_seconds,
    )


def run_units(
    spec: SweepSpec,
    out: str | Path,
    content: Mapping[str, object],
    resources: Resources,
    *,
    change: Callable[[Unit], Unit],
    display: Display,
    checkpoint_seconds: float = 0.0,
) -> Outcome:
    """Do what is missing of a sweep's units, each changed before, and store it.

    Args:
        spec: the sweep.
        out: directory of the results store.
        content: what identifies the sweep, JSON-able.
        resources: where units are done.
        change: what is done with each unit of the plan; jobs that it takes away are left out.
        display: what shows the progress.
        checkpoint_seconds: seconds from one checkpoint of a training to the next; 0 for none.

    Raises:
        StoreRefused: as ``run_sweep``.
        ValueError: one line, if a cluster cannot do the units; nothing was written.
        WorkersCannotStart: if worker processes end before they have started.
        ClusterLost: if a cluster's scheduler has gone.
    """
    new, grow = description_of(spec, content), growth_to(spec, content)
    with (
        resources.opened(display.warn) as opened,
        ResultsStore.create_or_open(out, new.spec, new.digest, new.axes, grow=grow) as store,
    ):
        remove_drafts(out)
        remove_checkpoint_drafts(out)
        saved = (
            CheckpointPlace(Path(out).resolve(), checkpoint_seconds, store.driver)
            if checkpoint_seconds
            else None
        )
        missing = make_plan(spec, finished=store.finished(), max_stack=opened.stack_size)
        plan = missing.changed(lambda unit: replace(change(unit), checkpoints=saved))
        executor = executor_of(opened, plan)
        display.begin(plan, executor)
        # Of committed rows, only what the outcome says is kept.
        statuses: Counter[str] = Counter()
        problems: list[str] = []
        notes: dict[str, None] = {}
        # Closed on every exit, so that an interrupt ends the workers.
        with closing(executor.run(plan.units, display.progress)) as finished:
            for place, done in finished:
                # Encoders first: a stored run that names its encoders has them.
                write_encoders(out, done.encoders)
                store.commit(done.records)
                remove_unit_checkpoints(out, plan.units[place])
                notes.update(dict.fromkeys(done.notes))
                statuses.update(record.status for record in done.records)
                problems += [
                    plan.problem(record) for record in done.records if record.status != "ok"
                ]
                display.committed(place, done.records)
        finished_runs = store.finished()
        remove_stale_checkpoints(out, finished_runs)
        not_asked = not_asked_note(store.sweep_spec(), spec, content, finished_runs)
    n_left_out = missing.n_runs_left - plan.n_runs_left
    return Outcome(
        n_runs=plan.n_runs,
        n_new=statuses.total(),
        n_diverged=statuses["diverged"],
        n_failed=statuses["failed"],
        problems=tuple(problems),
        notes=(*store.notes, *notes, *filter(None, [not_asked])),
        n_left_out=n_left_out,
    )


def check_spec(spec: object) -> None:
    """Refuse what is no sweep.

    Raises:
        ValueError: one line.
    """
    if not isinstance(spec, SweepSpec):
        raise ValueError(
            f"spec: expected a SweepSpec, which sweep_spec makes, got {type(spec).__name__}"
        )


def check_precisions(spec: SweepSpec, resources: Resources) -> None:
    """Refuse a precision that the device cannot do. What a cluster's GPUs can do is not known here:
    there, runs fail and say so.

    Raises:
        ValueError: one line.
    """
    if resources.address is not None and resources.device != "cpu":
        return
    trains = (run.training.train for run in spec.runs())
    for precision in {train.precision for train in trains if train is not None}:
        check_precision(precision, resources.device, name="train.precision")


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
