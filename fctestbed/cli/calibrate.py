"""The command ``calibrate``: estimators in court."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fctestbed.cli.calibrate_readouts import calibrate_readouts
from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

ROWS, SUMMARY, VERDICTS = "rows.csv.gz", "summary.csv", "verdicts.csv"
_READOUTS = "With --readouts"


def calibrate(
    out: Annotated[Path, typer.Option(help="Directory of the rows, their summary and verdicts.")],
    estimators: Annotated[
        str | None, typer.Option(help="Comma-separated estimators; the default is all of them.")
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="Comma-separated groups of cases; the default is all.")
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
    add: Annotated[
        bool, typer.Option("--add", help="Keep the rows of other cells that are in --out.")
    ] = False,
    figures: Annotated[
        Path | None, typer.Option(help="Directory of the figures; default --out.")
    ] = None,
    formats: Annotated[str, typer.Option(help="Of the figures: png, pdf, svg.")] = "png,pdf",
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
    if readouts:
        calibrate_readouts(
            out,
            estimators=None if estimators is None else list(_listed(estimators)),
            n=_sizes("4096" if n is None else n),
            repetitions=1 if repetitions is None else repetitions,
            cell_seconds=cell_seconds,
            seed=seed,
            workers=workers,
            asked={"--figures": figures, **asked},
        )
        return
    for option, value in asked.items():
        if value is not None:
            raise UsageError(f"{option}: expected --readouts beside it, got {option} alone")
    from fctestbed.calibration import CASES, GROUPS, merged  # noqa: PLC0415 - --help is quick
    from fctestbed.calibration import calibrate as run  # noqa: PLC0415
    from fctestbed.calibration import read_calibration as read  # noqa: PLC0415
    from fctestbed.estimators import ESTIMATORS  # noqa: PLC0415
    from fctestbed.plotting.draw import check_formats  # noqa: PLC0415
    from fctestbed.sweep.worker import available_cores  # noqa: PLC0415

    names = _some("--estimators", estimators, tuple(ESTIMATORS))
    wanted = _some("--groups", groups, GROUPS)
    try:
        check_formats(_listed(formats))
        old = read(out / ROWS) if add and (out / ROWS).exists() else None
        out.mkdir(parents=True, exist_ok=True)
        found = run(
            {name: ESTIMATORS[name]() for name in names},
            cases=[case for case in CASES if case.group in wanted],
            n=_sizes("200,1000" if n is None else n),
            repetitions=200 if repetitions is None else repetitions,
            cell_seconds=cell_seconds,
            seed=seed,
            workers=available_cores() if workers is None else workers,
            report=_report,
        )
    except OSError as error:
        raise UsageError(f"--out: expected a directory to write to, got {error}") from error
    except ValueError as error:
        raise UsageError.of(error) from error
    _write(found if old is None else merged(old, found), out, figures or out, _listed(formats))


def draw_rows(rows: "pd.DataFrame", out: Path, formats: tuple[str, ...]) -> list[Path]:
    """Write the figures of a calibration's rows."""
    from fctestbed.calibration import summarise  # noqa: PLC0415 - --help is quick
    from fctestbed.plotting.calibration import draw_calibration_figures  # noqa: PLC0415

    return draw_calibration_figures(summarise(rows), out, formats)


def _write(rows: "pd.DataFrame", out: Path, figures: Path, formats: tuple[str, ...]) -> None:
    from fctestbed.calibration import summarise, verdicts  # noqa: PLC0415 - --help is quick
    from fctestbed.results import write_atomically  # noqa: PLC0415

    summary = summarise(rows)
    judged = verdicts(summary)
    try:
        for name, table in ((ROWS, rows), (SUMMARY, summary), (VERDICTS, judged)):
            content = table.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode()
            if name.endswith(".gz"):
                # No time in the file: the same rows give the same bytes.
                content = gzip.compress(content, mtime=0)
            typer.echo(write_atomically(out / name, content))
        for path in draw_rows(rows, figures, formats):
            typer.echo(path)
    except ValueError as error:
        raise UsageError(f"--out: {error}") from error
    typer.echo(judged.to_string(index=False))


def _some(option: str, text: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names that were asked for, all of them by default, without doubles."""
    names = known if text is None else tuple(dict.fromkeys(_listed(text)))
    for name in names:
        if name not in known:
            raise UsageError(f"{option}: expected some of {', '.join(known)}, got {name!r}")
    return names


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in _listed(text)))
    except ValueError:
        raise UsageError(f"--n: expected whole numbers such as 200,1000, got {text!r}") from None


def _report(done: int, total: int) -> None:
    # A line for each twentieth: a log stays readable.
    if done * 20 // total > (done - 1) * 20 // total:
        typer.echo(f"{done} of {total} cells done", err=True)
