"""The command ``estimate``."""

import dataclasses
import inspect
import json
import math
import time
from typing import Annotated, Any

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.completion import estimator_names
from fctestbed.cli.errors import UsageError
from fctestbed.estimators import (
    ESTIMATORS,
    Estimator,
    estimate_of,
    make_estimator,
    read_samples,
    role_settings,
    settings_of,
)

_ROLES = ("x_as", "y_as", "given_as")


def estimate(
    x: Annotated[str | None, typer.Argument(help="Samples of X: FILE, or FILE:KEY.")] = None,
    y: Annotated[str | None, typer.Argument(help="Samples of Y, row by row those of X.")] = None,
    given: Annotated[str | None, typer.Option(help="Samples of the condition Z.")] = None,
    estimator: Annotated[
        str | None,
        typer.Option(help="One of those that --list prints.", autocompletion=estimator_names),
    ] = None,
    pairs: options.Settings = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of an estimator that draws numbers.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Which of x, y are names of classes, comma-separated.")
    ] = None,
    amounts: Annotated[
        str | None, typer.Option(help="Which of x, y are amounts, though whole numbers.")
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="Between the columns of csv files: one character, or tab.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of csv files; default utf-8.")] = None,
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header", help="Whether the first row of csv files has the names."
        ),
    ] = None,
    as_json: options.AsJson = False,
    list_them: Annotated[bool, typer.Option("--list", help="Print the estimators.")] = False,
) -> None:
    """Estimate the mutual information I(X;Y) or I(X;Y|Z) of samples in files (npy, npz:KEY,
    csv:COLUMN,COLUMN, csv.gz, parquet), in bits.

    Example: fctestbed estimate x.npy y.npy --estimator ksg1 --json
    """
    if list_them:
        _print_list(as_json)
        return
    if x is None or y is None or estimator is None:
        given_values = {"x": x, "y": y, "estimator": estimator}
        missing = next(field for field, value in given_values.items() if value is None)
        raise UsageError(f"{missing}: expected a value (or --list), got none")
    chosen = _estimator(estimator, pairs, seed, classes=classes, amounts=amounts)
    sources = {"x": x, "y": y} if given is None else {"x": x, "y": y, "given": given}
    with usage_errors():
        first, second, *rest = (
            read_samples(source, name=name, separator=separator, encoding=encoding, header=header)
            for name, source in sources.items()
        )
        condition = rest[0] if rest else None
        started = time.perf_counter()
        result = estimate_of(chosen, first, second, condition)
        seconds = time.perf_counter() - started
    content = dataclasses.asdict(result) | {"seconds": seconds}
    if as_json:
        typer.echo(json.dumps({key: _plain(value) for key, value in content.items()}))
        return
    for key, value in content.items():
        if key not in _ROLES:
            typer.echo(f"{key:14} {_shown(value)}")
        elif value:
            typer.echo(f"{key:14} {value}")


def _estimator(
    name: str,
    pairs: list[str] | None,
    seed: int | None,
    *,
    classes: str | None,
    amounts: str | None,
) -> Estimator:
    values = options.settings_of_pairs(pairs, "k=5")
    named = {
        setting: options.listed(text)
        for setting, text in (("classes", classes), ("amounts", amounts))
        if text is not None
    }
    with usage_errors():
        values |= role_settings(name, **named)
    if seed is not None and "seed" in settings_of(name):
        if not 0 <= seed < 2**63:
            raise UsageError(f"seed: expected a whole number from 0 to 2^63 - 1, got {seed}")
        values["seed"] = seed
    try:
        return make_estimator(name, **values)
    except ValueError as error:
        field = str(error).partition(":")[0]
        setting = field in values and field not in named
        raise UsageError(f"--set {error}" if setting else str(error)) from error


def _print_list(as_json: bool) -> None:
    rows = [
        {
            "estimator": name,
            "bound": kind.bound,
            "target": kind.target,
            "conditional": kind.conditional,
            "kinds": sorted(kind.kinds),
            "settings": settings_of(name),
            "summary": (inspect.getdoc(kind) or "").partition("\n")[0],
        }
        for name, kind in ESTIMATORS.items()
    ]
    if as_json:
        typer.echo(json.dumps(rows, default=repr))
        return
    for row in rows:
        typer.echo(f"{row['estimator']:16} {row['bound']:6} {row['summary']}")


def _shown(value: Any) -> str:
    if value == "" or (isinstance(value, float) and math.isnan(value)):
        return "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    """JSON has neither infinity nor NaN: no ceiling and no interval are null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
