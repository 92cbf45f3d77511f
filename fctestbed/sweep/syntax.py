"""The syntax of a sweep's values: ``0:1:0.1`` is 0, 0.1, ..., 1, the stop included.

Imports the standard library and ``fctestbed._toml``.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from fctestbed._toml import parse_toml

MAX_POINTS = 10_000
MAX_TEXT = 10_000
# Numbers beyond these powers of ten are typing errors, and their ranges could not be counted.
_MAX_POWER = 30
# A comma outside brackets and quotes.
_COMMA = re.compile(r',(?![^\[]*\])(?=(?:[^"]*"[^"]*")*[^"]*$)')


def parse_grid(text: str, *, low: float, high: float, option: str) -> tuple[float, ...]:
    """Numbers of a grid, in ascending order, without repetitions.

    Args:
        text: comma-separated numbers and inclusive ranges ``start:stop:step``.
        low: least value allowed.
        high: greatest value allowed.
        option: the option's name, for the error.

    Returns:
        The values, computed in decimals: ``0:1:0.1`` holds 0.3 and not 0.30000000000000004.

    Raises:
        ValueError: for a grid that is malformed, reversed, empty or out of range: one line naming
            the option.
    """
    values: dict[Decimal, None] = {}
    for item in text.split(","):
        values.update(dict.fromkeys(_numbers(item.strip(), default_step=None, option=option)))
    for value in values:
        if not Decimal(str(low)) <= value <= Decimal(str(high)):
            raise ValueError(
                f"{option}: expected values from {low:g} to {high:g}, got {value} in {text!r}"
            )
    return tuple(dict.fromkeys(float(value) for value in sorted(values)))


def parse_integers(text: str, *, option: str) -> tuple[int, ...]:
    """Whole numbers of a grid such as ``0:4`` or ``0,3,7``, from 0 to 2^63 - 1.

    Args:
        text: comma-separated numbers and inclusive ranges ``start:stop`` or ``start:stop:step``.
        option: the option's name, for the error.

    Raises:
        ValueError: as ``parse_grid``, and for numbers that are not whole or out of range.
    """
    values: dict[Decimal, None] = {}
    for item in text.split(","):
        values.update(dict.fromkeys(_numbers(item.strip(), default_step=Decimal(1), option=option)))
    for value in values:
        if value != value.to_integral_value() or not 0 <= value < 2**63:
            raise ValueError(
                f"{option}: expected whole numbers from 0 to 2^63 - 1, got {value} in {text!r}"
            )
    return tuple(int(value) for value in sorted(values))


def parse_values(text: str, *, option: str) -> tuple[Any, ...]:
    """Values of an axis, in the order in which they are written.

    Args:
        text: comma-separated numbers, inclusive ranges ``start:stop:step``, TOML values
            (``true``, ``"text"``, ``[64, 64]``) and names.
        option: the axis, for the error.

    Raises:
        ValueError: for an empty item or a malformed range: one line naming the option.
    """
    if len(text) > MAX_TEXT:
        raise ValueError(
            f"{option}: expected values in at most {MAX_TEXT} characters, got {len(text)}"
        )
    values: list[Any] = []
    for item in map(str.strip, _COMMA.split(text)):
        if not item:
            raise ValueError(f"{option}: expected values separated by commas, got {text!r}")
        if item[0] in "-+.0123456789":
            numbers = _numbers(item, default_step=None, option=option)
            values += [int(n) if n == n.to_integral_value() else float(n) for n in numbers]
        elif item[0] in "[\"'" or item in ("true", "false"):
            try:
                values.append(parse_toml(f"value = {item}")["value"])
            except ValueError as error:
                raise ValueError(
                    f"{option}: expected a TOML value, got {item!r} ({error})"
                ) from None
        else:
            values.append(item)
    return tuple(values)


def _numbers(item: str, *, default_step: Decimal | None, option: str) -> list[Decimal]:
    form = "a number or start:stop:step" if default_step is None else "a number or start:stop"
    malformed = f"{option}: expected {form} (stop included), got {item!r}"
    try:
        parts = [Decimal(part) for part in item.split(":")]
    except InvalidOperation:
        raise ValueError(malformed) from None
    if not all(part.is_finite() and abs(part.adjusted()) <= _MAX_POWER for part in parts):
        raise ValueError(malformed)
    if len(parts) == 1:
        return parts
    if len(parts) == 2 and default_step is not None:
        parts.append(default_step)
    if len(parts) != 3:
        raise ValueError(malformed)
    start, stop, step = parts
    if step <= 0:
        raise ValueError(f"{option}: expected a step above 0, got {step} in {item!r}")
    if stop < start:
        raise ValueError(f"{option}: expected start <= stop, got {start} > {stop} in {item!r}")
    if (stop - start) / step >= MAX_POINTS:
        raise ValueError(f"{option}: expected at most {MAX_POINTS} points, got more in {item!r}")
    count = int((stop - start) / step) + 1
    return [start + place * step for place in range(count)]
