"""Results as tables, from a store or from exported files. Imports pandas; writes nothing."""

import gzip
import io
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from fctestbed.results.columns import RowColumns
from fctestbed.results.contents import Row
from fctestbed.results.export import SWEEP_NAME
from fctestbed.results.frames import axis_column, run_frame, typed, value_frame
from fctestbed.results.notes import mixture_notes
from fctestbed.results.schema import (
    ACCURACY,
    ALONG,
    CAPTURED,
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    RATE_BITS,
    RUN_COLUMNS,
    SCORES,
    VALUE_TABLES,
    AxisValue,
    ValueTable,
    axes_of,
    with_axes,
)
from fctestbed.results.selection import runs_nearest, without_bits
from fctestbed.results.store import STORE_NAME, ResultsStore
from fctestbed.results.sums import check_sums

# Line ends and commas in here separate nothing. A doubled quotation mark ends one and begins one.
# What files of earlier versions lack.
_LATER_COLUMNS, _LATER_TABLES = (RATE_BITS,), (SCORES, ALONG)
_QUOTED = re.compile(r'"[^"]*"')


def _none_of(table: ValueTable, axes: Sequence[str] = ()) -> pd.DataFrame:
    columns = with_axes(table.columns, axes)
    return typed(pd.DataFrame(columns=columns), table.columns, axes)


@dataclass(frozen=True)
class Results:
    """A sweep's results; treat the tables as read-only.

    Args:
        captured: one row per run x readout x quantity x estimator x rate, in bits; columns
            ``CAPTURED_COLUMNS``. An unfinished run is one row of NaN with its status.
        accuracy: one row per run x readout x probe, as fractions; columns ``ACCURACY_COLUMNS``.
            Unfinished runs as above.
        runs: one row per run; columns ``RUN_COLUMNS``, of which ``spec``, ``truth``,
            ``provenance``, ``diagnostics`` and ``warnings`` are JSON text.
        sweep_spec: the sweep that was asked for; empty where exported files do not tell.
        axes: dotted paths of the sweep's axes besides the unique ratio. Each is a column of every
            table, directly after ``unique_ratio``; a run that does not depend on an axis is there
            once for each of its values.
        notes: what a reader has to know of the rows, in lines.
        scores: one row per run x readout x score, each in its own unit; columns
            ``SCORE_COLUMNS``. Finished runs only.
        along: as ``captured``, for each step of the training at which it was measured; columns
            ``ALONG_COLUMNS``. Finished runs only.
    """

    captured: pd.DataFrame
    accuracy: pd.DataFrame
    runs: pd.DataFrame
    sweep_spec: dict[str, object]
    axes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    scores: pd.DataFrame = field(default_factory=lambda: _none_of(SCORES))
    along: pd.DataFrame = field(default_factory=lambda: _none_of(ALONG))


