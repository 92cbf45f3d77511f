"""From a grid of runs to units of work: which runs share a training, which trainings share a stack.

May import ``fctestbed.sweep.spec``, ``fctestbed.sweep.grid`` and what they import.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from fctestbed.measurement import MeasureSpec
from fctestbed.objectives import find_method
from fctestbed.results import (
    AlongRow,
    AxisValue,
    KeptEncoder,
    RunRecord,
    StoreRefused,
    read_encoder,
)
from fctestbed.sweep.axes import describe
from fctestbed.sweep.counts import checked_count
from fctestbed.sweep.grid import Grid, RunSpec
from fctestbed.sweep.spec import SweepSpec
from fctestbed.sweep.user_code import user_code_notes
from fctestbed.synthesis import WorldSpec
from fctestbed.training import TrainingSpec


@dataclass(frozen=True, kw_only=True)
class DoneTraining:
    """A training that a sweep has done, with what is taken over from its record.

    Attributes:
        directory: the sweep's directory.
        key: the key under which its encoders were kept there; None if it diverged.
        diverged: the reason if it diverged, or None.
        diagnostics: of the training: losses, spreads of heads, alarms.
        along: by run id, the rows along training of the runs that it serves there.
        origin: provenance of the training, and which store it is from.
        content: its encoders, where they travel with it to another machine.
    """

    directory: Path
    key: str | None
    diverged: str | None
    diagnostics: Mapping[str, Any]
    along: Mapping[str, tuple[AlongRow, ...]]
    origin: Mapping[str, Any]
    content: KeptEncoder | None = None

    @property
    def encoder(self) -> KeptEncoder | None:
        """Its encoders; None if it diverged.

        Raises:
            StoreRefused: if their file is missing or damaged.
        """
        if self.content is not None or self.key is None:
            return self.content
        return read_encoder(self.directory, self.key)

    def with_encoder(self) -> "DoneTraining":
        """The training with its encoders, if they can be read; else whoever needs them says why
        not."""
        try:
            return replace(self, content=self.encoder)
        except StoreRefused:
            return self


@dataclass(frozen=True)
class CheckpointPlace:
    """Where, and how often, stacks in training are saved.

    Attributes:
        directory: the sweep's directory, absolute.
        seconds: least seconds from one checkpoint to the next.
        driver: who has the lock of that directory: a process that finds another there, or none,
            is on a machine that does not see the directory.
    """

    directory: Path
    seconds: float
    driver: str


@dataclass(frozen=True)
class Job:
    """One training and the runs that it serves: they differ in a label that the training does not
    depend on, in which readouts are measured, or in how.

    Attributes:
        training: the training.
        runs: the runs.
        done: the training, if it is done and its encoders are loaded; None if it is to be done.
    """

    training: TrainingSpec
    runs: tuple[RunSpec, ...]
    done: DoneTraining | None = None

    @property
    def worlds(self) -> tuple[WorldSpec, ...]:
        """The runs' worlds, each once: they differ in the label alone."""
        return tuple({run.training.world.label: run.training.world for run in self.runs}.values())


@dataclass(frozen=True)
class Unit:
    """Jobs that are trained, or loaded, as one stack by one process and committed together.

    Attributes:
        jobs: the jobs; either all of them are to be trained, or none.
        keeps_encoders: whether the encoders of its trainings are returned with its records.
        checkpoints: where its stack is saved while it trains; None for nowhere.
    """

    jobs: tuple[Job, ...]
    keeps_encoders: bool = True
    checkpoints: CheckpointPlace | None = None

    @property
    def is_trained(self) -> bool:
        """Whether its trainings are done, so that it is only measured."""
        return self.jobs[0].done is not None

    @property
    def method(self) -> str:
        """The method of the first run, whose training the others share."""
        return self.jobs[0].training.method

    @property
    def trainings(self) -> dict[str, TrainingSpec]:
        """One training for each method whose readouts the unit's runs measure."""
        return {run.training.method: run.training for job in self.jobs for run in job.runs}

    @property
    def measurements(self) -> tuple[MeasureSpec, ...]:
        """Each way in which the unit's readouts are measured, once."""
        runs = [run for job in self.jobs for run in job.runs]
        return tuple(dict.fromkeys(run.measurement for run in runs))

    @property
    def n_runs(self) -> int:
        """Number of runs served."""
        return sum(len(job.runs) for job in self.jobs)

    @property
    def work(self) -> float:
        """Work in relative units, for the order of the units and for the time left."""
        train = self.jobs[0].training.train
        steps = 0 if train is None or self.is_trained else train.steps
        training = find_method(self.method).relative_cost * steps * len(self.jobs)
        # Fitting probes takes about as long as this many steps, of the latents and of each label.
        return training + 300 * len(self.jobs) + 60 * self.n_runs

    def without(self, finished: Collection[str]) -> "Unit":
        """The unit without the runs of these ids, and without jobs that have no other."""
        left = [
            (job, tuple(run for run in job.runs if run.run_id not in finished)) for job in self.jobs
        ]
        # A training does not depend on what its runs differ in: the first one left stands for all.
        jobs = tuple(Job(runs[0].training, runs, job.done) for job, runs in left if runs)
        return replace(self, jobs=jobs)

    def with_encoders(self) -> "Unit":
        """The unit with the encoders that it loads, for a machine that may not see their files."""
        jobs = (
            job if job.done is None else replace(job, done=job.done.with_encoder())
            for job in self.jobs
        )
        return replace(self, jobs=tuple(jobs))

    def halves(self) -> tuple["Unit", "Unit"]:
        """The unit in two halves, for a retry after it failed as a whole."""
        middle = len(self.jobs) // 2
        first, second = self.jobs[:middle], self.jobs[middle:]
        return replace(self, jobs=first), replace(self, jobs=second)


