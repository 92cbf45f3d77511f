"""A user's own code, found by the name of an installed entry point or by its import path.

Says which of it may be imported (``only_plugins``), and tries it in a subprocess first
(``plugins_tried``), where it cannot end or block this process. Imports ``fctestbed._messages``.
"""

import os
import pickle
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib import import_module
from importlib.metadata import entry_points
from operator import attrgetter
from typing import Any

from fctestbed._messages import did_you_mean

DEFAULT_SECONDS = 120.0

_IMPORT_PATH = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")
_MOST_CHARACTERS = 200
# Names of plug-ins that may be imported; None for all.
_allowed: ContextVar[frozenset[str] | None] = ContextVar("allowed", default=None)
# Time for a plug-in's trial in a subprocess; None for no trial.
_trial_seconds: ContextVar[float | None] = ContextVar("trial_seconds", default=None)
# A subprocess reads the path of imports and the call, and writes what came of it.
_CHILD = """
import pickle, sys
source, sink, sys.stdin = sys.stdin.buffer, open(int(sys.argv[1]), "wb"), None
sys.path[:] = pickle.load(source)
from fctestbed._plugins import _answer
sink.write(_answer(*pickle.load(source)))
sink.close()
import os
os._exit(0)
"""


@contextmanager
def only_plugins(names: Iterable[str]) -> Iterator[None]:
    """Let only some plug-ins be imported: the code that a file names is not imported unasked.

    Args:
        names: as they are written: import paths or names of entry points.
    """
    token = _allowed.set(frozenset(names))
    try:
        yield
    finally:
        _allowed.reset(token)


@contextmanager
def plugins_tried(seconds: float) -> Iterator[None]:
    """Try plug-ins in a subprocess before they are imported and called in this process.

    Args:
        seconds: time limit of each trial.
    """
    token = _trial_seconds.set(seconds)
    try:
        yield
    finally:
        _trial_seconds.reset(token)


def check_allowed(name: str) -> None:
    """Refuse a plug-in that ``only_plugins`` leaves out.

    Raises:
        ValueError: one line.
    """
    allowed = _allowed.get()
    if allowed is not None and name not in allowed:
        raise ValueError(
            "expected --allow-plugins (allow_plugins=True in Python) before code that a file names "
            f"is imported, got {name!r}"
        )


def tried(place: str, *arguments: Any) -> Any:
    """What a function returns in a subprocess; None, without a call, where nothing is tried.

    Args:
        place: ``module:function`` of this package; the function calls a plug-in.
        arguments: of the function; they and the result can be pickled.

    Raises:
        ValueError: one line: the function's own, or that the plug-in raised something else, ended
            its process or took too long.
    """
    seconds = _trial_seconds.get()
    return None if seconds is None else _tried(place, arguments, seconds)


def _tried(place: str, arguments: tuple[Any, ...], seconds: float) -> Any:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(writing)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[writing],
        # A group of its own, with the processes that the plug-in starts.
        start_new_session=True,
    )
    os.close(writing)
    try:
        assert process.stdin is not None, "stdin is a pipe"
        with suppress(BrokenPipeError), process.stdin as sink:
            sink.write(pickle.dumps(sys.path) + pickle.dumps((place, arguments)))
        answer = _received(reading, time.monotonic() + seconds)
        if answer:
            process.wait()
    finally:
        os.close(reading)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if answer is None:
        raise ValueError(
            f"expected an answer within {seconds:g} s, got none (--plugin-seconds sets the limit)"
        )
    if not answer:
        raise ValueError(
            f"expected a process that goes on, got one that {_end(process.returncode)}"
        )
    value, refusal = pickle.loads(answer)
    if refusal is not None:
        raise ValueError(refusal)
    return value


def _received(reading: int, deadline: float) -> bytes | None:
    """All bytes until the other end is closed; None where the time is up."""
    parts: list[bytes] = []
    while select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
        part = os.read(reading, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return None


def _end(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _answer(place: str, arguments: tuple[Any, ...]) -> bytes:
    """The pickled result of a function and the line of its error, in the subprocess."""
    module, _, function = place.partition(":")
    try:
        return pickle.dumps((attrgetter(function)(import_module(module))(*arguments), None))
    except ValueError as error:
        return pickle.dumps((None, str(error)))
    # A plug-in may raise anything.
    except BaseException as error:
        return pickle.dumps((None, f"expected no error, got {described(error)}"))


def described(error: BaseException) -> str:
    """Type and message of an error, in one line of bounded length."""
    line = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    return line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]}..."


def imported(path: str, expected: str) -> Any:
    """The object at an import path, ``package.module:name``.

    Args:
        path: the path.
        expected: what is expected there, for the error.

    Raises:
        ValueError: one line, for a module that cannot be imported or does not have the name.
    """
    module = path.partition(":")[0]
    if module not in sys.modules:
        try:
            tried(f"{__name__}:_import_all", path, expected)
        except ValueError as error:
            line = str(error)
            raise ValueError(line if line.startswith(path) else f"{path}: {line}") from error
    return _imported(path, expected)


def _imported(path: str, expected: str) -> Any:
    module, _, attribute = path.partition(":")
    try:
        return attrgetter(attribute)(import_module(module))
    # A user's module may raise anything.
    except (Exception, SystemExit) as error:
        raise ValueError(f"{path}: expected {expected}, got none ({described(error)})") from error


def _import_all(path: str, expected: str) -> None:
    """Import a path's module, and return nothing, which can be pickled."""
    _imported(path, expected)


def is_import_path(path: str) -> bool:
    """Whether a text is an import path, ``package.module:name``."""
    return _IMPORT_PATH.fullmatch(path) is not None


def find_plugin(
    name: str,
    base: type[Any],
    *,
    group: str,
    known: Iterable[str],
    noun: str,
    of_function: Callable[[str, Callable[..., Any]], type[Any]] | None = None,
) -> type[Any]:
    """A concrete subclass of ``base`` that is not part of this package.

    Args:
        name: the name of an installed entry point, or an import path, ``package.module:ClassName``.
        base: the public base class, exported by ``fctestbed``.
        group: the group of entry points.
        known: names that come with this package, for the message about an unknown one.
        noun: what messages call such a class, with its article.
        of_function: what makes such a class of a name and a function of a user's; None where only
            classes are taken.

    Raises:
        ValueError: one line, for an unknown name, a module that cannot be imported, or an object
            that is no concrete subclass of ``base``.
    """
    installed = entry_points(group=group)
    values = sorted({point.value for point in installed.select(name=name)})
    if len(values) > 1:
        raise ValueError(f"expected one plug-in called {name}, got {', '.join(values)}")
    path = values[0] if values else name
    if not is_import_path(path):
        names = [*known, *sorted(installed.names)]
        raise ValueError(
            f"expected one of {', '.join(names)} or an import path package.module:ClassName, got "
            f"{path!r}{did_you_mean(path, names)}"
        )
    check_allowed(name)
    found = imported(path, noun)
    if of_function is not None and callable(found) and not isinstance(found, type):
        return of_function(name, found)
    if not (isinstance(found, type) and issubclass(found, base)):
        what = f"the class {found.__name__}" if isinstance(found, type) else type(found).__name__
        also = "" if of_function is None else " or a function"
        raise ValueError(
            f"{path}: expected a subclass of fctestbed.{base.__name__}{also}, got {what}"
        )
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if missing:
        whole = f"a whole {noun.partition(' ')[2]}"
        raise ValueError(f"{path}: expected {whole}, got one without {', '.join(missing)}")
    return found
