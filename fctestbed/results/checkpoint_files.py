"""Checkpoints of trainings that a sweep has not finished: a file for each stack in training.

Owns the format of these files and how they are written, read, checked and removed;
``fctestbed.training`` decides what they hold, ``fctestbed.sweep`` when they are removed. A file is
``checkpoints/<key of the unit of work>.safetensors`` in the sweep's directory. Never imports torch
or pandas.
"""

import contextlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fctestbed.results.files import write_atomically
from fctestbed.results.lock import DriverLock
from fctestbed.results.refusal import StoreRefused
from fctestbed.results.tensor_files import (
    Arrays,
    content_digest,
    read_about,
    read_tensor_file,
    tensor_bytes,
)

CHECKPOINTS = "checkpoints"
"""The directory of the checkpoints, inside the sweep's."""

_FORMAT = 1
_SUFFIX = ".safetensors"
_WHAT = "a checkpoint"
_KEYS = {"format", "key", "versions", "runs", "step", "state"}
# Rows along training are in the header, and may be many.
_MOST_HEADER = 1 << 26


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The state of a stack in training.

    Attributes:
        key: the key of the unit of work.
        versions: what has to be the same where the training goes on.
        runs: ids of the runs that the unit serves.
        step: number of steps that are done.
        state: what is no array, JSON-able; its numbers may be NaN.
        arrays: parameters, moments, states of random generators, losses, by name.
    """

    key: str
    versions: Mapping[str, str]
    runs: tuple[str, ...]
    step: int
    state: Mapping[str, Any]
    arrays: Arrays

    def to_bytes(self) -> bytes:
        """The file: the same content gives the same bytes."""
        return tensor_bytes(self._about(), self.arrays, allow_nan=True)

    def _about(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "key": self.key,
            "versions": dict(self.versions),
            "runs": list(self.runs),
            "step": self.step,
            "state": self.state,
        }


def checkpoint_path(directory: str | Path, key: str) -> Path:
    """Where the checkpoint of a unit of work is.

    Args:
        directory: the sweep's directory.
        key: the unit's key.
    """
    return Path(directory) / CHECKPOINTS / f"{key}{_SUFFIX}"


def write_checkpoint(directory: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole, or leave the one before.

    Raises:
        ValueError: one line, if it cannot be written.
    """
    write_atomically(checkpoint_path(directory, checkpoint.key), checkpoint.to_bytes())


def read_checkpoint(directory: str | Path, key: str) -> Checkpoint | None:
    """A unit's checkpoint, held to its digest; None if there is none.

    Raises:
        StoreRefused: one line that names the file: it cannot be read, is not what was written for
            this unit, or is of another version of the format.
    """
    path = checkpoint_path(directory, key)
    if not path.exists():
        return None
    about, arrays = read_tensor_file(path, _WHAT, _MOST_HEADER)
    _check_format(path, about)
    if about.get("key") != key:
        raise StoreRefused(
            f"{path}: expected the checkpoint of unit {key[:16]}, got that of "
            f"{about.get('key')!s:.16}"
        )
    sha256 = about.pop("sha256", None)
    if about.keys() != _KEYS or sha256 != content_digest(about, arrays):
        raise StoreRefused(f"{path}: expected a checkpoint as it was written, got another")
    return Checkpoint(
        key=key,
        versions=about["versions"],
        runs=tuple(about["runs"]),
        step=about["step"],
        state=about["state"],
        arrays=arrays,
    )


def _check_format(path: Path, about: Any) -> None:
    found = about.get("format") if isinstance(about, dict) else about
    if not isinstance(about, dict) or found != _FORMAT:
        raise StoreRefused(
            f"{path}: expected a checkpoint of format {_FORMAT}, got format {found!r:.40}"
        )


def remove_checkpoints(directory: str | Path, keys: Iterable[str]) -> None:
    """Remove the checkpoints of these units, where there are any."""
    for key in keys:
        with contextlib.suppress(OSError):
            checkpoint_path(directory, key).unlink(missing_ok=True)


def remove_stale_checkpoints(directory: str | Path, finished: Collection[str]) -> None:
    """Remove checkpoints that no unit will go on from: those that serve a finished run, those that
    cannot be read, and what writers that were killed left. Then remove the directory, if it is
    empty; the caller has the store's lock.

    Args:
        directory: the sweep's directory.
        finished: ids of finished runs.
    """
    place = Path(directory) / CHECKPOINTS
    if not place.is_dir():
        return
    done = frozenset(finished)
    for path in _files(place):
        runs = _runs(path)
        if runs is None or not done.isdisjoint(runs):
            with contextlib.suppress(OSError):
                path.unlink()
    remove_checkpoint_drafts(directory)
    with contextlib.suppress(OSError):
        place.rmdir()


def remove_checkpoint_drafts(directory: str | Path) -> None:
    """Remove what writers that were killed left; the caller has the store's lock."""
    for draft in (Path(directory) / CHECKPOINTS).glob(f".*{_SUFFIX}.*"):
        with contextlib.suppress(OSError):
            draft.unlink()


@dataclass(frozen=True)
class CheckpointState:
    """The checkpoints of a sweep.

    Attributes:
        n_whole: files as they were written.
        damaged: by its file, what is wrong with a checkpoint, in one line.
    """

    n_whole: int = 0
    damaged: Mapping[Path, str] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[str, ...]:
        """What is there, in lines; none if there is no whole checkpoint."""
        if not self.n_whole:
            return ()
        return (
            f"checkpoints: {self.n_whole} files as they were written; the same sweep command goes "
            "on from them",
        )

    def damage_line(self, directory: Path) -> str:
        """One line: which files are damaged, and what to do."""
        more = len(self.damaged) - 1
        first = next(iter(self.damaged.values()))
        return (
            f"{first}{f' (and {more} more)' if more else ''}: `fctestbed check {directory} --drop` "
            "removes damaged checkpoints; their trainings begin anew"
        )


def check_checkpoints(directory: str | Path) -> CheckpointState:
    """Read every checkpoint of a sweep, and hold it to its digest."""
    n_whole, damaged = 0, {}
    for path in _files(Path(directory) / CHECKPOINTS):
        try:
            n_whole += read_checkpoint(directory, path.stem) is not None
        except StoreRefused as refusal:
            damaged[path] = str(refusal)
    return CheckpointState(n_whole, damaged)


def remove_damaged_checkpoints(directory: str | Path, paths: Iterable[Path]) -> None:
    """Remove checkpoint files.

    Args:
        directory: the sweep's directory.
        paths: the files.

    Raises:
        StoreRefused: one line, if the store is in use, or a file cannot be removed.
    """
    lock = DriverLock.acquire(Path(directory))
    try:
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreRefused(f"{directory}: cannot be written ({error.strerror})") from error
    finally:
        lock.release()


def _files(place: Path) -> list[Path]:
    """Files under the name of a checkpoint."""
    return sorted(path for path in place.glob(f"*{_SUFFIX}") if not path.name.startswith("."))


def _runs(path: Path) -> frozenset[str] | None:
    """Ids of the runs that a checkpoint serves, from its header alone; None if it cannot be
    read."""
    try:
        about = read_about(path, _WHAT, _MOST_HEADER)
        _check_format(path, about)
        return frozenset(str(run) for run in about["runs"])
    except (StoreRefused, KeyError, TypeError):
        return None
