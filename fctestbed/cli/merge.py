"""The command ``merge``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.output import emit, print_notes
from fctestbed.sweep import merge_sweeps


def merge(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="DIRECTORY...", help="Two or more sweeps' directories."),
    ],
    out: Annotated[Path, typer.Option(help="The new directory; it must not exist or be empty.")],
    prefer: Annotated[
        Path | None,
        typer.Option(help="The DIRECTORY whose runs are taken where another has others."),
    ] = None,
    allow_plugins: options.AllowPlugins = False,
) -> None:
    """Merge the stores of sweeps that several drivers did into one, each run once.

    The sweeps may differ in ratios, methods, seeds, variants and axes. Encoder files are copied.

    Example: fctestbed merge sweeps/first sweeps/second --out sweeps/all
    """
    with usage_errors():
        merged = merge_sweeps(sources, out, prefer=prefer, allow_plugins=allow_plugins)
    emit(out=out, **asdict(merged))
    print_notes(merged.notes)
    for source, n_runs in zip(sources, merged.n_from, strict=True):
        typer.echo(f"{n_runs} runs from {source}")
    typer.echo(f"{merged.n_runs} runs and {merged.n_encoders} encoder files in {out}")
