"""``check_method``: the contract of a method, clause by clause.

May import ``fctestbed.training`` and what is below it.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fctestbed._plugins import described, tried
from fctestbed._records import InvalidSpec
from fctestbed.objectives import METHODS, Method, find_method
from fctestbed.testing import method_declarations, method_numbers
from fctestbed.testing.method_subject import Subject, torch_state_kept

METHOD_CLAUSES: dict[str, Callable[[Subject], str | None]] = {
    "importable": method_declarations.importable,
    "settings": method_declarations.settings,
    "shapes": method_declarations.shapes,
    "declarations": method_declarations.declarations,
    "determinism": method_numbers.determinism,
    "inputs": method_numbers.inputs,
    "gradients": method_numbers.gradients,
    "members": method_numbers.members,
    "classes": method_numbers.classes,
    "rows": method_numbers.rows,
    "reads": method_numbers.reads,
    "kept": method_numbers.kept,
    "stack": method_numbers.stack,
}
"""Every clause by name; the first sentence of its docstring is what a method has to satisfy."""


class MethodCheckFailed(ValueError):  # noqa: N818 - it says what happened
    """A method breaks its contract; the message is one line.

    Attributes:
        method: the method's name.
        clause: name of the clause in ``METHOD_CLAUSES``.
        detail: what was expected and what was found.
    """

    def __init__(self, method: str, clause: str, detail: str) -> None:
        super().__init__(method, clause, detail)
        self.method, self.clause = method, clause
        self.detail = " ".join(detail.split())

    def __str__(self) -> str:
        return f"{self.method}: breaks the clause {self.clause}: {self.detail}"


def check_method(
    method: type[Method] | Callable[..., Any] | str, settings: Mapping[str, Any] | None = None
) -> None:
    """Check the contract of a method that training, measurement and sweeps rely on.

    This takes about a second on one CPU thread, and changes no global state.

    Args:
        method: a class, a plain loss(z1, z2, y) of a module, or a name that ``find_method`` knows.
        settings: settings that differ from the defaults.

    Raises:
        MethodCheckFailed: for the first clause that the method breaks.
        ValueError: one line, for an unknown name or settings that the method cannot have.
    """
    for _, failure in method_failures(method, settings):
        if failure is not None:
            raise failure


def method_failures(
    method: type[Method] | Callable[..., Any] | str, settings: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, MethodCheckFailed | None]]:
    """Check the clauses one by one; yield the name of each, and its failure or None.

    Args:
        method: a class, a plain loss(z1, z2, y) of a module, or a name that ``find_method`` knows.
        settings: settings that differ from the defaults.

    Raises:
        ValueError: one line, for an unknown name or settings that the method cannot have.
    """
    if inspect.isfunction(method):
        method = f"{method.__module__}:{method.__qualname__}"
    subject = _subject(method, settings)
    found = None
    if isinstance(method, str) and method not in METHODS:
        try:
            found = tried(f"{__name__}:_failures", method, settings)
        except ValueError as error:
            raise ValueError(f"{method}: {error}") from error
    for name, detail in _clauses(subject) if found is None else found:
        yield name, None if detail is None else MethodCheckFailed(subject.name, name, detail)


def _failures(method: str, settings: Mapping[str, Any] | None) -> list[tuple[str, str | None]]:
    """Each clause of a method and its failure, in a subprocess."""
    return list(_clauses(_subject(method, settings)))


def _clauses(subject: Subject) -> Iterator[tuple[str, str | None]]:
    for name, clause in METHOD_CLAUSES.items():
        with torch_state_kept():
            try:
                detail = clause(subject)
            except KeyboardInterrupt:
                raise
            # The method is the user's code, which may raise any exception, SystemExit too.
            except BaseException as error:
                detail = f"expected no error, got {described(error)}"
        yield name, detail


def _subject(method: object, settings: Mapping[str, Any] | None) -> Subject:
    if isinstance(method, str):
        name, kind = method, find_method(method)
    else:
        if not (isinstance(method, type) and issubclass(method, Method)):
            raise ValueError(
                f"method: expected a subclass of Method, a loss or a name, got {method!r}"
            )
        registered = {known: name for name, known in METHODS.items()}
        path = f"{method.__module__}:{method.__qualname__}"
        name, kind = registered.get(method, path), method
    if settings:
        known = kind.Settings.model_fields
        for key in settings:
            if key not in known:
                expected = f"one of {', '.join(known)}" if known else "none"
                raise ValueError(f"settings: expected {expected}, got the unknown key {key!r}")
        try:
            kind.Settings.model_validate(dict(settings))
        except InvalidSpec as error:
            raise ValueError(f"settings.{error}") from error
    return Subject(name, kind, settings or {})
