"""The commands ``figures-calibration`` and ``figures-readouts``. Nothing is estimated."""

from pathlib import Path
from typing import Annotated

import typer

from fctestbed.calibration import read_calibration, read_readout_rows
from fctestbed.cli import calibrate, calibrate_readouts, options
from fctestbed.cli.checks import check_places, usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.cli.figures import named_after
from fctestbed.plotting import check_formats, draw_readout_figures
from fctestbed.results import write_atomically


def figures_calibration(
    directory: Annotated[
        Path, typer.Argument(metavar="DIRECTORY", help="What `fctestbed calibrate` wrote.")
    ],
    out: options.FiguresOut = None,
    formats: options.Formats = "png,pdf",
) -> None:
    """Draw a calibration from its rows.

    Example: fctestbed figures-calibration calibration
    """
    endings = options.listed(formats)
    check_places({"--out": out})
    with usage_errors():
        check_formats(endings)
        rows = read_calibration(directory / calibrate.ROWS)
        paths = calibrate.draw(rows, out or named_after(directory), endings)
    for path in paths:
        typer.echo(path)


def figures_readouts(
    rows: Annotated[
        list[Path],
        typer.Argument(
            metavar="ROWS", help="What `fctestbed calibrate-readouts` wrote, as DIR or its file."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Where to write.")],
    joined: Annotated[
        Path | None, typer.Option(help="A CSV file to write the rows of all of them to.")
    ] = None,
    formats: options.Formats = "png,pdf",
) -> None:
    """Draw the calibration on readouts from its rows, several directories' together.

    Of a cell and repetition that two of them have, the later one's row is drawn.

    Example: fctestbed figures-readouts rows0 rows1 --out figures/readouts
    """
    endings = options.listed(formats)
    check_places({"--out": out, "--joined": None if joined is None else joined.parent})
    with usage_errors():
        check_formats(endings)
        for path in rows:
            if path.exists() and not (path.is_file() or path.is_dir()):
                raise UsageError(f"ROWS: expected a directory or a regular file, got {path}")
        found = read_readout_rows(
            [path / calibrate_readouts.ROWS if path.is_dir() else path for path in rows]
        )
        if joined is not None:
            typer.echo(write_atomically(joined, calibrate.csv_bytes(found)))
        paths = draw_readout_figures(found, out, endings)
    for path in paths:
        typer.echo(path)
