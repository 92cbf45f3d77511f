"""Tables with the schema's columns and fixed types, and the order of their rows.

Imports pandas. Every run is in every table: an unfinished one as a row without a value.
"""

from collections.abc import Sequence

import pandas as pd

from fctestbed.results.schema import (
    ACCURACY_COLUMNS,
    ACCURACY_VALUES,
    CAPTURED_COLUMNS,
    CAPTURED_VALUES,
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    RUN_COLUMNS,
)

RUN_ORDER = ["method", "variant", "preset", "unique_ratio", "seed", "run_id"]


def run_frame(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """The run table, one row per run, from tuples in the order of ``RUN_COLUMNS``."""
    return _ordered(typed(pd.DataFrame(rows, columns=list(RUN_COLUMNS)), RUN_COLUMNS))


def captured_frame(runs: pd.DataFrame, rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """The captured table, in bits, from the run table and tuples of run id and values."""
    return _joined(runs, rows, CAPTURED_VALUES, CAPTURED_COLUMNS)


def accuracy_frame(runs: pd.DataFrame, rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """The accuracy table, as fractions, from the run table and tuples of run id and values."""
    return _joined(runs, rows, ACCURACY_VALUES, ACCURACY_COLUMNS)


def typed(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The frame with these columns only, as float64, int64 or text; a missing number is NaN."""
    types = {
        name: "float64" if name in FLOAT_COLUMNS else "int64" if name in INTEGER_COLUMNS else "str"
        for name in columns
    }
    return frame[list(columns)].astype(types)


def _joined(
    runs: pd.DataFrame,
    rows: Sequence[tuple[object, ...]],
    values: Sequence[str],
    columns: Sequence[str],
) -> pd.DataFrame:
    keys = [name for name in columns if name not in values]
    frame = pd.DataFrame(rows, columns=["run_id", *values])
    unfinished = runs.loc[runs["status"] != "ok", ["run_id"]]
    blank = {
        name: 0 if name in INTEGER_COLUMNS else float("nan") if name in FLOAT_COLUMNS else ""
        for name in values
    }
    if "bound" in blank:
        blank["bound"] = "none"
    parts = [part for part in (frame, unfinished.assign(**blank)) if len(part)]
    if not parts:
        return typed(pd.DataFrame(columns=list(columns)), columns)
    typed_parts = [typed(part, ["run_id", *values]) for part in parts]
    merged = runs[keys].merge(pd.concat(typed_parts), on="run_id", how="inner")
    return _ordered(typed(merged, columns))


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    # Stable, so that a run's own rows keep the order in which they were measured.
    return frame.sort_values(RUN_ORDER, kind="stable", ignore_index=True)
