"""Tables as figures and as Markdown, from one list of columns. May import matplotlib."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import Colormap, to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fctestbed.plotting.captions import text_inches, wrapped
from fctestbed.plotting.style import BITS_COLORS, NOTE_COLOR, PAGE_INCHES, TEXT_POINTS

CHECK = "\N{CHECK MARK}"
_PAD = 0.03
_MARGIN = 0.06
_LINE = 0.13
_ROW = 0.05
_BETWEEN = 0.12


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
    """A table as wide as a page; columns that do not fit continue below, after the first ones.

    Args:
        columns: of equal length; the first one names the rows, together with those after it that
            are aligned left.
        rules: rows with a thin rule above them; the header has its own.
        note: a text below the table; wrapped.
    """
    n_rows = len(columns[0].cells)
    parts = _parts(columns)
    heads = [_height([column.header for column in part]) for part in parts]
    rows = [
        [_height([column.cells[row] for column in part]) for row in range(n_rows)] for part in parts
    ]
    lines = wrapped(note, PAGE_INCHES - 2 * _MARGIN)
    foot = _LINE * (1 + lines.count("\n")) + 0.06
    height = sum(heads) + sum(map(sum, rows)) + _BETWEEN * (len(parts) - 1) + foot + 2 * _MARGIN
    figure = Figure(figsize=(PAGE_INCHES, height))
    # One data unit is one inch, from the top left corner down.
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, PAGE_INCHES), ylim=(height, 0))
    axes.set_axis_off()
    top = _MARGIN
    for part, head, heights in zip(parts, heads, rows, strict=True):
        top = _draw_part(axes, part, rules, (top, head, heights)) + _BETWEEN
    axes.text(
        _MARGIN, top - _BETWEEN + 0.05, lines, fontsize=TEXT_POINTS, color=NOTE_COLOR, va="top",
        parse_math=False,
    )  # fmt: skip
    return figure


def _draw_part(
    axes: Axes,
    columns: Sequence[Column],
    rules: Collection[int],
    place: tuple[float, float, Sequence[float]],
) -> float:
    """Draw columns side by side; ``place`` has the top, the header's and the rows' heights in
    inches. Returns the lower end."""
    top, head, rows = place
    edges = _edges(columns)
    _rule(axes, top, 0.9)
    for column, (left, right) in zip(columns, pairwise(edges), strict=True):
        _text(axes, column, column.header, (left, right, top + head / 2), fontweight="bold")
    top += head
    _rule(axes, top, 0.6)
    for row, height in enumerate(rows):
        if row in rules and row > 0:
            _rule(axes, top, 0.4)
        for column, (left, right) in zip(columns, pairwise(edges), strict=True):
            fill = column.fills[row] if column.fills else None
            if fill is not None:
                axes.add_patch(
                    Rectangle((left, top), right - left, height, facecolor=fill, edgecolor="white")
                )
            _text(axes, column, column.cells[row], (left, right, top + height / 2))
        top += height
    _rule(axes, top, 0.9)
    return top


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


def _widest(column: Column) -> float:
    """Width of a column in inches, without its padding."""
    return max(
        text_inches(line, TEXT_POINTS, bold=place == 0, parse_math=False)
        for place, text in enumerate((column.header, *column.cells))
        for line in text.split("\n")
    )


def _parts(columns: Sequence[Column]) -> list[list[Column]]:
    """The columns in groups that each fit a page, as even as possible; those that name the rows are
    in each."""
    n_names = max(1, next((n for n, one in enumerate(columns) if not one.left), len(columns)))
    names, others = list(columns[:n_names]), list(columns[n_names:])
    for n_parts in range(1, len(others) + 1):
        size = -(-len(others) // n_parts)
        parts = [[*names, *others[at : at + size]] for at in range(0, len(others), size)]
        if all(_space(part) >= 0 for part in parts):
            return parts
    return [[*names, one] for one in others] or [names]


def _space(columns: Sequence[Column]) -> float:
    """Inches that a page has beyond the columns' texts and padding."""
    return PAGE_INCHES - 2 * _MARGIN - sum(_widest(column) + 2 * _PAD for column in columns)


def _edges(columns: Sequence[Column]) -> list[float]:
    """The columns' edges in inches; what the texts leave of a page is shared out evenly."""
    extra = _space(columns) / len(columns)
    edges = [_MARGIN]
    for column in columns:
        edges.append(edges[-1] + _widest(column) + extra + 2 * _PAD)
    return edges


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
        fontsize=TEXT_POINTS,
        parse_math=False,
        **style,
    )