def load_results(directory: str | Path, *, single_bits_at: float | None = None) -> Results:
    """Read a sweep's results.

    The rows of a store are read some thousand at a time; a million take 0.25 GB.

    Args:
        directory: a sweep's directory, its SQLite file, or a directory of exported files
            (``captured.csv``, ``accuracy.csv``, ``runs.csv``, each perhaps with ``.gz``, and
            ``scores.csv``, ``along.csv``, ``sweep.json`` and ``SHA256SUMS`` if they are there). A
            store goes before exported files.
        single_bits_at: leave out the rows of single latent bits (``w_s[0]``) in a store, most of
            the rows of a sweep, but for runs at the unique ratio nearest to this one: all that
            figures and a report need. None: all rows.

    Raises:
        StoreRefused: one line, if the store cannot be read, or a run of it is not as it was stored.
        ValueError: one line, if there are no results, or the exported files are unreadable, cut off
            or not as their checksums say.
    """
    if not isinstance(directory, str | Path):
        raise ValueError(f"directory: expected the name of a directory, got {directory!r}")
    path = Path(directory)
    if path.is_file() or (path / STORE_NAME).is_file():
        return _load_store(path, single_bits_at)
    names = [table.name for table in (CAPTURED, ACCURACY)]
    found_files = {name: _table_file(path, name) for name in (*names, "runs")}
    for table in _LATER_TABLES:
        if _table_files(path, table.name):
            found_files[table.name] = _table_file(path, table.name)
    runs = _read_table(found_files["runs"], RUN_COLUMNS)
    axes = axes_of(list(runs.columns))
    frames = {
        table.name: _read_table(found_files[table.name], table.columns)
        if table.name in found_files
        else _none_of(table, axes)
        for table in VALUE_TABLES
    }
    for name, frame in frames.items():
        found = axes_of(list(frame.columns))
        if found != axes:
            raise ValueError(
                f"{path}: expected the same columns between unique_ratio and seed in {name} and "
                f"runs, got {', '.join(found) or 'none'} and {', '.join(axes) or 'none'}"
            )
    sweep_spec = _read_sweep(path / SWEEP_NAME)
    # Last, because the other errors say more.
    check_sums(
        [*found_files.values(), *([path / SWEEP_NAME] if (path / SWEEP_NAME).is_file() else [])]
    )
    notes = mixture_notes(runs[list(RUN_COLUMNS)].itertuples(index=False, name=None))
    return Results(runs=runs, sweep_spec=sweep_spec, axes=axes, notes=notes, **frames)


def _load_store(path: Path, single_bits_at: float | None) -> Results:
    columns = {table.name: RowColumns(table) for table in VALUE_TABLES}
    with ResultsStore.open_read(path) as store:
        kept = None if single_bits_at is None else runs_nearest(store.places(), single_bits_at)

        def take(table: str, rows: list[Row]) -> None:
            columns[table].add(rows if kept is None else without_bits(table, rows, kept))

        tables = store.tables(take)
    runs = run_frame(tables.runs, tables.axes)
    notes = (*tables.notes, *mixture_notes(tables.runs))
    # The cells of runs are in the frame.
    tables.runs.clear()
    return Results(
        runs=runs,
        sweep_spec=tables.sweep_spec,
        axes=tables.axes.axes,
        notes=notes,
        **{table.name: value_frame(table, runs, columns[table.name]) for table in VALUE_TABLES},
    )


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


def _read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: expected a table in CSV, got: {reason}") from error
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"{path}: expected a table in CSV, got an empty file") from error
    _check_lengths(path, text)
    for column in _LATER_COLUMNS:
        if column in columns and column not in frame.columns:
            frame[column] = ""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(
            f"{path}: expected the columns {', '.join(columns)}, got no {', '.join(missing)}"
        )
    for column in columns:
        if column in FLOAT_COLUMNS or column in INTEGER_COLUMNS:
            frame[column] = _numbers(frame[column], path, whole=column in INTEGER_COLUMNS)
    axes = axes_of(list(frame.columns))
    for axis in axes:
        frame[axis] = axis_column([_axis_value(cell) for cell in frame[axis]])
    return typed(frame, columns, axes)


def _check_lengths(path: Path, text: str) -> None:
    """Refuse rows with fewer or more values than the header, which pandas would fill or shift."""
    *lines, rest = _QUOTED.sub("", text).split("\n")
    counts = [line.count(",") + 1 for line in lines]
    if rest or min(counts) < counts[0]:
        raise ValueError(f"{path}: expected whole rows, got a file that was cut off")
    if max(counts) > counts[0]:
        raise ValueError(f"{path}: expected {counts[0]} values in each row, got {max(counts)}")


def _axis_value(cell: str) -> AxisValue:
    if cell in ("True", "False"):
        return cell == "True"
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell


def _numbers(cells: pd.Series, path: Path, *, whole: bool) -> pd.Series:
    try:
        # Python parses a float exactly; pandas' fast parser may differ in the last bit.
        texts = cells.to_numpy(dtype=object)
        values = [int(cell) if whole else float(cell or "nan") for cell in texts]
    except ValueError as error:
        raise ValueError(f"{path}: expected a number in {cells.name}, got: {error}") from error
    return pd.Series(values, index=cells.index, dtype="int64" if whole else "float64")


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
