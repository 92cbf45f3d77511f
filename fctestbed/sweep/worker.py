"""A worker process: how it starts, what it says, how it ends.

Owns the process and its pipe, one for each worker: one that is killed takes nothing of another's
with it.
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

from fctestbed.results.schema import RunRecord
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
class Ready:
    """The worker has started."""


class WorkerDied(Exception):  # noqa: N818 - what happened to it, not a fault of the caller
    """A worker ended in the middle of a unit."""

    def __init__(self, unit: int, exit_code: int | None) -> None:
        super().__init__(f"its worker process died ({_ending(exit_code)})")
        self.unit = unit


class Worker:
    """A worker process, seen from the driver.

    Attributes:
        pipe: readable when the worker has said something, or died.
        idle: whether it waits for a unit.
    """

    def __init__(self, process: BaseProcess, pipe: "Connection[object, object]") -> None:
        self.pipe = pipe
        self.idle = False
        self._process = process
        self._unit: int | None = None

    @classmethod
    def start(cls, device: str, threads: int) -> Self:
        """Start a worker.

        Args:
            device: a torch device.
            threads: CPU threads of its own.
        """
        context = multiprocessing.get_context("spawn")
        pipe, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, device, threads), daemon=True)
        with library_threads(threads):
            process.start()
        # The worker's end is its own alone, so that its death closes the pipe.
        theirs.close()
        return cls(process, pipe)

    def send(self, place: int, unit: Unit) -> None:
        """Give it a unit to do."""
        self.idle, self._unit = False, place
        # One that has just died is heard of by its closed pipe.
        with contextlib.suppress(OSError):
            self.pipe.send((place, unit))

    def receive(self) -> object:
        """What it says: ``Ready``, ``UnitProgress`` or ``UnitDone``.

        Raises:
            WorkerDied: if it ended in the middle of a unit.
            RuntimeError: if it ended before it had one.
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
        if isinstance(message, Ready | UnitDone):
            self.idle, self._unit = True, None
        return message

    def end(self) -> None:
        """End it at once; a second call does nothing."""
        self.pipe.close()
        # It has nothing to tidy up, and while it starts it is deaf to a gentler word.
        self._process.kill()
        self._process.join()


def _ending(exit_code: int | None) -> str:
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    return f"signal {-exit_code}"


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back while workers start: one that is half made could not be ended.

    Workers inherit the block: Ctrl-C is the driver's alone.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The first start would start this one too, which takes the block away.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def library_threads(threads: int) -> Iterator[None]:
    """Let processes that start here inherit the threads of numpy's and scipy's linear algebra,
    which read them once, when they load.

    Workers whose libraries each take every core wait for each other: a probe's fit took seven times
    as long.
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
    """Do units until the driver is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_the_driver, daemon=True).start()
    tune_process(threads)
    pipe.send(Ready())
    while True:
        try:
            place, unit = cast(tuple[int, Unit], pipe.recv())
        except EOFError:
            return

        def report(progress: Progress, place: int = place) -> None:
            pipe.send(UnitProgress(place, progress))

        pipe.send(UnitDone(place, execute(unit, device=device, report=report)))


def _end_with_the_driver() -> None:
    """A driver that is killed cannot end its workers: they end with it."""
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
    """Settings of a process of our own: its threads, and denormal numbers taken as zero."""
    if threads is not None:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
