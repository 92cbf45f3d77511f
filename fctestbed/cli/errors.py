"""The errors that have exit codes, and their messages: one line with names of options.

Imports the standard library only.
"""

import re
from collections.abc import Mapping

MOST_CHARACTERS = 300
# A run of characters without a space that is longer is shortened first: a path or a value.
_LONG = re.compile(r"\S{161,}")
_GAP = " ... "


class Hangup(KeyboardInterrupt):
    """The terminal was closed: an interrupt that has an exit code of its own."""


class UsageError(Exception):
    """Bad input: one line that begins with a field or an option, says what was expected and what
    was given.

    A field is replaced by the name of the command's option for it (``with_option_name``) before
    the line is printed.
    """


def with_option_name(line: str, names: Mapping[str, str]) -> str:
    """The line, with the field that it begins with replaced by its option, if it has one.

    Args:
        line: such as ``world.latents.n_shared: expected ...``; places in lists (``seeds.0``) are
            ignored.
        names: option names by field.
    """
    path, colon, rest = line.partition(":")
    field = ".".join(part for part in path.split(".") if not part.isdigit())
    return f"{names.get(field, path)}{colon}{rest}"


def one_line(message: str) -> str:
    """The message as one printable line of at most 300 characters: long words are shortened, then
    the middle is left out, because a message begins with a name and ends with what was given."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(message.split()))
    if len(line) <= MOST_CHARACTERS:
        return line
    line = _LONG.sub(lambda word: f"{word[0][:80]}...{word[0][-20:]}", line)
    if len(line) <= MOST_CHARACTERS:
        return line
    end = MOST_CHARACTERS // 3
    return line[: MOST_CHARACTERS - end - len(_GAP)] + _GAP + line[-end:]
