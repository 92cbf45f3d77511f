"""The line of a TOML file on which a key has its value, for error messages.

Imports the standard library and the reading of dotted keys in ``axes``.
"""

import re
from pathlib import Path

from fctestbed.sweep.axes import split_path

_TABLE = re.compile(r"^\s*(\[\[|\[)\s*(.+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*="""
)
# A message's field: all before the first colon outside quotes.
_FIELD = re.compile(r'(?:"[^"]*"|[^":])*')
_QUOTES = ('"""', "'''")


def line_of(text: str, path: str) -> int | None:
    """The line of a dotted key, or of the nearest table or key around it.

    Args:
        text: a TOML document.
        path: such as ``predictions.0.left.method``; places in arrays are numbers.

    Returns:
        The line, counted from 1; None where no part of the path is in the document.
    """
    wanted = tuple(split_path(path))
    best: tuple[int, int] | None = None
    for number, keys in _keys(text):
        if wanted[: len(keys)] == keys and (best is None or len(keys) > best[0]):
            best = len(keys), number
    return None if best is None else best[1]


def located_in(path: Path, text: str, message: str) -> str:
    """The message after the file and the line of the key that it begins with.

    Args:
        path: the file.
        text: its content.
        message: such as ``train.steps: expected ...``.
    """
    field = _FIELD.match(message)
    line = line_of(text, field[0] if field else "")
    return f"{path}{'' if line is None else f', line {line}'}: {message}"


def _keys(text: str) -> list[tuple[int, tuple[str, ...]]]:
    """Each line that begins a table or gives a key a value, with the whole path of it."""
    found: list[tuple[int, tuple[str, ...]]] = []
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    open_quote = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if open_quote:
            if open_quote in line:
                open_quote = ""
            continue
        if (header := _TABLE.match(line)) and "=" not in header[2]:
            table = tuple(split_path(_plain(header[2])))
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
            table = _with_places(table, counts)
            found.append((number, table))
        elif key := _KEY.match(line):
            found.append((number, (*table, *split_path(_plain(key[1])))))
        open_quote = next((quote for quote in _QUOTES if line.count(quote) % 2), "")
    return found


def _plain(key: str) -> str:
    return re.sub(r"\s*\.\s*", ".", key).replace("'", '"')


def _with_places(table: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> tuple[str, ...]:
    """A table's path with the place of each array of tables on the way."""
    path: list[str] = []
    for end in range(1, len(table) + 1):
        path.append(table[end - 1])
        if table[:end] in counts:
            path.append(str(counts[table[:end]]))
    return tuple(path)
