"""What a Dask worker does with a unit: a worker process of this package executes it.

The process is the one that ``WorkerProcesses`` starts, so that rows are the same. It can be killed
alone: with its unit when the sweep ends, or by the system for its memory, and the Dask worker goes
on. A Dask worker with several threads has a process for each. May import ``fctestbed.sweep.worker``
and what it imports, and ``distributed`` when it is called.
"""

import multiprocessing
import pickle
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fctestbed.sweep.worker import (
    Death,
    UnitDone,
    UnitProgress,
    Worker,
    WorkerDied,
    WorkerStarted,
    signals_blocked,
)

_SECONDS_BETWEEN_CHECKS = 0.5
# A process that has had no unit for so long is ended: its sweep is over, or its driver was killed.
_IDLE_SECONDS = 20.0


@dataclass(frozen=True)
class Attempt:
    """What came of a unit.

    Attributes:
        worker: the address of the Dask worker.
        result: the unit's result, pickled, or how its worker process ended.
    """

    worker: str
    result: bytes | Death


class Unwanted(Exception):  # noqa: N818 - an event, of which nobody waits to hear
    """The unit was cancelled, or the Dask worker is closing."""


class IdleProcesses:
    """Worker processes that wait for their next unit, in one Dask worker."""

    def __init__(self) -> None:
        # Starting a process changes the environment of this one: one thread at a time.
        self._lock = threading.Lock()
        self._idle: list[tuple[float, str, Worker]] = []
        self._reaps = False

    def take(self, device: str) -> Worker:
        """A process that waits for a unit, or one that starts.

        Raises:
            WorkersCannotStart: if the system starts no further process.
        """
        with self._lock:
            for entry in reversed(self._idle):
                _, its_device, worker = entry
                if its_device == device:
                    self._idle.remove(entry)
                    # An idle process sends nothing: its pipe is readable if it has ended.
                    if not worker.pipe.poll():
                        return worker
                    worker.end()
            # Dask's workers are daemonic under a nanny, and multiprocessing would let them start
            # no process. Ours end with them by themselves.
            multiprocessing.current_process().daemon = False
            with signals_blocked():
                return Worker.start(device, threads=1)

    def put_back(self, device: str, worker: Worker) -> None:
        """Keep a process for the next unit."""
        with self._lock:
            self._idle.append((time.monotonic(), device, worker))
            if not self._reaps:
                self._reaps = True
                threading.Thread(target=self._reap, daemon=True).start()

    def end(self, idle_seconds: float = 0.0) -> int:
        """End processes that have been idle for so long; how many are left."""
        with self._lock:
            before = time.monotonic() - idle_seconds
            ended = [entry for entry in self._idle if entry[0] <= before]
            self._idle = [entry for entry in self._idle if entry[0] > before]
            self._reaps = self._reaps and bool(self._idle)
            for _, _, worker in ended:
                worker.end()
            return len(self._idle)

    def _reap(self) -> None:
        while True:
            time.sleep(_IDLE_SECONDS / 4)
            if not self.end(_IDLE_SECONDS):
                return


_processes = IdleProcesses()


def end_idle_processes() -> None:
    """End the worker processes of this Dask worker that have no unit."""
    _processes.end()


def run_unit(place: int, pickled: bytes, device: str, topic: str, seconds: float) -> bytes:
    """Execute a unit in a worker process; a Dask task.

    Args:
        place: the unit's place in the driver's list.
        pickled: the unit, in bytes that neither Dask nor its worker looks into.
        device: a torch device.
        topic: the topic of Dask's events that gets the unit's progress, and first its start.
        seconds: least time between two events.

    Returns:
        An ``Attempt``, pickled.

    Raises:
        Unwanted: if the driver does not wait for it any more.
    """
    from distributed import get_worker  # noqa: PLC0415 - an extra

    dask_worker = get_worker()
    report = _Report(dask_worker, place, topic, seconds)
    report.started()
    worker = _processes.take(device)
    try:
        result = _executed(worker, place, pickled, report, _wanted(dask_worker))
    except WorkerDied as died:
        return pickle.dumps(Attempt(dask_worker.address, died.death))
    except BaseException:
        worker.end()
        raise
    _processes.put_back(device, worker)
    return pickle.dumps(Attempt(dask_worker.address, result))


def _executed(
    worker: Worker,
    place: int,
    pickled: bytes,
    report: Callable[[UnitProgress], None],
    is_wanted: Callable[[], bool],
) -> bytes:
    """A unit's result, pickled, from a worker process, which has started or not."""
    if worker.idle:
        worker.send(place, pickled)
    checked = time.monotonic()
    while True:
        if time.monotonic() - checked > _SECONDS_BETWEEN_CHECKS:
            checked = time.monotonic()
            if not is_wanted():
                raise Unwanted
        if not worker.pipe.poll(_SECONDS_BETWEEN_CHECKS):
            continue
        message = worker.receive()
        if isinstance(message, WorkerStarted):
            worker.send(place, pickled)
        elif isinstance(message, UnitProgress):
            report(message)
        elif isinstance(message, UnitDone):
            return message.pickled


def _wanted(dask_worker: Any) -> Callable[[], bool]:
    """Whether the current task is waited for: it is not when its driver has gone."""
    key = dask_worker.get_current_task()

    def is_wanted() -> bool:
        task = dask_worker.state.tasks.get(key)
        closes = dask_worker.status.name in ("closing", "closed", "failed")
        return task is not None and task.state == "executing" and not closes

    return is_wanted


class _Report:
    """Sends progress to the driver, not too often."""

    def __init__(self, dask_worker: Any, place: int, topic: str, seconds: float) -> None:
        self._worker = dask_worker
        self._place = place
        self._topic = topic
        self._seconds = seconds
        self._last = 0.0

    def started(self) -> None:
        self._send(None)

    def __call__(self, message: UnitProgress) -> None:
        if time.monotonic() - self._last >= self._seconds:
            self._last = time.monotonic()
            at = message.progress
            self._send([at.step, at.steps, [float(loss) for loss in at.losses_nats]])

    def _send(self, progress: list[Any] | None) -> None:
        content = {"unit": self._place, "worker": self._worker.address, "progress": progress}
        self._worker.log_event(self._topic, content)
