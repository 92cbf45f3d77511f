"""The command ``export``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from fctestbed.cli import options
from fctestbed.cli.checks import check_places, usage_errors
from fctestbed.cli.output import emit
from fctestbed.results import export_results, load_results, write_atomically


def export(
    directory: options.SweepDirectory,
    out: Annotated[Path, typer.Option(help="Directory to write to.")],
    format: Annotated[
        str,
        typer.Option(
            help="csv, json, parquet; hf: parquet and a data-set card; or markdown: the paper's "
            "tables."
        ),
    ] = "csv",
    compress: Annotated[bool, typer.Option("--compress", help="Write .csv.gz.")] = False,
    blocks_only: Annotated[
        bool, typer.Option("--blocks-only", help="Leave out the rows of single latent bits.")
    ] = False,
    digits: Annotated[
        int | None,
        typer.Option(help="Significant digits of measured numbers; default all that they have."),
    ] = None,
) -> None:
    """Write a sweep's rows (captured, accuracy, runs) as files, or its tables as Markdown.

    Example: fctestbed export sweeps/quick --out rows
    """
    check_places({"--out": out})
    with usage_errors():
        results = load_results(directory)
        if blocks_only:
            results = replace(
                results, captured=_blocks(results.captured), along=_blocks(results.along)
            )
        if format == "markdown":
            # Its import takes as long as an export.
            from fctestbed.plotting import tables  # noqa: PLC0415

            paths = [
                write_atomically(out / f"{name}.md", text.encode())
                for name, text in tables(results).items()
            ]
        else:
            paths = export_results(results, out, format=format, compress=compress, digits=digits)
    emit(files=paths, notes=results.notes)
    for note in results.notes:
        typer.echo(f"note: {note}", err=True)
    for path in paths:
        typer.echo(path)


def _blocks(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without those of single bits."""
    return rows[~rows["quantity"].str.endswith("]", na=False)]
