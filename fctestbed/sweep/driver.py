"""A sweep from its plan to its results; the only writer of the store.

May import the rest of ``fctestbed.sweep``, ``fctestbed.testing`` and what is below them.
"""

import json
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from fctestbed._version import __version__
from fctestbed.nets import check_precision
from fctestbed.objectives import METHODS, method_source
from fctestbed.results import (
    STORE_NAME,
    AxisCells,
    ResultsStore,
    RunRecord,
    StoreRefused,
    describe_difference,
)
from fctestbed.sweep.axes import shown
from fctestbed.sweep.counts import checked_count
from fctestbed.sweep.executors import Executor, InProcess, WorkerProcesses
from fctestbed.sweep.plan import Plan, make_plan
from fctestbed.sweep.spec import SweepSpec
from fctestbed.sweep.worker import UnitProgress, available_cores
from fctestbed.synthesis import digest
from fctestbed.testing import check_method

# By `fctestbed bench` on one CPU core, a FactorCL-SUP run's step is 1.6 times as fast in a stack of
# 6 as alone, 1.8 times in one of 11, 1.9 times in one of 33; but two workers with stacks of 11 do
# the default sweep no sooner than with stacks of 6, and take 0.3 GB more.
# Digits as torch reads them, and not too many to be a number.
_DEVICE = re.compile(r"(cpu|cuda)(:[0-9]{1,4})?")
_MAX_STACK = {"cpu": 6, "cuda": 33}


@dataclass(frozen=True)
class Outcome:
    """How a sweep ended.

    Attributes:
        n_runs: runs of the whole grid.
        n_new: runs done now.
        n_diverged: of these, runs that diverged.
        n_failed: of these, runs that failed.
        problems: one line for each run that is not ok.
        notes: what was done to the store before, in lines.
    """

    n_runs: int
    n_new: int
    n_diverged: int
    n_failed: int
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


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


def resolve_device(device: str) -> str:
    """A torch device by name; ``auto`` is a CUDA device where there is one.

    Raises:
        ValueError: for an unknown name, or CUDA asked for and absent.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    known = isinstance(device, str) and _DEVICE.fullmatch(device) is not None
    kind, _, number = device.partition(":") if known else ("", "", "")
    if not known or (kind == "cpu" and number):
        raise ValueError(f"device: expected auto, cpu, cuda or cuda:N, got {device!r}")
    if kind == "cuda":
        count = torch.cuda.device_count()
        if int(number or 0) >= count:
            raise ValueError(
                f"device: expected a CUDA device that is there ({count} found), got {device!r}"
            )
    return device


def default_workers(device: str) -> int:
    """One worker for each core on a CPU; one for a GPU, which runs one stack at a time."""
    return available_cores() if device == "cpu" else 1


def default_max_stack(device: str) -> int:
    """Most trainings in a stack that the device gains from."""
    return _MAX_STACK[device.partition(":")[0]]


def _resolved(device: str, workers: int | None, max_stack: int | None) -> tuple[str, int, int]:
    device = resolve_device(device)
    workers = default_workers(device) if workers is None else workers
    max_stack = default_max_stack(device) if max_stack is None else max_stack
    return device, checked_count("workers", workers), checked_count("max_stack", max_stack)


def executor_of(device: str, workers: int, plan: Plan) -> Executor:
    """What runs the units. It depends on the whole sweep, not on what is left of it, and so do the
    threads of each training: other threads would round differently.

    A training on a CPU has one thread; one on a GPU has those that its process has, or its share.
    """
    on_cpu = device.partition(":")[0] == "cpu"
    if workers > 1 and plan.n_whole_units > 1:
        threads = 1 if on_cpu else max(1, available_cores() // workers)
        return WorkerProcesses(device, workers, threads)
    return InProcess(device, threads=1 if on_cpu else None)


def sweep_digest(spec: SweepSpec) -> tuple[dict[str, object], str]:
    """What identifies a sweep, JSON-able, and its digest: the specification, the version of the
    code, and the source of users' methods."""
    content = {**spec.model_dump(mode="json"), "fctestbed": __version__}
    sources = {name: method_source(name) for name in spec.methods}
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
    display: Display | None = None,
) -> Outcome:
    """Run what is missing of a sweep, and store it.

    Args:
        spec: the sweep.
        out: directory of the results store; made if missing, continued if it holds the same sweep.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: worker processes; by default one per core on a CPU and none on a GPU.
        max_stack: most trainings in one stack; by default what the device gains from.
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
    _check_spec(spec)
    device, workers, max_stack = _resolved(device, workers, max_stack)
    display = display or _Silent()
    # Every run is checked before anything is written.
    grid = spec.grid
    _check_precisions(spec, device)
    check_plugins(spec)
    content, key = sweep_digest(spec)
    axes = AxisCells(axes=grid.axes, cells=grid.cells)
    with ResultsStore.create_or_open(out, content, key, axes) as store:
        plan = make_plan(spec, finished=store.finished(), max_stack=max_stack)
        executor = executor_of(device, workers, plan)
        display.begin(plan, executor)
        records: list[RunRecord] = []
        # Closed on every exit, so that an interrupt ends the workers.
        with closing(executor.run(plan.units, display.progress)) as finished:
            for place, done in finished:
                store.commit(done)
                records += done
                display.committed(place, done)
    bad = [record for record in records if record.status != "ok"]
    return Outcome(
        n_runs=plan.n_runs,
        n_new=len(records),
        n_diverged=sum(record.status == "diverged" for record in bad),
        n_failed=sum(record.status == "failed" for record in bad),
        problems=tuple(plan.problem(record) for record in bad),
        notes=store.notes,
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
    """What ``run_sweep`` would do, in lines; nothing is written.

    Raises:
        StoreRefused: if ``out`` holds another sweep, or something that is no store.
        ValueError: as for ``run_sweep``.
    """
    _check_spec(spec)
    device, workers, most = _resolved(device, workers, max_stack)
    _check_precisions(spec, device)
    check_plugins(spec)
    finished: set[str] = set()
    if (Path(out) / STORE_NAME).exists():
        with ResultsStore.open_read(out) as store:
            content, stored = sweep_digest(spec)[0], store.tables().sweep_spec
            if digest(stored) != digest(content):
                difference = describe_difference(stored, json.loads(json.dumps(content)))
                raise StoreRefused(f"{out}: holds another sweep: {difference}")
            finished = store.finished()
    plan = make_plan(spec, finished=finished, max_stack=most)
    lines = [
        f"unique ratios: {', '.join(f'{ratio:g}' for ratio in spec.unique_ratio)}",
        f"methods: {', '.join(spec.methods)}",
        f"seeds: {', '.join(map(str, spec.seeds))}",
        *(f"{path}: {', '.join(map(shown, values))}" for path, values in spec.axes.items()),
        f"runs: {plan.n_runs}, of which {plan.n_finished} are done",
        f"trainings left: {plan.n_trainings}, in {len(plan.units)} stacks of at most {most}",
    ]
    for method in spec.methods:
        units = [unit for unit in plan.units if unit.method == method]
        runs, jobs = sum(unit.n_runs for unit in units), sum(len(unit.jobs) for unit in units)
        lines.append(f"  {method}: {runs} runs, {jobs} trainings, {len(units)} stacks")
    return [*lines, f"device: {device}, {workers} workers, results in {out}"]
