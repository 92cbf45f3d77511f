"""The application, and how its errors become one line and an exit code.

Exit codes: 0 all done, 1 an error of ours, 2 bad usage, 3 finished with runs that are not ok, 4 a
store refused, 130 interrupted.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer

from fctestbed._version import __version__
from fctestbed.cli import (
    bench,
    calibrate,
    check,
    data,
    estimate,
    figures,
    gaussian,
    measure,
    sweep,
)
from fctestbed.cli.errors import UsageError

USAGE, UNFINISHED, REFUSED, INTERRUPTED = 2, 3, 4, 130

app = typer.Typer(
    name="fctestbed",
    help="A referee for multimodal contrastive learning: "
    "worlds whose information is known exactly, in bits.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _print_version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


app.command("sweep")(sweep.sweep)
app.command("figures")(figures.figures)
app.command("truth")(data.truth)
app.command("generate")(data.generate)
app.command("measure")(measure.measure)
app.command("estimate")(estimate.estimate)
app.command("calibrate")(calibrate.calibrate)
app.command("export")(figures.export)
app.command("gaussian")(gaussian.gaussian)
app.command("check-method")(check.check_method)
app.command("bench")(bench.bench)


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit code of a command line; what went wrong is one line on stderr."""
    try:
        with _current_directory_importable():
            code = app(arguments or ["--help"], prog_name="fctestbed", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("interrupted", err=True)
        return INTERRUPTED
    except UsageError as error:
        return _say(str(error), USAGE)
    except Exception as error:
        return _refusal(error)
    return code if isinstance(code, int) else 0


@contextmanager
def _current_directory_importable() -> Iterator[None]:
    """Let a user's modules in the current directory be imported while a command runs; worker
    processes inherit the path.

    It comes last: nothing in it can take the place of an installed module.
    """
    try:
        here = os.getcwd()
    except FileNotFoundError:
        here = ""
    new = bool(here) and here not in sys.path
    if new:
        sys.path.append(here)
    try:
        yield
    finally:
        if new:
            sys.path.remove(here)


def _refusal(error: Exception) -> int:
    # Typer's own usage errors know their exit code; a store's refusal is ours.
    message = getattr(error, "format_message", None)
    if message is not None:
        return _say(message(), int(getattr(error, "exit_code", USAGE)))
    if type(error).__name__ == "StoreRefused":
        return _say(str(error), REFUSED)
    raise error


def _say(message: str, code: int) -> int:
    typer.echo(f"fctestbed: {' '.join(message.split())}", err=True)
    return code


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
