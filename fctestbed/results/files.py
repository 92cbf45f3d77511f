"""Atomic writes of files, and directories that are made and removed."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

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
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with open(draft, "xb") as file:
            temporary = draft
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        reason = error.strerror or str(error)
        raise ValueError(f"{path}: expected a place that can be written, got: {reason}") from error
    return path


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
