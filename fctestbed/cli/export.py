"""The command ``export``."""

from pathlib import Path
from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import check_places, usage_errors
from fctestbed.cli.output import emit, print_notes
from fctestbed.results import export_sweep, write_atomically


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
        if format == "markdown":
            # Their import takes as long as an export.
            from fctestbed.plotting import tables  # noqa: PLC0415
            from fctestbed.results import load_results  # noqa: PLC0415

            results = load_results(directory)
            notes = results.notes
            paths = [
                write_atomically(out / f"{name}.md", text.encode())
                for name, text in tables(results).items()
            ]
        else:
            done = export_sweep(
                directory,
                out,
                format,
                compress=compress,
                digits=digits,
                blocks_only=blocks_only,
            )
            paths, notes = done.files, done.notes
    emit(files=paths, notes=notes)
    print_notes(notes)
    for path in paths:
        typer.echo(path)
