"""The command ``estimate``."""

import dataclasses
import inspect
import json
import math
import time
import tomllib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fctestbed.cli.errors import UsageError

if TYPE_CHECKING:
    from fctestbed.estimators import Estimator

# What the estimators call their arguments, and what the command does.
_ARGUMENTS = {"x": "X", "y": "Y", "given": "--given", "estimator": "--estimator"}


def estimate(
    x: Annotated[str | None, typer.Argument(help="Samples of X: FILE, or FILE:KEY.")] = None,
    y: Annotated[str | None, typer.Argument(help="Samples of Y, row by row those of X.")] = None,
    given: Annotated[str | None, typer.Option(help="Samples of the condition Z.")] = None,
    estimator: Annotated[
        str | None,
        typer.Option(help="One of those that --list prints, or package.module:ClassName."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of it: --set k=5."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of an estimator that draws numbers.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    list_them: Annotated[bool, typer.Option("--list", help="Print the estimators.")] = False,
) -> None:
    """Estimate the mutual information I(X;Y) or I(X;Y|Z) of samples in files (npy, npz:KEY,
    csv:COLUMN,COLUMN, parquet:COLUMN,COLUMN), in bits.

    Example: fctestbed estimate x.npy y.npy --estimator ksg1 --json
    """
    if list_them:
        _print_list(as_json)
        return
    for name, value in (("X", x), ("Y", y), ("--estimator", estimator)):
        if value is None:
            raise UsageError(f"{name}: expected a value (or --list), got none")
    chosen = _estimator(str(estimator), settings or [], seed)
    from fctestbed.estimators import read_samples  # noqa: PLC0415 - --help must not wait for it

    try:
        first, second = read_samples(str(x), name="x"), read_samples(str(y), name="y")
        condition = None if given is None else read_samples(given, name="given")
        started = time.perf_counter()
        result = chosen.estimate(first, second, condition)
        seconds = time.perf_counter() - started
    except ValueError as error:
        raise _usage(error) from error
    content = dataclasses.asdict(result) | {"seconds": seconds}
    if as_json:
        typer.echo(json.dumps({key: _plain(value) for key, value in content.items()}))
        return
    for key, value in content.items():
        typer.echo(f"{key:14} {_shown(value)}")


def _estimator(name: str, pairs: list[str], seed: int | None) -> "Estimator":
    from fctestbed.estimators import (  # noqa: PLC0415 - --help must not wait for it
        make_estimator,
        settings_of,
    )

    values = dict(_pair(pair) for pair in pairs)
    try:
        if seed is not None and "seed" in settings_of(name):
            if not 0 <= seed < 2**63:
                raise UsageError(f"--seed: expected a whole number from 0 to 2^63 - 1, got {seed}")
            values["seed"] = seed
        return make_estimator(name, **values)
    except ValueError as error:
        key = str(error).partition(":")[0]
        raise (UsageError(f"--set {error}") if key in values else _usage(error)) from error


def _pair(pair: str) -> tuple[str, Any]:
    """``k=5`` as a key and a TOML value, or else text."""
    key, equals, text = pair.partition("=")
    if not equals or not key.strip().isidentifier():
        raise UsageError(f"--set: expected KEY=VALUE such as k=5, got {pair!r}")
    try:
        return key.strip(), tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), text.strip()


def _usage(error: ValueError) -> UsageError:
    name, colon, rest = str(error).partition(":")
    return UsageError(f"{_ARGUMENTS.get(name, name)}{colon}{rest}")


def _print_list(as_json: bool) -> None:
    from fctestbed.estimators import (  # noqa: PLC0415 - --help must not wait for it
        ESTIMATORS,
        settings_of,
    )

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
