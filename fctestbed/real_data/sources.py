"""Named arrays of a file or directory: pickles, .npz, .h5 and directories of .npy.

Imports numpy, h5py where an .h5 file is read, ``fctestbed._array_files`` and ``pickles``.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fctestbed._array_files import open_arrays, read_array
from fctestbed._messages import one_line
from fctestbed.real_data.pickles import most_bytes, read_pickle

Tree = Mapping[str, Any]
"""Arrays by name; in the place of an array there may be another such mapping."""

PICKLES = (".pkl", ".pickle", ".pk", ".p")
HDF5 = (".h5", ".hdf5")
SPLIT_NAMES = {
    "train": "train",
    "valid": "valid",
    "val": "valid",
    "dev": "valid",
    "validation": "valid",
    "test": "test",
}
"""The names of splits in files, and what they are called here."""

_BLOCK = 1 << 20


def read_tree(path: Path) -> dict[str, Any]:
    """The arrays of a file or directory, by split and name where it has splits.

    A name ``train_vision`` or ``train/vision`` is the array ``vision`` of the split ``train``.

    Args:
        path: a pickle (.pkl, .pickle, .pk, .p), an .npz archive, an .h5 file, or a directory of
            .npy files and directories of them.

    Raises:
        ValueError: one line that names the file: another kind of file, or one that cannot be read.
        OSError: the file cannot be opened.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        found = _of_directory(path)
    elif suffix in PICKLES:
        found = read_pickle(path)
    elif suffix == ".npz":
        with open_arrays(path) as arrays:
            arrays.headers()
            found = {name: arrays[name] for name in arrays}
    elif suffix in HDF5:
        found = _of_hdf5(path)
    else:
        known = ", ".join((*PICKLES, ".npz", *HDF5))
        raise ValueError(
            f"{path}: expected a file that ends in {known}, or a directory of .npy files, got "
            f"{path.suffix or 'a file without an ending'}"
        )
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise ValueError(f"{path}: expected arrays by name, got {type(found).__name__}")
    return _by_split(found)


def file_sha256(path: Path) -> str:
    """The SHA-256, hexadecimal, of a file, or of the files of a directory with their names."""
    found = hashlib.sha256()
    files = sorted(path.rglob("*.npy")) if path.is_dir() else [path]
    for file in files:
        if path.is_dir():
            found.update(f"{file.relative_to(path).as_posix()}\n".encode())
        with file.open("rb") as content:
            while block := content.read(_BLOCK):
                found.update(block)
    return found.hexdigest()


def _by_split(tree: Tree) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tree.items():
        prefix, separator, rest = name.replace("/", "_", 1).partition("_")
        if isinstance(value, Mapping) and name in SPLIT_NAMES:
            found.setdefault(SPLIT_NAMES[name], {}).update(value)
        elif separator and prefix in SPLIT_NAMES and not isinstance(value, Mapping):
            found.setdefault(SPLIT_NAMES[prefix], {})[rest] = value
        else:
            found[name] = value
    return found


def _of_directory(path: Path) -> dict[str, Any]:
    files = sorted(path.rglob("*.npy"))
    if not files:
        raise ValueError(f"{path}: expected a directory with .npy files, got none in it")
    return {file.relative_to(path).with_suffix("").as_posix(): read_array(file) for file in files}


def _of_hdf5(path: Path) -> dict[str, Any]:
    try:
        import h5py  # noqa: PLC0415 - an extra
    except ImportError:
        raise ValueError(
            f"{path}: expected h5py to read it (pip install 'fctestbed[hdf5]'), got none"
        ) from None
    with path.open("rb"):
        # Where it cannot be opened, the error says why.
        pass

    def members(group: Any, depth: int) -> dict[str, Any]:
        found = {}
        for name in group:
            link = group.get(name, getlink=True)
            value = group[name] if isinstance(link, h5py.HardLink) else None
            if isinstance(value, h5py.Group) and depth < 8:
                found[name] = members(value, depth + 1)
            elif (
                isinstance(value, h5py.Dataset)
                and value.dtype.kind in "biufS"
                # Other files and views of them.
                and value.external is None
                and not value.is_virtual
                and value.nbytes <= most_bytes()
            ):
                found[name] = value[()]
            else:
                raise ValueError(
                    f"{name}: expected arrays of numbers in the file itself, got a link, a "
                    "view of another file, another type or too many bytes"
                )
        return found

    try:
        with h5py.File(path, "r") as file:
            return members(file, 0)
    # h5py raises errors of several types for damaged files.
    except Exception as error:
        raise ValueError(one_line(f"{path}: expected an .h5 file, got {error}")) from error
