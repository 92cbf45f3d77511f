"""One driver per store: an advisory lock that the system drops when its process ends.

Imports the standard library only.
"""

import contextlib
import os
import re
import socket
import stat
import sys
from pathlib import Path
from typing import Self
from weakref import WeakSet

from fctestbed.results.refusal import StoreRefused

LOCK_NAME = "results.lock"
_HOLDER = re.compile(rb"process \d+ on [^\n]*\n")
_LONGEST = 512

if sys.platform == "win32":
    import msvcrt

    # Windows keeps others from reading locked bytes, so the lock lies beyond the text.
    _LOCKED_BYTE = 1 << 20

    def _try_lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(str(error)) from error
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class DriverLock:
    """The right to write a store, held from ``acquire`` until ``release`` or the process's end.

    Attributes:
        text: what its file says: the process, and its machine.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.text = f"process {os.getpid()} on {socket.gethostname()}\n"
        self._path = path
        self._descriptor: int | None = descriptor
        _HELD.add(self)

    @classmethod
    def acquire(cls, directory: Path) -> Self:
        """Take the lock of a store's directory at once, or say who has it.

        Args:
            directory: an existing directory.

        Raises:
            StoreRefused: if another driver holds it, the directory cannot be written, or the lock's
                name is that of another file or of a link, which stays as it is.
        """
        path = directory / LOCK_NAME
        while True:
            descriptor = _opened(path)
            try:
                _try_lock(descriptor)
            except BlockingIOError:
                holder = _holder(descriptor)
                os.close(descriptor)
                raise StoreRefused(
                    f"{directory}: in use by {holder}; wait for it or stop it"
                ) from None
            except OSError as error:
                os.close(descriptor)
                raise StoreRefused(
                    f"{directory}: this file system cannot lock ({error.strerror})"
                ) from error
            # A driver that has just gone may have removed the file that was opened here.
            if _same_file(path, descriptor):
                break
            os.close(descriptor)
        # A hard link, or a file of this name that someone else made.
        if not _is_lock_file(descriptor):
            os.close(descriptor)
            raise _not_a_lock_file(path)
        lock = cls(path, descriptor)
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.ftruncate(descriptor, os.write(descriptor, lock.text.encode()))
        except OSError as error:
            lock.release()
            raise StoreRefused(f"{directory}: cannot be written ({error.strerror})") from error
        return lock

    def check(self) -> None:
        """Ask the system whether this process still has the lock: a network file system can lose
        it, and then another driver may have it.

        Raises:
            StoreRefused: one line, if it is lost.
        """
        reason = self._why_lost() or self._who_had_it()
        if reason is not None:
            raise StoreRefused(
                f"{self._path}: this driver lost the store's lock ({reason}); nothing was written "
                "since; what was saved before is safe: expected one driver on a file system that "
                "keeps locks"
            )

    def _why_lost(self) -> str | None:
        """Why another driver may have the lock; None if this one has it."""
        if self._descriptor is None:
            return "it was given back"
        try:
            if not _same_file(self._path, self._descriptor):
                return "its file was removed or replaced"
            if sys.platform != "win32":
                # A lock that is held is granted again; one that was lost is taken anew, if it can.
                _try_lock(self._descriptor)
        except BlockingIOError:
            return f"it is held by {_holder(self._descriptor)}"
        except OSError as error:
            return str(error.strerror)
        return None

    def _who_had_it(self) -> str | None:
        """Who had the lock since this driver took it, in words; None if nobody had."""
        found = driver_of(self._path.parent)
        if found == self.text:
            return None
        return f"it was taken by {(found or '').strip() or 'another process'}"

    def release(self) -> None:
        """Give the lock back; a second call does nothing. A file that is another driver's by now
        stays."""
        if self._descriptor is None:
            return
        if sys.platform != "win32" and self._why_lost() is None:
            # Before the descriptor closes: afterwards the file may be another driver's.
            with contextlib.suppress(OSError):
                self._path.unlink()
        self.forget()

    def forget(self) -> None:
        """Close this process's copy and leave the lock with whoever else has one."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def driver_of(directory: Path) -> str | None:
    """What the lock file of a store's directory says, as this machine sees it; None without one."""
    try:
        return (directory / LOCK_NAME).read_bytes()[:_LONGEST].decode(errors="replace")
    except OSError:
        return None


_HELD: WeakSet[DriverLock] = WeakSet()


def _forget_in_child() -> None:
    for lock in list(_HELD):
        lock.forget()


# A forked worker shares the lock; without this it would keep it when the driver is killed.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


def _opened(path: Path) -> int:
    # A link is not followed, and a pipe does not block.
    flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o644)
    except OSError as error:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise _not_a_lock_file(path) from error
        raise StoreRefused(f"{path.parent}: cannot be written ({error.strerror})") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _not_a_lock_file(path)
    return descriptor


def _not_a_lock_file(path: Path) -> StoreRefused:
    return StoreRefused(
        f"{path}: expected no file or the lock file of a sweep, got another file or a link: "
        "move it away"
    )


def _is_lock_file(descriptor: int) -> bool:
    """Whether the file is empty or names a process, as lock files do."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    content = os.read(descriptor, _LONGEST)
    return not content or _HOLDER.fullmatch(content) is not None


def _holder(descriptor: int) -> str:
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        return os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
    except OSError:
        return "another process"


def _same_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
