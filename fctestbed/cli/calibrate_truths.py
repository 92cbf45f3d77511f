"""``calibrate`` without ``--readouts``: estimators on laws whose information is known."""

import gzip
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

ROWS, SUMMARY, VERDICTS = "rows.csv.gz", "summary.csv", "verdicts.csv"
# Rows of the cells that are done, until all are.
PARTS = "parts"


def calibrate_truths(
    out: Path,
    *,
    estimators: Sequence[str] | None,
    groups: Sequence[str] | None,
    n: Sequence[int],
    repetitions: int,
    cell_seconds: float,
    seed: int,
    workers: int | None,
    figures: Path,
    formats: Sequence[str],
    add: bool,
) -> None:
    """Write rows, their summary and verdicts, and draw them.

    Cells that are done are kept as they come: the same command goes on where it was stopped.

    Args:
        out: directory of the tables.
        estimators: names or import paths; None for all registered ones.
        groups: names of groups of cases; None for all.
        n: numbers of samples.
        repetitions: most repetitions of a cell.
        cell_seconds: as ``fctestbed.calibration.calibrate``.
        seed: of the samples.
        workers: processes; None for one per core.
        figures: directory of the figures.
        formats: of the figures.
        add: whether rows of other cells that ``out`` has are kept.

    Raises:
        UsageError: one line naming the option.
    """
    from fctestbed.calibration import (  # noqa: PLC0415 - --help is quick
        calibrate,
        merged,
        read_calibration,
    )
    from fctestbed.estimators import ESTIMATORS  # noqa: PLC0415
    from fctestbed.plotting import check_formats  # noqa: PLC0415
    from fctestbed.sweep.worker import available_cores  # noqa: PLC0415

    try:
        made = make_estimators(estimators)
    except ValueError as error:
        raise UsageError(f"--{error}") from error
    asked = _some("--groups", groups, GROUPS)
    try:
        check_formats(formats)
        # Before the work, not after.
        out.mkdir(parents=True, exist_ok=True)
        old = read_calibration(out / ROWS) if add and (out / ROWS).exists() else None
        rows = calibrate(
            {name: ESTIMATORS[name]() for name in names},
            laws=[law for law in LAWS if law.group in asked],
            n=n,
            repetitions=repetitions,
            cell_seconds=cell_seconds,
            seed=seed,
            workers=available_cores() if workers is None else workers,
            parts=out / PARTS,
            report=_report,
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"--out: expected a directory to write to, got {out}: {reason}") from error
    except ValueError as error:
        raise UsageError.of(error) from error
    _write(rows if old is None else merged(old, rows), out, figures, formats)


def draw_rows(rows: "pd.DataFrame", out: Path, formats: Sequence[str]) -> list[Path]:
    """Write the figures of a calibration's rows."""
    from fctestbed.calibration import summarise  # noqa: PLC0415 - --help is quick
    from fctestbed.plotting import draw_calibration_figures  # noqa: PLC0415

    return draw_calibration_figures(summarise(rows), out, formats)


def _write(rows: "pd.DataFrame", out: Path, figures: Path, formats: Sequence[str]) -> None:
    from fctestbed.calibration import read_calibration, summarise, verdicts  # noqa: PLC0415
    from fctestbed.results import write_atomically  # noqa: PLC0415

    try:
        typer.echo(write_atomically(out / ROWS, gzip.compress(_csv(rows), mtime=0)))
        shutil.rmtree(out / PARTS, ignore_errors=True)
        # From the file, so that drawing it again gives the same.
        kept = read_calibration(out / ROWS)
        summary = summarise(kept)
        judged = verdicts(summary)
        for name, table in ((SUMMARY, summary), (VERDICTS, judged)):
            typer.echo(write_atomically(out / name, _csv(table)))
    except ValueError as error:
        raise UsageError(f"--out: {error}") from error
    try:
        for path in draw_rows(kept, figures, formats):
            typer.echo(path)
    except ValueError as error:
        raise UsageError(f"--figures: {error}") from error
    typer.echo(judged.to_string(index=False))


def _csv(table: "pd.DataFrame") -> bytes:
    return table.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode()


def _some(option: str, asked: Sequence[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The names that were asked for, all of them by default, without doubles."""
    names = known if asked is None else tuple(dict.fromkeys(asked))
    for name in names:
        if name not in known:
            raise UsageError(f"{option}: expected some of {', '.join(known)}, got {name!r}")
    return names


def _report(done: int, total: int) -> None:
    # A line for each twentieth: a log stays readable.
    if done * 20 // total > (done - 1) * 20 // total:
        typer.echo(f"{done} of {total} cells done", err=True)
