"""The tables of a report: label bits, controls, all captured bits, figures' numbers, alarms.

May import numpy, pandas, ``fctestbed.plotting``, ``fctestbed.results`` and ``fctestbed.claims``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan
from typing import Any

import numpy as np
import pandas as pd

from fctestbed.claims import PairedDifferences, simultaneous_interval
from fctestbed.plotting import SummaryRow, Yardstick, summary_table, value_text, value_texts
from fctestbed.reporting.alarms import Alarm
from fctestbed.reporting.label_bits import RATIO, RAW, SUPERVISED, UNTRAINED, LabelBits
from fctestbed.reporting.wording import MINUS, bits_text, interval_text
from fctestbed.results import Results

MOST_WORLD_TABLES = 8
"""The tables of label bits that a report has, one for each combination of further axes."""
MOST_FIGURE_ROWS = 250
"""The rows of a figure's numbers that a report has."""
_SIGNIFICANT, _FIXED = ".4g", "z.3f"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its header.
        is_number: whether its cells are numbers, perhaps with an interval after them.
        is_choice: whether readers choose rows by its values.
    """

    name: str
    is_number: bool = False
    is_choice: bool = False


@dataclass(frozen=True)
class Table:
    """A table as texts.

    Attributes:
        name: an identifier of the page.
        caption: what it is.
        columns: the first is the header of each row.
        rows: a text for each column.
        note: what a reader has to know; empty for nothing.
        command: what makes its numbers; empty for what the caption says.
        has_filter: whether readers can choose rows.
        first: rows that stay on top, as ``rows``.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[list[str]]
    note: str = ""
    command: str = ""
    has_filter: bool = False
    first: list[list[str]] = field(default_factory=list)


def label_tables(results: Results, yardstick: Yardstick, command: str) -> tuple[list[Table], int]:
    """Label bits by method and value of the axis, a table for each combination of further axes.

    Args:
        results: the rows.
        yardstick: how they were read.
        command: what makes the numbers.

    Returns:
        The tables, and how many more there are.
    """
    rows = summary_table(results, yardstick.rate_bits)
    keys = list(dict.fromkeys((row.axis, row.world) for row in rows))
    tables = [
        _label_table(
            [row for row in rows if (row.axis, row.world) == key], f"label-bits-{place}", command
        )
        for place, key in enumerate(keys[:MOST_WORLD_TABLES])
    ]
    return tables, max(0, len(keys) - MOST_WORLD_TABLES)


def _label_table(rows: Sequence[SummaryRow], name: str, command: str) -> Table:
    axis, world, yardstick = rows[0].axis, rows[0].world, rows[0].yardstick
    values = list(dict.fromkeys(row.value for row in rows))
    cells = {(row.label, row.value): row for row in rows}
    totals = {row.value: row.total_bits for row in rows}
    along = "unique ratio" if axis == RATIO else axis
    at = "" if axis == RATIO else f", unique ratio {value_text(rows[0].unique_ratio)}"
    first = [["Exact total", *(bits_text(_number(totals[value])) for value in values)]]
    if yardstick.rate_bits is not None:
        ceilings = (min(yardstick.limit_bits, _number(totals[value])) for value in values)
        first.append(["Ceiling", *map(bits_text, ceilings)])
    return Table(
        name=name,
        caption=f"Label bits {yardstick.text}, by method and {along}{at}"
        f"{f', {world}' if world else ''}: mean and 95 % interval (Student t) over seeds",
        columns=(
            Column("method"),
            *(Column(f"{_short(along)} {text}", is_number=True) for text in value_texts(values)),
        ),
        rows=[
            [label, *(_mean_text(cells.get((label, value))) for value in values)]
            for label in dict.fromkeys(row.label for row in rows)
        ],
        first=first,
        note="" if len(first) < 2 else "The ceiling is min(R, exact total).",
        command=command,
    )


def _short(along: str) -> str:
    return "\N{GREEK SMALL LETTER RHO} =" if along == "unique ratio" else f"{along} ="


def _mean_text(row: SummaryRow | None) -> str:
    if row is None:
        return ""
    if row.label_bits is None:
        return "no finished run"
    half = "" if row.half_interval_bits is None else f" ± {row.half_interval_bits:.2f}"
    unfinished = f" ({row.n_unfinished} unfinished)" if row.n_unfinished else ""
    return f"{row.label_bits:z.2f}{half}{unfinished}".replace("-", MINUS)


