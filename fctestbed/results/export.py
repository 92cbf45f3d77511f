"""Results as files for other programs: CSV, JSON, Parquet. The same results give the same bytes.

A store is read and written run by run, so that an export of any size takes the same memory. Imports
no pandas for CSV and JSON of what is stored or was exported.
"""

import contextlib
import importlib.util
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fctestbed._messages import did_you_mean
from fctestbed.results.card import CARD_NAME, dataset_card
from fctestbed.results.exported import SWEEP_NAME, Columns, read_exported
from fctestbed.results.files import Draft, remove_directories
from fctestbed.results.notes import Mixture
from fctestbed.results.plain import plain
from fctestbed.results.run_stream import RunStream, StoredRunRows
from fctestbed.results.schema import (
    FLOAT_COLUMNS,
    RUN_COLUMNS,
    RUNS_NAME,
    TABLE_COLUMNS,
    VALUE_TABLES,
    ValueTable,
    blank_values,
    with_axes,
)
from fctestbed.results.selection import is_single_bit
from fctestbed.results.store import STORE_NAME
from fctestbed.results.sums import SUMS_NAME, sums_of
from fctestbed.results.table_files import Rows, TableFile, table_file

if TYPE_CHECKING:
    import pandas as pd

    from fctestbed.results.load import Results

FORMATS: tuple[str, ...] = ("csv", "json", "parquet", "hf")
EXPORT_CHUNK = 20_000
"""How many rows of a table are gathered before they are written."""
_PARQUET = ("parquet", "hf")
_ALL_DIGITS = 17
_QUANTITY = "quantity"
_STATUS = RUN_COLUMNS.index("status")
_RATIO = RUN_COLUMNS.index("unique_ratio")


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        files: the files.
        notes: what a reader has to know of the rows, in lines.
    """

    files: list[Path]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Form:
    """How tables are written."""

    format: str
    compress: bool
    digits: int | None
    blocks_only: bool = False

    @property
    def kind(self) -> str:
        return "parquet" if self.format in _PARQUET else self.format

    @property
    def ending(self) -> str:
        return "csv.gz" if self.compress else self.kind


def export_results(
    results: "Results",
    out_dir: str | Path,
    format: str = "csv",
    *,
    compress: bool = False,
    digits: int | None = None,
) -> list[Path]:
    """Write the tables, the sweep's spec and checksums, each file whole or not at all.

    Args:
        results: what ``load_results`` gave.
        out_dir: directory for ``captured``, ``accuracy``, ``scores``, ``along``, ``runs``,
            ``sweep.json`` and ``SHA256SUMS``; made if missing, files of these names are replaced.
        format: ``csv`` (floats in full, so that they read back exactly; NaN is empty), ``json``
            (arrays of records; NaN is null, infinities are strings), ``parquet``, or ``hf``:
            ``parquet`` and a data-set card, ``README.md``, as Hugging Face reads them.
        compress: for ``csv``, write ``.csv.gz``; ``load_results`` reads both.
        digits: significant digits of measured numbers, 1 to 17; None for all that they have. Six
            digits take a third of the space.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for an unknown format, ``parquet`` without pyarrow, ``compress`` with
            another format than ``csv``, other digits, or a directory that cannot be written.
    """
    form = _checked(format, compress, digits)
    return _export_frames(results, Path(out_dir), form)


def export_sweep(
    directory: str | Path,
    out_dir: str | Path,
    format: str = "csv",
    *,
    compress: bool = False,
    digits: int | None = None,
    blocks_only: bool = False,
) -> Exported:
    """Write a sweep's results as ``export_results`` does, with a store's runs in memory one by one.

    Args:
        directory: of the sweep, or of exported files.
        out_dir: as in ``export_results``, and the following three too.
        format: of the files.
        compress: whether CSV files are compressed.
        digits: of measured numbers.
        blocks_only: whether the rows of single latent bits are left out.

    Raises:
        StoreRefused: one line, if the store cannot be read, or a run of it is not as it was stored;
            nothing was written.
        ValueError: one line, as ``export_results``, or for a directory without results.
    """
    form = replace(_checked(format, compress, digits), blocks_only=blocks_only)
    path = Path(directory)
    store = path / STORE_NAME if path.is_dir() else path
    if store.is_file():
        with RunStream.opened(store) as stream:
            if stream is not None:
                return _export_stream(stream, Path(out_dir), form)
        # Of an earlier version.
        from fctestbed.results.load import load_results  # noqa: PLC0415 - imports pandas

        results = load_results(path)
        return Exported(_export_frames(results, Path(out_dir), form), results.notes)
    found = read_exported(path)
    files = _export_tables(found.tables.items(), found.axes, found.sweep_spec, Path(out_dir), form)
    return Exported(files, found.notes)


def _checked(format: str, compress: bool, digits: int | None) -> _Form:
    if format not in FORMATS:
        raise ValueError(
            f"format: expected one of {', '.join(FORMATS)}, got {format!r}"
            f"{did_you_mean(format, FORMATS)}"
        )
    if compress and format != "csv":
        raise ValueError(f"compress: expected format 'csv' with it, got {format!r}")
    if format in _PARQUET and importlib.util.find_spec("pyarrow") is None:
        raise ValueError(
            f"format: expected csv or json, got {format!r}, which needs pyarrow "
            "(pip install pyarrow)"
        )
    is_number = isinstance(digits, int) and not isinstance(digits, bool)
    if digits is not None and not (is_number and 1 <= digits <= _ALL_DIGITS):
        raise ValueError(f"digits: expected a whole number from 1 to {_ALL_DIGITS}, got {digits!r}")
    return _Form(format, compress, digits)


def _export_frames(results: "Results", out_dir: Path, form: _Form) -> list[Path]:
    tables = ((name, _columns_of(getattr(results, name))) for name in TABLE_COLUMNS)
    return _export_tables(tables, results.axes, results.sweep_spec, out_dir, form)


def _columns_of(frame: "pd.DataFrame") -> Columns:
    return {str(name): frame[name].tolist() for name in frame}


def _export_tables(
    tables: Iterable[tuple[str, Columns]],
    axes: Sequence[str],
    sweep_spec: Mapping[str, object],
    out_dir: Path,
    form: _Form,
) -> list[Path]:
    with _Files(axes, out_dir, form) as files:
        for name, table in tables:
            rows = zip(*(_without_nan(own) for own in table.values()), strict=True)
            while chunk := list(islice(rows, EXPORT_CHUNK)):
                files.add(name, chunk)
        return files.put_in_place(sweep_spec)


def _without_nan(cells: Iterable[Any]) -> list[Any]:
    return [None if cell != cell else cell for cell in cells]  # noqa: PLR0124 - NaN


def _export_stream(stream: RunStream, out_dir: Path, form: _Form) -> Exported:
    mixture = Mixture()
    with _Files(stream.axes, out_dir, form) as files:
        for run in stream.runs():
            mixture.add(run.run)
            cells = (*run.run[: _RATIO + 1], *run.axes, *run.run[_RATIO + 1 :])
            files.add(RUNS_NAME, [cells])
            for table in VALUE_TABLES:
                files.add(table.name, _rows_of(table, run))
        return Exported(files.put_in_place(stream.sweep_spec), mixture.notes)


def _rows_of(table: ValueTable, run: StoredRunRows) -> Rows:
    """The rows of a run in a table's columns."""
    keys = (*run.run[: _RATIO + 1], *run.axes, run.run[_RATIO + 1])
    status = run.run[_STATUS]
    values: Sequence[tuple[Any, ...]] = run.values[table.name]
    if status != "ok" and table.has_unfinished:
        values = [*values, tuple(_without_nan(blank_values(table)))]
    return [(*keys, *own, status) for own in values]


