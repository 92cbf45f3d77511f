"""Arrays in .npy and .npz files: written whole or not at all, checked before they are read.

The one way by which files of arrays enter. What a file declares is compared with the bytes that it
has and with the most that a file may unpack to, so that a few kilobytes cannot ask for gigabytes.
May import numpy.
"""

import errno
import io
import lzma
import math
import os
import secrets
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

Header = tuple[tuple[int, ...], np.dtype[Any]]

MOST_BYTES = 1 << 30
"""Most bytes that a file may unpack to, where it is smaller itself: 1 GiB."""
MOST_BYTES_VARIABLE = "FCTESTBED_MOST_BYTES"
"""The environment variable that replaces ``MOST_BYTES``."""

_SUFFIX = ".npy"
# numpy refuses longer headers; its magic and the length come first.
_MOST_HEADER = 12 + 10_000
# numpy repeats a header that it cannot parse.
_MOST_REASON = 200
_CANNOT_BE_READ = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    EOFError,
    OSError,
    OverflowError,
    TypeError,
    IndexError,
    SyntaxError,
    ValueError,
    # Encrypted members, compression that zipfile does not know, nested brackets in a header.
    RuntimeError,
    MemoryError,
)


def write_archives(archives: Mapping[Path, Mapping[str, NDArray[Any]]]) -> None:
    """Write arrays to one or more files, all of them or none: temporary files in the same
    directories, then renames.

    Args:
        archives: the arrays of each file.

    Raises:
        OSError: a directory is missing or cannot be written, or a file's name is a directory's;
            ``filename`` is the file that was asked for, and old files are unchanged.
    """
    drafts: dict[Path, Path] = {}
    try:
        for path, arrays in archives.items():
            with _named_in_error(path):
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                drafts[path] = _draft(path, arrays)
        for path in archives:
            os.replace(drafts[path], path)
            del drafts[path]
    finally:
        for draft in drafts.values():
            os.unlink(draft)


def _draft(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write arrays to a temporary file in the directory of a file."""
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}.tmp")
    # Fails where the name exists, a link of this name too. A dataset is as readable as the user's
    # other files.
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(temporary)
        raise
    return temporary


@contextmanager
def _named_in_error(path: Path) -> Iterator[None]:
    """Name the file that was asked for in an error, in place of a temporary one."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def check_unpacked(where: str, n_bytes: int, path: Path) -> None:
    """Refuse what unpacks to more bytes than allowed.

    Allowed is ``MOST_BYTES``, or the number in the environment variable ``FCTESTBED_MOST_BYTES``;
    a file that is larger itself may hold as many bytes as it has.

    Args:
        where: what the line begins with.
        n_bytes: bytes once unpacked.
        path: the file.

    Raises:
        ValueError: one line, also for a value of the variable that is no whole number.
    """
    most = most_unpacked(path)
    if n_bytes > most:
        raise ValueError(
            f"{where}: expected at most {most:,} bytes once unpacked (the environment variable "
            f"{MOST_BYTES_VARIABLE} allows more), got {n_bytes:,}"
        )


def most_unpacked(path: Path) -> int:
    """Most bytes that this file may unpack to, see ``check_unpacked``.

    Raises:
        ValueError: one line, for a value of the variable that is no whole number.
    """
    given = os.environ.get(MOST_BYTES_VARIABLE)
    try:
        most = MOST_BYTES if given is None else int(given)
    except ValueError as error:
        raise ValueError(
            f"{MOST_BYTES_VARIABLE}: expected a whole number of bytes, got {given!r}"
        ) from error
    return max(most, path.stat().st_size)


def is_archive(path: Path) -> bool:
    """Whether the file begins as a zip archive does.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def read_array(path: Path) -> NDArray[Any]:
    """The array of an .npy file.

    Raises:
        ValueError: one line that names the file: no such file, objects, another number of bytes
            than the header declares, or more than ``check_unpacked`` allows.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        declared = _declared(str(path), file)
        declared.check(str(path), path.stat().st_size, path)
        file.seek(0)
        return _array(str(path), file)


class ArrayArchive(Mapping[str, NDArray[Any]]):
    """The arrays of an open .npz archive by name; each is checked before it is read."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path, self._archive = path, archive
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for entry in archive.infolist():
            name = entry.filename.removesuffix(_SUFFIX)
            if name in self._entries:
                raise ValueError(f"{path}: expected arrays of different names, got two of {name}")
            self._entries[name] = entry

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The array.

        Raises:
            KeyError: no array of that name.
            ValueError: as ``read_array``; the line names the file and the member.
        """
        entry = self._entries[name]
        where = self._where(entry)
        self._declared(entry).check(where, entry.file_size, self._path)
        with _readable(where, "an array"), self._archive.open(entry.filename) as file:
            return _array(where, file)

    def headers(self) -> dict[str, Header]:
        """Shape and type that each array declares, without reading the arrays.

        Raises:
            ValueError: one line that names the file and the member, for a member that is no array;
                also for arrays that are more together than ``check_unpacked`` allows.
        """
        declared = {name: self._declared(entry) for name, entry in self._entries.items()}
        check_unpacked(
            str(self._path), sum(array.n_bytes for array in declared.values()), self._path
        )
        return {name: (array.shape, array.dtype) for name, array in declared.items()}

    def _declared(self, entry: zipfile.ZipInfo) -> "_Declared":
        where = self._where(entry)
        with _readable(where, "an array"), self._archive.open(entry.filename) as file:
            return _declared(where, file)

    def _where(self, entry: zipfile.ZipInfo) -> str:
        return f"{self._path}: {entry.filename}"


@contextmanager
def open_arrays(path: Path, what: str = "an archive of arrays (.npz)") -> Iterator[ArrayArchive]:
    """The arrays of an .npz archive, while it is open.

    Args:
        path: the file.
        what: what is expected of it, for the refusal.

    Raises:
        ValueError: one line that names the file: no such archive.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        with _readable(str(path), what):
            archive = zipfile.ZipFile(file)
        with archive:
            yield ArrayArchive(path, archive)


@dataclass(frozen=True)
class _Declared:
    """What the header of an array declares, and where the data begin."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    offset: int

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    def check(self, where: str, size: int, path: Path) -> None:
        """Refuse objects, more bytes than allowed, and data of another size than declared."""
        if self.dtype.hasobject:
            raise ValueError(f"{where}: expected an array of numbers or text, got one of objects")
        check_unpacked(where, self.n_bytes, path)
        if size - self.offset != self.n_bytes:
            raise ValueError(
                f"{where}: expected {self.n_bytes:,} bytes, {self.dtype} of shape {self.shape}, "
                f"got {max(size - self.offset, 0):,}"
            )


@contextmanager
def _readable(where: str, what: str) -> Iterator[None]:
    try:
        yield
    except _CANNOT_BE_READ as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if reason.startswith(f"{where}: "):
            raise
        raise ValueError(f"{where}: expected {what}, got {reason[:_MOST_REASON]}") from error


def _declared(where: str, file: IO[bytes]) -> _Declared:
    with _readable(where, "an array"):
        # A header may say that it is gigabytes long.
        head = io.BytesIO(file.read(_MOST_HEADER))
        version = np.lib.format.read_magic(head)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise ValueError(f".npy format {version}")
        shape, _, dtype = read(head)
        if any(type(size) is not int or size < 0 for size in shape) or not dtype.itemsize:
            raise ValueError(f"{dtype} of shape {shape}")
        return _Declared(shape, dtype, head.tell())


def _array(where: str, file: IO[bytes]) -> NDArray[Any]:
    with _readable(where, "an array"):
        return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
