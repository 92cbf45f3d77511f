"""Methods against unique ratios, each cell coloured by the level that loses bits first.

From the steps of an explanation alone.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from fctestbed.plotting.figures.waterfall import LEVEL_COLORS
from fctestbed.plotting.interface import Drawing, NothingToDraw
from fctestbed.plotting.style import PAGE_INCHES, literal

_NOTHING = "#ffffff"
_LEGEND_INCHES = 2.3


def draw_overview(steps: pd.DataFrame) -> Drawing:
    """A row for each method, a column for each unique ratio; the number is the bits that the
    culprit loses and the run does not regain, in brackets where its level did not converge.

    Args:
        steps: of ``fctestbed.faults.all_steps``.

    Raises:
        NothingToDraw: for no step.
    """
    if steps.empty:
        raise NothingToDraw("steps: expected those of a method, got none")
    methods = list(dict.fromkeys(steps["method"]))
    ratios = sorted(steps["unique_ratio"].unique())
    figure = Figure(
        figsize=(PAGE_INCHES, max(_LEGEND_INCHES, 1.2 + 0.28 * len(methods))), layout="constrained"
    )
    axes = figure.subplots()
    for (method, ratio), own in steps.groupby(["method", "unique_ratio"], sort=False):
        x, y = ratios.index(ratio), methods.index(method)
        culprits = own[own["is_culprit"]]
        name = None if culprits.empty else str(culprits["name"].iloc[0])
        color = _NOTHING if name is None else LEVEL_COLORS[name]
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=color, edgecolor="#444444"))
        if name is not None:
            text = f"{culprits[['lost_bits', 'kept_bits']].iloc[0].min():.2f}"
            settled = culprits["converged"].iloc[0]
            text = f"({text})" if settled is not None and not settled else text
            axes.text(x, y, text, ha="center", va="center")
    axes.set_xlim(-0.5, len(ratios) - 0.5)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.set_xticks(np.arange(len(ratios)), [f"{ratio:g}" for ratio in ratios])
    axes.set_yticks(np.arange(len(methods)), [literal(str(method)) for method in methods])
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_xlabel("unique ratio")
    handles = [
        Patch(facecolor=color, label=name)
        for name, color in LEVEL_COLORS.items()
        if name != "truth"
    ]
    handles.append(Patch(facecolor=_NOTHING, edgecolor="#444444", label="no large loss"))
    figure.legend(
        handles=handles,
        loc="outside right upper",
        title=(
            "first large loss at\n(label bits lost,\nnot regained by run;\nin brackets: level\n"
            "not converged)"
        ),
        frameon=False,
    )
    return Drawing(figure, steps.reset_index(drop=True))
