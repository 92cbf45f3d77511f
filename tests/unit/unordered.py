"""Worker processes without processes: what they are sent is pickled, and the last is done first."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from fctestbed.sweep import InProcess


def results_as_completed(
    function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], workers: int, **_: object
) -> Iterator[tuple[int, Any]]:
    """In place of ``fctestbed.sweep.results_as_completed`` with several workers."""
    assert workers > 1
    for place in reversed(range(len(arguments))):
        called, values = _sent((function, arguments[place]))
        yield place, _sent(called(*values))


class WorkerProcesses:
    """In place of ``fctestbed.sweep.WorkerProcesses``."""

    def __init__(self, device: str, workers: int, threads: int | None) -> None:
        assert workers > 1
        self._here = InProcess(device, threads=threads)

    def run(self, units: Sequence[Any], report: Callable[[Any], None]) -> Iterator[tuple[int, Any]]:
        for place in reversed(range(len(units))):
            ((_, result),) = self._here.run([_sent(units[place])], lambda _: None)
            yield place, _sent(result)


def _sent(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))
