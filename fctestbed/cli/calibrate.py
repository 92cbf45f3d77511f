"""The command ``calibrate``: estimators in court."""

from pathlib import Path
from typing import Annotated

import typer

from fctestbed.cli.calibrate_readouts import calibrate_readouts
from fctestbed.cli.calibrate_truths import calibrate_truths
from fctestbed.cli.errors import UsageError

_READOUTS = "With --readouts"


def calibrate(
    out: Annotated[Path, typer.Option(help="Directory of rows, summary, verdicts (CSV).")],
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
    figures_dir: Annotated[
        Path | None, typer.Option("--figures", help="Directory of the figures; default --out.")
    ] = None,
    formats: Annotated[
        str | None, typer.Option(help="Of the figures: png, pdf, svg; default png,pdf.")
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="Comma-separated groups of cases; the default is all.")
    ] = None,
    add: Annotated[
        bool, typer.Option("--add", help="Keep the rows of other cells that --out has.")
    ] = False,
    readouts: Annotated[
        bool,
        typer.Option(
            "--readouts",
            help="Put them on noisy readouts of trained encoders, whose information is known.",
            rich_help_panel=_READOUTS,
        ),
    ] = False,
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

    Draw them again by: fctestbed figures --calibration DIR

    Example: fctestbed calibrate --estimators ksg1,ksg2 --out calibration

    With --readouts the truths are what trained encoders hold of the latent bits, through noise:
    fctestbed calibrate --readouts --methods simclr,raw --estimators usable-linear --out court
    """
    asked = {
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
    own = {"--formats": formats, "--groups": groups, "--add": add or None}
    names = None if estimators is None else _listed(estimators)
    for option, value in (own if readouts else asked).items():
        if value is not None:
            beside = "no --readouts" if readouts else "--readouts"
            raise UsageError(f"{option}: expected {beside} beside it, got {option} {_so(readouts)}")
    if readouts:
        calibrate_readouts(
            out,
            estimators=names,
            n=_sizes("4096" if n is None else n),
            repetitions=1 if repetitions is None else repetitions,
            cell_seconds=cell_seconds,
            seed=seed,
            workers=workers,
            asked=asked | {"--figures": figures_dir},
        )
        return
    calibrate_truths(
        out,
        estimators=names,
        groups=None if groups is None else _listed(groups),
        n=_sizes("200,1000" if n is None else n),
        repetitions=200 if repetitions is None else repetitions,
        cell_seconds=cell_seconds,
        seed=seed,
        workers=workers,
        figures=figures_dir or out,
        formats=_listed("png,pdf" if formats is None else formats),
        add=add,
    )


def _so(readouts: bool) -> str:
    return "with it" if readouts else "alone"


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in _listed(text)))
    except ValueError:
        raise UsageError(f"--n: expected whole numbers such as 200,1000, got {text!r}") from None
