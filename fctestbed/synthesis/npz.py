"""Arrays in .npz files: written whole or not at all, their headers checked before they are read.

May import numpy.
"""

import errno
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Header = tuple[tuple[int, ...], np.dtype[Any]]


def write_archives(archives: Mapping[Path, Mapping[str, npt.NDArray[Any]]]) -> None:
    """Write arrays to one or more files, all of them or none: temporary files in the same
    directories, then renames.

    Args:
        archives: the arrays of each file.

    Raises:
        OSError: a directory is missing or cannot be written, or a file's name is a directory's;
            ``filename`` is the file that was asked for, and old files stay as they were.
    """
    drafts: dict[Path, str] = {}
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


def _draft(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Write arrays to a temporary file beside a file."""
    prefix = f".{path.name[:100]}."
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; a dataset is as readable as the user's other files.
        os.chmod(temporary, 0o666 & ~_umask())
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


def array_headers(path: Path) -> dict[str, Header]:
    """Shape and type that each array of an archive declares, without reading the arrays.

    Raises:
        ValueError: an entry that is no array; one line that names the file and the entry.
        zipfile.BadZipFile: no such archive.
        OSError: the file cannot be opened.
    """
    with zipfile.ZipFile(path) as archive:
        return {
            entry.removesuffix(".npy"): _header(path, archive, entry)
            for entry in archive.namelist()
        }


def _header(path: Path, archive: zipfile.ZipFile, entry: str) -> Header:
    with archive.open(entry) as file:
        try:
            return _read_header(file)
        except ValueError as error:
            raise ValueError(f"{path}: {entry}: expected an array, got {error}") from error


def _read_header(file: IO[bytes]) -> Header:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f".npy format {version}")
    shape, _, dtype = read(file)
    return shape, dtype


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
