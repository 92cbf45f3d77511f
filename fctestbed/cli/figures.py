"""The commands ``figures`` and ``export``: from a store alone."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    from fctestbed.results import Results

Directory = Annotated[
    Path, typer.Argument(help="A sweep's directory (its store, or exported rows).")
]


def figures(
    directory: Annotated[
        Path | None, typer.Argument(help="A sweep's directory (its store, or exported rows).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where to write; default figures/NAME of the sweep.")
    ] = None,
    heatmap_ratio: Annotated[
        float | None, typer.Option(help="The heat map's ratio; default 0.5.")
    ] = None,
    table_ratio: Annotated[
        float | None, typer.Option(help="The tables' ratio; default the mean over all.")
    ] = None,
    estimator: Annotated[
        str, typer.Option(help="Whose bits to draw, of those that the rows have.")
    ] = "linear_probe",
    x: Annotated[
        str | None,
        typer.Option("--x", help="The axis of curves: unique_ratio, or another that was swept."),
    ] = None,
    formats: Annotated[str, typer.Option(help="Comma-separated: png, pdf, svg.")] = "png,pdf",
    gaussian: Annotated[
        Path | None,
        typer.Option(help="Instead: the Gaussian figure, from what `fctestbed gaussian` wrote."),
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(help="Instead: the calibration, from what `fctestbed calibrate` wrote."),
    ] = None,
) -> None:
    """Draw a sweep's figures from its rows; nothing is trained.

    Example: fctestbed figures sweeps/quick
    """
    from fctestbed.plotting import draw_figures  # noqa: PLC0415 - --help is quick

    given = [name for name in (directory, gaussian, calibration) if name is not None]
    if len(given) != 1:
        raise UsageError(
            "DIRECTORY: expected one of a sweep's directory, --gaussian and --calibration, got "
            + ("several" if given else "none")
        )
    if gaussian is not None:
        _draw_gaussian(gaussian, out, formats)
        return
    if calibration is not None:
        _draw_calibration(calibration, out, formats)
        return
    assert directory is not None
    for name, ratio in (("--heatmap-ratio", heatmap_ratio), ("--table-ratio", table_ratio)):
        if ratio is not None and not 0 <= ratio <= 1:
            raise UsageError(f"{name}: expected a number from 0 to 1, got {ratio:g}")
    results = _load(directory)
    out = out or Path("figures") / directory.resolve().name
    try:
        paths = draw_figures(
            results,
            out,
            formats=_parts(formats),
            heatmap_ratio=heatmap_ratio,
            table_ratio=table_ratio,
            estimator=estimator,
            x=x,
        )
    except ValueError as error:
        raise UsageError.of(error) from error
    for path in paths:
        typer.echo(path)


def _draw_gaussian(directory: Path, out: Path | None, formats: str) -> None:
    from fctestbed.plotting import (  # noqa: PLC0415 - --help is quick
        draw_gaussian_figures,
        gaussian_rows,
    )

    out = out or Path("figures") / directory.resolve().name
    try:
        paths = draw_gaussian_figures(gaussian_rows(directory), out, formats=_parts(formats))
    except ValueError as error:
        raise UsageError.of(error) from error
    for path in paths:
        typer.echo(path)


def _draw_calibration(directory: Path, out: Path | None, formats: str) -> None:
    from fctestbed.calibration import read_calibration  # noqa: PLC0415 - --help is quick
    from fctestbed.cli.calibrate_truths import ROWS, draw_rows  # noqa: PLC0415
    from fctestbed.plotting import check_formats  # noqa: PLC0415

    out = out or Path("figures") / directory.resolve().name
    try:
        check_formats(_parts(formats))
        paths = draw_rows(read_calibration(directory / ROWS), out, _parts(formats))
    except ValueError as error:
        raise UsageError.of(error) from error
    for path in paths:
        typer.echo(path)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def export(
    directory: Directory,
    out: Annotated[Path, typer.Option(help="Directory to write to.")],
    format_: Annotated[
        str, typer.Option("--format", help="csv, json, parquet; or markdown: the paper's tables.")
    ] = "csv",
    compress: Annotated[bool, typer.Option("--compress", help="Write .csv.gz.")] = False,
    blocks_only: Annotated[
        bool, typer.Option("--blocks-only", help="Leave out the rows of single latent bits.")
    ] = False,
) -> None:
    """Write a sweep's rows (captured, accuracy, runs) as files, or its tables as Markdown.

    Example: fctestbed export sweeps/quick --out rows
    """
    from fctestbed.plotting import tables  # noqa: PLC0415 - --help is quick
    from fctestbed.results import export_results, write_atomically  # noqa: PLC0415

    results = _load(directory)
    if blocks_only:
        single = results.captured["quantity"].str.endswith("]", na=False)
        results = replace(results, captured=results.captured[~single])
    try:
        if format_ == "markdown":
            paths = [
                write_atomically(out / f"{name}.md", text.encode())
                for name, text in tables(results).items()
            ]
        else:
            paths = export_results(results, out, format=format_, compress=compress)
    except ValueError as error:
        raise UsageError.of(error) from error
    for path in paths:
        typer.echo(path)


def _load(directory: Path) -> "Results":
    from fctestbed.results import load_results  # noqa: PLC0415 - --help is quick

    try:
        return load_results(directory)
    except ValueError as error:
        raise UsageError(str(error)) from error
