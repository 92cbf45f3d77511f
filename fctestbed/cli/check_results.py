"""The command ``check``. Imports no torch: nothing is trained."""

from pathlib import Path
from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.results import (
    Contents,
    EncoderState,
    StoreRefused,
    check_encoders,
    drop_damaged_runs,
    find_damage,
    load_results,
    set_damaged_encoders_aside,
    store_file,
)


def check(
    directory: options.SweepDirectory,
    drop: Annotated[
        bool,
        typer.Option(
            "--drop",
            help="Remove the damaged runs, so that the same sweep command makes them again, and "
            "set damaged encoder files aside.",
        ),
    ] = False,
) -> None:
    """Check that every run of a sweep and every kept encoder is as it was stored, and say what can
    be made again.

    Exit code 4 if one is not. With --drop the store is written again without damaged runs; the
    damaged file is kept under another name. Damaged encoder files get other names too; their runs
    and rows stay, but cannot be measured again. Missing encoder files are listed.

    Example: fctestbed check sweeps/quick
    """
    path = store_file(directory)
    if not path.is_file():
        _check_exported(directory, drop)
        return
    contents = find_damage(directory)
    encoders = check_encoders(path.parent, contents.runs)
    if contents.damage and drop:
        _drop(path)
    elif contents.damage:
        raise StoreRefused(contents.damage.line(path))
    else:
        typer.echo(_state(path, contents))
    if encoders.damaged and drop:
        _set_aside(path.parent, encoders)
    elif encoders.damaged:
        raise StoreRefused(encoders.damage_line(path.parent))
    for line in encoders.lines:
        typer.echo(line)


def _check_exported(directory: Path, drop: bool) -> None:
    if drop:
        raise UsageError(f"drop: expected a results store to drop runs of, got none in {directory}")
    with usage_errors():
        results = load_results(directory)
    n_runs = results.runs["run_id"].nunique()
    typer.echo(f"{directory}: {n_runs} runs in exported files, which are whole")


def _state(path: Path, contents: Contents) -> str:
    if contents.has_digests:
        return f"{path}: {len(contents.runs)} runs, all as they were stored"
    return (
        f"{path}: {len(contents.runs)} runs, stored without digests: the file is whole, changed "
        "values would not be noticed; the same sweep command adds digests"
    )


def _drop(path: Path) -> None:
    repair = drop_damaged_runs(path)
    if repair.original is None:
        typer.echo(repair.damage.line(path))
        return
    dropped = repair.damage.runs
    names = f" ({', '.join(dropped)})" if dropped else ""
    typer.echo(
        f"{path}: {repair.n_kept} runs kept, {len(dropped)} damaged runs removed{names}; the "
        f"damaged file is {repair.original}; the same sweep command makes again what is missing"
    )


def _set_aside(directory: Path, encoders: EncoderState) -> None:
    moved = set_damaged_encoders_aside(directory, encoders.damaged)
    names = ", ".join(path.name for path in moved)
    typer.echo(
        f"{directory}: {len(moved)} damaged encoder files set aside ({names}); their runs stay as "
        "they are, but cannot be measured again"
    )
