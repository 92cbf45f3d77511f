"""The command ``calibrate-readouts``: estimators on readouts of trained encoders."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fctestbed.calibration import (
    ReadoutLaw,
    check_numbers,
    read_readout_rows,
    readout_laws,
    with_readout_columns,
)
from fctestbed.cli import options
from fctestbed.cli.calibrate import PARTS, csv_bytes, estimated
from fctestbed.cli.checks import check_places, usage_errors
from fctestbed.cli.progress import lines_of
from fctestbed.cli.sweep import sweep_of
from fctestbed.estimators import make_estimators
from fctestbed.plotting import check_formats, draw_readout_figures
from fctestbed.results import BLOCKS, write_atomically
from fctestbed.sweep import SweepSpec, tune_process

ROWS = "rows.csv"

_DEFAULTS = {
    "unique_ratio": "0.5",
    "methods": "simclr,cross-self,supcon,factorcl-sup,untrained,raw",
    "seeds": "0",
}


def calibrate_readouts(
    out: Annotated[Path, typer.Option(help="Directory of rows.csv.")],
    config: options.Config = None,
    methods: Annotated[
        str | None, typer.Option(help="Methods; default those of Table 1 and controls.")
    ] = None,
    unique_ratio: Annotated[str | None, typer.Option(help="Grid of ratios; default 0.5.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Grid of seeds; default 0.")] = None,
    pairs: options.Pairs = None,
    tau: Annotated[float, typer.Option(help="Noise per dimension.")] = 0.5,
    of: Annotated[str, typer.Option(help="Quantities.")] = ",".join(BLOCKS),
    readouts: Annotated[
        str | None, typer.Option("--only", help="Readouts such as z1,joint; default all.")
    ] = None,
    estimators: options.Estimators = None,
    n: options.Sizes = "4096",
    repetitions: options.Repetitions = 1,
    cell_seconds: options.CellSeconds = 5.0,
    seed: options.SampleSeed = 0,
    workers: options.Workers = None,
    figures: options.Figures = None,
    formats: options.Formats = "png,pdf",
    allow_plugins: options.AllowPlugins = False,
) -> None:
    """Put estimators on noisy readouts of trained encoders, whose information about the latent bits
    is known.

    Cells that are done are kept: the same command goes on where it was stopped, after training the
    encoders again.

    Draw them again, or several of them together, by: fctestbed figures-readouts DIR

    Example: fctestbed calibrate-readouts --methods simclr,raw --out rows
    """
    sizes, endings = options.sample_sizes(n), options.listed(formats)
    with usage_errors():
        check_formats(endings)
        made = make_estimators(
            None if estimators is None else options.listed(estimators), kind="mixed"
        )
        # Before the training, not after.
        check_numbers(
            n=sizes,
            repetitions=repetitions,
            cell_seconds=cell_seconds,
            seed=seed,
            workers=1 if workers is None else workers,
        )
    check_places({"--out": out, "--figures": figures})
    values: dict[str, str | None] = {
        "unique_ratio": unique_ratio,
        "methods": methods,
        "seeds": seeds,
    }
    if config is None:
        values = {key: value or _DEFAULTS[key] for key, value in values.items()}
    spec = sweep_of(values, config=config, pairs=pairs, allow_plugins=allow_plugins)
    laws = _laws(spec, tau, options.listed(of), readouts)
    rows = estimated(
        laws,
        made,
        n=sizes,
        repetitions=repetitions,
        cell_seconds=cell_seconds,
        seed=seed,
        workers=workers,
        parts=out / PARTS,
    )
    with usage_errors("--out"):
        written = write_atomically(out / ROWS, csv_bytes(with_readout_columns(rows, laws)))
        shutil.rmtree(out / PARTS, ignore_errors=True)
    typer.echo(written)
    with usage_errors("--figures"):
        # From the file, so that drawing it again gives the same.
        for path in draw_readout_figures(read_readout_rows([written]), figures or out, endings):
            typer.echo(path)


def _laws(spec: SweepSpec, tau: float, of: Sequence[str], readouts: str | None) -> list[ReadoutLaw]:
    # One thread, as each worker of a sweep has: the encoders are the same to the digit.
    tune_process(1)
    with usage_errors():
        return readout_laws(
            spec,
            tau=tau,
            of=of,
            readouts=None if readouts is None else options.listed(readouts),
            report=lines_of("trainings"),
        )
