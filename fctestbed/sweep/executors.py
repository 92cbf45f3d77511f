"""Executors: units run in this process or in worker processes, and their results come back.

A unit may be executed more than once; only the driver writes to the store. May import
``fctestbed.sweep.worker`` and what it imports.
"""

import pickle
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, Protocol

from fctestbed.sweep.attempts import Attempts
from fctestbed.sweep.execute import UnitResult, execute, failed
from fctestbed.sweep.plan import Unit
from fctestbed.sweep.worker import (
    UnitDone,
    UnitProgress,
    Worker,
    WorkerDied,
    WorkerStarted,
    process_as_a_worker,
    signals_blocked,
)
from fctestbed.training import Progress

Report = Callable[[UnitProgress], None]
Done = Generator[tuple[int, UnitResult], None, None]


class Executor(Protocol):
    """Runs units somewhere."""

    @property
    def place(self) -> str:
        """Where, in words."""
        ...

    def run(self, units: Sequence[Unit], report: Report) -> Done:
        """Yield each unit's place in the list and its result, in the order in which they finish.

        Closing the generator ends what still runs.
        """
        ...


@dataclass(frozen=True)
class InProcess:
    """Runs one unit after another in this process: for a GPU, for one worker, and for tests.

    Attributes:
        device: a torch device.
        threads: the number of CPU threads of each training; None for those that the process has.
    """

    device: str
    threads: int | None = 1

    @property
    def place(self) -> str:
        """Where, in words."""
        return "in this process"

    def run(self, units: Sequence[Unit], report: Report) -> Done:
        """Run the units in order."""
        for place, unit in enumerate(units):

            def forward(progress: Progress, place: int = place) -> None:
                report(UnitProgress(place, progress))

            # The caller goes on between the units, with its own settings.
            with process_as_a_worker(self.threads):
                result = execute(unit, device=self.device, report=forward)
            yield place, result


@dataclass(frozen=True)
class WorkerProcesses:
    """Runs units in worker processes.

    A unit whose worker ended (killed for its memory, for instance) is retried once, after all
    others; if the retry fails too, its runs are recorded as failed. The other workers go on. A
    worker that a signal ends while it has no unit is replaced.

    Attributes:
        device: a torch device.
        workers: most processes at a time.
        threads: the number of CPU threads of each training.
    """

    device: str
    workers: int
    threads: int = 1

    @property
    def place(self) -> str:
        """Where, in words."""
        return "in worker processes"

    def run(self, units: Sequence[Unit], report: Report) -> Done:
        """Run the units, the first ones first.

        Raises:
            WorkersCannotStart: if worker processes end before they have started.
        """
        pool = _Pool(self, units, report)
        try:
            while pool.left:
                pool.fill()
                for pipe in wait(list(pool.workers)):
                    yield from pool.received(pipe)
                pool.hand_out()
        finally:
            # Workers ignore SIGINT, so they are ended here, with the units that they run.
            for worker in pool.workers.values():
                worker.end()


class _Pool:
    """The workers of one call, the units that wait for them, and the number of units left."""

    def __init__(self, executor: WorkerProcesses, units: Sequence[Unit], report: Report) -> None:
        self.workers: dict[Any, Worker] = {}
        self.left = len(units)
        self._executor = executor
        self._units = units
        self._report = report
        self._waiting = deque(range(len(units)))
        self._attempts = Attempts()

    def fill(self) -> None:
        """Start workers, up to their number or that of the units left."""
        while len(self.workers) < min(self._executor.workers, self.left):
            with signals_blocked():
                worker = Worker.start(self._executor.device, self._executor.threads)
                self.workers[worker.pipe] = worker

    def received(self, pipe: Any) -> Done:
        """Take a worker's next message, or its end; a unit's result, if it is done."""
        try:
            message = self.workers[pipe].receive()
        except WorkerDied as died:
            del self.workers[pipe]
            if died.unit is None:
                self._attempts.check_start(died.death)
            elif self._attempts.is_left(died.unit):
                self._waiting.append(died.unit)
            else:
                self.left -= 1
                yield died.unit, failed(self._units[died.unit], died.death.reason)
            return
        if isinstance(message, WorkerStarted):
            self._attempts.note_start()
        if isinstance(message, UnitProgress):
            self._report(message)
        if isinstance(message, UnitDone):
            self.left -= 1
            yield message.unit, message.result

    def hand_out(self) -> None:
        """Give waiting units to idle workers."""
        for worker in self.workers.values():
            if worker.idle and self._waiting:
                place = self._waiting.popleft()
                worker.send(place, pickle.dumps(self._units[place]))