class _Files:
    """The files of an export, which get their names when all of them are whole."""

    def __init__(self, axes: Sequence[str], out_dir: Path, form: _Form) -> None:
        self._form = form
        self._directory = out_dir
        self._columns = {name: with_axes(own, axes) for name, own in TABLE_COLUMNS.items()}
        self._drafts: dict[str, Draft] = {}
        self._files: dict[str, TableFile] = {}
        self._waiting: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLE_COLUMNS}
        self._n_rows = dict.fromkeys(TABLE_COLUMNS, 0)
        self._made = [place for place in (out_dir, *out_dir.parents) if not place.exists()]
        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as opened:
            for name, columns in self._columns.items():
                draft = opened.enter_context(Draft(out_dir / f"{name}.{form.ending}"))
                self._drafts[name] = draft
                self._files[name] = table_file(
                    form.kind, columns, draft.write, compress=form.compress
                )
            self._stack = opened.pop_all()

    def __enter__(self) -> "_Files":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        # Those that are empty, as after an error.
        remove_directories(self._made)

    def add(self, name: str, rows: Rows) -> None:
        """Add rows to a table."""
        columns = self._columns[name]
        if self._form.blocks_only and _QUANTITY in columns:
            place = columns.index(_QUANTITY)
            rows = [row for row in rows if not is_single_bit(row[place])]
        waiting = self._waiting[name]
        waiting += rows
        if len(waiting) >= EXPORT_CHUNK:
            self._write(name)

    def _write(self, name: str) -> None:
        rows: Rows = self._waiting[name]
        self._waiting[name] = []
        self._n_rows[name] += len(rows)
        if self._form.digits is not None:
            rows = _rounded(rows, self._columns[name], self._form.digits)
        self._files[name].add(rows)

    def put_in_place(self, sweep_spec: Mapping[str, object]) -> list[Path]:
        """Write the rest, and give the files their names, which are returned."""
        for name, file in self._files.items():
            self._write(name)
            file.end()
        drafts = list(self._drafts.values())
        sweep = json.dumps(plain(sweep_spec), indent=2, sort_keys=True, allow_nan=False)
        drafts.append(self._draft(SWEEP_NAME, f"{sweep}\n".encode()))
        if self._form.format == "hf":
            shapes = {name: (self._columns[name], n) for name, n in self._n_rows.items()}
            drafts.append(self._draft(CARD_NAME, dataset_card(shapes, sweep_spec).encode()))
        digests = {draft.path.name: draft.sha256 for draft in drafts}
        # The last file: a kill before it is written leaves tables that its old lines do not fit.
        drafts.append(self._draft(SUMS_NAME, sums_of(digests, self._directory)))
        return [draft.put_in_place() for draft in drafts]

    def _draft(self, name: str, content: bytes) -> Draft:
        draft = self._stack.enter_context(Draft(self._directory / name))
        draft.write(content)
        return draft


def _rounded(rows: Rows, columns: Sequence[str], digits: int) -> Rows:
    """The rows with measured numbers in so many significant digits."""
    measured = FLOAT_COLUMNS - {"unique_ratio"}
    places = {place for place, name in enumerate(columns) if name in measured}
    return [
        tuple(
            float(f"{cell:.{digits}g}") if place in places and cell is not None else cell
            for place, cell in enumerate(row)
        )
        for row in rows
    ]
