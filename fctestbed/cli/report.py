"""The table at a sweep's end, on stdout."""

import json
from dataclasses import asdict

import typer

from fctestbed._messages import with_ranges, without_numbers
from fctestbed.cli.output import emit
from fctestbed.cli.tables import plain_table
from fctestbed.plotting import (
    SummaryRow,
    choose_yardstick,
    summary_table,
    value_text,
    value_texts,
)
from fctestbed.results import Results

_SHOWN_PROBLEMS = 5
_WIDTH = 80
_RATIO = "unique_ratio"
# Not the digits of a name, such as those of Z_S1.


def print_summary(results: Results, rate: float | None = None) -> None:
    """Print the label bits read, by method and axis value, with the exact totals; then warnings and
    the runs that are not ok.

    Args:
        results: the rows.
        rate: the rate at which they are read; None for the default of the figures.

    Raises:
        ValueError: one line, for a rate that was not measured.
    """
    rows = summary_table(results, rate)
    emit(summary=[asdict(row) for row in rows])
    along = rows[0].axis if rows else _RATIO
    at = "" if along == _RATIO else f", at unique ratio {value_text(rows[0].unique_ratio)}"
    read = choose_yardstick(results, rate=rate).text
    typer.echo(f"Label bits {read} (joint readout), mean over seeds{at}:")
    # A sweep of further axes has a table for each combination of their values, or for each axis.
    for axis, world in dict.fromkeys((row.axis, row.world) for row in rows):
        if world:
            typer.echo(f"{world}:")
        _print_world([row for row in rows if (row.axis, row.world) == (axis, world)], axis)
    _print_problems(results)


def _print_world(rows: list[SummaryRow], along: str) -> None:
    """A table of at most 80 columns: with too many values, every second or third one is shown."""
    values = list(dict.fromkeys(row.value for row in rows))
    cells = {(row.label, row.value): row.label_bits for row in rows}
    totals = {("exact total", row.value): row.total_bits for row in rows}
    names = ["exact total", *dict.fromkeys(row.label for row in rows)]
    for step in range(1, len(values) + 1):
        shown = values[::step]
        heads = ["unique ratio" if along == _RATIO else along, *value_texts(shown)]
        table = [
            [name, *(_number((totals | cells).get((name, value))) for value in shown)]
            for name in names
        ]
        lines = plain_table(heads, table, left=1, width=_WIDTH)
        if max(map(len, lines)) <= _WIDTH:
            break
    for line in lines:
        typer.echo(line)
    if len(shown) < len(values):
        typer.echo(f"({len(shown)} of {len(values)} values shown)")


def _print_problems(results: Results) -> None:
    alike: dict[str, list[str]] = {}
    for warning in _warnings(results):
        alike.setdefault(without_numbers(warning), []).append(warning)
    for warnings in sorted(alike.values(), key=len, reverse=True):
        typer.echo(f"warning: {with_ranges(warnings)} in {len(warnings)} runs")
    # Of the whole sweep, also the runs that were done before. A run that serves several values of
    # an axis is in the table once for each.
    unfinished = results.runs[results.runs["status"] != "ok"].drop_duplicates("run_id")
    for run in unfinished[:_SHOWN_PROBLEMS].to_dict(orient="records"):
        values = "".join(f", {axis}={value_text(run[axis])}" for axis in results.axes)
        typer.echo(
            f"not ok: {run['method']} at ratio {run['unique_ratio']:g}{values}, "
            f"seed {run['seed']}: {run['status']}: {run['reason']}"
        )
    if len(unfinished) > _SHOWN_PROBLEMS:
        typer.echo(f"not ok: {len(unfinished) - _SHOWN_PROBLEMS} more runs")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _warnings(results: Results) -> list[str]:
    runs = results.runs.drop_duplicates("run_id")
    return [
        f"{method}: {warning}"
        for method, warnings in zip(runs["method"], runs["warnings"], strict=True)
        for warning in json.loads(warnings)
    ]
