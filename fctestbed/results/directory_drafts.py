"""Directories that get their name when they are whole. Imports the standard library only."""

import contextlib
import glob
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from fctestbed.results.files import remove_directories
from fctestbed.results.lock import DriverLock, driver_of
from fctestbed.results.refusal import StoreRefused


@contextlib.contextmanager
def new_directory(out: Path) -> Iterator[Path]:
    """A directory beside another, whose place it takes where the block ends without an error; it is
    removed otherwise.

    What processes left that were killed in such a block is removed first.

    Args:
        out: the directory; it is missing or empty.

    Raises:
        StoreRefused: one line, if it cannot be written.
    """
    _remove_left_drafts(out)
    draft = out.with_name(f"{_prefix(out)}{secrets.token_hex(8)}")
    lock = None
    try:
        draft.mkdir(parents=True)
        # It tells a draft in use from one that is left.
        lock = DriverLock.acquire(draft)
        yield draft
        lock.release()
        if out.is_dir():
            out.rmdir()
        draft.rename(out)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreRefused(f"{out}: cannot be written ({reason})") from error
    finally:
        if lock is not None:
            lock.release()
        shutil.rmtree(draft, ignore_errors=True)


def _prefix(out: Path) -> str:
    return f".{out.name}.new-"


def _remove_left_drafts(out: Path) -> None:
    for draft in out.parent.glob(f"{glob.escape(_prefix(out))}*"):
        if draft.is_symlink() or driver_of(draft) is None:
            # Of a process that was killed before it had the lock; another's directory is not empty.
            remove_directories([draft])
            continue
        with contextlib.suppress(StoreRefused):
            lock = DriverLock.acquire(draft)
            shutil.rmtree(draft, ignore_errors=True)
            lock.release()
