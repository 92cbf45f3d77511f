"""The command ``calibrate``: estimators in court."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fctestbed.cli.calibrate_readouts import calibrate_readouts
from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

_READOUTS = "With --readouts"


def calibrate(
    out: Annotated[Path, typer.Option(help="Directory of rows and summary (CSV) and figures.")],
    estimators: Annotated[
        str | None, typer.Option(help="Comma-separated estimators; the default is all of them.")
    ] = None,
    n: Annotated[
        str | None,
        typer.Option("--n", help="Numbers of samples; default 200,1000, with --readouts 4096."),
    ] = None,
    repetitions: Annotated[
        int | None,
        typer.Option(help="Most repetitions of a cell; default 200, with --readouts 1."),
    ] = None,
    cell_seconds: Annotated[
        float, typer.Option(help="No further repetitions of a cell after so long (3 are done).")
    ] = 5.0,
    seed: Annotated[int, typer.Option(help="Of the samples.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Processes; default one per core.")] = None,
    readouts: Annotated[
        bool,
        typer.Option(
            "--readouts",
            help="Put them on noisy readouts of trained encoders, whose information is known.",
            rich_help_panel=_READOUTS,
        ),
    ] = False,
    figures_dir: Annotated[
        Path | None,
        typer.Option("--figures", help="Default --out.", rich_help_panel=_READOUTS),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A sweep file; options go over it.", rich_help_panel=_READOUTS),
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(
            help="Methods; default those of Table 1 and controls.", rich_help_panel=_READOUTS
        ),
    ] = None,
    unique_ratio: Annotated[
        str | None, typer.Option(help="Grid of ratios; default 0.5.", rich_help_panel=_READOUTS)
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Grid of seeds; default 0.", rich_help_panel=_READOUTS)
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Any other value.", rich_help_panel=_READOUTS
        ),
    ] = None,
    tau: Annotated[
        float | None,
        typer.Option(help="Noise per dimension; default 0.5.", rich_help_panel=_READOUTS),
    ] = None,
    of: Annotated[
        str | None,
        typer.Option(help="Quantities; default shared,unique1,unique2.", rich_help_panel=_READOUTS),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="Readouts such as z1,joint; default all.", rich_help_panel=_READOUTS),
    ] = None,
    rows: Annotated[
        list[Path] | None,
        typer.Option(
            help="Estimate nothing: join these rows.csv and draw them.", rich_help_panel=_READOUTS
        ),
    ] = None,
) -> None:
    """Put estimators on known truths: bias, spread, coverage of the interval, seconds.

    Example: fctestbed calibrate --estimators ksg1,ksg2 --out calibration

    With --readouts the truths are what trained encoders hold of the latent bits, through noise:
    fctestbed calibrate --readouts --methods simclr,raw --estimators usable-linear --out court
    """
    asked = {
        "--figures": figures_dir,
        "--config": config,
        "--methods": methods,
        "--unique-ratio": unique_ratio,
        "--seeds": seeds,
        "--set": set_,
        "--tau": tau,
        "--of": of,
        "--only": only,
        "--rows": rows,
    }
    if readouts:
        calibrate_readouts(
            out,
            estimators=None if estimators is None else _listed(estimators),
            n=_sizes("4096" if n is None else n),
            repetitions=1 if repetitions is None else repetitions,
            cell_seconds=cell_seconds,
            seed=seed,
            workers=workers,
            asked=asked,
        )
        return
    for option, value in asked.items():
        if value is not None:
            raise UsageError(f"{option}: expected --readouts beside it, got {option} alone")
    _calibrate(
        out,
        estimators,
        _sizes("200,1000" if n is None else n),
        200 if repetitions is None else repetitions,
        cell_seconds,
        seed,
        workers,
    )


def _calibrate(
    out: Path,
    estimators: str | None,
    n: tuple[int, ...],
    repetitions: int,
    cell_seconds: float,
    seed: int,
    workers: int | None,
) -> None:
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
                n=n,
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
