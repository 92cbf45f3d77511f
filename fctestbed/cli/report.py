"""The table at a sweep's end, on stdout."""

import json
from collections import Counter

import typer
from rich.console import Console
from rich.table import Table

from fctestbed.plotting import summary_table
from fctestbed.results import Results

_SHOWN_PROBLEMS = 5
_MOST_COLUMNS = 11


def print_summary(results: Results) -> None:
    """Print the label bits captured, by method and ratio, with the exact totals; then warnings and
    the runs that are not ok."""
    rows = summary_table(results)
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
    typer.echo("Label bits captured (joint readout, linear probe), mean over seeds:")
    Console(width=max(100, Console().width)).print(table)
    for warning, count in Counter(_warnings(results)).most_common():
        typer.echo(f"warning: {warning} in {count} runs")
    # Of the whole sweep, also the runs that were done before.
    unfinished = results.runs[results.runs["status"] != "ok"]
    for run in unfinished[:_SHOWN_PROBLEMS].itertuples():
        typer.echo(
            f"not ok: {run.method} at ratio {run.unique_ratio:g}, seed {run.seed}: "
            f"{run.status}: {run.reason}"
        )
    if len(unfinished) > _SHOWN_PROBLEMS:
        typer.echo(f"not ok: {len(unfinished) - _SHOWN_PROBLEMS} more runs")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _warnings(results: Results) -> list[str]:
    return [
        f"{method}: {warning}"
        for method, warnings in zip(results.runs["method"], results.runs["warnings"], strict=True)
        for warning in json.loads(warnings)
    ]
