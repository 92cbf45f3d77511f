"""The command ``calibrate``: estimators in court."""

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

ROWS, SUMMARY, VERDICTS = "rows.csv.gz", "summary.csv", "verdicts.csv"


def calibrate(
    out: Annotated[Path, typer.Option(help="Directory of the rows, their summary and verdicts.")],
    estimators: Annotated[
        str | None, typer.Option(help="Comma-separated estimators; the default is all of them.")
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="Comma-separated groups of cases; the default is all.")
    ] = None,
    n: Annotated[str, typer.Option("--n", help="Numbers of samples.")] = "200,1000",
    repetitions: Annotated[int, typer.Option(help="Most repetitions of a cell.")] = 200,
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
) -> None:
    """Put estimators on known truths: bias, spread, coverage of the interval, seconds.

    Draw them again by: fctestbed figures --calibration DIR

    Example: fctestbed calibrate --estimators ksg1,ksg2 --out calibration
    """
    from fctestbed.calibration import CASES, GROUPS, merged  # noqa: PLC0415 - --help is quick
    from fctestbed.calibration import calibrate as run  # noqa: PLC0415
    from fctestbed.calibration import read_calibration as read  # noqa: PLC0415
    from fctestbed.estimators import ESTIMATORS  # noqa: PLC0415
    from fctestbed.plotting.draw import check_formats  # noqa: PLC0415
    from fctestbed.sweep.worker import available_cores  # noqa: PLC0415

    names = _some("--estimators", estimators, tuple(ESTIMATORS))
    asked = _some("--groups", groups, GROUPS)
    try:
        check_formats(_listed(formats))
        old = read(out / ROWS) if add and (out / ROWS).exists() else None
        out.mkdir(parents=True, exist_ok=True)
        rows = run(
            {name: ESTIMATORS[name]() for name in names},
            cases=[case for case in CASES if case.group in asked],
            n=_sizes(n),
            repetitions=repetitions,
            cell_seconds=cell_seconds,
            seed=seed,
            workers=available_cores() if workers is None else workers,
            report=_report,
        )
    except OSError as error:
        raise UsageError(f"--out: expected a directory to write to, got {error}") from error
    except ValueError as error:
        raise UsageError.of(error) from error
    _write(rows if old is None else merged(old, rows), out, figures or out, _listed(formats))


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
