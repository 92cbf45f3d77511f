"""The command ``report``. Imports no torch: nothing is trained."""

from pathlib import Path
from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import check_places, check_rate, usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.plotting import HEATMAP_RATIO
from fctestbed.reporting import write_report
from fctestbed.results import load_results


def report(
    directory: options.SweepDirectory,
    out: Annotated[
        Path | None, typer.Option(help="The file to write; default report.html in DIRECTORY.")
    ] = None,
    rate: options.Rate = None,
) -> None:
    """Write a sweep's report: one HTML file with verdict, figures, tables and alarms, which loads
    nothing.

    Example: fctestbed report sweeps/quick
    """
    check_rate(rate)
    if out is not None:
        if out.is_dir():
            raise UsageError(f"--out: expected a file to write, got the directory {out}")
        check_places({"--out": out.parent})
    with usage_errors():
        results = load_results(directory, single_bits_at=HEATMAP_RATIO)
        path = write_report(directory, out, rate=rate, results=results)
    for note in results.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(path)
