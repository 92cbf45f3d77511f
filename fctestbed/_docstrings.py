"""What docstrings say of fields, for tables that users read. Imports the standard library only."""

import inspect
import re

_ATTRIBUTE = re.compile(r"^    (\w+): (.*)$")


def documented_fields(kind: type) -> dict[str, str]:
    """The lines of a class's list of attributes or arguments, by name; those of its own docstring
    go over those of the classes that it is made from."""
    meanings: dict[str, str] = {}
    for one in reversed(inspect.getmro(kind)):
        meanings |= _documented(inspect.cleandoc(vars(one).get("__doc__") or ""))
    return meanings


def _documented(docstring: str) -> dict[str, str]:
    meanings: dict[str, str] = {}
    name = ""
    for line in docstring.splitlines():
        start = _ATTRIBUTE.match(line)
        if start:
            name, text = start.groups()
            meanings[name] = text
        elif name and line.startswith("        "):
            meanings[name] += f" {line.strip()}"
        else:
            name = ""
    return {key: text.replace("``", "") for key, text in meanings.items()}
