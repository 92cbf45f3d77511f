"""Where units run: in this process, or in worker processes. Units in; results or errors out, as
they come.

Owns the executor protocol and its implementations on this machine. Execution may happen more than
once; committing is the driver's.
"""

import ctypes
import multiprocessing
import os
import queue
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from fctestbed.results.schema import RunRecord
from fctestbed.sweep.execute import execute, failed_records
from fctestbed.sweep.plan import Unit
from fctestbed.training import Progress

_POLL_SECONDS = 0.2
_ATTEMPTS = 2


@dataclass(frozen=True)
class UnitProgress:
    """Progress of one unit, by its place in the list."""

    unit: int
    progress: Progress


Report = Callable[[UnitProgress], None]


class Executor(Protocol):
    """Runs units somewhere."""

    def run(self, units: Sequence[Unit], report: Report) -> Iterator[tuple[int, list[RunRecord]]]:
        """Yield each unit's place in the list and its records, in any order, as they are done."""
        ...


@dataclass(frozen=True)
class InProcess:
    """One unit after another, here: for a GPU, for one worker, and for tests."""

    device: str

    def run(self, units: Sequence[Unit], report: Report) -> Iterator[tuple[int, list[RunRecord]]]:
        """Run the units in order."""
        for place, unit in enumerate(units):
            yield (
                place,
                execute(
                    unit,
                    device=self.device,
                    report=lambda progress, place=place: report(UnitProgress(place, progress)),  # type: ignore[misc]
                ),
            )


@dataclass(frozen=True)
class WorkerProcesses:
    """Units spread over worker processes, with the machine's cores shared out between them.

    A unit whose worker died (killed for its memory, say) is tried once more; then its runs are
    failed.
    """

    device: str
    workers: int

    def run(self, units: Sequence[Unit], report: Report) -> Iterator[tuple[int, list[RunRecord]]]:
        """Run the units, the first ones first."""
        attempts = dict.fromkeys(range(len(units)), 0)
        while attempts:
            broken = yield from self._run_pool(units, list(attempts), report)
            if broken is None:
                return
            done, running = broken
            for place in done:
                del attempts[place]
            for place in running:
                attempts[place] += 1
                if attempts[place] >= _ATTEMPTS:
                    del attempts[place]
                    yield place, failed_records(units[place], "its worker process died")

    def _run_pool(
        self, units: Sequence[Unit], places: Sequence[int], report: Report
    ) -> Generator[tuple[int, list[RunRecord]], None, tuple[list[int], set[int]] | None]:
        context = multiprocessing.get_context("spawn")
        messages: Any = context.Queue()
        threads = max(1, (os.cpu_count() or 1) // self.workers)
        pool = ProcessPoolExecutor(
            self.workers, context, initializer=_begin_worker, initargs=(messages, threads)
        )
        done: list[int] = []
        started: set[int] = set()
        try:
            futures: dict[Future[list[RunRecord]], int] = {
                pool.submit(_work, place, units[place], self.device): place for place in places
            }
            waiting = set(futures)
            while waiting:
                finished, waiting = wait(
                    waiting, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED
                )
                for message in _drain(messages):
                    started.add(message.unit)
                    report(message)
                for future in finished:
                    records = future.result()
                    done.append(futures[future])
                    yield futures[future], records
            return None
        except BrokenProcessPool:
            for message in _drain(messages):
                started.add(message.unit)
            return done, started.difference(done)
        finally:
            # Workers ignore the keyboard: on an interrupt they are ended here, their unit with
            # them.
            pool.shutdown(wait=False, cancel_futures=True)
            if len(done) < len(places):
                for process in multiprocessing.active_children():
                    process.terminate()
            messages.cancel_join_thread()


def _drain(messages: Any) -> Iterator[UnitProgress]:
    while True:
        try:
            yield messages.get_nowait()
        except queue.Empty:
            return


_messages: Any = None


def _begin_worker(messages: Any, threads: int) -> None:
    global _messages  # noqa: PLW0603 - a worker process has one driver
    _messages = messages
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tune_process(threads)


def _work(place: int, unit: Unit, device: str) -> list[RunRecord]:
    def report(progress: Progress) -> None:
        _messages.put(UnitProgress(place, progress))

    report(Progress(step=0, steps=1, losses_nats=()))
    return execute(unit, device=device, report=report)


def tune_process(threads: int | None = None) -> None:
    """Settings of a process of our own: threads, denormals as zero, and freed memory kept.

    Without the last, glibc maps and unmaps every array over 128 KiB, and a training step spends up
    to half of its time on page faults.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    if sys.platform == "linux":
        try:
            libc = ctypes.CDLL("libc.so.6")
        except OSError:
            return
        mmap_threshold, trim_threshold, largest = -3, -1, 1 << 30
        libc.mallopt(mmap_threshold, largest)
        libc.mallopt(trim_threshold, largest)
