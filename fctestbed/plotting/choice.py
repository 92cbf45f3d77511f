"""What of the rows is drawn, under which names, and how wide.

May import pandas, matplotlib's Figure and ``style`` of this package.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from matplotlib.figure import Figure
from matplotlib.legend import Legend

from fctestbed._messages import did_you_mean
from fctestbed.plotting.style import COLUMN_INCHES, LEGEND_POINTS, PAGE_INCHES, text_inches
from fctestbed.results import Results

WIDTHS = {"column": COLUMN_INCHES, "page": PAGE_INCHES}
"""Widths in inches by name."""
_NARROWEST, _WIDEST = 2.0, 20.0
_ROW_INCHES = 0.125
_NOTE_ROW_INCHES = 0.12
_NOTE_CHARACTERS_PER_INCH = 17
_ENTRY_EMS = 4.3


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


def set_width(figure: Figure, inches: float) -> None:
    """Lay a figure out anew at another width: its height and fonts stay, its legend has as many
    columns as fit. Tables, whose columns have their texts' width, keep theirs."""
    if figure.get_layout_engine() is None:
        return
    figure.set_figwidth(inches)
    for legend in figure.legends:
        widest = max(
            (text_inches(text.get_text(), LEGEND_POINTS) for text in legend.get_texts()),
            default=0.0,
        )
        entry = widest + _ENTRY_EMS * LEGEND_POINTS / 72
        n_entries, columns = len(legend.get_texts()), _n_columns(legend)
        fitting = max(1, min(n_entries, int(inches / entry)))
        legend.set_ncols(fitting)
        title = legend.get_title()
        note = title.get_text()
        rows = note.count("\n")
        if max(map(len, note.split("\n"))) > inches * _NOTE_CHARACTERS_PER_INCH:
            title.set_text(note.replace("; ", "\n"))
        more = title.get_text().count("\n") - rows
        grown = (
            _ROW_INCHES * (math.ceil(n_entries / fitting) - math.ceil(n_entries / columns))
            + _NOTE_ROW_INCHES * more
        )
        figure.set_figheight(figure.get_figheight() + grown)


def _n_columns(legend: Legend) -> int:
    # matplotlib has a setter alone.
    columns: int = vars(legend)["_ncols"]
    return columns
