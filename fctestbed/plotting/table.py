"""Tables as figures and as Markdown, from one list of columns. May import matplotlib."""

import math
import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import Colormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fctestbed.plotting.style import BITS_COLORS, NOTE_COLOR, PAGE_INCHES, text_inches

CHECK = "\N{CHECK MARK}"
_FONT = 6.5
_NOTE_FONT = 6.0
_PAD = 0.05
_MARGIN = 0.08
_LINE = 0.125
_ROW = 0.05
_NOTE_CHARACTERS_PER_INCH = 23


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        header: its header; may have several lines.
        cells: one text per row; may have several lines.
        left: whether it is aligned left; else centred.
        fills: a light background colour per row, None for none; empty for no colours at all.
    """

    header: str
    cells: tuple[str, ...]
    left: bool = False
    fills: tuple[str | None, ...] = ()


def table_figure(columns: Sequence[Column], rules: Collection[int], note: str) -> Figure:
    """A table as wide as a page.

    Args:
        columns: of equal length; the first one names the rows.
        rules: rows with a thin rule above them; the header has its own.
        note: a text below the table; wrapped.
    """
    n_rows = len(columns[0].cells)
    lines = textwrap.wrap(note, int((PAGE_INCHES - 2 * _MARGIN) * _NOTE_CHARACTERS_PER_INCH))
    size, edges = _layout(columns)
    head = _height([column.header for column in columns])
    rows = [_height([column.cells[row] for column in columns]) for row in range(n_rows)]
    foot = _LINE * len(lines) * _NOTE_FONT / _FONT + 0.06
    height = head + sum(rows) + foot + 2 * _MARGIN
    figure = Figure(figsize=(PAGE_INCHES, height))
    # One data unit is one inch, from the top left corner down.
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, PAGE_INCHES), ylim=(height, 0))
    axes.set_axis_off()
    _rule(axes, _MARGIN, 0.9)
    for column, (left, right) in zip(columns, pairwise(edges), strict=True):
        place = (left, right, _MARGIN + head / 2)
        _text(axes, column, column.header, place, fontsize=size, fontweight="bold")
    top = _MARGIN + head
    _rule(axes, top, 0.6)
    for row in range(n_rows):
        if row in rules and row > 0:
            _rule(axes, top, 0.4)
        for column, (left, right) in zip(columns, pairwise(edges), strict=True):
            fill = column.fills[row] if column.fills else None
            if fill is not None:
                axes.add_patch(
                    Rectangle(
                        (left, top), right - left, rows[row], facecolor=fill, edgecolor="white"
                    )
                )
            place = (left, right, top + rows[row] / 2)
            _text(axes, column, column.cells[row], place, fontsize=size)
        top += rows[row]
    _rule(axes, top, 0.9)
    axes.text(
        _MARGIN, top + 0.05, "\n".join(lines), fontsize=_NOTE_FONT, color=NOTE_COLOR, va="top"
    )
    return figure


def markdown_table(columns: Sequence[Column], note: str) -> str:
    """The columns as a Markdown table, with the note as a line of text above it."""
    head = "|".join(f" {_one_line(column.header)} " for column in columns)
    marks = "|".join("---" if column.left else ":---:" for column in columns)
    rows = [
        "|".join(f" {_one_line(column.cells[row])} " for column in columns)
        for row in range(len(columns[0].cells))
    ]
    return "\n".join([note, "", *(f"|{line}|" for line in (head, marks, *rows))]) + "\n"


def plus_minus(mean: float, half: float, digits: int = 2, *, signed: bool = False) -> str:
    """``1.93 ± 0.02``; the mean alone where the half width is NaN (one seed); empty for no mean."""
    if math.isnan(mean):
        return ""
    # z: a small negative mean is not written as minus zero.
    text = f"{mean:+z.{digits}f}" if signed else f"{mean:z.{digits}f}"
    text = text.replace("-", "\N{MINUS SIGN}")
    return text if math.isnan(half) else f"{text} ± {half:.{digits}f}"


def share_color(share: float, colors: Colormap = BITS_COLORS) -> str | None:
    """A table cell's background for a share in [0, 1] of the maximum; None for NaN.

    Args:
        share: the share.
        colors: ``BITS_COLORS`` for bits, ``NATS_COLORS`` for nats.
    """
    # On the darker half of the scale black numbers have too little contrast.
    return None if math.isnan(share) else to_hex(colors(0.5 * min(max(share, 0.0), 1.0)))


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _layout(columns: Sequence[Column]) -> tuple[float, list[float]]:
    """Font size in points, and the columns' edges in inches, so that all texts fit the page."""
    space = PAGE_INCHES - 2 * _MARGIN - 2 * _PAD * len(columns)
    widest = [
        max(
            text_inches(line, _FONT, bold=place == 0, parse_math=False)
            for place, text in enumerate((column.header, *column.cells))
            for line in text.split("\n")
        )
        for column in columns
    ]
    scale = min(1.0, space / sum(widest))
    extra = (space - scale * sum(widest)) / len(columns)
    edges = [_MARGIN]
    for width in widest:
        edges.append(edges[-1] + scale * width + extra + 2 * _PAD)
    return _FONT * scale, edges


def _height(texts: Sequence[str]) -> float:
    return _ROW + _LINE * max(text.count("\n") + 1 for text in texts)


def _rule(axes: Axes, y: float, width: float) -> None:
    axes.plot([_MARGIN, PAGE_INCHES - _MARGIN], [y, y], color="black", linewidth=width)


def _text(
    axes: Axes, column: Column, text: str, place: tuple[float, float, float], **style: Any
) -> None:
    """A cell's text; ``place`` is its left and right edge and its middle's height, in inches."""
    left, right, middle = place
    axes.text(
        left + _PAD if column.left else (left + right) / 2,
        middle,
        text,
        ha="left" if column.left else "center",
        va="center",
        parse_math=False,
        **style,
    )
