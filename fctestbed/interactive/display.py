"""The progress of a sweep as one bar, in a terminal or a notebook. May import rich."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fctestbed.results import RunRecord
from fctestbed.sweep import Executor, Plan, UnitProgress


class SweepBar:
    """Runs done of all, the time left, and what is trained at the moment."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("sweep"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        self._task = self._progress.add_task("", total=None)
        self._plan: Plan | None = None

    @contextmanager
    def shown(self) -> Iterator[Self]:
        """The bar, on the screen while the block runs."""
        with self._progress:
            yield self

    def begin(self, plan: Plan, executor: Executor) -> None:
        """Show the plan."""
        self._plan = plan
        self._progress.update(self._task, total=plan.n_runs, completed=plan.n_finished)

    def progress(self, progress: UnitProgress) -> None:
        """Show what is trained."""
        if self._plan is not None:
            name = self._plan.name(self._plan.units[progress.unit])
            self._progress.update(self._task, description=name)

    def committed(self, unit: int, records: Sequence[RunRecord]) -> None:
        """Count the runs of a unit."""
        self._progress.advance(self._task, len(records))

    def warn(self, line: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(f"warning: {line}", highlight=False, markup=False)
