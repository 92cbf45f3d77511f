"""What a sweep shows while it runs, on stderr: bars where there is a terminal, plain lines
elsewhere."""

import statistics
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from fctestbed.results.schema import RunRecord
from fctestbed.sweep.executors import Executor, InProcess, UnitProgress
from fctestbed.sweep.plan import Plan, Unit

_LINE_EVERY_SECONDS = 10.0


def _losses(progress: UnitProgress) -> str:
    losses = progress.progress.losses_nats
    return f"loss {statistics.fmean(losses):.2f} nats" if losses else "starting"


class SweepDisplay:
    """Progress of a sweep: work done of all, rate, time left, and each running stack's step and
    loss."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal and not console.is_dumb_terminal
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[int, TaskID] = {}
        self._whole: TaskID | None = None
        self._runs_done = self._runs = 0
        self._work_done = self._work = 0.0
        self._fractions: dict[int, float] = {}
        self._started = self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        if self._live:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            self._bars.stop()

    def begin(self, plan: Plan, executor: Executor) -> None:
        """Show the plan."""
        self._started = time.monotonic()
        self._runs = plan.n_runs - plan.n_finished
        self._work = sum(unit.work for unit in plan.units)
        place = "here" if isinstance(executor, InProcess) else "in worker processes"
        done = f", {plan.n_finished} already done" if plan.n_finished else ""
        self._console.print(
            f"{plan.n_runs} runs{done}: {plan.n_trainings} trainings "
            f"in {len(plan.units)} stacks, {place}",
            highlight=False,
        )
        if self._live:
            self._whole = self._bars.add_task("sweep", total=self._runs, note="")

    def progress(self, unit: Unit, progress: UnitProgress) -> None:
        """A stack has moved on."""
        at = progress.progress
        self._fractions[progress.unit] = unit.work * at.step / at.steps
        if self._live:
            task = self._tasks.get(progress.unit)
            if task is None:
                name = f"{unit.method} x {len(unit.jobs)}"
                task = self._bars.add_task(name, total=at.steps, note="")
                self._tasks[progress.unit] = task
            self._bars.update(task, completed=at.step, total=at.steps, note=_losses(progress))
        elif time.monotonic() - self._last_line >= _LINE_EVERY_SECONDS:
            self._line(f"{unit.method}: step {at.step} of {at.steps}, {_losses(progress)}")

    def committed(self, unit: Unit, records: Sequence[RunRecord]) -> None:
        """A stack's runs are in the store."""
        self._runs_done += len(records)
        self._work_done += unit.work
        for place, fraction in list(self._fractions.items()):
            if fraction >= unit.work * (1 - 1e-9) and place in self._tasks:
                self._bars.remove_task(self._tasks.pop(place))
                del self._fractions[place]
                break
        for record in records:
            if record.status != "ok":
                self._console.print(
                    f"{record.method} at ratio {record.unique_ratio:g}, seed {record.seed}: "
                    f"{record.status}: {record.reason}",
                    highlight=False,
                )
        if self._live and self._whole is not None:
            self._bars.update(self._whole, completed=self._runs_done, note=self._rate())
        elif not self._live:
            self._line(f"{unit.method}: {len(records)} runs done")

    def _rate(self) -> str:
        minutes = (time.monotonic() - self._started) / 60
        return f"{self._runs_done / minutes:.0f} runs/min" if minutes > 0 else ""

    def _line(self, text: str) -> None:
        self._last_line = time.monotonic()
        elapsed = self._last_line - self._started
        done = max(self._work_done, 1e-9)
        left = (
            f", about {elapsed * (self._work - done) / done:.0f} s left" if self._work_done else ""
        )
        self._console.print(
            f"[{elapsed:5.0f} s] {self._runs_done}/{self._runs} runs{left} | {text}",
            highlight=False,
            markup=False,
        )
