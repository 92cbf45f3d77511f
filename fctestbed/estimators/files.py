"""Samples from npy, npz, csv and parquet files, as arrays, without pickle.

The numbers themselves are checked in ``inputs``. May import numpy and ``_array_files``, and the
tables where a file is one.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed._array_files import is_archive, open_arrays, read_array
from fctestbed.estimators.conversion import joined

_SUFFIXES = (".npy", ".npz", ".csv", ".csv.gz", ".parquet")


def read_samples(
    source: str,
    *,
    name: str = "source",
    separator: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
) -> NDArray[Any]:
    """Samples from ``FILE`` or ``FILE:KEYS``.

    Args:
        source: an ``.npy`` array; an ``.npz`` archive with ``:KEY`` of one of its arrays (none
            needed where it holds only one); a ``.csv``, ``.csv.gz`` or ``.parquet`` table, with
            ``:COLUMN,COLUMN`` for some of its columns in that order. Columns of a table without
            header are ``0``, ``1``, and so on.
        name: the argument's name in errors.
        separator: between the columns of a csv table, one character or ``tab``; None for a comma.
            Files of other kinds have no separator, encoding or header; these are ignored then.
        encoding: of a csv table, a name that Python knows; None for UTF-8.
        header: whether the first row of a csv table has the columns' names. None: it has them
            where all of its cells are text; numbers and missing values (empty cells, NA, null) are
            data. A first row of numbers and text is refused then.

    Returns:
        (n,) or (n, dim), of numbers, truth values or text; objects for text beside numbers.
        Missing numbers are NaN. In a csv column that has text, every word is a word, NA and None
        too; a column of numbers and such words has missing numbers.

    Raises:
        ValueError: one line, for a file that is missing, of another kind, unreadable, unpacking to
            more than ``FCTESTBED_MOST_BYTES`` or holding objects; for a key that it does not have,
            a row of another length than the first, and an empty cell of text.
    """
    path, key = _split(source)
    kind = _kind(path)
    if kind is None:
        raise ValueError(f"{name}: expected a file of {', '.join(_SUFFIXES)}, got {source!r}")
    if not path.is_file():
        raise ValueError(f"{name}: expected a file that is there, got {str(path)!r}")
    try:
        if kind in {".npy", ".npz"}:
            return _array(path, key, name)
        return _table(path, kind, key, name, separator, encoding, header)
    except MemoryError as error:
        raise ValueError(f"{name}: expected an array that fits into memory, got {path}") from error
    except OSError as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"{name}: expected a {kind} file that can be read, got {path} ({reason})"
        ) from error


def _kind(path: Path) -> str | None:
    lower = path.name.lower()
    return next((suffix for suffix in _SUFFIXES if lower.endswith(suffix)), None)


def _split(source: str) -> tuple[Path, str | None]:
    # A path may contain a colon: a file with the whole name comes first.
    whole = Path(source)
    head, colon, key = source.rpartition(":")
    if colon and _kind(Path(head)) is not None and not whole.is_file():
        return Path(head), key
    return whole, None


def _array(path: Path, key: str | None, name: str) -> NDArray[Any]:
    try:
        if not is_archive(path):
            if key is not None:
                raise ValueError(f"expected no key for an .npy file, got {key!r}")
            return read_array(path)
        with open_arrays(path) as arrays:
            if key is None and len(arrays) == 1:
                (key,) = arrays
            if key not in arrays:
                got = "no key" if key is None else repr(key)
                raise ValueError(f"expected {path}:KEY of {', '.join(arrays)}, got {got}")
            return arrays[key]
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _table(
    path: Path,
    kind: str,
    key: str | None,
    name: str,
    separator: str | None,
    encoding: str | None,
    header: bool | None,
) -> NDArray[Any]:
    from fctestbed.estimators import parquet, tables  # noqa: PLC0415 - pandas is slow to load

    wanted = None if key is None else key.split(",")
    if kind == ".parquet":
        columns = parquet.parquet_columns(path, wanted, name)
    else:
        columns = tables.csv_columns(path, wanted, name, separator, encoding, header)
    return np.asarray(columns[0] if len(columns) == 1 else joined(columns))
