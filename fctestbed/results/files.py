"""Atomic writes of files, and directories that are made and removed."""

import contextlib
import hashlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from fctestbed.results.refusal import StoreRefused


def write_atomically(path: str | Path, content: bytes) -> Path:
    """Write a file under a temporary name beside it, then put it in place.

    Args:
        path: the file; its directory is made if it is missing.
        content: all of its bytes.

    Returns:
        The file's path.

    Raises:
        ValueError: one line, if it cannot be written; what was there before is untouched.
    """
    with Draft(path) as draft:
        draft.write(content)
        return draft.put_in_place()


class Draft:
    """A file that is written under a temporary name, inside a ``with`` block that removes it unless
    it was put in place.

    Every method raises ``ValueError``, one line, if the file cannot be written; what was there
    before is untouched.

    Args:
        path: the file; its directory is made if it is missing.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._sum = hashlib.sha256()
        self._draft: Path | None = None
        with self._reported():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
            self._file = open(draft, "xb")  # noqa: SIM115 - closed by __exit__
            self._draft = draft

    @property
    def sha256(self) -> str:
        """The digest, hexadecimal, of what was written."""
        return self._sum.hexdigest()

    def write(self, content: bytes) -> int:
        """Write the next bytes."""
        self._sum.update(content)
        with self._reported():
            return self._file.write(content)

    def put_in_place(self) -> Path:
        """Save the file and give it its name, which is returned."""
        if self._draft is not None:
            with self._reported():
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                os.replace(self._draft, self.path)
                self._draft = None
        return self.path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        if self._draft is not None:
            with contextlib.suppress(OSError):
                self._draft.unlink()

    @contextlib.contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise ValueError(
                f"{self.path}: expected a place that can be written, got: {reason}"
            ) from error


def make_directory(directory: Path) -> list[Path]:
    """Make a directory with its parents.

    Returns:
        The directories that were missing, deepest first.

    Raises:
        StoreRefused: one line, if it cannot be made; nothing stays behind.
    """
    missing = []
    try:
        for ancestor in (directory, *directory.parents):
            # A link that leads nowhere is there, and no directory can be made in its place.
            if os.path.lexists(ancestor):
                break
            missing.append(ancestor)
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remove_directories(missing)
        reason = "a file is in the way" if isinstance(error, FileExistsError) else error.strerror
        raise StoreRefused(f"{directory}: cannot be made a directory ({reason})") from error
    return missing


def remove_directories(made: list[Path]) -> None:
    """Remove directories that are empty; others stay."""
    for directory in made:
        with contextlib.suppress(OSError):
            directory.rmdir()


def check_directory(path: str | Path) -> None:
    """Refuse a directory that cannot be made or written to.

    It is made and written to; what was made is removed again.

    Raises:
        ValueError: one line.
    """
    place = Path(path)
    made: list[Path] = []
    try:
        made = make_directory(place)
        with tempfile.TemporaryFile(dir=place):
            pass
    except (StoreRefused, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ValueError(
            f"expected a directory that can be written, got {path} ({reason})"
        ) from error
    finally:
        remove_directories(made)
