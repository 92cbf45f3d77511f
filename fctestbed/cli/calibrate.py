"""The command ``calibrate``: estimators on laws whose information is known."""

import gzip
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from fctestbed import calibration
from fctestbed.cli import options
from fctestbed.cli.checks import check_places, usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.cli.output import emit
from fctestbed.cli.progress import lines_of
from fctestbed.estimators import Estimator, make_estimators
from fctestbed.laws import GROUPS, LAWS, ROUGH, SMOOTH, Law
from fctestbed.plotting import check_formats, draw_calibration_figures, draw_drawn_figures
from fctestbed.results import write_atomically
from fctestbed.sweep import available_cores, parse_integers

ROWS, SUMMARY, VERDICTS, DRAWN = "rows.csv.gz", "summary.csv", "verdicts.csv", "drawn.csv"
# Directory for the rows of the cells that are done, until all are.
PARTS = "parts"


def calibrate(
    out: Annotated[Path, typer.Option(help="Directory of rows, summary, verdicts (CSV).")],
    estimators: options.Estimators = None,
    groups: Annotated[
        str | None, typer.Option(help="Comma-separated groups of cases; the default is all.")
    ] = None,
    drawn: Annotated[
        str | None,
        typer.Option(help="Grid of seeds, such as 0:39: laws drawn with them, no published ones."),
    ] = None,
    n: options.Sizes = "200,1000",
    repetitions: options.Repetitions = 200,
    cell_seconds: options.CellSeconds = 5.0,
    seed: options.SampleSeed = 0,
    workers: options.Workers = None,
    add: Annotated[
        bool, typer.Option("--add", help="Keep the rows of other cells that --out has.")
    ] = False,
    figures: options.Figures = None,
    formats: options.Formats = "png,pdf",
) -> None:
    """Put estimators on known truths: bias, spread, coverage of the interval, seconds.

    Cells that are done are kept: the same command goes on where it was stopped.

    Draw them again by: fctestbed figures-calibration DIR

    --drawn takes two laws for each seed, of columns and of columns with classes, and writes how
    many of them the intervals hold to drawn.csv.

    Example: fctestbed calibrate --estimators ksg1,ksg2 --out calibration
    """
    laws = _laws(groups, drawn)
    with usage_errors():
        made = make_estimators(None if estimators is None else options.listed(estimators))
        check_formats(options.listed(formats))
    check_places({"--out": out, "--figures": figures})
    with usage_errors():
        has_rows = add and (out / ROWS).exists()
        old = calibration.read_calibration(out / ROWS) if has_rows else None
    rows = estimated(
        laws,
        made,
        n=options.sample_sizes(n),
        repetitions=repetitions,
        cell_seconds=cell_seconds,
        seed=seed,
        workers=workers,
        parts=out / PARTS,
    )
    _write(
        rows if old is None else calibration.merged(old, rows),
        out,
        figures or out,
        options.listed(formats),
    )


def _laws(groups: str | None, drawn: str | None) -> list[Law]:
    if drawn is None:
        asked = options.some_of("groups", groups, GROUPS)
        return [law for law in LAWS if law.group in asked]
    if groups is not None:
        raise UsageError(f"groups: expected none with --drawn, got {groups!r}")
    with usage_errors():
        return calibration.drawn_laws(parse_integers(drawn, option="drawn"))


def draw(rows: pd.DataFrame, out: Path, formats: Sequence[str]) -> list[Path]:
    """Draw the figures of a calibration's rows.

    Raises:
        ValueError: one line, for rows without estimates or a place that cannot be written.
    """
    drawn = rows["group"].isin([SMOOTH, ROUGH])
    paths = draw_drawn_figures(calibration.drawn_cells(rows), out, formats)
    if not drawn.all():
        paths += draw_calibration_figures(calibration.summarise(rows[~drawn]), out, formats)
    return paths


def estimated(
    laws: Sequence[Law],
    estimators: Mapping[str, Estimator],
    *,
    n: Sequence[int],
    repetitions: int,
    cell_seconds: float,
    seed: int,
    workers: int | None,
    parts: Path,
) -> pd.DataFrame:
    """The rows of estimators on laws, progress on stderr; the arguments are those of
    ``fctestbed.calibration.calibrate``, ``workers`` None is one for each core.

    Raises:
        UsageError: one line that begins with the field.
    """
    with usage_errors():
        return calibration.calibrate(
            estimators,
            laws=laws,
            n=n,
            repetitions=repetitions,
            cell_seconds=cell_seconds,
            seed=seed,
            workers=available_cores() if workers is None else workers,
            parts=parts,
            report=lines_of("cells"),
        )


def csv_bytes(table: pd.DataFrame) -> bytes:
    """The table as CSV, numbers to six digits."""
    return table.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode()


def _write(rows: pd.DataFrame, out: Path, figures: Path, formats: Sequence[str]) -> None:
    """Write rows, their summary and verdicts, draw the figures and print the verdicts."""
    with usage_errors("--out"):
        typer.echo(write_atomically(out / ROWS, gzip.compress(csv_bytes(rows), mtime=0)))
        shutil.rmtree(out / PARTS, ignore_errors=True)
        # From the file, so that drawing it again gives the same.
        read = calibration.read_calibration(out / ROWS)
        summary = calibration.summarise(read)
        verdicts = calibration.verdicts(summary)
        drawn = calibration.drawn_table(calibration.drawn_cells(read))
        tables = {SUMMARY: summary, VERDICTS: verdicts} | ({DRAWN: drawn} if len(drawn) else {})
        for name, table in tables.items():
            typer.echo(write_atomically(out / name, csv_bytes(table)))
    emit(summary=summary, verdicts=verdicts, drawn=drawn, out=out)
    with usage_errors("--figures"):
        for path in draw(read, figures, formats):
            typer.echo(path)
    typer.echo((drawn if len(drawn) else verdicts).to_string(index=False))
