"""The command ``check``. Imports no torch: nothing is trained."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.results import (
    Contents,
    EncoderState,
    NamedEncoders,
    StoreRefused,
    check_checkpoints,
    check_encoders,
    drop_damaged_runs,
    find_damage,
    load_results,
    remove_damaged_checkpoints,
    set_damaged_encoders_aside,
    store_file,
)


def check(
    directory: options.SweepDirectory,
    drop: Annotated[
        bool,
        typer.Option(
            "--drop",
            help="Remove the damaged runs and checkpoints, so that the same sweep command makes "
            "them again, and set damaged encoder files aside.",
        ),
    ] = False,
) -> None:
    """Check that every run of a sweep, every kept encoder and every checkpoint is as it was stored,
    and say what can be made again, and how.

    Exit code 4 if one is not; each part that is damaged has a line. With --drop the store is
    written again without damaged runs; the damaged file is kept under another name. Damaged encoder
    files get other names too; their runs and rows stay, but cannot be measured again. Damaged
    checkpoints are removed. Missing encoder files are listed.

    Example: fctestbed check sweeps/quick
    """
    path = store_file(directory)
    if not path.is_file():
        _check_exported(directory, drop)
        return
    named = NamedEncoders()
    contents = find_damage(directory, named.add)
    encoders = check_encoders(path.parent, named)
    checkpoints = check_checkpoints(path.parent)
    whole = () if contents.damage else (_state(path, contents),)
    for line in (*whole, *encoders.lines, *checkpoints.lines):
        typer.echo(line)
    damage: dict[str, str] = {}
    if contents.damage:
        damage["the store"] = contents.damage.line(path)
    if encoders.damaged:
        damage[f"{len(encoders.damaged)} encoder files"] = encoders.damage_line(path.parent)
    if checkpoints.damaged:
        damage[f"{len(checkpoints.damaged)} checkpoints"] = checkpoints.damage_line(path.parent)
    if damage and not drop:
        _refuse(path.parent, damage)
    if contents.damage:
        _drop(path)
    if encoders.damaged:
        _set_aside(path.parent, encoders)
    if checkpoints.damaged:
        remove_damaged_checkpoints(path.parent, checkpoints.damaged)
        typer.echo(
            f"{path.parent}: {len(checkpoints.damaged)} damaged checkpoints removed; the same "
            "sweep command begins their trainings anew"
        )


def _refuse(directory: Path, damage: Mapping[str, str]) -> NoReturn:
    """Refuse a sweep's directory.

    Args:
        directory: the directory.
        damage: a line for each part that is damaged, by its name.
    """
    *others, last = damage
    if not others:
        raise StoreRefused(damage[last])
    for line in damage.values():
        typer.echo(line)
    raise StoreRefused(f"{directory}: {', '.join(others)} and {last} are damaged")


def _check_exported(directory: Path, drop: bool) -> None:
    if drop:
        raise UsageError(f"drop: expected a results store to drop runs of, got none in {directory}")
    with usage_errors():
        results = load_results(directory)
    n_runs = results.runs["run_id"].nunique()
    typer.echo(f"{directory}: {n_runs} runs in exported files, which are whole")


def _state(path: Path, contents: Contents) -> str:
    if contents.has_digests:
        return f"{path}: {len(contents.run_ids)} runs, all as they were stored"
    return (
        f"{path}: {len(contents.run_ids)} runs, stored without digests: the file is whole, changed "
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
