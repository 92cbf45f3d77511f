"""From a sweep to units of work: which runs share a training, which trainings share a stack.

Owns the grouping. May import ``fctestbed.sweep.spec`` and what is below it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fctestbed.objectives import find_method
from fctestbed.sweep.spec import RunSpec, SweepSpec
from fctestbed.synthesis import WorldSpec
from fctestbed.training import TrainingSpec


@dataclass(frozen=True)
class Job:
    """One training and the runs that it serves: they differ in a label that the training never
    sees, or in what of it is read out."""

    training: TrainingSpec
    runs: tuple[RunSpec, ...]

    @property
    def worlds(self) -> tuple[WorldSpec, ...]:
        """The runs' worlds, each once: they differ in the label alone."""
        return tuple({run.training.world.label: run.training.world for run in self.runs}.values())


@dataclass(frozen=True)
class Unit:
    """Jobs that are trained as one stack, in one place, and committed together."""

    jobs: tuple[Job, ...]

    @property
    def method(self) -> str:
        """The method that is trained, by the name of its first run's."""
        return self.jobs[0].training.method

    @property
    def trainings(self) -> dict[str, TrainingSpec]:
        """A training by each method whose readouts the unit's runs ask for."""
        return {run.training.method: run.training for job in self.jobs for run in job.runs}

    @property
    def n_runs(self) -> int:
        """Number of runs served."""
        return sum(len(job.runs) for job in self.jobs)

    @property
    def work(self) -> float:
        """Work in relative units, for the order of the units and for the time left."""
        train = self.jobs[0].training.train
        steps = 0 if train is None else train.steps
        training = find_method(self.method).relative_cost * steps * len(self.jobs)
        # Fitting probes takes about as long as this many steps, of the latents and of each label.
        return training + 300 * len(self.jobs) + 60 * self.n_runs

    def halves(self) -> tuple["Unit", "Unit"]:
        """The unit in two, for another try where it failed whole."""
        middle = len(self.jobs) // 2
        return Unit(self.jobs[:middle]), Unit(self.jobs[middle:])


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        units: the work that is left, the longest first.
        n_runs: runs of the whole grid.
        n_finished: those that the store already has.
    """

    units: tuple[Unit, ...]
    n_runs: int
    n_finished: int

    @property
    def n_trainings(self) -> int:
        """Trainings that are left."""
        return sum(len(unit.jobs) for unit in self.units)


def make_plan(spec: SweepSpec, *, finished: Collection[str] = (), max_stack: int) -> Plan:
    """Group a sweep's missing runs.

    Args:
        spec: the sweep.
        finished: ids of runs that need not be done again.
        max_stack: most trainings in one stack.

    Returns:
        The plan. Which runs share a stack changes no number.
    """
    if max_stack < 1:
        raise ValueError(f"max_stack: expected at least 1, got {max_stack}")
    runs = spec.runs()
    done = frozenset(finished)
    missing = [run for run in runs if run.run_id not in done]
    jobs: dict[str, list[RunSpec]] = {}
    for run in missing:
        jobs.setdefault(run.training.key, []).append(run)
    stacks: dict[str, list[Job]] = {}
    for shared in jobs.values():
        job = Job(training=shared[0].training, runs=tuple(shared))
        stacks.setdefault(job.training.stack_key, []).append(job)
    units = [Unit(part) for stack in stacks.values() for part in _split(stack, max_stack)]
    units.sort(key=lambda unit: -unit.work)
    return Plan(units=tuple(units), n_runs=len(runs), n_finished=len(runs) - len(missing))


def _split(jobs: Sequence[Job], most: int) -> list[tuple[Job, ...]]:
    """Parts of nearly equal length, none longer than ``most``."""
    count = -(-len(jobs) // most)
    bounds = [place * len(jobs) // count for place in range(count + 1)]
    return [tuple(jobs[a:b]) for a, b in pairwise(bounds)]
