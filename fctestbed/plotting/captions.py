"""Texts that fit a figure: their widths, notes and legends, and a figure at another width.

May import matplotlib and ``style`` of this package.
"""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from fctestbed.plotting.style import NOTE_COLOR, TEXT_POINTS, literal

ROW_INCHES = 0.135
"""Height of a row of a legend, or of a line of a note."""
_POINTS_PER_INCH = 72.0
# Of the legend's handle, its distance from the text, and the gap between columns.
_ENTRY_EMS = 2.6 + 0.5 + 1.2
LEGEND_SPACING: dict[str, Any] = {
    "frameon": False,
    "handlelength": 2.6,
    "handletextpad": 0.5,
    "columnspacing": 1.2,
    "labelspacing": 0.35,
    "borderpad": 0.1,
}
"""How legends are set below figures and panels."""
_SIDES_INCHES = 0.15


def text_inches(text: str, points: float, *, bold: bool = False, parse_math: bool = True) -> float:
    """Width of a line of text in the figures' font, without drawing it."""
    font = FontProperties(
        family=mpl.rcParams["font.sans-serif"], size=points, weight="bold" if bold else "normal"
    )
    is_math = parse_math and bool(is_math_text(text))
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=is_math)
    return float(width) / _POINTS_PER_INCH


def wrapped(text: str, inches: float, points: float = TEXT_POINTS) -> str:
    """A text in lines of at most a width, broken at spaces; its own line breaks stay.

    Args:
        text: without formulas.
        inches: the width; a longer single word keeps a line for itself.
        points: the size of the font.
    """
    space = text_inches("a a", points) - text_inches("aa", points)
    lines = []
    for paragraph in text.split("\n"):
        line: list[str] = []
        length = 0.0
        for part in paragraph.split(" "):
            width = text_inches(part, points, parse_math=False)
            if line and length + space + width > inches:
                lines.append(" ".join(line))
                line, length = [], 0.0
            length += width + (space if line else 0.0)
            line.append(part)
        lines.append(" ".join(line))
    return "\n".join(lines)


def add_note(figure: Figure, note: str) -> None:
    """A note below the panels, in lines; the figure grows by them."""
    lines = wrapped(note, figure.get_figwidth() - _SIDES_INCHES)
    figure.supxlabel(literal(lines), fontsize=TEXT_POINTS, color=NOTE_COLOR)
    _grow(figure, 1 + lines.count("\n"))


def add_legend(figure: Figure, handles: Sequence[Artist], columns: int, note: str) -> None:
    """The legend in columns below the panels, with the note as its title; the figure grows by it.

    Without handles the note alone. There are fewer columns than requested if long labels would not
    fit the figure.
    """
    if not handles:
        add_note(figure, note)
        return
    inches = figure.get_figwidth()
    columns = _fitting([str(handle.get_label()) for handle in handles], columns, inches)
    lines = wrapped(note, inches - _SIDES_INCHES)
    legend = figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=columns,
        title=literal(lines),
        title_fontsize=TEXT_POINTS,
        **LEGEND_SPACING,
    )
    legend.get_title().set(color=NOTE_COLOR, multialignment="center")
    _grow(figure, math.ceil(len(handles) / columns) + lines.count("\n"))


def set_width(figure: Figure, inches: float) -> None:
    """Lay a figure out anew at another width: its fonts stay, its notes and titles have as many
    lines and its legends as many columns as fit. Tables, whose columns have their texts' width,
    keep theirs."""
    if figure.get_layout_engine() is None:
        return
    figure.set_figwidth(inches)
    for legend in figure.legends:
        entries = [text.get_text() for text in legend.get_texts()]
        before = _n_columns(legend)
        columns = _fitting(entries, max(before, round(inches)), inches)
        legend.set_ncols(columns)
        _grow(figure, math.ceil(len(entries) / columns) - math.ceil(len(entries) / before))
        _grow(figure, _rewrap(legend.get_title(), inches - _SIDES_INCHES))
    # Labels of the figure as a whole are among its texts.
    below = [text for text in figure.texts if text.get_text() == figure.get_supxlabel()]
    for note in below:
        _grow(figure, _rewrap(note, inches - _SIDES_INCHES))
    figure.draw_without_rendering()
    more = 0
    for axes in figure.axes:
        room = 1.1 * axes.get_position().width * inches
        more = max(more, _rewrap(axes.title, room) + _rewrap(axes.xaxis.label, room))
    _grow(figure, more)


def _rewrap(text: Text, inches: float) -> int:
    """Wrap a text anew; returns how many lines it has more."""
    before = text.get_text()
    if is_math_text(before) or not before.strip():
        return 0
    after = wrapped(" ".join(before.split("\n")), inches, float(text.get_fontsize()))
    text.set_text(after)
    return after.count("\n") - before.count("\n")


def _fitting(labels: Sequence[str], columns: int, inches: float) -> int:
    """As many columns of a legend as requested, or as fit."""
    widest = max((text_inches(label, TEXT_POINTS) for label in labels), default=0.0)
    entry = widest + _ENTRY_EMS * TEXT_POINTS / _POINTS_PER_INCH
    return max(1, min(columns, len(labels), int(inches / entry)))


def _grow(figure: Figure, rows: int) -> None:
    figure.set_figheight(figure.get_figheight() + ROW_INCHES * rows)


def _n_columns(legend: Legend) -> int:
    # matplotlib has a setter alone.
    columns: int = vars(legend)["_ncols"]
    return columns
