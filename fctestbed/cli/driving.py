"""What commands that drive a sweep share: its progress, its interruption, their exit codes."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import typer

from fctestbed.cli.checks import usage_errors
from fctestbed.cli.display import ProgressConsole, SweepDisplay
from fctestbed.cli.errors import Hangup
from fctestbed.cli.output import error_stream
from fctestbed.sweep import ClusterLost, Outcome, WorkersCannotStart, tune_process

Done = TypeVar("Done")

INTERNAL_ERROR, UNFINISHED, HUNG_UP, INTERRUPTED = 1, 3, 129, 130


def driven(run: Callable[[SweepDisplay], Outcome], out: Path) -> Outcome | int:
    """What a sweep's driver did, with its progress shown; the exit code where it was stopped.

    Args:
        run: the driver.
        out: the directory of its results.

    Raises:
        UsageError: for what the driver refuses as bad input.
    """

    def shown() -> Outcome:
        with display() as progress:
            return run(progress)

    return interruptible(shown, out)


def display() -> contextlib.AbstractContextManager[SweepDisplay]:
    """The progress of one sweep on stderr, inside a ``with`` block."""
    return SweepDisplay(ProgressConsole(stderr=True)).shown()


def interruptible(run: Callable[[], Done], out: Path) -> Done | int:
    """What a long job returns; the exit code where it was stopped.

    Args:
        run: the job.
        out: the directory of its results.

    Raises:
        UsageError: for what it refuses as bad input.
    """
    tune_process()
    try:
        with usage_errors():
            return run()
    except KeyboardInterrupt as interrupt:
        _say_stopped("interrupted", out)
        return HUNG_UP if isinstance(interrupt, Hangup) else INTERRUPTED
    except WorkersCannotStart as error:
        _say_stopped(f"fctestbed: {error}", out)
        return INTERNAL_ERROR
    except ClusterLost as error:
        _say_stopped(f"fctestbed: {error}", out)
        return UNFINISHED


def _say_stopped(reason: str, out: Path) -> None:
    # The terminal may be gone.
    with contextlib.suppress(OSError):
        typer.echo(
            f"{reason}: what was done is safe in {out}; the same command goes on from there",
            file=error_stream(),
        )
