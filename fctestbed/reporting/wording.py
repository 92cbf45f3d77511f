"""Words of the report's sentences: lists of names, numbers of bits, intervals.

Imports the standard library only.
"""

import math
from collections.abc import Sequence

MINUS = "\N{MINUS SIGN}"
_SPACE = "\N{NO-BREAK SPACE}"
_MOST_NAMES = 6


def listed(names: Sequence[str], word: str = "and") -> str:
    """``A``, ``A and B``, ``A, B and C``; of many names the first six and the number of others."""
    shown = list(names)
    if len(shown) > _MOST_NAMES + 1:
        shown = [*shown[:_MOST_NAMES], f"{len(shown) - _MOST_NAMES} others"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {word} {shown[-1]}"


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """``1 seed``, ``5 seeds``."""
    return f"{n} {noun if n == 1 else plural or noun + 's'}"


def bits_text(value: float) -> str:
    """A number of bits to two digits, with a true minus sign; empty for NaN.

    A number that two digits would show as 0 has three: ``-0.003`` is below 0.
    """
    if math.isnan(value):
        return ""
    digits = 3 if 0.0005 <= abs(value) < 0.005 else 2
    return f"{value:z.{digits}f}".replace("-", MINUS)


def interval_text(mean: float, low: float, high: float) -> str:
    """``0.69 [0.63, 0.75]``, on one line; the mean alone where there is no interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return bits_text(mean)
    # No line ends within it.
    return f"{bits_text(mean)}{_SPACE}[{bits_text(low)},{_SPACE}{bits_text(high)}]"
