"""Curves against the unique ratio: what figures of this kind have in common."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.series import series_styles
from fctestbed.plotting.style import (
    COLUMN_INCHES,
    LEGEND_POINTS,
    PAGE_INCHES,
    MethodStyle,
    text_inches,
)

RATIO_LABEL = "unique ratio (unique share of the label)"
_MARGIN = 0.06
_STRAY = 0.2
_DODGE = 0.03
_ALONE = 0.25
_ROW_INCHES = 0.125
_NOTE_CHARACTERS_PER_INCH = 17
# Of the legend's handle, its distance from the text, and the gap between columns.
_ENTRY_EMS = 2.6 + 0.5 + 1.2
MOST_IN_A_COLUMN = 10
_FAINT = 0.5


def draw_curves(
    axes: Axes, points: pd.DataFrame, *, x: str = "unique_ratio", bands: bool = True
) -> list[Line2D]:
    """One line per method and variant with its interval.

    Where there is one place only, methods stand side by side, or they would hide each other.

    Args:
        axes: where to draw.
        points: what ``seed_intervals`` gave.
        x: the column that they are drawn against.
        bands: whether to draw the intervals.

    Returns:
        The lines, labelled, in legend order.
    """
    lines = []
    styles = series_styles(points)
    dodge = _DODGE if points[x].nunique() == 1 else 0.0
    for order, ((method, variant), style) in enumerate(styles.items()):
        own = points[(points["method"] == method) & (points["variant"] == variant)]
        places = own[x].to_numpy() + dodge * (order - (len(styles) - 1) / 2)
        # Methods over controls, and the first method on top.
        zorder = (3.0 if style.control else 4.0) - 0.01 * order
        (line,) = axes.plot(
            places,
            own["mean"].to_numpy(),
            label=style.label,
            color=style.color,
            linestyle=style.dash,
            linewidth=style.line_width,
            marker=style.marker,
            markersize=3.2 if style.control else 3.8,
            markerfacecolor="white" if style.control else style.color,
            markeredgecolor=style.color if style.control else "white",
            markeredgewidth=0.8 if style.control else 0.4,
            zorder=zorder,
        )
        lines.append(line)
        if bands and own["low"].notna().any():
            faint = _FAINT if len(styles) > MOST_IN_A_COLUMN else 1.0
            _draw_interval(axes, style, places, own, zorder=zorder, faint=faint)
    return lines


def width_for(points: pd.DataFrame) -> float:
    """A column's width in inches; a page's where a column would be too crowded."""
    n_series = len(points[["method", "variant"]].drop_duplicates())
    return COLUMN_INCHES if n_series <= MOST_IN_A_COLUMN else PAGE_INCHES


def draw_exact(axes: Axes, values: pd.Series, label: str, dash: str = "-") -> list[Line2D]:
    """An exact number as a black line over the ratios; nothing where it is not known."""
    if values.empty:
        return []
    x = values.index.to_numpy(dtype=float)
    y = values.to_numpy(dtype=float)
    if len(x) == 1:
        # A line of one point cannot be seen.
        x, y = np.array([x[0] - _ALONE, x[0] + _ALONE]), np.repeat(y, 2)
    return axes.plot(x, y, color="black", linestyle=dash, linewidth=1.1, label=label, zorder=2.5)


def set_ratio_axis(axes: Axes, ratios: Iterable[float]) -> None:
    """Limits, ticks and label of the horizontal axis."""
    known = sorted(set(ratios))
    if len(known) == 1:
        axes.set_xlim(known[0] - 1.2 * _ALONE, known[0] + 1.2 * _ALONE)
        axes.set_xticks(known)
    elif known[0] >= 0 and known[-1] <= 1:
        axes.set_xlim(-0.04, 1.04)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    axes.set_xlabel(RATIO_LABEL)


def set_value_axis(axes: Axes, points: pd.DataFrame, exact: Sequence[pd.Series]) -> None:
    """Limits of the vertical axis: all means and exact lines; intervals as far as is sensible.

    One wild interval (two seeds have a factor of 12.7) must not flatten all the curves.
    """
    levels = [points["mean"].to_numpy(), *(line.to_numpy(dtype=float) for line in exact)]
    values = np.concatenate([np.array([0.0]), *levels])
    bottom, top = float(values.min()), float(values.max())
    span = max(top - bottom, 1e-6)
    ends = points[["low", "high"]].to_numpy().ravel()
    ends = ends[np.isfinite(ends)]
    if len(ends):
        bottom = min(bottom, max(float(ends.min()), bottom - _STRAY * span))
        top = max(top, min(float(ends.max()), top + _STRAY * span))
    axes.set_ylim(bottom - _MARGIN * span, top + _MARGIN * span)


def add_legend(figure: Figure, handles: Sequence[Artist], columns: int, note: str) -> None:
    """The legend in columns below the panels, titled by the note; the figure grows with it.

    There are fewer columns than asked for where long labels would not fit the figure.
    """
    widest = max(text_inches(str(handle.get_label()), LEGEND_POINTS) for handle in handles)
    entry = widest + _ENTRY_EMS * LEGEND_POINTS / 72
    columns = max(1, min(columns, int(figure.get_figwidth() / entry)))
    if len(note) > figure.get_figwidth() * _NOTE_CHARACTERS_PER_INCH:
        note = note.replace("; ", "\n")
    figure.set_figheight(figure.get_figheight() + _ROW_INCHES * math.ceil(len(handles) / columns))
    legend = figure.legend(
        handles=list(handles),
        loc="outside lower center",
        ncols=columns,
        title=note,
        title_fontsize=6.0,
        frameon=False,
        handlelength=2.6,
        handletextpad=0.5,
        columnspacing=1.2,
        labelspacing=0.35,
        borderpad=0.1,
    )
    legend.get_title().set(color="#555555", multialignment="center")


def _draw_interval(
    axes: Axes,
    style: MethodStyle,
    x: np.ndarray,
    own: pd.DataFrame,
    *,
    zorder: float,
    faint: float,
) -> None:
    low, high = own["low"].to_numpy(), own["high"].to_numpy()
    if len(x) == 1:
        axes.vlines(x, low, high, color=style.color, linewidth=0.9, zorder=zorder - 0.005)
        return
    axes.fill_between(
        x,
        low,
        high,
        color=style.color,
        alpha=faint * (0.12 if style.control else 0.2),
        linewidth=0,
        zorder=zorder - 2.0,
    )
