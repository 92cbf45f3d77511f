"""Estimates against exact values on readouts of trained encoders, a panel for each estimator.

From the rows of ``calibrate --readouts`` alone.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fctestbed.estimators import HALF_WIDTH
from fctestbed.plotting.cells import NOTE_COLOR
from fctestbed.plotting.court_rows import about, estimates, on_common_cells
from fctestbed.plotting.drawing import Drawing
from fctestbed.plotting.estimator_verdicts import verdicts
from fctestbed.plotting.series import series_styles
from fctestbed.plotting.style import PAGE_INCHES, MethodStyle

_COLUMNS = 3
_PANEL_INCHES = 2.05
# Above and below these multiples of the largest exact value a point stands on the panel's edge.
_TALLEST, _DEEPEST = 1.5, -0.25


def draw_estimators_on_readouts(rows: pd.DataFrame) -> Drawing:
    """Estimate over exact value; on the identity an estimator is right.

    Panels hold the cells that all estimators have, in the order of the root mean square error;
    colours and markers are the methods', bars 95 % of the estimators' own spread.

    Args:
        rows: of ``calibrate --readouts``.

    Raises:
        NothingToDraw: if no cell has an estimate of every estimator.
    """
    found = on_common_cells(estimates(rows))
    table = verdicts(rows).to_dict(orient="records")
    styles = series_styles(found)
    top = max(0.1, float(found["exact_bits"].max()))
    values = found["value_bits"]
    reach = 1.05 * float((values + HALF_WIDTH * found["se_bits"].fillna(0.0)).max())
    limits = (
        max(min(-0.08 * top, float(values.min())), _DEEPEST * top),
        min(max(reach, 1.04 * top), _TALLEST * top),
    )
    n_rows = -(-len(table) // _COLUMNS)
    figure = Figure(figsize=(PAGE_INCHES, _PANEL_INCHES * n_rows + 0.7), layout="constrained")
    grid = figure.subplots(n_rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    panels: list[Axes] = list(grid.flat)
    for verdict, axes in zip(table, panels, strict=False):
        own = found[found["estimator"] == verdict["estimator"]]
        _draw_panel(axes, own, styles, limits)
        kind = {"lower": " (lower bound)", "upper": " (upper bound)"}.get(verdict["bound"], "")
        kind = " (penalty)" if verdict["target"] == "jeffreys" else kind
        axes.set_title(f"{verdict['estimator']}{kind}")
        axes.text(
            0.03,
            0.97,
            _words(verdict, int((~own["value_bits"].between(*limits)).sum())),
            transform=axes.transAxes,
            va="top",
            fontsize=6.0,
            color=NOTE_COLOR,
            # Over markers that stand on the edge.
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
        )
    for axes in panels[len(table) :]:
        axes.set_axis_off()
    first = panels[0]
    first.set(xlim=(-0.04 * top, 1.04 * top), ylim=limits)
    for place, axes in enumerate(panels[: len(table)]):
        # The lowest panel of a column may stand above an empty place.
        axes.tick_params(labelbottom=place + _COLUMNS >= len(table))
    exact = "exact information I(Z + \N{GREEK SMALL LETTER TAU}N; block) (bits)"
    figure.supxlabel(f"{exact}\n{about(found)}", fontsize=7.5)
    figure.supylabel("estimate (bits)", fontsize=7.5)
    figure.legend(
        *first.get_legend_handles_labels(),
        loc="outside upper center",
        ncols=min(6, len(styles)),
    )
    return Drawing(figure, found)


def _draw_panel(
    axes: Axes,
    own: pd.DataFrame,
    styles: dict[tuple[str, str], MethodStyle],
    limits: tuple[float, float],
) -> None:
    axes.axline((0, 0), slope=1, color="black", linewidth=0.7, zorder=1)
    for (method, variant), style in styles.items():
        points = own[(own["method"] == method) & (own["variant"] == variant)]
        values = points["value_bits"].clip(*limits)
        spread = HALF_WIDTH * points["se_bits"]
        axes.errorbar(
            points["exact_bits"],
            values,
            yerr=np.where(values == points["value_bits"], spread, 0.0),
            fmt=style.marker,
            color=style.color,
            markersize=3.2,
            markerfacecolor="none" if style.control else style.color,
            markeredgewidth=0.7,
            elinewidth=0.6,
            label=style.label,
            # Markers of what is off the scale stand whole on the edge.
            clip_on=False,
        )


def _words(verdict: Mapping[Any, Any], n_off: int) -> str:
    ranks = verdict["rank_correlation"]
    lines = [f"RMSE {verdict['rmse_bits']:.2f} bits"]
    lines += [] if math.isnan(ranks) else [f"rank correlation {ranks:.2f}"]
    lines += [f"{n_off} off the scale"] if n_off else []
    return "\n".join(lines)
