"""The checkpoints of a sweep's units of work: which file is whose, and who may use it.

A worker writes and reads the checkpoint of its own unit; the driver removes them. May import
``fctestbed.sweep.plan``, ``fctestbed.training`` and ``fctestbed.results``.
"""

import hashlib
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

from fctestbed._version import __version__
from fctestbed.results import CHECKPOINTS, driver_of, remove_checkpoints
from fctestbed.sweep.plan import Unit
from fctestbed.synthesis import digest
from fctestbed.training import Checkpoints, Visitor

CHECKPOINT_SECONDS = 60.0
"""Seconds from one checkpoint of a training to the next, unless a sweep says others."""


def checked_seconds(value: object) -> float:
    """Seconds from one checkpoint to the next; 0 for no checkpoints.

    Raises:
        ValueError: one line, for anything else.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return float(value)
    raise ValueError(
        f"checkpoint_seconds: expected a number of seconds of at least 0, got {value!r:.40}"
    )


def unit_checkpoints(
    unit: Unit, visitor: Visitor, note: Callable[[str], None]
) -> Checkpoints | None:
    """The checkpoints of a unit's training; None if it has none here.

    Args:
        unit: the unit.
        visitor: what looks at its stack meanwhile.
        note: called with one line for what is not done, and why.
    """
    place = unit.checkpoints
    if place is None or unit.jobs[0].training.train is None:
        return None
    if driver_of(place.directory) != place.driver:
        note(f"{place.directory}: not seen by all workers: trainings there had no checkpoints")
        return None
    return Checkpoints(
        place.directory,
        unit_key(unit),
        runs=tuple(run.run_id for job in unit.jobs for run in job.runs),
        versions={"fctestbed": __version__, "code": _code()},
        seconds=place.seconds,
        note=note,
        visitor=visitor,
    )


def unit_key(unit: Unit) -> str:
    """The digest of a unit's trainings, in their order, and of the runs that each serves. A part of
    a unit, or what is left of it, has another one."""
    return digest([[job.training.key, [run.run_id for run in job.runs]] for job in unit.jobs])


def remove_unit_checkpoints(directory: str | Path, unit: Unit) -> None:
    """Remove the checkpoints of a unit, and of the parts that it was tried in."""
    if (Path(directory) / CHECKPOINTS).is_dir():
        remove_checkpoints(directory, map(unit_key, _parts(unit)))


def _parts(unit: Unit) -> list[Unit]:
    if len(unit.jobs) == 1:
        return [unit]
    return [unit, *(part for half in unit.halves() for part in _parts(half))]


@cache
def _code() -> str:
    """The digest of this package's code: a checkout changes without its version."""
    root = Path(__file__).parents[1]
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(f"{path.relative_to(root).as_posix()}\n".encode())
        found.update(path.read_bytes())
    return found.hexdigest()[:16]
