"""The commands ``settings`` and ``init``: what a sweep file can say, and one to start from."""

import json
import os
import shutil
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fctestbed._messages import did_you_mean
from fctestbed.cli import options
from fctestbed.cli.checks import usage_errors
from fctestbed.cli.errors import UsageError
from fctestbed.results import write_atomically
from fctestbed.sweep import Setting, sweep_schema, sweep_settings, sweep_template

_MOST_COLUMNS = 100


def settings(
    key: Annotated[
        str | None,
        typer.Argument(
            metavar="KEY", help="A key, or the beginning of some: train, settings.simclr."
        ),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of sweep files, for editors.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """List every key of a sweep file, with its default, the values that it can have and its
    meaning.

    The same keys are set by --set and varied by --axis.

    Example: fctestbed settings train
    """
    if schema:
        typer.echo(json.dumps(sweep_schema(), indent=2))
        return
    found = _matching(key)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
        return
    width = min(_MOST_COLUMNS, shutil.get_terminal_size().columns)
    for one in found:
        of = f"  ({one.of})" if one.of and not one.key.startswith("settings.") else ""
        for line in textwrap.wrap(
            f"{one.key} = {one.default}{of}", width, subsequent_indent="    "
        ):
            typer.echo(line)
        meaning = one.meaning[:1].upper() + one.meaning[1:]
        about = f"{meaning} [{one.range}]"
        for line in textwrap.wrap(about, width, initial_indent="    ", subsequent_indent="    "):
            typer.echo(line)


def _matching(key: str | None) -> list[Setting]:
    known = sweep_settings()
    if key is None:
        return list(known)
    found = [one for one in known if one.key == key or one.key.startswith(f"{key}.")]
    if not found:
        names = [one.key for one in known]
        names += [name.rpartition(".")[0] for name in names]
        raise UsageError(
            f"key: expected a key of a sweep file such as train.steps, or the beginning of some, "
            f"got {key!r}{did_you_mean(key, names)}"
        )
    return found


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The sweep file to write.")] = Path(
        "sweep.toml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a sweep file to start from, with every key, its meaning and its default in comments.

    It runs as it is: fctestbed sweep --config FILE

    Example: fctestbed init mine.toml
    """
    if file.suffix != ".toml":
        raise UsageError(f"file: expected a name that ends in .toml, got {str(file)!r}")
    if os.path.lexists(file) and not force:
        raise UsageError(f"file: expected a new file (or --force), got {file}, which exists")
    with usage_errors("file"):
        typer.echo(write_atomically(file, sweep_template(str(file)).encode()))
