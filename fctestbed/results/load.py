"""Results as tables, from a store or from exported files. Imports pandas; writes nothing."""

import gzip
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fctestbed.results.frames import accuracy_frame, captured_frame, run_frame, typed
from fctestbed.results.schema import (
    ACCURACY_COLUMNS,
    CAPTURED_COLUMNS,
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    RUN_COLUMNS,
)
from fctestbed.results.store import STORE_NAME, ResultsStore

SWEEP_NAME = "sweep.json"


@dataclass(frozen=True)
class Results:
    """A sweep's results; treat the tables as read-only.

    Args:
        captured: one row per run x readout x quantity x estimator, in bits; columns
            ``CAPTURED_COLUMNS``. An unfinished run is one row of NaN with its status.
        accuracy: one row per run x readout x probe, as fractions; columns ``ACCURACY_COLUMNS``.
            Unfinished runs as above.
        runs: one row per run; columns ``RUN_COLUMNS``, of which ``spec``, ``truth``,
            ``provenance``, ``diagnostics`` and ``warnings`` are JSON text.
        sweep_spec: the sweep that was asked for; empty where exported files do not tell.
        axes: names of further columns of all three tables, after ``unique_ratio``: the fields that
            the sweep varies beside it, by dotted path (``world.observation.noise``).
    """

    captured: pd.DataFrame
    accuracy: pd.DataFrame
    runs: pd.DataFrame
    sweep_spec: dict[str, object]
    axes: tuple[str, ...] = ()


def load_results(directory: str | Path) -> Results:
    """Read a sweep's results.

    Args:
        directory: a sweep's directory, its SQLite file, or a directory of exported files
            (``captured.csv``, ``accuracy.csv``, ``runs.csv``, each perhaps with ``.gz``, and
            ``sweep.json`` if it is there). A store goes before exported files.

    Raises:
        StoreRefused: one line, if the store cannot be read.
        ValueError: one line, if there are no results, or the exported files are unreadable.
    """
    path = Path(directory)
    if path.is_file() or (path / STORE_NAME).is_file():
        with ResultsStore.open_read(path) as store:
            tables = store.tables()
        runs = run_frame(tables.runs)
        return Results(
            captured=captured_frame(runs, tables.captured),
            accuracy=accuracy_frame(runs, tables.accuracy),
            runs=runs,
            sweep_spec=tables.sweep_spec,
        )
    return Results(
        captured=_read_table(path, "captured", CAPTURED_COLUMNS),
        accuracy=_read_table(path, "accuracy", ACCURACY_COLUMNS),
        runs=_read_table(path, "runs", RUN_COLUMNS),
        sweep_spec=_read_sweep(path / SWEEP_NAME),
    )


def _read_table(directory: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    found = [
        path for ending in (".csv", ".csv.gz") if (path := directory / f"{name}{ending}").is_file()
    ]
    if not found:
        raise ValueError(
            f"results: expected {STORE_NAME} or {name}.csv[.gz] in {directory}, got neither"
        )
    if len(found) > 1:
        raise ValueError(f"results: expected one of {found[0]} and {found[1].name}, got both")
    path = found[0]
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
        frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except (OSError, EOFError, UnicodeDecodeError, pd.errors.ParserError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: expected a table in CSV, got: {reason}") from error
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"{path}: expected a table in CSV, got an empty file") from error
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(
            f"{path}: expected the columns {', '.join(columns)}, got no {', '.join(missing)}"
        )
    for column in columns:
        if column in FLOAT_COLUMNS or column in INTEGER_COLUMNS:
            frame[column] = _numbers(frame[column], path, whole=column in INTEGER_COLUMNS)
    return typed(frame, columns)


def _numbers(cells: pd.Series, path: Path, *, whole: bool) -> pd.Series:
    try:
        # Python's own reading of a float is exact; pandas' fast one may differ in the last bit.
        values = [int(cell) if whole else float(cell or "nan") for cell in cells]
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
