"""Arrays in .npz files: written atomically, with headers checked before arrays are loaded.

May import numpy.
"""

import os
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

Header = tuple[tuple[int, ...], np.dtype[Any]]


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays to ``path``: a temporary file in the same directory, then one rename.

    Raises:
        OSError: if the directory is missing or cannot be written; an old file is unchanged.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    # Fails where the name exists, a link of this name too. A dataset is as readable as the user's
    # other files.
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def array_headers(path: Path) -> dict[str, Header]:
    """Shape and type that each array of an archive declares, without loading the arrays.

    Raises:
        ValueError: one line that names the file and the entry, for an entry that is not an array.
        zipfile.BadZipFile: if the file is not an archive.
        OSError: if the file cannot be opened.
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
