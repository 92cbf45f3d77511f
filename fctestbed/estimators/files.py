"""Samples from npy, npz, csv and parquet files, as arrays, without pickle.

The numbers themselves are checked in ``inputs``. May import numpy, and pandas for tables.
"""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pandas import DataFrame

_SUFFIXES = (".npy", ".npz", ".csv", ".parquet")


def read_samples(source: str, *, name: str = "source") -> NDArray[Any]:
    """Samples from ``FILE`` or ``FILE:KEYS``.

    Args:
        source: an ``.npy`` array; an ``.npz`` archive with ``:KEY`` of one of its arrays (none
            needed where it holds only one); a ``.csv`` or ``.parquet`` table, with
            ``:COLUMN,COLUMN`` for some of its columns in that order. A csv file's first line is
            its header unless all of it is numbers.
        name: the argument's name in errors.

    Returns:
        (n,) or (n, dim), of numbers or text.

    Raises:
        ValueError: one line, for a file that is missing, of another kind, unreadable or holding
            objects, and for a key that it does not have.
    """
    path, key = _split(source)
    if path.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"{name}: expected a file of {', '.join(_SUFFIXES)}, got {source!r}")
    if not path.is_file():
        raise ValueError(f"{name}: expected a file that is there, got {str(path)!r}")
    kind = path.suffix.lower()
    try:
        if kind in {".npy", ".npz"}:
            return _array(path, key, name)
        return _columns(_table(path, kind), key, name, path)
    except ImportError as error:
        raise ValueError(
            f"{name}: expected pyarrow to read {path} with, got none: pip install "
            "'fctestbed[parquet]'"
        ) from error
    except MemoryError as error:
        raise ValueError(f"{name}: expected an array that fits into memory, got {path}") from error
    except (OSError, EOFError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(
            f"{name}: expected a {kind} file that can be read, got {path} ({reason})"
        ) from error


def _split(source: str) -> tuple[Path, str | None]:
    # A path may contain a colon: a file with the whole name comes first.
    whole = Path(source)
    head, colon, key = source.rpartition(":")
    if colon and Path(head).suffix.lower() in _SUFFIXES and not whole.is_file():
        return Path(head), key
    return whole, None


def _array(path: Path, key: str | None, name: str) -> NDArray[Any]:
    # Opened here, because numpy leaves a broken archive open.
    with path.open("rb") as file:
        try:
            content = np.load(file, allow_pickle=False)
            keys: list[str] = []
            found: NDArray[Any] | None
            if isinstance(content, np.ndarray):
                found = content
            else:
                keys = list(content.files)
                key = keys[0] if key is None and len(keys) == 1 else key
                found = content[key] if key in keys else None
        except ValueError as error:
            what = "one of objects" if "pickle" in str(error).lower() else "none"
            raise ValueError(
                f"{name}: expected an array of numbers, got {what} in {path}"
            ) from error
    if not keys and key is not None:
        raise ValueError(f"{name}: expected no key for an .npy file, got {key!r}")
    if found is None:
        got = "no key" if key is None else repr(key)
        raise ValueError(f"{name}: expected {path}:KEY of {', '.join(keys)}, got {got}")
    return np.asarray(found)


def _table(path: Path, kind: str) -> "DataFrame":
    import pandas as pd  # noqa: PLC0415 - slow to load

    if kind == ".parquet":
        try:
            return pd.read_parquet(path)
        except ValueError as error:
            raise OSError(str(error)) from error
    with path.open(encoding="utf-8") as lines:
        first = lines.readline().rstrip("\n").split(",")
    header = None if all(_is_number(cell) for cell in first) else 0
    try:
        return pd.read_csv(path, header=header, skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise OSError(str(error)) from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _columns(table: "DataFrame", key: str | None, name: str, path: Path) -> NDArray[Any]:
    if key is not None:
        known = {str(column): column for column in table.columns}
        wanted = key.split(",")
        for column in wanted:
            if column not in known:
                raise ValueError(
                    f"{name}: expected columns of {path} among {', '.join(known)}, got {column!r}"
                )
        table = table[[known[column] for column in wanted]]
    values = table.to_numpy()
    if values.dtype == object and all(isinstance(cell, str) for cell in values.flat):
        values = values.astype(str)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
