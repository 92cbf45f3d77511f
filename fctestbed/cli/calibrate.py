"""The command ``calibrate``: estimators in court."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd


def calibrate(
    out: Annotated[Path, typer.Option(help="Directory of rows and summary (CSV) and figures.")],
    estimators: Annotated[
        str | None, typer.Option(help="Comma-separated estimators; the default is all of them.")
    ] = None,
    n: Annotated[str, typer.Option("--n", help="Numbers of samples.")] = "200,1000",
    repetitions: Annotated[int, typer.Option(help="Most repetitions of a cell.")] = 200,
    cell_seconds: Annotated[
        float, typer.Option(help="No further repetitions of a cell after so long (3 are done).")
    ] = 5.0,
    seed: Annotated[int, typer.Option(help="Of the samples.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes; default one per core.")] = None,
) -> None:
    """Put estimators on known truths: bias, spread, coverage of the interval, seconds.

    Example: fctestbed calibrate --estimators ksg1,ksg2 --out calibration
    """
    from rich.console import Console  # noqa: PLC0415 - --help is quick
    from rich.progress import Progress  # noqa: PLC0415

    from fctestbed.calibration import calibrate as run  # noqa: PLC0415
    from fctestbed.calibration import summarise  # noqa: PLC0415
    from fctestbed.estimators import ESTIMATORS  # noqa: PLC0415
    from fctestbed.results import write_atomically  # noqa: PLC0415
    from fctestbed.sweep.worker import available_cores  # noqa: PLC0415

    names = list(ESTIMATORS) if estimators is None else _listed(estimators)
    for name in names:
        if name not in ESTIMATORS:
            raise UsageError(
                f"--estimators: expected some of {', '.join(ESTIMATORS)}, got {name!r}"
            )
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("cells", total=None)
        try:
            rows = run(
                {name: ESTIMATORS[name]() for name in names},
                n=_sizes(n),
                repetitions=repetitions,
                cell_seconds=cell_seconds,
                seed=seed,
                workers=available_cores() if workers is None else workers,
                report=lambda done, total: progress.update(task, completed=done, total=total),
            )
        except ValueError as error:
            raise UsageError.of(error) from error
    summary = summarise(rows)
    try:
        for name, table in (("rows", rows), ("summary", summary)):
            text = table.to_csv(index=False, lineterminator="\n", float_format="%.6g")
            typer.echo(write_atomically(out / f"{name}.csv", text.encode()))
        for path in _draw(summary, out):
            typer.echo(path)
    except ValueError as error:
        raise UsageError(f"--out: {error}") from error


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in _listed(text))
    except ValueError:
        raise UsageError(f"--n: expected whole numbers such as 200,1000, got {text!r}") from None
    return sizes


def _draw(summary: "pd.DataFrame", out: Path) -> list[Path]:
    from fctestbed.plotting.calibration import draw_calibration  # noqa: PLC0415 - --help is quick
    from fctestbed.plotting.draw import write_drawing  # noqa: PLC0415
    from fctestbed.plotting.drawing import NothingToDraw  # noqa: PLC0415
    from fctestbed.plotting.style import house_style  # noqa: PLC0415

    written = []
    for kind in ("discrete", "continuous", "mixed"):
        for size in sorted(summary["n"].unique()):
            with house_style():
                try:
                    drawing = draw_calibration(summary, kind, int(size))
                except NothingToDraw:
                    continue
                name = f"calibration_{kind}_{size}"
                written += write_drawing(drawing, out, name, ("png", "pdf"))
    return written
