"""The errors that have exit codes, and their messages: one line with names of options.

Imports the standard library only.
"""

from collections.abc import Mapping


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
