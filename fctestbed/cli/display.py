"""What a sweep shows while it runs, on stderr: progress bars on a terminal, plain lines
elsewhere."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from fctestbed.results import RunRecord
from fctestbed.sweep import Executor, Grid, Plan, UnitProgress

_LINE_EVERY_SECONDS = 10.0
# Below this share of the work there is no estimate of the time left: workers are starting.
_LEAST_SHARE = 0.02


class ProgressConsole(Console):
    """A console whose closed pipe is an error, as for any other output; Rich would exit with 1."""

    def on_broken_pipe(self) -> None:
        """Called while the error is handled."""
        raise BrokenPipeError


class SweepDisplay:
    """Progress of a sweep: runs done of all, rate, time left, and each running stack's step and
    loss."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal and not console.is_dumb_terminal
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
        )
        self._tasks: dict[int, TaskID] = {}
        self._whole: TaskID | None = None
        self._plan = Plan(
            grid=Grid(axes=(), runs={}, cells=()), units=(), n_finished=0, n_whole_units=0
        )
        self._runs_done = self._runs = 0
        self._work_done = self._work = 0.0
        self._running: dict[int, float] = {}
        self._started = self._last_line = time.monotonic()

    @contextmanager
    def shown(self) -> Iterator[Self]:
        """This display, on the screen while the block runs."""
        with self._bars if self._live else nullcontext():
            yield self

    def begin(self, plan: Plan, executor: Executor) -> None:
        """Show the plan."""
        self._started = self._last_line = time.monotonic()
        self._plan = plan
        self._runs = plan.n_runs - plan.n_finished
        self._work = sum(unit.work for unit in plan.units)
        done = f", {plan.n_finished} already done" if plan.n_finished else ""
        left = (
            f": {plan.n_trainings} trainings in {len(plan.units)} stacks, {executor.place}"
            if plan.units
            else ""
        )
        self._print(f"{plan.n_runs} runs{done}{left}")
        for note in plan.notes:
            self._print(f"note: {note}")
        if self._live and plan.units:
            self._whole = self._bars.add_task("sweep", total=1.0, note=self._state())

    def progress(self, progress: UnitProgress) -> None:
        """A stack has moved on."""
        at, unit = progress.progress, self._plan.units[progress.unit]
        self._running[progress.unit] = unit.work * at.step / at.steps
        if self._live and self._whole is not None:
            task = self._tasks.get(progress.unit)
            if task is None:
                task = self._bars.add_task(self._plan.name(unit), total=1.0, note=_at(progress))
                self._tasks[progress.unit] = task
            self._bars.update(task, completed=at.step / at.steps, note=_at(progress))
            self._bars.update(self._whole, completed=self._share(), note=self._state())
        elif time.monotonic() - self._last_line >= _LINE_EVERY_SECONDS:
            self._line(f"{self._plan.name(unit)}: {_at(progress)}")

    def committed(self, unit: int, records: Sequence[RunRecord]) -> None:
        """A stack's runs are in the store."""
        self._runs_done += len(records)
        self._work_done += self._plan.units[unit].work
        self._running.pop(unit, None)
        if unit in self._tasks:
            self._bars.remove_task(self._tasks.pop(unit))
        for record in records:
            if record.status != "ok":
                self._print(self._plan.problem(record))
        if self._whole is not None:
            self._bars.update(self._whole, completed=self._share(), note=self._state())
        else:
            self._line(f"{self._plan.name(self._plan.units[unit])}: done")

    def warn(self, line: str) -> None:
        """Print a line of the engine's."""
        self._print(f"warning: {line}")

    def _share(self) -> float:
        return (self._work_done + sum(self._running.values())) / self._work

    def _state(self) -> str:
        """Runs done, rate, time passed and time left."""
        elapsed, share = time.monotonic() - self._started, self._share()
        parts = [f"{self._runs_done}/{self._runs} runs", _clock(elapsed)]
        if self._runs_done:
            parts.append(f"{60 * self._runs_done / max(elapsed, 1e-3):.0f}/min")
        if share >= _LEAST_SHARE:
            parts.append(f"{_clock(elapsed * (1 - share) / share)} left")
        return ", ".join(parts)

    def _line(self, text: str) -> None:
        self._last_line = time.monotonic()
        self._print(f"{self._state()} | {text}")

    def _print(self, text: str) -> None:
        # No markup: a path may hold brackets. No folding: a log has one line for each message.
        self._console.print(text, highlight=False, markup=False, soft_wrap=not self._live)


def _at(progress: UnitProgress) -> str:
    at = progress.progress
    if not at.losses_nats:
        return "starting"
    if at.step == at.steps:
        return "measuring"
    return f"step {at.step}/{at.steps}, loss {statistics.fmean(at.losses_nats):.2f} nats"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
