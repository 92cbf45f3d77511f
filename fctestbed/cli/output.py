"""What every command prints where: results on stdout, progress and notes on stderr.

``--json`` makes stdout one JSON document, and ``--quiet`` leaves out progress and notes. Every
command has both options; ``LazyCommand`` adds them. May import typer; ``fctestbed.results`` is
imported when a document is printed.
"""

import contextlib
import inspect
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Annotated, Any, TextIO

import typer

Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, the rest on stderr.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print no progress and no notes.")]

_document: ContextVar[dict[str, Any] | None] = ContextVar("document", default=None)
_errors: ContextVar[TextIO | None] = ContextVar("errors", default=None)


def emit(**content: Any) -> None:
    """Set what ``--json`` prints: numbers, texts, records and tables (a list of their rows).

    Without it, the document has the lines that the command prints, as ``printed``.
    """
    document = _document.get()
    if document is not None:
        document.update(content)


def print_notes(notes: Iterable[str]) -> None:
    """Print on stderr what a reader has to know of rows."""
    for note in notes:
        typer.echo(f"note: {note}", err=True)


def error_stream() -> TextIO:
    """Where errors go: stderr, also under ``--quiet``."""
    return _errors.get() or sys.stderr


def with_output(callback: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the options ``--json`` and ``--quiet``; one that prints JSON itself keeps
    its own ``--json``."""
    signature = inspect.signature(callback)
    own = list(signature.parameters.values())
    added = {"quiet": Quiet} if _has_json(own) else {"json_document": Json, "quiet": Quiet}
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        *own,
        *(
            inspect.Parameter(name, keyword, default=False, annotation=annotation)
            for name, annotation in added.items()
        ),
    ]

    @wraps(callback)
    def called(**values: Any) -> Any:
        quiet, as_json = values.pop("quiet"), values.pop("json_document", False)
        with _quiet(quiet), _printed_as_json(as_json):
            return callback(**values)

    # Typer reads both.
    vars(called)["__signature__"] = signature.replace(parameters=parameters)
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


def _has_json(parameters: list[inspect.Parameter]) -> bool:
    marks = [mark for one in parameters for mark in getattr(one.annotation, "__metadata__", ())]
    # In an annotation, Typer takes the first name of an option for its default.
    names = [
        (mark.default, *(mark.param_decls or ())) for mark in marks if hasattr(mark, "default")
    ]
    return any("--json" in own for own in names)


@contextlib.contextmanager
def _quiet(quiet: bool) -> Iterator[None]:
    token = _errors.set(sys.stderr)
    try:
        with contextlib.redirect_stderr(io.StringIO()) if quiet else contextlib.nullcontext():
            yield
    finally:
        _errors.reset(token)


class _Copy(io.TextIOBase):
    """A stream that keeps what is written, and writes it to stderr."""

    def __init__(self) -> None:
        self.lines = io.StringIO()

    def write(self, text: str) -> int:
        sys.stderr.write(text)
        return self.lines.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


@contextlib.contextmanager
def _printed_as_json(as_json: bool) -> Iterator[None]:
    """Print the command's document at its end; what it prints otherwise goes to stderr."""
    if not as_json:
        yield
        return
    copy = _Copy()
    token = _document.set({})
    try:
        with contextlib.redirect_stdout(copy):
            yield
        document = _document.get() or {"printed": copy.lines.getvalue().splitlines()}
    finally:
        _document.reset(token)
    from fctestbed.results import to_json  # noqa: PLC0415 - not before a command needs it

    typer.echo(to_json({name: _plain(value) for name, value in document.items()}))


def _plain(value: Any) -> Any:
    """A value as JSON has it: tables as lists of rows, paths as texts."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return _plain(value.to_dict(orient="records"))
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | float) or value is None else _text(value)


def _text(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
