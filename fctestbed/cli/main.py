"""The list of commands, and how errors become one line and an exit code.

Exit codes: 0 all done, 1 an internal error, 2 bad usage, 3 finished with runs that are not ok, 4 a
store refused, 129 the terminal was closed, 130 interrupted, 141 nobody reads the output. May
import typer and nothing that a command needs.
"""

import contextlib
import math
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from fctestbed._messages import one_line
from fctestbed._plugins import DEFAULT_SECONDS, plugins_tried
from fctestbed._version import __version__
from fctestbed.cli.commands import LazyCommand
from fctestbed.cli.errors import Hangup, UsageError

USAGE, REFUSED = 2, 4
# A process that a signal ends has its number and 128.
HUNG_UP, INTERRUPTED, CLOSED_PIPE = 129, 130, 141

# By name: where the command is, and its line in the list of commands.
COMMANDS = {
    "sweep": (
        "fctestbed.cli.sweep:sweep",
        "Train methods on a grid of worlds, measure them in bits, draw the figures.",
    ),
    "init": ("fctestbed.cli.settings:init", "Write a commented sweep file to start from."),
    "settings": (
        "fctestbed.cli.settings:settings",
        "List every key of a sweep file: meaning, default, range.",
    ),
    "explain": (
        "fctestbed.cli.explain:explain",
        "Say why methods lose bits: from what the world holds down to what a reader finds.",
    ),
    "figures": ("fctestbed.cli.figures:figures", "Draw a sweep's figures from its rows."),
    "report": (
        "fctestbed.cli.html_report:report",
        "Write a sweep's report: one HTML page with verdict, figures, tables and alarms.",
    ),
    "export": ("fctestbed.cli.export:export", "Write a sweep's rows or tables as files."),
    "merge": (
        "fctestbed.cli.merge:merge",
        "Merge the stores of sweeps that several drivers did into one.",
    ),
    "check": (
        "fctestbed.cli.check_results:check",
        "Check that a sweep's results are as they were stored.",
    ),
    "compare": (
        "fctestbed.cli.compare:compare_sweeps",
        "Compare two sweeps cell by cell, paired over seeds.",
    ),
    "judge": (
        "fctestbed.cli.judge:judge_docket",
        "Give the claims of a docket their verdicts, from runs.",
    ),
    "truth": ("fctestbed.cli.truth:truth", "Print what a world holds, exactly, in bits."),
    "generate": ("fctestbed.cli.generate:generate", "Write a world's samples and truth."),
    "measure": (
        "fctestbed.cli.measure:measure",
        "Measure representations from anywhere, or a sweep again, in bits.",
    ),
    "train": (
        "fctestbed.cli.train:train",
        "Train methods on real data (MultiBench arrays, features of images and captions).",
    ),
    "estimate": (
        "fctestbed.cli.estimate:estimate",
        "Estimate the mutual information of samples in files.",
    ),
    "calibrate": (
        "fctestbed.cli.calibrate:calibrate",
        "Put estimators on laws of known information.",
    ),
    "figures-calibration": (
        "fctestbed.cli.figures_calibration:figures_calibration",
        "Draw what calibrate wrote.",
    ),
    "calibrate-readouts": (
        "fctestbed.cli.calibrate_readouts:calibrate_readouts",
        "Put estimators on noisy readouts of trained encoders.",
    ),
    "figures-readouts": (
        "fctestbed.cli.figures_calibration:figures_readouts",
        "Draw what calibrate-readouts wrote.",
    ),
    "gaussian": (
        "fctestbed.cli.gaussian:gaussian",
        "Train the bounds of the paper's Gaussian figure.",
    ),
    "figures-gaussian": (
        "fctestbed.cli.figures:figures_gaussian",
        "Draw what gaussian wrote.",
    ),
    "conditional": (
        "fctestbed.cli.gaussian:conditional",
        "Train the conditional check of the paper's Tables 9 and 10.",
    ),
    "check-method": (
        "fctestbed.cli.check:check_method",
        "Check that a method keeps the contract of sweeps.",
    ),
    "check-estimator": (
        "fctestbed.cli.check:check_estimator",
        "Check that an estimator keeps the contract of estimators.",
    ),
    "new-method": (
        "fctestbed.cli.new_method:new_method",
        "Write a loss to change, its test, and a sweep with it.",
    ),
    "doctor": (
        "fctestbed.cli.doctor:doctor",
        "Say what is installed here, whether it works, and how long a sweep takes.",
    ),
    "bench": ("fctestbed.cli.bench:bench", "Measure the speed of this machine."),
}

