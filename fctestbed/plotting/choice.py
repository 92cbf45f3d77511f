"""What of the rows is drawn, under which names, and how wide.

May import pandas and ``style`` of this package.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from fctestbed._messages import did_you_mean
from fctestbed.plotting.style import COLUMN_INCHES, PAGE_INCHES
from fctestbed.results import Results

WIDTHS = {"column": COLUMN_INCHES, "page": PAGE_INCHES}
"""Widths in inches by name."""
_NARROWEST, _WIDEST = 2.0, 20.0


def of_methods(results: Results, methods: Sequence[str] | None) -> Results:
    """The results of some methods alone.

    Args:
        results: the rows.
        methods: their names; None for all.

    Raises:
        ValueError: one line, for a method without rows.
    """
    if methods is None:
        return results
    known = sorted(set(results.runs["method"]))
    for name in methods:
        if name not in known:
            raise ValueError(
                f"methods: expected some of {', '.join(known)}, got {name!r}"
                f"{did_you_mean(name, known)}"
            )
    tables = {
        name: table[table["method"].isin(list(methods))].reset_index(drop=True)
        for name in ("captured", "accuracy", "runs", "scores", "along")
        for table in [getattr(results, name)]
    }
    return replace(results, **tables)


def chosen_figures(only: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
    """The names of the figures that are drawn.

    Args:
        only: those that are asked for; None for all.
        known: the names that there are.

    Raises:
        ValueError: one line, for an unknown one.
    """
    if only is None:
        return tuple(known)
    if isinstance(only, str) or not only:
        raise ValueError(f"only: expected names of figures, got {only!r}")
    for name in only:
        if name not in known:
            raise ValueError(
                f"only: expected some of {', '.join(known)}, got {name!r}"
                f"{did_you_mean(name, known)}"
            )
    return tuple(only)


def inches_of(width: str | float | None) -> float | None:
    """A width in inches from ``column``, ``page`` or a number.

    Raises:
        ValueError: one line, for another text or a number that no figure can have.
    """
    if width is None or (isinstance(width, str) and width in WIDTHS):
        return None if width is None else WIDTHS[width]
    try:
        inches = float(width)
    except (TypeError, ValueError):
        inches = math.nan
    if not _NARROWEST <= inches <= _WIDEST:
        raise ValueError(
            f"width: expected column ({COLUMN_INCHES:g} in), page ({PAGE_INCHES:g} in) or "
            f"{_NARROWEST:g} to {_WIDEST:g} inches, got {width!r}"
        )
    return inches
