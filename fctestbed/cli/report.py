"""The table at a sweep's end, on stdout."""

import json
from collections import Counter
from collections.abc import Iterable

import typer
from rich.table import Table

from fctestbed.cli.display import ProgressConsole
from fctestbed.plotting import SummaryRow, summary_table
from fctestbed.results import Results

_SHOWN_PROBLEMS = 5
_MOST_COLUMNS = 11


def print_summary(results: Results) -> None:
    """Print the label bits captured, by method and ratio, with the exact totals; then warnings and
    the runs that are not ok."""
    rows = summary_table(results)
    typer.echo("Label bits captured (joint readout, linear probe), mean over seeds:")
    # A sweep of further axes has a table for each combination of their values.
    for world in dict.fromkeys(row.world for row in rows) or [""]:
        if world:
            typer.echo(f"{world}:")
        _print_world([row for row in rows if row.world == world])
    _print_problems(results)


def print_notes(notes: Iterable[str]) -> None:
    """Print on stderr what a reader has to know of rows."""
    for note in notes:
        typer.echo(f"note: {note}", err=True)


def _print_world(rows: list[SummaryRow]) -> None:
    ratios = sorted({row.unique_ratio for row in rows})
    shown = ratios if len(ratios) <= _MOST_COLUMNS else ratios[:: -(-len(ratios) // _MOST_COLUMNS)]
    table = Table()
    table.add_column("unique ratio", no_wrap=True)
    for ratio in shown:
        table.add_column(f"{ratio:g}", justify="right", no_wrap=True)
    cells = {(row.label, row.unique_ratio): row for row in rows}
    totals = {row.unique_ratio: row.total_bits for row in rows}
    table.add_row("exact total", *(_number(totals.get(ratio)) for ratio in shown), style="bold")
    for label in dict.fromkeys(row.label for row in rows):
        found = (cells.get((label, ratio)) for ratio in shown)
        table.add_row(label, *(_number(row.label_bits if row else None) for row in found))
    ProgressConsole(width=max(100, ProgressConsole().width)).print(table)


def _print_problems(results: Results) -> None:
    for warning, count in Counter(_warnings(results)).most_common():
        typer.echo(f"warning: {warning} in {count} runs")
    # Of the whole sweep, also the runs that were done before. A run that serves several values of
    # an axis is in the table once for each.
    unfinished = results.runs[results.runs["status"] != "ok"].drop_duplicates("run_id")
    for run in unfinished[:_SHOWN_PROBLEMS].to_dict(orient="records"):
        values = "".join(f", {axis}={run[axis]}" for axis in results.axes)
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
