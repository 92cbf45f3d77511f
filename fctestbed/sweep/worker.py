"""A worker process: how it starts, which messages it sends, how it ends; settings of a process.

Each worker has a pipe of its own, so that a killed worker cannot damage another's messages. May
import ``fctestbed.sweep.execute`` and what it imports.
"""

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Self, cast

import torch
from threadpoolctl import threadpool_limits

from fctestbed.sweep.execute import UnitResult, describe_error, execute, failed
from fctestbed.sweep.plan import Unit
from fctestbed.training import Progress

_SECONDS_TO_END = 5.0
_KILLED = 9


@dataclass(frozen=True)
class UnitProgress:
    """Progress of one unit, by its place in the list."""

    unit: int
    progress: Progress


@dataclass(frozen=True)
class UnitDone:
    """A unit's result, pickled: who passes it on to another process does not look into it."""

    unit: int
    pickled: bytes

    @property
    def result(self) -> UnitResult:
        """The result."""
        found: UnitResult = pickle.loads(self.pickled)
        return found


@dataclass(frozen=True)
class WorkerStarted:
    """The worker has started and waits for a unit."""


@dataclass(frozen=True)
class Death:
    """How a worker process ended.

    Attributes:
        ending: its exit code or signal, as text.
        by_signal: whether a signal ended it.
        in_start: whether it had not started yet.
    """

    ending: str
    by_signal: bool = False
    in_start: bool = False

    @property
    def reason(self) -> str:
        """Why a unit failed that it had."""
        # Linux ends a process so whose memory it needs, and says so to nobody.
        by_memory = self.ending == f"signal {_KILLED}"
        hint = ": was there too little memory for so many workers or so large a stack?"
        return f"its worker process died ({self.ending}){hint if by_memory else ''}"


class WorkerDied(Exception):  # noqa: N818 - an event, which the executor handles
    """A worker process ended while it had a unit, or while it waited for one.

    Attributes:
        unit: the unit's place in the list; None if it had none.
        death: how it ended.
    """

    def __init__(self, unit: int | None, death: Death) -> None:
        super().__init__(death.reason)
        self.unit = unit
        self.death = death


class WorkersCannotStart(RuntimeError):  # noqa: N818 - said of the machine
    """Worker processes end before they have started; the message is one line."""


class Worker:
    """A worker process, as the driver handles it.

    Attributes:
        pipe: readable when the worker has sent a message or has ended.
        idle: whether it waits for a unit.
    """

    def __init__(self, process: BaseProcess, pipe: "Connection[object, object]") -> None:
        self.pipe = pipe
        self.idle = False
        self._started = False
        self._process = process
        self._unit: int | None = None

    @classmethod
    def start(cls, device: str, threads: int) -> Self:
        """Start a worker process.

        Args:
            device: a torch device.
            threads: its number of CPU threads.

        Raises:
            WorkersCannotStart: if the system starts no further process.
        """
        context = multiprocessing.get_context("spawn")
        pipe, workers_end = context.Pipe()
        process = context.Process(target=_serve, args=(workers_end, device, threads), daemon=True)
        try:
            with library_threads(threads):
                process.start()
        except OSError as error:
            pipe.close()
            workers_end.close()
            raise WorkersCannotStart(
                f"worker processes cannot start ({error.strerror or error})"
            ) from error
        # Only the worker holds its end of the pipe, so that the pipe closes when the worker ends.
        workers_end.close()
        return cls(process, pipe)

    def send(self, place: int, pickled: bytes) -> None:
        """Send it a unit to execute, pickled."""
        self.idle, self._unit = False, place
        # If it has just ended, ``receive`` finds its pipe closed and raises.
        with contextlib.suppress(OSError):
            self.pipe.send((place, pickled))

    def receive(self) -> object:
        """The next message: ``WorkerStarted``, ``UnitProgress`` or ``UnitDone``.

        Raises:
            WorkerDied: if it has ended.
        """
        try:
            message = self.pipe.recv()
        except (EOFError, OSError):
            self._process.join(_SECONDS_TO_END)
            self.end()
            raise WorkerDied(
                self._unit, _death(self._process.exitcode, in_start=not self._started)
            ) from None
        if isinstance(message, WorkerStarted | UnitDone):
            self.idle, self._started, self._unit = True, True, None
        return message

    def end(self) -> None:
        """Kill it; a second call does nothing."""
        self.pipe.close()
        # It has nothing to clean up, and SIGTERM is blocked while it starts.
        self._process.kill()
        self._process.join()


def _death(exit_code: int | None, *, in_start: bool) -> Death:
    if exit_code is None or exit_code >= 0:
        return Death(f"exit code {exit_code}", by_signal=False, in_start=in_start)
    return Death(f"signal {-exit_code}", by_signal=True, in_start=in_start)


@contextlib.contextmanager
def signals_blocked() -> Iterator[None]:
    """Block SIGINT, SIGTERM and SIGHUP while processes start: an interrupt in the middle of a start
    would leave a process that nothing ends.

    The processes inherit the block, so that Ctrl-C reaches the driver alone.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # The first start of a process would start the resource tracker too, and that resets the mask.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    )
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


def end_a_worker_in_its_start() -> None:
    """End this process, silently, if it is a worker that imports the user's script as it starts.

    A script that calls ``run_sweep`` outside ``if __name__ == "__main__"`` calls it there again.
    The driver says so in one line, below which the tracebacks of its workers would be noise.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(1)


def _serve(pipe: "Connection[object, object]", device: str, threads: int) -> None:
    """Execute units until the driver closes the pipe."""
    # At Ctrl-C, and when the terminal closes, the driver ends its workers.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_the_driver, daemon=True).start()
    tune_process(threads)
    _send(pipe, WorkerStarted())
    while True:
        try:
            place, pickled = cast(tuple[int, bytes], pipe.recv())
        except (EOFError, OSError):
            return
        unit: Unit = pickle.loads(pickled)

        def report(progress: Progress, place: int = place) -> None:
            _send(pipe, UnitProgress(place, progress))

        try:
            result = execute(unit, device=device, report=report)
        except KeyboardInterrupt as error:
            # Not the user's, whose interrupts are ignored here: the method's code raised it.
            result = failed(unit, describe_error(error), trace=traceback.format_exc())
        _send(pipe, UnitDone(place, pickle.dumps(result)))


def _send(pipe: "Connection[object, object]", message: object) -> None:
    """Send a message to the driver; end this process, silently, if the driver has ended."""
    try:
        pipe.send(message)
    except OSError:
        # Nobody is left to read a traceback.
        os._exit(1)


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


@contextlib.contextmanager
def process_as_a_worker(threads: int | None) -> Iterator[None]:
    """Compute in this process as a worker does, and restore its settings afterwards.

    Args:
        threads: the number of threads of torch and of the linear algebra of numpy and scipy; None
            leaves them as they are.
    """
    threads_before, flushed_before = torch.get_num_threads(), _flushes_denormals()
    torch.set_flush_denormal(True)
    try:
        if threads is None:
            yield
        else:
            torch.set_num_threads(threads)
            with threadpool_limits(threads, user_api="blas"):
                yield
    finally:
        torch.set_num_threads(threads_before)
        torch.set_flush_denormal(flushed_before)


def _flushes_denormals() -> bool:
    """Whether this process rounds denormal numbers to zero; torch has no function that says."""
    return bool(torch.tensor(1e-310, dtype=torch.float64).mul(0.5) == 0)
