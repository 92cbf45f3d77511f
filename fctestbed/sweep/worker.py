"""A worker process: how it starts, which messages it sends, how it ends.

Each worker has a pipe of its own, so that a killed worker cannot damage another's messages. May
import ``fctestbed.sweep.execute`` and what it imports.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Self, cast

import torch

from fctestbed.results import RunRecord
from fctestbed.sweep.execute import execute
from fctestbed.sweep.plan import Unit
from fctestbed.training import Progress

_SECONDS_TO_END = 5.0


@dataclass(frozen=True)
class UnitProgress:
    """Progress of one unit, by its place in the list."""

    unit: int
    progress: Progress


@dataclass(frozen=True)
class UnitDone:
    """A unit's records."""

    unit: int
    records: list[RunRecord]


@dataclass(frozen=True)
class WorkerStarted:
    """The worker has started and waits for a unit."""


class WorkerDied(Exception):  # noqa: N818 - an event, which the executor handles
    """A worker process ended before it had finished its unit.

    Attributes:
        unit: the unit's place in the list.
    """

    def __init__(self, unit: int, exit_code: int | None) -> None:
        super().__init__(f"its worker process died ({_ending(exit_code)})")
        self.unit = unit


class Worker:
    """A worker process, as the driver handles it.

    Attributes:
        pipe: readable when the worker has sent a message or has ended.
        idle: whether it waits for a unit.
    """

    def __init__(self, process: BaseProcess, pipe: "Connection[object, object]") -> None:
        self.pipe = pipe
        self.idle = False
        self._process = process
        self._unit: int | None = None

    @classmethod
    def start(cls, device: str, threads: int) -> Self:
        """Start a worker process.

        Args:
            device: a torch device.
            threads: its number of CPU threads.
        """
        context = multiprocessing.get_context("spawn")
        pipe, workers_end = context.Pipe()
        process = context.Process(target=_serve, args=(workers_end, device, threads), daemon=True)
        with library_threads(threads):
            process.start()
        # Only the worker holds its end of the pipe, so that the pipe closes when the worker ends.
        workers_end.close()
        return cls(process, pipe)

    def send(self, place: int, unit: Unit) -> None:
        """Send it a unit to execute."""
        self.idle, self._unit = False, place
        # If it has just ended, ``receive`` finds its pipe closed and raises.
        with contextlib.suppress(OSError):
            self.pipe.send((place, unit))

    def receive(self) -> object:
        """The next message: ``WorkerStarted``, ``UnitProgress`` or ``UnitDone``.

        Raises:
            WorkerDied: if it ended before it had finished its unit.
            RuntimeError: if it ended before it was sent a unit.
        """
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            self._process.join(_SECONDS_TO_END)
            self.end()
            if self._unit is not None:
                raise WorkerDied(self._unit, self._process.exitcode) from None
            raise RuntimeError(
                f"worker processes cannot start ({_ending(self._process.exitcode)}): expected a "
                "script that calls run_sweep under if __name__ == '__main__', or workers=1"
            ) from None
        if isinstance(message, WorkerStarted | UnitDone):
            self.idle, self._unit = True, None
        return message

    def end(self) -> None:
        """Kill it; a second call does nothing."""
        self.pipe.close()
        # It has nothing to clean up, and SIGTERM is blocked while it starts.
        self._process.kill()
        self._process.join()


def _ending(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return f"signal {-exit_code}"


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Block SIGINT and SIGTERM while processes start: an interrupt in the middle of a start would
    leave a process that nothing ends.

    The processes inherit the block, so that Ctrl-C reaches the driver alone.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The first start of a process would start the resource tracker too, and that resets the mask.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def library_threads(threads: int) -> Iterator[None]:
    """Set the number of threads that the linear algebra of numpy and scipy uses in processes that
    start here; the libraries read it from the environment once, when they are imported.

    Workers whose libraries each use every core wait for each other: fitting a probe took seven
    times as long.
    """
    names = [f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM")]
    unset = [name for name in names if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, str(threads)))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


def _serve(pipe: "Connection[object, object]", device: str, threads: int) -> None:
    """Execute units until the driver closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_the_driver, daemon=True).start()
    tune_process(threads)
    pipe.send(WorkerStarted())
    while True:
        try:
            place, unit = cast(tuple[int, Unit], pipe.recv())
        except EOFError:
            return

        def report(progress: Progress, place: int = place) -> None:
            pipe.send(UnitProgress(place, progress))

        pipe.send(UnitDone(place, execute(unit, device=device, report=report)))


def _end_with_the_driver() -> None:
    """End this process when the driver ends: a driver that is killed cannot end its workers."""
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)


def available_cores() -> int:
    """CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def tune_process(threads: int | None = None) -> None:
    """Set this process's number of torch threads, and let torch round denormal numbers to zero."""
    if threads is not None:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
