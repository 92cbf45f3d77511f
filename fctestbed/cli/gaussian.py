"""The commands ``gaussian`` and ``conditional``: rows of the paper's Gaussian figure and of its
conditional check."""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from fctestbed.cli import options
from fctestbed.cli.checks import check_places, record_of, usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.cli.output import emit
from fctestbed.cli.progress import lines_of
from fctestbed.experiments import (
    ConditionalSpec,
    StaircaseSpec,
    run_conditional,
    run_gaussian,
)
from fctestbed.plotting import gaussian_levels
from fctestbed.sweep import parse_integers

Out = Annotated[Path, typer.Option(help="Directory for the rows (CSV) and their settings.")]
BatchSize = Annotated[int | None, typer.Option(help="Samples of a step; default 64.")]


def gaussian(
    out: Out,
    dims: Annotated[
        str | None, typer.Option(help="Dimensions of the pairs; default 20,50,100,200.")
    ] = None,
    levels_nats: Annotated[
        str | None,
        typer.Option("--levels", help="True information in nats; default 2,4,6,8,10."),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps for each level.")] = None,
    batch_size: BatchSize = None,
    seeds: options.Seeds = None,
    workers: options.Workers = None,
) -> None:
    """Train NCE, CLUB and NCE-CLUB on Gaussian pairs of known information, as the paper does.

    Draw them by: fctestbed figures-gaussian DIR

    Example: fctestbed gaussian --out sweeps/gaussian
    """
    values = {
        "dims": _numbers("dims", dims, int),
        "levels_nats": _numbers("levels_nats", levels_nats, float),
        "steps": steps,
        "batch_size": batch_size,
        "seeds": _seeds(seeds),
    }
    spec = record_of(StaircaseSpec, values)
    check_places({"--out": out})
    with usage_errors():
        paths = run_gaussian(spec, out, workers=workers or 0, report=lines_of("trainings"))
    points = gaussian_levels(pd.read_csv(paths[0]))
    # Settled values in bits.
    table = points.pivot(index=["dim", "estimator"], columns="true_bits", values="mean")
    emit(levels=points, files=paths)
    _print(table, paths)


def conditional(
    out: Out,
    cells: Annotated[
        str | None,
        typer.Option(help="SAMPLESxDIMENSION, comma-separated; default the paper's Tables 9, 10."),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Most steps of each cell.")] = None,
    batch_size: BatchSize = None,
    seeds: options.Seeds = None,
    workers: options.Workers = None,
) -> None:
    """Train critics on samples of known conditional information: the check of the paper's Tables 9
    and 10.

    Example: fctestbed conditional --cells 5000x20 --out sweeps/conditional
    """
    values = {
        "cells": _numbers("cells", cells, int, separator="x"),
        "steps": steps,
        "batch_size": batch_size,
        "seeds": _seeds(seeds),
    }
    spec = record_of(ConditionalSpec, values)
    check_places({"--out": out})
    with usage_errors():
        paths = run_conditional(spec, out, workers=workers or 0, report=lines_of("trainings"))
    rows = pd.read_csv(paths[0])
    emit(rows=rows, files=paths)
    _print(_conditional_table(rows), paths)


def _seeds(text: str | None) -> tuple[int, ...] | None:
    with usage_errors():
        return None if text is None else parse_integers(text, option="seeds")


def _numbers(
    field: str, text: str | None, kind: type[int] | type[float], separator: str | None = None
) -> tuple[Any, ...] | None:
    """Numbers of a comma-separated option, or tuples of them."""
    if text is None:
        return None
    try:
        if separator is None:
            return tuple(kind(part) for part in options.listed(text))
        return tuple(
            tuple(kind(number) for number in part.split(separator)) for part in options.listed(text)
        )
    except ValueError as error:
        raise UsageError(f"{field}: expected numbers, got {text!r}") from error


def _conditional_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Held-out values in bits by (d_z, n), each strength of Z with both truths first."""
    truths = {"I(X;Y|Z)": "true_bits", "I(X,Z;Y)": "unconditional_bits"}
    known = [
        rows.assign(negatives="", estimator=name, value_bits=rows[column])
        for name, column in truths.items()
    ]
    return pd.concat([*known, rows]).pivot_table(
        index=["strength", "negatives", "estimator"], columns=["dim", "n"], values="value_bits"
    )


def _print(table: pd.DataFrame, paths: list[Path]) -> None:
    typer.echo(table.round(2).to_string())
    for path in paths:
        typer.echo(path)
