"""Messages of bounded length. Imports the standard library only."""

import difflib
import re
from collections.abc import Iterable

MOST_CHARACTERS = 300
# A run of characters without a space that is longer is shortened first: a path or a value.
_LONG = re.compile(r"\S{161,}")
_GAP = " ... "
# Share of characters in common from which on a name is taken for a misspelt one.
_NEAR = 0.6
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")


def reason_of(error: Exception) -> str:
    """Why an operation failed, in one line: of the system's errors the text without number or path,
    which the message around it names."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())


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


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``: did you mean NEAREST?`` for a name that is near a known one; else nothing.

    Args:
        name: what was written.
        known: the names that there are.
    """
    near = difflib.get_close_matches(str(name), list(known), n=1, cutoff=_NEAR)
    return f": did you mean {near[0]}?" if near else ""


def without_numbers(text: str) -> str:
    """The text with a sign in the place of each number: equal for texts that differ in numbers
    only."""
    return _NUMBER.sub("#", text)


def with_ranges(texts: list[str]) -> str:
    """Texts that differ in numbers only as one, with the range of each number that differs."""
    columns = zip(*(_NUMBER.findall(text) for text in texts), strict=True)
    ranges = iter([_range(list(numbers)) for numbers in columns])
    return _NUMBER.sub(lambda _: next(ranges), texts[0])


def _range(numbers: list[str]) -> str:
    low, high = min(numbers, key=float), max(numbers, key=float)
    return low if float(low) == float(high) else f"{low} to {high}"
