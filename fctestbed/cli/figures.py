"""The commands ``figures`` and ``figures-gaussian``. Imports no torch: nothing is trained."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import check_places, check_ratio, usage_errors
from fctestbed.cli.completion import method_names
from fctestbed.cli.output import emit, print_notes
from fctestbed.plotting import (
    HEATMAP_RATIO,
    draw_figures,
    draw_gaussian_figures,
    gaussian_rows,
)
from fctestbed.results import load_results


def figures(
    directory: options.SweepDirectory,
    out: options.FiguresOut = None,
    heatmap_ratio: Annotated[
        float | None,
        typer.Option(
            help="The heat map's ratio; the nearest one in the rows is drawn; default 0.5."
        ),
    ] = None,
    table_ratio: Annotated[
        float | None, typer.Option(help="The tables' ratio; default the mean over all.")
    ] = None,
    curve_ratios: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated ratios of the rate curves; default lowest, middle, highest."
        ),
    ] = None,
    estimator: Annotated[
        str | None,
        typer.Option(
            help="Whose bits to draw, of those that the rows have; default readings at a rate."
        ),
    ] = None,
    rate: options.Rate = None,
    x: Annotated[
        str | None,
        typer.Option(help="The axis of the curves; default unique_ratio if it varies."),
    ] = None,
    only: options.OnlyFigures = None,
    methods: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated methods to draw; default all.", autocompletion=method_names
        ),
    ] = None,
    labels: options.Labels = None,
    width: options.Width = None,
    formats: options.Formats = "png,pdf",
) -> None:
    """Draw a sweep's figures from its rows.

    Example: fctestbed figures sweeps/quick --only label_bits --width column
    """
    check_ratio("heatmap_ratio", heatmap_ratio)
    check_ratio("table_ratio", table_ratio)
    check_places({"--out": out})
    with usage_errors():
        at = HEATMAP_RATIO if heatmap_ratio is None else heatmap_ratio
        results = load_results(directory, single_bits_at=at)
        paths = draw_figures(
            results,
            out or named_after(directory),
            formats=options.listed(formats),
            heatmap_ratio=heatmap_ratio,
            table_ratio=table_ratio,
            curve_ratios=None if curve_ratios is None else options.ratios(curve_ratios),
            estimator=estimator,
            rate=rate,
            x=x,
            only=None if only is None else options.listed(only),
            methods=None if methods is None else options.listed(methods),
            labels=options.labels_of(labels),
            width=width,
        )
    notes = [*results.notes, *_heat_map_notes(paths)]
    emit(files=paths, notes=notes)
    print_notes(notes)
    for path in paths:
        typer.echo(path)


def figures_gaussian(
    gaussian: Annotated[
        Path, typer.Argument(metavar="DIRECTORY", help="What `fctestbed gaussian` wrote.")
    ],
    out: options.FiguresOut = None,
    formats: options.Formats = "png,pdf",
) -> None:
    """Draw the paper's Gaussian figure, and the same by level, from its rows.

    Example: fctestbed figures-gaussian sweeps/gaussian
    """
    check_places({"--out": out})
    with usage_errors():
        paths = draw_gaussian_figures(
            gaussian_rows(gaussian), out or named_after(gaussian), formats=options.listed(formats)
        )
    for path in paths:
        typer.echo(path)


def _heat_map_notes(paths: Sequence[Path]) -> list[str]:
    """Which unique ratio each heat map shows, from its numbers."""
    found = []
    for path in paths:
        if path.name.startswith("latent_bits") and path.suffix == ".csv":
            with path.open(newline="") as file:
                first = next(csv.DictReader(file))
            found.append(f"{path.stem}: unique ratio {float(first['unique_ratio']):g}")
    return found


def named_after(directory: Path) -> Path:
    """The default directory of the figures of a directory's rows."""
    return Path("figures") / directory.resolve().name
