"""TOML from outside: refused where it is too deeply nested or holds too large numbers.

Imports the standard library only.
"""

import sys
import tomllib
from typing import Any

MAX_DEPTH = 16
MAX_KEY = 200
_MAX_WHOLE = 2**63
_TOO_DEEP = f"expected values nested at most {MAX_DEPTH} deep, got deeper ones"
_WHOLE = "expected whole numbers from -2^63 to 2^63 - 1"


class NotToml(ValueError):  # noqa: N818 - it says what the text is
    """A text that is no TOML; the message is one line."""


def parse_toml(text: str) -> dict[str, Any]:
    """The values of a TOML document.

    Raises:
        NotToml: for text that is no TOML.
        ValueError: one line, for values nested more than 16 deep, keys of more than 200
            characters, and whole numbers of more than 64 bits.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml(f"expected TOML, got {error}") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except ValueError:
        # Python refuses to convert numbers of more than 4300 digits.
        raise ValueError(f"{_WHOLE}, got more than {sys.get_int_max_str_digits()} digits") from None
    _check_size(values)
    return values


def parse_toml_value(text: str) -> Any:
    """One TOML value, or else the text itself.

    Raises:
        ValueError: as ``parse_toml`` for what is TOML.
    """
    try:
        values = parse_toml(f"value = {text}")
    except NotToml:
        return text
    # Further lines are further keys.
    return values["value"] if values.keys() == {"value"} else text


def check_key(key: str) -> None:
    """Refuse a dotted key that is too long or too deep, or whose quotes are not closed.

    Raises:
        ValueError: one line.
    """
    if len(key) > MAX_KEY:
        raise ValueError(f"expected keys of at most {MAX_KEY} characters, got {len(key)}")
    if key.count('"') % 2:
        raise ValueError("expected quotes in pairs, got one without the other")
    if key.count(".") >= MAX_DEPTH:
        raise ValueError(_TOO_DEEP)


def _check_size(values: Any) -> None:
    # Level by level: a function that calls itself could not descend into what is refused here.
    level = [values]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                for key in value:
                    check_key(key)
                deeper += value.values()
            elif isinstance(value, list):
                deeper += value
            elif isinstance(value, int) and not -_MAX_WHOLE <= value < _MAX_WHOLE:
                raise ValueError(f"{_WHOLE}, got one of {value.bit_length()} bits")
        level = deeper
        if not level:
            return
    raise ValueError(_TOO_DEEP)