# Former options that are commands of their own now, by command.
_MOVED = {
    "calibrate": {"--readouts": "calibrate-readouts"},
    "calibrate-readouts": {"--rows": "figures-readouts"},
    "figures": {"--gaussian": "figures-gaussian", "--calibration": "figures-calibration"},
    "gaussian": {"--conditional": "conditional"},
}


def _print_version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


def _root(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
    plugin_seconds: Annotated[
        float,
        typer.Option(
            help="Time limit of a plug-in's trial in a process of its own, before it is used."
        ),
    ] = DEFAULT_SECONDS,
) -> None:
    if not 0 < plugin_seconds < math.inf:
        raise UsageError(
            f"--plugin-seconds: expected a number of seconds above 0, got {plugin_seconds}"
        )
    context.with_resource(plugins_tried(plugin_seconds))


def _group() -> Any:
    """The group of all commands, none of them imported."""
    root = typer.Typer(
        name="fctestbed",
        help="A referee for multimodal contrastive learning: "
        "worlds whose information is known exactly, in bits.",
        callback=_root,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    group: Any = typer.main.get_command(root)
    for name, (place, summary) in COMMANDS.items():
        group.commands[name] = LazyCommand(name, place, summary, _MOVED.get(name, {}))
    return group


app = _group()


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGTERM, _terminate)
    # Under nohup it is ignored, and stays so.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _hang_up)
    code = run(sys.argv[1:])
    # All is done: from here a signal may end the process at once.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if not _flushed():
        code = code or CLOSED_PIPE
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of a command line; an error is one line on stderr."""
    try:
        with _current_directory_importable():
            code = app(arguments or ["--help"], prog_name="fctestbed", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort) as error:
        hung_up = isinstance(error, Hangup) or isinstance(error.__cause__, Hangup)
        return HUNG_UP if hung_up else _say("interrupted", INTERRUPTED, prefix="")
    except UsageError as error:
        return _say(str(error), USAGE)
    except (BrokenPipeError, SystemExit) as error:
        # Typer exits where a pipe is closed.
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        return CLOSED_PIPE
    except Exception as error:
        return _refusal(error)
    return code if isinstance(code, int) else 0


def _flushed() -> bool:
    """Write out what is left of the output; whether somebody reads it."""
    done = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            done = False
            # Python flushes once more at its end.
            with contextlib.suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return done


@contextlib.contextmanager
def _current_directory_importable() -> Iterator[None]:
    """Let a user's modules in the current directory be imported while a command runs; worker
    processes inherit the path.

    The directory is the last on the path: no module in it hides an installed one.
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
    # Typer's own usage errors know their exit code; a store's refusal has one of its own.
    message = getattr(error, "format_message", None)
    if message is not None:
        return _say(message(), int(getattr(error, "exit_code", USAGE)))
    # By its name: importing the class would import pandas.
    if type(error).__name__ == "StoreRefused":
        return _say(str(error), REFUSED)
    if isinstance(error, OSError) and error.filename is not None:
        reason = error.strerror or type(error).__name__
        return _say(f"{error.filename}: expected a file or directory to use, got: {reason}", USAGE)
    raise error


def _say(message: str, code: int, *, prefix: str = "fctestbed: ") -> int:
    # The terminal may be gone.
    with contextlib.suppress(OSError):
        typer.echo(f"{prefix}{one_line(message)}", err=True)
    return code


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _hang_up(signum: int, frame: FrameType | None) -> None:
    # A terminal that closes tells it twice: by its shell and by the system.
    signal.signal(signum, signal.SIG_IGN)
    raise Hangup
