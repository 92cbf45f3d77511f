"""Columns of parquet tables. May import numpy, ``_array_files`` and pyarrow."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fctestbed._array_files import check_unpacked
from fctestbed.estimators.conversion import Column, column_of

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_CELL_BYTES = 8


def parquet_columns(path: Path, wanted: Sequence[str] | None, name: str) -> list[Column]:
    """Columns of a parquet table, [n] each.

    Args:
        path: the file.
        wanted: names of columns; None for all of them but the index.
        name: the argument's name in errors.

    Raises:
        ValueError: one line, for a file that pyarrow cannot read, that unpacks to too much, has
            not these columns, or has columns of lists.
    """
    try:
        import pyarrow  # noqa: PLC0415 - optional
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise ValueError(
            f"{name}: expected pyarrow to read {path} with, got none: pip install "
            "'fctestbed[parquet]'"
        ) from error
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            chosen = _chosen(file, path, wanted, name)
            _check_size(file, chosen, path, name)
        types = {field.name: field.type for field in file.schema_arrow}
        # Text that repeats is stored once, and is to stay so.
        texts = [
            column
            for column in chosen
            if pyarrow.types.is_string(types[column])
            or pyarrow.types.is_large_string(types[column])
        ]
        nested = [column for column in chosen if pyarrow.types.is_nested(types[column])]
        if nested:
            raise ValueError(
                f"{name}: {path}: expected columns of numbers or text, got {types[nested[0]]} in "
                f"column {nested[0]!r}"
            )
        with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as file:
            table = file.read(columns=chosen)
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{name}: expected a .parquet file that can be read, got {path} ({reason})"
        ) from error
    return [
        column_of(name, f" of column {column!r}", table.column(column).to_pandas())
        for column in chosen
    ]


def _chosen(file: "ParquetFile", path: Path, wanted: Sequence[str] | None, name: str) -> list[str]:
    names = list(file.schema_arrow.names)
    if wanted is None:
        index = (file.schema_arrow.pandas_metadata or {}).get("index_columns", [])
        wanted = [column for column in names if column not in index]
        if not wanted:
            raise ValueError(f"{name}: {path}: expected a table, got one without columns")
    for column in wanted:
        if names.count(column) != 1:
            raise ValueError(
                f"{name}: expected columns of {path} among {', '.join(names)}, "
                f"got {'two of ' if column in names else ''}{column!r}"
            )
    return list(wanted)


def _check_size(file: "ParquetFile", chosen: Sequence[str], path: Path, name: str) -> None:
    metadata = file.metadata
    stored = sum(
        column.total_uncompressed_size
        for group in map(metadata.row_group, range(metadata.num_row_groups))
        for column in map(group.column, range(group.num_columns))
        if column.path_in_schema in chosen
    )
    n_bytes = max(stored, _CELL_BYTES * metadata.num_rows * len(chosen))
    check_unpacked(f"{name}: {path}", n_bytes, path)