@dataclass(frozen=True)
class Plan:
    """The work of a sweep that is left.

    Attributes:
        grid: the runs of the sweep and their axis values.
        units: the work that is left, the longest first.
        n_finished: runs that the store already has.
        n_whole_units: units of the whole grid, the finished ones among them.
        notes: how losses and encoders of a user's own are computed, in lines.
    """

    grid: Grid
    units: tuple[Unit, ...]
    n_finished: int
    n_whole_units: int
    notes: tuple[str, ...] = ()

    @property
    def n_runs(self) -> int:
        """Runs of the whole grid."""
        return len(self.grid.runs)

    @property
    def n_runs_left(self) -> int:
        """Runs of the units that are left."""
        return sum(unit.n_runs for unit in self.units)

    @property
    def n_trainings(self) -> int:
        """Trainings that are left."""
        return sum(len(unit.jobs) for unit in self.units)

    def changed(self, change: Callable[[Unit], Unit]) -> "Plan":
        """The plan with other units in place of its own; those without jobs are left out."""
        units = (change(unit) for unit in self.units)
        return replace(self, units=tuple(unit for unit in units if unit.jobs))

    def problem(self, record: RunRecord) -> str:
        """A line for a run that is not ok: the method, its place in the grid, the reason."""
        values = describe(self.grid.values_of(record.run_id))
        return (
            f"{record.method} at ratio {record.unique_ratio:g}, {values + ', ' if values else ''}"
            f"seed {record.seed}: {record.status}: {record.reason}"
        )

    def name(self, unit: Unit) -> str:
        """A unit's method, its range of ratios, its axis values, and the number of trainings."""
        runs = [run for job in unit.jobs for run in job.runs]
        low, high = min(r.unique_ratio for r in runs), max(r.unique_ratio for r in runs)
        span = f"{low:g}" if low == high else f"{low:g}-{high:g}"
        found = [self.grid.values_of(run.run_id) for run in runs]
        common: dict[str, AxisValue] = {
            path: value
            for path, value in found[0].items()
            if all(values.get(path) == value for values in found)
        }
        values = f" {describe(common)}" if common else ""
        return f"{unit.method} {span}{values} x {len(unit.jobs)}"


def make_plan(
    spec: SweepSpec,
    *,
    finished: Collection[str] = (),
    max_stack: int | Callable[[TrainingSpec], int],
) -> Plan:
    """Group a sweep's runs, and leave out those that are finished.

    Args:
        spec: the sweep.
        finished: ids of runs that need not be done again.
        max_stack: most trainings in one stack, for all or by the training that it is made of.

    Returns:
        The plan. Stacks are made of the whole grid, so that a sweep that goes on trains the same
        ones, without the runs that are finished.

    Raises:
        ValueError: if a run of the sweep is impossible, or for a stack of none.
    """
    number = 0 if callable(max_stack) else checked_count("max_stack", max_stack)
    grid = spec.grid
    jobs: dict[str, list[RunSpec]] = {}
    for run in grid.runs.values():
        jobs.setdefault(run.training.key, []).append(run)
    stacks: dict[tuple[str, int], list[Job]] = {}
    for shared in jobs.values():
        training = shared[0].training
        # A stack is also measured as one, so that its test sets are of one size.
        key = training.stack_key, training.world.n_test
        stacks.setdefault(key, []).append(Job(training=training, runs=tuple(shared)))
    whole = [
        Unit(part)
        for stack in stacks.values()
        for part in _split(stack, max_stack(stack[0].training) if callable(max_stack) else number)
    ]
    done = frozenset(finished)
    units = [left for unit in whole if (left := unit.without(done)).jobs]
    units.sort(key=lambda unit: -unit.work)
    return Plan(
        grid=grid,
        units=tuple(units),
        n_finished=len(done & grid.runs.keys()),
        n_whole_units=len(whole),
        notes=user_code_notes(run.training for run in grid.runs.values()),
    )


def _split(jobs: Sequence[Job], most: int) -> list[tuple[Job, ...]]:
    """Parts of nearly equal length, none longer than ``most``."""
    count = -(-len(jobs) // most)
    bounds = [place * len(jobs) // count for place in range(count + 1)]
    return [tuple(jobs[a:b]) for a, b in pairwise(bounds)]