def controls_table(found: LabelBits, command: str) -> Table | None:
    """Paired differences of each method from each control, averaged over the worlds.

    Args:
        found: the label bits.
        command: what makes the numbers.

    Returns:
        The table; None without a control or a method.
    """
    controls = [
        place
        for place in (found.control(name) for name in (UNTRAINED, RAW, SUPERVISED))
        if place is not None
    ]
    methods = found.methods
    if not controls or not methods:
        return None
    averages = found.averages
    summary = PairedDifferences.of(
        np.array([averages[m] - averages[c] for m in methods for c in controls])
    )
    low, high = simultaneous_interval(summary)
    rows = []
    for place, method in enumerate(methods):
        own = slice(place * len(controls), (place + 1) * len(controls))
        ends = zip(summary.mean[own], low[own], high[own], strict=True)
        rows.append(
            [
                found.series[method].label,
                _average_text(averages[method]),
                *(interval_text(*map(float, three)) for three in ends),
            ]
        )
    return Table(
        name="controls",
        caption=f"Label bits {found.yardstick.text}, averaged over all worlds, and their "
        "difference from each control, paired over seeds",
        columns=(
            Column("method"),
            Column("average", is_number=True),
            *(Column(f"minus {found.series[c].label}", is_number=True) for c in controls),
        ),
        rows=rows,
        note="The intervals in brackets hold all differences of this table at once with 95 % "
        "(Student t, Bonferroni). A cell is empty where no seed finished in every world.",
        command=command,
    )


def _average_text(values: Any) -> str:
    known = values[np.isfinite(values)]
    return bits_text(float(known.mean())) if len(known) else ""


def frame_table(
    frame: pd.DataFrame,
    *,
    name: str,
    caption: str,
    command: str,
    choices: Sequence[str] = (),
    fixed: Sequence[str] = (),
) -> Table:
    """A table of a data frame, a column of texts first.

    Args:
        frame: its columns are names; numbers have four significant digits.
        name: an identifier of the page.
        caption: what it is.
        command: what makes its numbers.
        choices: columns by whose values readers choose rows.
        fixed: columns of numbers with three digits after the point.
    """
    own = [str(column) for column in frame.columns]
    return Table(
        name=name,
        caption=caption,
        columns=tuple(
            Column(
                column.replace("_", " "),
                is_number=pd.api.types.is_numeric_dtype(frame[column])
                and not pd.api.types.is_bool_dtype(frame[column]),
                is_choice=column in choices,
            )
            for column in own
        ),
        rows=[
            [
                _cell(value, _FIXED if column in fixed else _SIGNIFICANT)
                for column, value in zip(own, row, strict=True)
            ]
            for row in frame.itertuples(index=False)
        ],
        command=command,
        has_filter=bool(choices),
    )


def numbers_table(numbers: pd.DataFrame, *, name: str, caption: str, command: str) -> Table:
    """The numbers of a figure; of many the first, as the caption says."""
    n = len(numbers)
    most = f" (the first {MOST_FIGURE_ROWS} of {n} rows)" if n > MOST_FIGURE_ROWS else ""
    return frame_table(
        numbers.head(MOST_FIGURE_ROWS), name=name, caption=f"{caption}{most}", command=command
    )


def alarms_table(alarms: Sequence[Alarm]) -> Table:
    """The alarms as a table."""
    return Table(
        name="alarms-table",
        caption="Alarms by kind and method",
        columns=(
            Column("kind", is_choice=True),
            Column("method", is_choice=True),
            Column("what happened"),
            Column("runs or cells", is_number=True),
            Column("where"),
        ),
        rows=[
            [alarm.kind, alarm.series, alarm.text, str(len(alarm.places)), alarm.where]
            for alarm in alarms
        ],
    )


def pairs_table(name: str, caption: str, rows: Iterator[tuple[str, str]] | Sequence[Any]) -> Table:
    """Names and their values as a table."""
    return Table(name, caption, (Column("name"), Column("value")), [list(row) for row in rows])


def _cell(value: Any, form: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if value is None:
        return ""
    number = float(value)
    if isnan(number):
        return ""
    if not isfinite(number):
        return "∞" if number > 0 else f"{MINUS}∞"
    return format(number, form).replace("-", MINUS)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
