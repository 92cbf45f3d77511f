"""Waterfalls: label bits from what a world holds down to what a reader finds, one bar a level.

Owns the waterfall of a method and the overview of methods. Takes rows of explanations as tables.
May import pandas, matplotlib and this package's style.
"""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from fctestbed.plotting.style import COLORBLIND, NOTE_COLOR, PAGE_INCHES, house_style

LEVEL_COLORS = {
    "truth": COLORBLIND["grey"],
    "objective": COLORBLIND["vermilion"],
    "batch": COLORBLIND["orange"],
    "samples": COLORBLIND["yellow"],
    "network": COLORBLIND["green"],
    "run": COLORBLIND["blue"],
    "reader": COLORBLIND["pink"],
}
"""A colour for each level, in their order."""
_NOTHING = "#ffffff"


def waterfall_figure(rows: pd.DataFrame) -> Figure:
    """The waterfall of one method: a panel for each unique ratio, a bar for each level.

    A bar is the mean of the label bits over seeds with the standard deviation over seeds as a line;
    level 1 has the range over optima of equal loss instead. Levels that have not converged are
    hatched, and those that do not exist are marked with a dash.

    Args:
        rows: rows of ``explain`` of one method.
    """
    ratios = sorted(rows["unique_ratio"].unique())
    with house_style():
        figure = Figure(
            figsize=(min(PAGE_INCHES, 1.0 + 1.7 * len(ratios)), 2.6), layout="constrained"
        )
        panels = figure.subplots(1, len(ratios), sharey=True, squeeze=False)[0]
        for axes, ratio in zip(panels, ratios, strict=True):
            _draw_panel(axes, rows[rows["unique_ratio"] == ratio])
            axes.set_title(f"$\\rho$ = {ratio:g}")
        rate = rows["rate_bits"].iloc[0]
        panels[0].set_ylabel(f"label bits read at R = {rate:g} bits")
        figure.suptitle(str(rows["method"].iloc[0]))
        figure.supxlabel(
            "hatched: not converged; lines: standard deviation over seeds, at the objective the "
            "range over its optima",
            color=NOTE_COLOR,
            fontsize="x-small",
        )
    return figure


def _draw_panel(axes: Axes, rows: pd.DataFrame) -> None:
    for place, name in enumerate(LEVEL_COLORS):
        own = rows[rows["name"] == name]
        values = own["label_bits"].dropna()
        if values.empty:
            axes.text(place, 0.0, "none", ha="center", va="bottom", color=NOTE_COLOR)
            continue
        met = own["converged"].dropna()
        hatch = "////" if not met.empty and not met.astype(bool).all() else None
        mean = float(values.mean())
        axes.bar(
            place,
            mean,
            width=0.8,
            color=LEVEL_COLORS[name],
            hatch=hatch,
            edgecolor="#444444",
            linewidth=0.5,
        )
        if name == "objective":
            low, high = own["lowest_label_bits"].min(), own["highest_label_bits"].max()
        else:
            spread = float(values.std()) if len(values) > 1 else 0.0
            low, high = mean - spread, mean + spread
        if high > low:
            axes.plot([place, place], [low, high], color="black", linewidth=1.0)
    axes.set_xticks(range(len(LEVEL_COLORS)), list(LEVEL_COLORS), rotation=60, ha="right")
    axes.set_xlim(-0.6, len(LEVEL_COLORS) - 0.4)
    axes.axhline(0.0, color="black", linewidth=0.6)


def overview_figure(culprits: Mapping[tuple[str, float], tuple[str | None, float]]) -> Figure:
    """Methods against unique ratios, each cell coloured by the level that loses bits first.

    Args:
        culprits: by method and ratio, the level, None where no drop is large, and the bits that it
            loses.
    """
    methods = list(dict.fromkeys(method for method, _ in culprits))
    ratios = sorted({ratio for _, ratio in culprits})
    with house_style():
        figure = Figure(figsize=(PAGE_INCHES, 1.2 + 0.28 * len(methods)), layout="constrained")
        axes = figure.subplots()
        for (method, ratio), (name, lost) in culprits.items():
            x, y = ratios.index(ratio), methods.index(method)
            color = _NOTHING if name is None else LEVEL_COLORS[name]
            axes.add_patch(
                Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=color, edgecolor="#444444")
            )
            if name is not None and not math.isnan(lost):
                axes.text(x, y, f"{lost:.2f}", ha="center", va="center", fontsize="small")
        axes.set_xlim(-0.5, len(ratios) - 0.5)
        axes.set_ylim(len(methods) - 0.5, -0.5)
        axes.set_xticks(np.arange(len(ratios)), [f"{ratio:g}" for ratio in ratios])
        axes.set_yticks(np.arange(len(methods)), methods)
        axes.set_xlabel("unique ratio")
        names = [name for name in LEVEL_COLORS if name != "truth"]
        handles = [Patch(facecolor=LEVEL_COLORS[name], label=name) for name in names]
        handles.append(Patch(facecolor=_NOTHING, edgecolor="#444444", label="no large loss"))
        figure.legend(
            handles=handles,
            loc="outside right upper",
            title="first large loss at\n(label bits lost)",
            frameon=False,
        )
    return figure
