"""Exported files read back: tables in CSV as columns of typed cells, the sweep, and checksums.

Writes nothing. Imports no pandas, whose import takes as long as to read a sweep's files.
"""

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from fctestbed.results.notes import mixture_notes
from fctestbed.results.schema import (
    ACCURACY,
    ALONG,
    CAPTURED,
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    RATE_BITS,
    RUN_COLUMNS,
    RUNS_NAME,
    SCORES,
    VALUE_TABLES,
    AxisValue,
    axes_of,
    axis_kind,
    with_axes,
)
from fctestbed.results.store import STORE_NAME
from fctestbed.results.sums import check_sums

SWEEP_NAME = "sweep.json"
Columns = Mapping[str, Sequence[Any]]
"""The cells of each column of a table: numbers, of which a missing one is NaN, or text."""
# What files of earlier versions lack.
_LATER_COLUMNS, _LATER_TABLES = (RATE_BITS,), (SCORES, ALONG)
# Rows that are read and let go at once: few, so that the garbage collector never sees them.
_CHUNK = 200


@dataclass(frozen=True)
class ExportedTables:
    """The content of exported files.

    Attributes:
        tables: ``runs`` and each table of values by name, as columns; a table of values that files
            of an earlier version lack has no rows.
        axes: dotted paths of the sweep's further axes.
        sweep_spec: the sweep that was asked for; empty where the files do not tell.
        notes: what a reader has to know of the rows, in lines.
    """

    tables: Mapping[str, Columns]
    axes: tuple[str, ...]
    sweep_spec: dict[str, object]
    notes: tuple[str, ...]


def read_exported(directory: Path) -> ExportedTables:
    """The content of a directory of exported files.

    Raises:
        ValueError: one line, if there are no such files, or they are unreadable, cut off, do not
            fit each other, or are not as their checksums say.
    """
    names = (CAPTURED.name, ACCURACY.name, RUNS_NAME)
    files = {name: _table_file(directory, name) for name in names}
    for table in _LATER_TABLES:
        if _table_files(directory, table.name):
            files[table.name] = _table_file(directory, table.name)
    runs = _read_table(files[RUNS_NAME], RUN_COLUMNS)
    axes = axes_of(list(runs))
    tables: dict[str, Columns] = {RUNS_NAME: runs}
    for table in VALUE_TABLES:
        if table.name in files:
            tables[table.name] = _read_table(files[table.name], table.columns)
        else:
            tables[table.name] = {name: [] for name in with_axes(table.columns, axes)}
    for name, columns in tables.items():
        found = axes_of(list(columns))
        if found != axes:
            raise ValueError(
                f"{directory}: expected the same columns between unique_ratio and seed in {name} "
                f"and runs, got {', '.join(found) or 'none'} and {', '.join(axes) or 'none'}"
            )
    sweep = directory / SWEEP_NAME
    sweep_spec = _read_sweep(sweep)
    # Last, because the other errors say more.
    check_sums([*files.values(), *([sweep] if sweep.is_file() else [])])
    notes = mixture_notes(zip(*(runs[name] for name in RUN_COLUMNS), strict=True))
    return ExportedTables(tables, axes, sweep_spec, notes)


def _table_files(directory: Path, name: str) -> list[Path]:
    return [
        path for ending in (".csv", ".csv.gz") if (path := directory / f"{name}{ending}").is_file()
    ]


def _table_file(directory: Path, name: str) -> Path:
    found = _table_files(directory, name)
    if not found:
        raise ValueError(
            f"results: expected {STORE_NAME} or {name}.csv[.gz] in {directory}, got neither"
        )
    if len(found) > 1:
        raise ValueError(f"results: expected one of {found[0]} and {found[1].name}, got both")
    return found[0]


def _read_table(path: Path, columns: Sequence[str]) -> dict[str, list[Any]]:
    """The schema's columns of a table, with those of further axes."""
    cells = _read_cells(path)
    n_rows = len(next(iter(cells.values())))
    for column in _LATER_COLUMNS:
        if column in columns:
            cells.setdefault(column, [math.nan] * n_rows)
    missing = [column for column in columns if column not in cells]
    if missing:
        raise ValueError(
            f"{path}: expected the columns {', '.join(columns)}, got no {', '.join(missing)}"
        )
    axes = axes_of(list(cells))
    return {
        name: _axis_values(cells[name]) if name in axes else cells[name]
        for name in with_axes(columns, axes)
    }


def _read_cells(path: Path) -> dict[str, list[Any]]:
    """All cells by column: numbers in the schema's columns of numbers, else texts."""
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        header = next(rows, [])
        if not header:
            raise ValueError(f"{path}: expected a table in CSV, got an empty file")
        columns: list[list[Any]] = [[] for _ in header]
        readers = [_reader(path, name) for name in header]
        for chunk in _chunks(rows, path, len(header), is_whole=text.endswith("\n")):
            for column, read, texts in zip(columns, readers, zip(*chunk, strict=True), strict=True):
                column.extend(read(texts))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: expected a table in CSV, got: {reason}") from error
    return dict(zip(header, columns, strict=True))


def _reader(path: Path, name: str) -> Callable[[Sequence[str]], list[Any]]:
    """What makes the cells of a column of their texts; equal texts become one object."""
    if name not in FLOAT_COLUMNS | INTEGER_COLUMNS:
        known: dict[str, str] = {}
        return lambda texts: [known.setdefault(text, text) for text in texts]

    def numbers(texts: Sequence[str]) -> list[Any]:
        try:
            if name in INTEGER_COLUMNS:
                return list(map(int, texts))
            return [float(text) if text else math.nan for text in texts]
        except ValueError as error:
            raise ValueError(f"{path}: expected a number in {name}, got: {error}") from error

    return numbers


def _chunks(
    rows: Iterator[list[str]], path: Path, width: int, *, is_whole: bool
) -> Iterator[list[list[str]]]:
    """Some rows at a time; refused with fewer or more values than the header."""
    while found := list(islice(rows, _CHUNK)):
        chunk = [row for row in found if row]
        lengths = {len(row) for row in chunk}
        if any(length > width for length in lengths):
            raise ValueError(f"{path}: expected {width} values in each row, got {max(lengths)}")
        if not is_whole or any(length < width for length in lengths):
            raise ValueError(f"{path}: expected whole rows, got a file that was cut off")
        if chunk:
            yield chunk


def _axis_values(cells: Sequence[str]) -> list[Any]:
    values = [_axis_value(cell) for cell in cells]
    kind = axis_kind(values)
    return [kind(value) for value in values]


def _axis_value(cell: str) -> AxisValue:
    if cell in ("True", "False"):
        return cell == "True"
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell


def _read_sweep(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, got: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(content).__name__}")
    return content
