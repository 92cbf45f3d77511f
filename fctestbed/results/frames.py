"""Tables with the schema's columns and fixed types, and the order of their rows.

Imports pandas. Every run is in every table: an unfinished one as a row without a value.
"""

from collections.abc import Sequence

import pandas as pd

from fctestbed.results.database import NO_AXES, AxisCells
from fctestbed.results.schema import (
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    RUN_COLUMNS,
    AxisValue,
    ValueTable,
    axes_of,
    with_axes,
)

RUN_ORDER = ("method", "variant", "preset", "unique_ratio", "seed", "run_id")


def run_frame(rows: Sequence[tuple[object, ...]], axes: AxisCells = NO_AXES) -> pd.DataFrame:
    """The run table, from tuples in the order of ``RUN_COLUMNS``: one row per run, or per cell of
    the axes that a run serves."""
    frame = typed(pd.DataFrame(rows, columns=list(RUN_COLUMNS)), RUN_COLUMNS)
    if axes.axes:
        columns = zip(*(values for _, values in axes.cells), strict=True)
        cells = pd.DataFrame(
            {path: axis_column(column) for path, column in zip(axes.axes, columns, strict=True)}
        )
        cells.insert(0, "run_id", pd.Series([run for run, _ in axes.cells], dtype="str"))
        frame = frame.merge(cells, on="run_id", how="inner")[with_axes(RUN_COLUMNS, axes.axes)]
    return _ordered(frame)


def axis_column(values: Sequence[AxisValue]) -> pd.Series:
    """An axis's column: of truth values, whole numbers, numbers or text, whatever holds all."""
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return pd.Series(values, dtype="bool")
    if kinds == {int}:
        return pd.Series(values, dtype="int64")
    if kinds <= {int, float}:
        return pd.Series(values, dtype="float64")
    return pd.Series([str(value) for value in values], dtype="str")


def typed(frame: pd.DataFrame, columns: Sequence[str], axes: Sequence[str] = ()) -> pd.DataFrame:
    """The frame with these columns only, as float64, int64 or text; a missing number is NaN.

    Columns of axes keep their types and follow the unique ratio.
    """
    types = {
        name: "float64" if name in FLOAT_COLUMNS else "int64" if name in INTEGER_COLUMNS else "str"
        for name in columns
    }
    return frame[with_axes(columns, axes) if axes else list(columns)].astype(types)


def value_frame(
    table: ValueTable, runs: pd.DataFrame, rows: Sequence[tuple[object, ...]]
) -> pd.DataFrame:
    """The frame of a table of rows, from the run table and tuples of run id and values."""
    values, columns = table.values, table.columns
    axes = axes_of(list(runs.columns))
    keys = [name for name in with_axes(columns, axes) if name not in values]
    frame = pd.DataFrame(rows, columns=["run_id", *values])
    unfinished = runs.loc[runs["status"] != "ok", ["run_id"]].drop_duplicates()
    if not table.has_unfinished:
        unfinished = unfinished[:0]
    blank = {
        name: 0 if name in INTEGER_COLUMNS else float("nan") if name in FLOAT_COLUMNS else ""
        for name in values
    }
    if "bound" in blank:
        blank["bound"] = "none"
    parts = [part for part in (frame, unfinished.assign(**blank)) if len(part)]
    if not parts:
        return typed(pd.DataFrame(columns=with_axes(columns, axes)), columns, axes)
    typed_parts = [typed(part, ["run_id", *values]) for part in parts]
    merged = runs[keys].merge(pd.concat(typed_parts), on="run_id", how="inner")
    return _ordered(typed(merged, columns, axes))


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    # Stable, so that a run's own rows keep the order in which they were measured.
    order = with_axes(RUN_ORDER, axes_of(list(frame.columns)))
    return frame.sort_values(order, kind="stable", ignore_index=True)
