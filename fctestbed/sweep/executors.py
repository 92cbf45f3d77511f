"""Where units run: in this process, or in worker processes. Units in; results or errors out, as
they come.

Owns the executor protocol and its implementations on this machine. Execution may happen more than
once; committing is the driver's.
"""

from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, Protocol

from fctestbed.results.schema import RunRecord
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
        """Yield each unit's place in the list and its records, in any order, as they are done.

        Closing the generator ends what still runs.
        """
        ...


@dataclass(frozen=True)
class InProcess:
    """One unit after another, here: for a GPU, for one worker, and for tests."""

    device: str

    def run(self, units: Sequence[Unit], report: Report) -> Done:
        """Run the units in order."""
        for place, unit in enumerate(units):

            def forward(progress: Progress, place: int = place) -> None:
                report(UnitProgress(place, progress))

            yield place, execute(unit, device=self.device, report=forward)


@dataclass(frozen=True)
class WorkerProcesses:
    """Units spread over worker processes, with the machine's cores shared out between them.

    A unit whose worker died (killed for its memory, say) is tried once more, after all others; then
    its runs are failed. The other workers go on.
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
            # Workers do not hear the keyboard: they are ended here, and their units with them.
            for worker in workers.values():
                worker.end()
