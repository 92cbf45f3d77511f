"""A user's own class, found by the name of an installed entry point or by its import path.

Imports nothing of the project.
"""

import re
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import entry_points
from operator import attrgetter
from typing import Any

_IMPORT_PATH = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")


def find_plugin(
    name: str, base: type[Any], *, group: str, known: Iterable[str], noun: str
) -> type[Any]:
    """A concrete subclass of ``base`` that is not part of this package.

    Args:
        name: the name of an installed entry point, or an import path, ``package.module:ClassName``.
        base: the public base class, exported by ``fctestbed``.
        group: the group of entry points.
        known: names that come with this package, for the message about an unknown one.
        noun: what messages call such a class, with its article.

    Raises:
        ValueError: one line, for an unknown name, a module that cannot be imported, or an object
            that is no concrete subclass of ``base``.
    """
    installed = entry_points(group=group)
    values = sorted({point.value for point in installed.select(name=name)})
    if len(values) > 1:
        raise ValueError(f"expected one plug-in called {name}, got {', '.join(values)}")
    path = values[0] if values else name
    if _IMPORT_PATH.fullmatch(path) is None:
        names = ", ".join([*known, *sorted(installed.names)])
        raise ValueError(
            f"expected one of {names} or an import path package.module:ClassName, got {path!r}"
        )
    found = _loaded(path, noun)
    if not (isinstance(found, type) and issubclass(found, base)):
        what = f"the class {found.__name__}" if isinstance(found, type) else type(found).__name__
        raise ValueError(f"{path}: expected a subclass of fctestbed.{base.__name__}, got {what}")
    missing = sorted(getattr(found, "__abstractmethods__", ()))
    if missing:
        whole = f"a whole {noun.partition(' ')[2]}"
        raise ValueError(f"{path}: expected {whole}, got one without {', '.join(missing)}")
    return found


def _loaded(path: str, noun: str) -> object:
    module, _, attribute = path.partition(":")
    try:
        return attrgetter(attribute)(import_module(module))
    # A user's module may raise anything.
    except (Exception, SystemExit) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ValueError(f"{path}: expected {noun}, got none ({reason})") from error
