"""One function on many arguments, in this process or in a pool of worker processes.

For work that is not a sweep, such as calibrations and experiments: it has no retries and no store.
May import ``fctestbed.sweep.worker``.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

import torch

from fctestbed.sweep.worker import (
    WorkersCannotStart,
    end_a_worker_in_its_start,
    library_threads,
    signals_blocked,
)

_Result = TypeVar("_Result")


def results_as_completed(
    function: Callable[..., _Result],
    arguments: Sequence[tuple[Any, ...]],
    workers: int,
    *,
    initializer: Callable[[int], object] = torch.set_num_threads,
) -> Iterator[tuple[int, _Result]]:
    """Call a function with each tuple of arguments, on one CPU thread.

    Args:
        function: what to call; with more than one worker it has to be importable by name.
        arguments: the arguments of each call; with more than one worker they are pickled.
        workers: number of processes; 1 makes all calls in this process, in order.
        initializer: called with the number of threads, 1, when a worker process starts.

    Yields:
        The place of a call in ``arguments`` and its result, in the order of completion. Closing the
        generator kills the worker processes.

    Raises:
        WorkersCannotStart: if a worker process ends by itself before any has returned a result.
    """
    end_a_worker_in_its_start()
    if workers == 1:
        with _one_thread():
            for place, values in enumerate(arguments):
                yield place, function(*values)
        return
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=initializer, initargs=(1,)
    )
    n_done = 0
    try:
        # Workers inherit blocked signals: this process alone handles them, and kills the workers.
        with signals_blocked(), library_threads(1):
            places = {
                pool.submit(function, *values): place for place, values in enumerate(arguments)
            }
        for future in as_completed(places):
            result = future.result()
            n_done += 1
            yield places[future], result
    except BrokenProcessPool as error:
        if n_done:
            raise
        raise WorkersCannotStart(
            "worker processes ended before a first result: expected a script that calls this under "
            "if __name__ == '__main__', more memory, or workers=1"
        ) from error
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one thread, as in a worker process: sums over more threads round differently."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
