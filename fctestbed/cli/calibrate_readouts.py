"""``calibrate --readouts``: estimators on readouts of trained encoders."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fctestbed.cli.calibrate_truths import PARTS
from fctestbed.cli.errors import UsageError
from fctestbed.cli.sweep import read_sweep

if TYPE_CHECKING:
    import pandas as pd

    from fctestbed.calibration import ReadoutLaw

_METHODS = "simclr,cross-self,supcon,factorcl-sup,untrained,raw"
# Names of arguments as they stand in errors.
_FIELDS = {"of": "--of", "readouts": "--only", "tau": "--tau"}


def calibrate_readouts(
    out: Path,
    *,
    estimators: Sequence[str] | None,
    n: Sequence[int],
    repetitions: int,
    cell_seconds: float,
    seed: int,
    workers: int | None,
    asked: Mapping[str, Any],
) -> None:
    """Write rows, and draw them.

    Cells that are done are kept as they come: the same command goes on where it was stopped, after
    training the encoders again.

    Args:
        out: directory of ``rows.csv``.
        estimators: names or import paths; None for all that support mixed pairs.
        n: numbers of samples.
        repetitions: most repetitions of a cell.
        cell_seconds: as ``fctestbed.calibration.calibrate``.
        seed: of the samples.
        workers: processes; None for one per core.
        asked: values of the options of readouts, by option; None where not given.

    Raises:
        UsageError: one line naming the option.
    """
    from fctestbed.calibration import read_readouts, with_readouts  # noqa: PLC0415 - --help is quick
    from fctestbed.plotting import draw_readout_figures  # noqa: PLC0415
    from fctestbed.results import write_atomically  # noqa: PLC0415

    judged = _judged(estimators)
    counts = {
        "--n": min(n),
        "--repetitions": repetitions,
        "--workers": 1 if workers is None else workers,
    }
    for option, count in counts.items():
        # Before the training, not after.
        if count < 1:
            raise UsageError(f"{option}: expected at least 1, got {count}")
    if asked["--rows"]:
        try:
            rows = read_readout_rows(asked["--rows"])
        except ValueError as error:
            raise UsageError(f"--rows: {error}") from error
    else:
        laws = _laws(asked)
        rows = with_readout_columns(
            _estimated(laws, names, n, repetitions, cell_seconds, seed, workers, parts=out / PARTS),
            laws,
        )
    text = rows.to_csv(index=False, lineterminator="\n", float_format="%.6g")
    try:
        written = write_atomically(out / "rows.csv", text.encode())
        shutil.rmtree(out / PARTS, ignore_errors=True)
    except ValueError as error:
        raise UsageError(f"--out: {error}") from error
    typer.echo(written)
    try:
        # From the file, so that drawing it again gives the same.
        for path in draw_readout_figures(read_readouts([written]), asked["--figures"] or out):
            typer.echo(path)
    except ValueError as error:
        raise UsageError(f"--figures: {error}") from error


def _judged(names: Sequence[str] | None) -> "dict[str, Estimator]":
    from fctestbed.estimators import make_estimators  # noqa: PLC0415 - --help is quick

    try:
        return make_estimators(names, kind="mixed")
    except ValueError as error:
        raise UsageError(f"--{error}") from error


def _laws(asked: Mapping[str, Any]) -> "list[ReadoutLaw]":
    from rich.console import Console  # noqa: PLC0415 - --help is quick
    from rich.progress import Progress  # noqa: PLC0415

    from fctestbed.results import BLOCKS  # noqa: PLC0415
    from fctestbed.sweep import tune_process

    bare = asked["--config"] is None
    spec = read_sweep(
        asked["--unique-ratio"] or ("0.5" if bare else None),
        asked["--methods"] or (_METHODS if bare else None),
        asked["--seeds"] or ("0" if bare else None),
        {},
        {},
        None,
        asked["--config"],
        asked["--set"] or [],
    )
    tau, of, only = asked["--tau"], asked["--of"], asked["--only"]
    # A thread of its own, as a sweep on every core has it: the encoders are the same to the digit.
    tune_process(1)
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("trainings", total=None)
        try:
            return readout_laws(
                spec,
                tau=0.5 if tau is None else tau,
                of=BLOCKS if of is None else _listed(of),
                readouts=None if only is None else _listed(only),
                report=lambda done, total: progress.update(task, completed=done, total=total),
            )
        except ValueError as error:
            raise _named(error) from error


def _estimated(
    laws: "Sequence[ReadoutLaw]",
    estimators: Sequence[str],
    n: Sequence[int],
    repetitions: int,
    cell_seconds: float,
    seed: int,
    workers: int | None,
    parts: Path,
) -> "pd.DataFrame":
    from rich.console import Console  # noqa: PLC0415 - --help is quick
    from rich.progress import Progress  # noqa: PLC0415

    from fctestbed.calibration import calibrate  # noqa: PLC0415
    from fctestbed.sweep import available_cores

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("cells", total=None)
        try:
            return calibrate(
                {name: ESTIMATORS[name]() for name in estimators},
                laws=laws,
                n=n,
                repetitions=repetitions,
                cell_seconds=cell_seconds,
                seed=seed,
                workers=available_cores() if workers is None else workers,
                parts=parts,
                report=lambda done, total: progress.update(task, completed=done, total=total),
            )
        except ValueError as error:
            raise _named(error) from error


def _named(error: ValueError) -> UsageError:
    """The error with its argument called by its option."""
    field, colon, rest = str(error).partition(":")
    return (
        UsageError(f"{_FIELDS[field]}{colon}{rest}") if field in _FIELDS else UsageError.of(error)
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]
