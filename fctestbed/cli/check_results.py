"""The command ``check``. Imports no torch: nothing is trained."""

from pathlib import Path
from typing import Annotated

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.results import (
    Contents,
    StoreRefused,
    drop_damaged_runs,
    find_damage,
    load_results,
    store_file,
)


def check(
    directory: options.SweepDirectory,
    drop: Annotated[
        bool,
        typer.Option(
            "--drop",
            help="Remove the damaged runs, so that the same sweep command makes them again.",
        ),
    ] = False,
) -> None:
    """Check that every run of a sweep is as it was stored, and say which can be made again.

    Exit code 4 if one is not. With --drop the store is written again without damaged runs; the
    damaged file is kept under another name.

    Example: fctestbed check sweeps/quick
    """
    path = store_file(directory)
    if not path.is_file():
        _check_exported(directory, drop)
        return
    contents = find_damage(directory)
    if not contents.damage:
        typer.echo(_state(path, contents))
    elif drop:
        _drop(path)
    else:
        raise StoreRefused(contents.damage.line(path))


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
