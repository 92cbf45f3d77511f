"""The marks of figures: curves with bands, exact lines, dots with intervals, and their axes.

May import numpy, pandas and matplotlib.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWNBASE

from fctestbed.plotting.axes import UNIQUE_RATIO, Axis, AxisValue, value_texts
from fctestbed.plotting.style import (
    MOST_IN_A_COLUMN,
    NOTE_COLOR,
    TEXT_POINTS,
    MethodStyle,
    literal,
    series_styles,
)

RATIO_LABEL = "unique ratio (unique share of the label)"
_MARGIN = 0.06
_DOTS_MARGIN = 0.08
# How far beyond the means an interval may extend an axis, as a multiple of their range.
_STRAY, _DOTS_STRAY = 0.2, 1.0
# How far below 0 means may extend an axis, as a multiple of the largest one.
_MOST_BELOW = 0.25
_DODGE = 0.03
_GROUP = 0.7
_ALONE = 0.25
_CATEGORY = 0.4
_LOG_FROM = 30.0
_MOST_TICKS = 6
_FAINT = 0.5
EXACT_ORDER = 4.5
"""Exact lines are drawn over curves: a curve on its limit does not hide the limit."""


def draw_curves(axes: Axes, points: pd.DataFrame, x: Axis, *, bands: bool = True) -> list[Line2D]:
    """One line per method and variant with its interval; marks without a line for categories.

    If there is only one place, and at each category, methods are drawn side by side, so that they
    do not hide each other.

    Args:
        axes: where to draw.
        points: what ``seed_intervals`` returned for ``method, variant`` and ``x``.
        x: the horizontal axis.
        bands: whether to draw the intervals.

    Returns:
        The lines, labelled, in legend order.
    """
    lines = []
    styles = series_styles(points)
    dodge = _DODGE if points[x.name].nunique() == 1 else 0.0
    if not x.is_numeric:
        dodge = min(2 * _DODGE, _GROUP / len(styles))
    for order, ((method, variant), style) in enumerate(styles.items()):
        own = points[(points["method"] == method) & (points["variant"] == variant)]
        places = x.places(own[x.name]) + dodge * (order - (len(styles) - 1) / 2)
        # Methods over controls, and the first method on top.
        zorder = (3.0 if style.control else 4.0) - 0.01 * order
        (line,) = axes.plot(
            places,
            own["mean"].to_numpy(),
            label=style.text,
            color=style.color,
            linestyle=style.dash if x.is_numeric else "none",
            linewidth=style.line_width,
            marker=style.marker,
            markersize=3.2 if style.control else 3.8,
            markerfacecolor="white" if style.control else style.color,
            markeredgecolor=style.color if style.control else "white",
            markeredgewidth=0.8 if style.control else 0.4,
            zorder=zorder,
        )
        lines.append(line)
        if not bands or not own["low"].notna().any():
            continue
        low, high = own["low"].to_numpy(), own["high"].to_numpy()
        if len(places) == 1 or not x.is_numeric:
            axes.vlines(places, low, high, color=style.color, linewidth=0.9, zorder=zorder - 0.005)
        else:
            faint = _FAINT if len(styles) > MOST_IN_A_COLUMN else 1.0
            draw_band(axes, places, own, style, faint=faint, zorder=zorder - 2.0)
    return lines


def draw_band(
    axes: Axes,
    places: np.ndarray,
    points: pd.DataFrame,
    style: MethodStyle,
    *,
    zorder: float,
    faint: float = 1.0,
) -> None:
    """The interval from ``low`` to ``high`` as a band; its opacity is scaled by ``faint``."""
    axes.fill_between(
        places,
        points["low"].to_numpy(dtype=float),
        points["high"].to_numpy(dtype=float),
        color=style.color,
        alpha=faint * (0.12 if style.control else 0.2),
        linewidth=0,
        zorder=zorder,
    )


def draw_exact(axes: Axes, values: pd.Series, label: str, x: Axis, dash: str = "-") -> list[Line2D]:
    """An exact number along ``x`` as a black line; nothing where it is not known.

    Args:
        axes: where to draw.
        values: the number, indexed by values of ``x``.
        label: for the legend.
        x: the horizontal axis.
        dash: matplotlib's line style.
    """
    values = values[[value in x.values for value in values.index]] if not x.is_numeric else values
    if values.empty:
        return []
    places = x.places(values.index)
    heights = values.to_numpy(dtype=float)
    if not x.is_numeric:
        # A separate level for each category, without lines between them.
        ends = (places - _CATEGORY, places + _CATEGORY, np.full(len(places), np.nan))
        places, heights = np.stack(ends, axis=1).ravel(), np.repeat(heights, 3)
    elif len(places) == 1:
        # A line of one point cannot be seen.
        places, heights = places[0] + np.array([-_ALONE, _ALONE]), np.repeat(heights, 2)
    return axes.plot(
        places,
        heights,
        color="black",
        linestyle=dash,
        linewidth=1.1,
        label=label,
        zorder=EXACT_ORDER,
    )


def set_horizontal_axis(axes: Axes, x: Axis, *, label: str | None = None) -> None:
    """Limits, scale, ticks and label; positive numbers over a wide range have a log scale."""
    if not x.is_numeric:
        names = [literal(text) for text in x.texts.values()]
        slanted = max(map(len, names)) * len(names) > 40
        axes.set_xticks(range(len(names)), names, rotation=30 if slanted else 0)
        axes.set_xlim(-0.6, len(names) - 0.4)
    else:
        known = [float(value) for value in x.values]
        if len(known) == 1:
            axes.set_xlim(known[0] - 1.2 * _ALONE, known[0] + 1.2 * _ALONE)
            axes.set_xticks(known)
        elif known[0] > 0 and known[-1] >= _LOG_FROM * known[0]:
            axes.set_xscale("log")
            _tick_values(axes, x)
        elif x.name != UNIQUE_RATIO:
            _tick_values(axes, x)
        elif known[0] >= 0 and known[-1] <= 1:
            axes.set_xlim(-0.04, 1.04)
            axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    default = RATIO_LABEL if x.name == UNIQUE_RATIO else x.name
    axes.set_xlabel(default if label is None else label)


def set_rate_axis(axis: XAxis | YAxis, rates: Sequence[AxisValue]) -> None:
    """A log scale along the rate, with ticks at the measured rates."""
    set_scale = axis.axes.set_xscale if isinstance(axis, XAxis) else axis.axes.set_yscale
    set_scale("log", base=2)
    axis.set_ticks([float(rate) for rate in rates], value_texts(rates))
    axis.set_ticks([], minor=True)


def set_value_axis(axes: Axes, points: pd.DataFrame, exact: Sequence[pd.Series]) -> None:
    """Limits of the vertical axis: all means and exact lines, and intervals up to a limit.

    A very wide interval (two seeds have a factor of 12.7) would flatten all the curves. So would a
    control far below 0: means lower than a quarter of the largest one below 0 are carets at the
    edge.
    """
    lines = [line.to_numpy(dtype=float) for line in exact]
    levels = np.concatenate([np.array([0.0]), points["mean"].to_numpy(), *lines])
    floor = -_MOST_BELOW * float(np.nanmax(levels))
    levels = np.maximum(levels, floor) if floor < 0 else levels
    bottom, top = _limits(levels, points, _STRAY, 1e-6)
    span = max(float(np.ptp(levels)), 1e-6)
    axes.set_ylim(bottom - _MARGIN * span, top + _MARGIN * span)
    _mark_below(axes)


def _mark_below(axes: Axes) -> None:
    """A caret at the lower edge for each mean below it, and their number."""
    edge = axes.get_ylim()[0]
    n_below = 0
    for line in list(axes.get_lines()):
        places, heights = (np.asarray(values, dtype=float) for values in line.get_data())
        below = places[heights < edge]
        n_below += len(below)
        if len(below):
            axes.plot(
                below,
                np.full(len(below), edge),
                linestyle="none",
                marker=CARETDOWNBASE,
                color=line.get_color(),
                markersize=3.5,
                clip_on=False,
                label="_below",
            )
    if n_below:
        axes.annotate(
            f"{n_below} mean{'s' if n_below > 1 else ''} below",
            (0.99, 0.02),
            xycoords="axes fraction",
            ha="right",
            fontsize=TEXT_POINTS,
            color=NOTE_COLOR,
        )


def draw_dot(
    axes: Axes,
    y: float,
    point: Mapping[Any, Any],
    style: MethodStyle,
    *,
    marker: str,
    filled: bool = True,
) -> None:
    """One mean with its horizontal interval (none for one seed).

    Args:
        axes: where to draw.
        y: its height.
        point: its ``mean``, ``low`` and ``high``.
        style: its colour.
        marker: matplotlib's marker.
        filled: whether the mark is filled, or white inside.
    """
    axes.hlines(y, point["low"], point["high"], color=style.color, linewidth=1.2, zorder=2)
    axes.plot(
        [point["mean"]],
        [y],
        marker=marker,
        color=style.color,
        markersize=4.0,
        markerfacecolor=style.color if filled else "white",
        linestyle="none",
        zorder=3,
    )


def set_dots_axis(axes: Axes, points: pd.DataFrame, also: Sequence[float]) -> None:
    """Limits of the horizontal axis and no lines between rows.

    All means and the numbers in ``also`` are inside; a wide interval is cut at the axes.
    """
    levels = np.array([*points["mean"], *also], dtype=float)
    low, high = _limits(levels, points, _DOTS_STRAY, 1e-3)
    pad = _DOTS_MARGIN * max(high - low, 1e-3)
    axes.set_xlim(low - pad, high + pad)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _limits(
    levels: np.ndarray, points: pd.DataFrame, stray: float, least: float
) -> tuple[float, float]:
    """Range of the levels and of the intervals, those at most ``stray`` times the range beyond."""
    low, high = float(levels.min()), float(levels.max())
    span = max(high - low, least)
    ends = points[["low", "high"]].to_numpy().ravel()
    ends = ends[np.isfinite(ends)]
    if len(ends):
        low = min(low, max(float(ends.min()), low - stray * span))
        high = max(high, min(float(ends.max()), high + stray * span))
    return low, high


def _tick_values(axes: Axes, x: Axis) -> None:
    """Ticks at the values themselves, where there are few."""
    if len(x.values) <= _MOST_TICKS:
        axes.set_xticks([float(value) for value in x.values], list(x.texts.values()))
        axes.set_xticks([], minor=True)
