"""Marks with horizontal intervals, one to a row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fctestbed.plotting.style import MethodStyle

_STRAY = 1.0
_PAD = 0.08


def draw_dot(
    axes: Axes,
    y: float,
    point: Mapping[Any, Any],
    style: MethodStyle,
    *,
    marker: str,
    filled: bool = True,
) -> None:
    """One mean with its interval (none for one seed).

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

    All means and the numbers in ``also`` are inside; a wild interval is cut at the axes, or it
    would flatten the others.
    """
    levels = np.array([*points["mean"], *also], dtype=float)
    low, high = float(levels.min()), float(levels.max())
    span = max(high - low, 1e-3)
    ends = points[["low", "high"]].to_numpy().ravel()
    ends = ends[np.isfinite(ends)]
    if len(ends):
        low = min(low, max(float(ends.min()), low - _STRAY * span))
        high = max(high, min(float(ends.max()), high + _STRAY * span))
    pad = _PAD * max(high - low, 1e-3)
    axes.set_xlim(low - pad, high + pad)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
