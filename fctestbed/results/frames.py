"""Tables with the schema's columns and fixed types, and the order of their rows.

Imports pandas. Every run is in every table: an unfinished one as a row without a value.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fctestbed.results.columns import RUN_ID, Array, RowColumns
from fctestbed.results.database import NO_AXES, AxisCells
from fctestbed.results.schema import (
    FLOAT_COLUMNS,
    INTEGER_COLUMNS,
    RUN_COLUMNS,
    AxisValue,
    ValueTable,
    axes_of,
    axis_kind,
    blank_values,
    with_axes,
)

_TYPES: dict[type, str] = {bool: "bool", int: "int64", float: "float64", str: "str"}
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
    """An axis's column, of the type that holds all values."""
    kind = axis_kind(values)
    return pd.Series([kind(value) for value in values], dtype=_TYPES[kind])


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
    table: ValueTable, runs: pd.DataFrame, rows: RowColumns | Iterable[tuple[object, ...]]
) -> pd.DataFrame:
    """The frame of a table of rows, from the run table and rows of run id and values.

    Args:
        table: the table.
        runs: the run table.
        rows: the rows; columns are used up.
    """
    columns = rows if isinstance(rows, RowColumns) else RowColumns(table, rows)
    owners, sources = _places(table, runs, *columns.take(RUN_ID))
    axes = axes_of(list(runs.columns))
    blanks = dict(zip(table.values, blank_values(table), strict=True))
    frame: dict[str, Any] = {}
    for name in with_axes(table.columns, axes):
        if name in table.values:
            frame[name] = _at(*columns.take(name), sources, blanks[name])
        else:
            frame[name] = runs[name].array.take(owners)
    return typed(pd.DataFrame(frame, copy=False), table.columns, axes)


def _places(
    table: ValueTable, runs: pd.DataFrame, places: Array, run_ids: Sequence[str]
) -> tuple[Array, Array]:
    """For each row of a frame, its row in the run table and its stored row, or -1 for the row
    without a value that an unfinished run has.

    Args:
        table: the table.
        runs: the run table.
        places: for each stored row, which of ``run_ids`` is its run.
        run_ids: ids of runs that have rows.
    """
    known = {run_id: place for place, run_id in enumerate(run_ids)}
    own = np.array([known.get(run_id, -1) for run_id in runs["run_id"]], dtype=np.int64)
    n_rows = np.append(np.bincount(places, minlength=len(run_ids)), 0)
    first = np.append(0, np.cumsum(n_rows))[:-1]
    blanks = (runs["status"] != "ok").to_numpy(dtype=np.int64) * table.has_unfinished
    lengths = n_rows[own] + blanks
    owners = np.repeat(np.arange(len(runs)), lengths)
    within = np.arange(len(owners)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    is_stored = within < n_rows[own][owners]
    # Stable, so that a run's own rows keep the order in which they were measured.
    order = np.append(np.argsort(places, kind="stable"), -1)
    stored = np.where(is_stored, first[own][owners] + within, len(places))
    return owners, order[stored]


def _at(values: Array, texts: list[str], sources: Array, blank: str | float) -> Any:
    """A column's values at some places; the blank one at -1."""
    if not isinstance(blank, str):
        return np.append(values, blank).astype(values.dtype)[sources]
    places = np.append(values, len(texts))[sources]
    return pd.Series([*texts, blank], dtype="str").array.take(places)


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    # Stable, so that a run's own rows keep the order in which they were measured.
    order = with_axes(RUN_ORDER, axes_of(list(frame.columns)))
    return frame.sort_values(order, kind="stable", ignore_index=True)
