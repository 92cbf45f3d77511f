"""Executors: units run in this process or in worker processes, and their records come back.

A unit may be executed more than once; only the driver writes to the store. May import
``fctestbed.sweep.worker`` and what it imports.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, Protocol

from fctestbed.results import RunRecord
from fctestbed.sweep.execute import execute, failed_records
from fctestbed.sweep.plan import Unit
from fctestbed.sweep.worker import (
    UnitDone,
    UnitProgress,
    Worker,
    WorkerDied,
    available_cores,
    signals_blocked,
)
from fctestbed.training import Progress

_ATTEMPTS = 2

Report = Callable[[UnitProgress], None]
Done = Generator[tuple[int, list[RunRecord]], None, None]


class Executor(Protocol):
    """Runs units somewhere."""

    def run(self, units: Sequence[Unit], report: Report) -> Done:
        """Yield each unit's place in the list and its records, in the order in which they finish.

        Closing the generator ends what still runs.
        """
        ...


@dataclass(frozen=True)
class InProcess:
    """Runs one unit after another in this process: for a GPU, for one worker, and for tests."""

    device: str

    def run(self, units: Sequence[Unit], report: Report) -> Done:
        """Run the units in order."""
        for place, unit in enumerate(units):

            def forward(progress: Progress, place: int = place) -> None:
                report(UnitProgress(place, progress))

            yield place, execute(unit, device=self.device, report=forward)


@dataclass(frozen=True)
class WorkerProcesses:
    """Runs units in worker processes, each with an equal share of the machine's cores.

    A unit whose worker ended (killed for its memory, for instance) is retried once, after all
    others; if the retry fails too, its runs are recorded as failed. The other workers go on.
    """

    device: str
    workers: int

    def run(self, units: Sequence[Unit], report: Report) -> Done:
        """Run the units, the first ones first.

        Raises:
            RuntimeError: if worker processes cannot start.
        """
        threads = max(1, available_cores() // self.workers)
        waiting = deque(range(len(units)))
        deaths: Counter[int] = Counter()
        workers: dict[Any, Worker] = {}
        left = len(units)
        try:
            while left:
                while len(workers) < min(self.workers, left):
                    with signals_blocked():
                        worker = Worker.start(self.device, threads)
                        workers[worker.pipe] = worker
                for pipe in wait(list(workers)):
                    worker = workers[pipe]
                    try:
                        message = worker.receive()
                    except WorkerDied as death:
                        del workers[pipe]
                        place = death.unit
                        deaths[place] += 1
                        if deaths[place] < _ATTEMPTS:
                            waiting.append(place)
                        else:
                            left -= 1
                            yield place, failed_records(units[place], str(death))
                        continue
                    if isinstance(message, UnitProgress):
                        report(message)
                    if isinstance(message, UnitDone):
                        left -= 1
                        yield message.unit, message.records
                for worker in workers.values():
                    if worker.idle and waiting:
                        place = waiting.popleft()
                        worker.send(place, units[place])
        finally:
            # Workers ignore SIGINT, so they are ended here, with the units that they run.
            for worker in workers.values():
                worker.end()
