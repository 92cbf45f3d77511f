"""Estimators on readouts of trained encoders: a panel for each, and a table of their errors.

From the rows of ``calibrate-readouts`` alone.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

from fctestbed.plotting.interface import Drawing
from fctestbed.plotting.judged import (
    ERROR_COLUMNS,
    common_estimates,
    conditions_note,
    estimator_errors,
)
from fctestbed.plotting.style import (
    LABEL_POINTS,
    NOTE_COLOR,
    PAGE_INCHES,
    TEXT_POINTS,
    MethodStyle,
    literal,
    series_styles,
)
from fctestbed.plotting.summarise import CONFIDENCE
from fctestbed.plotting.table import Column, markdown_table, plus_minus, table_figure

_HALF_WIDTH = float(ndtri((1 + CONFIDENCE) / 2))
"""Half of a 95 % interval in standard errors."""
_COLUMNS = 4
_PANEL_INCHES = 1.7
# A point above or below these multiples of the largest exact value is drawn on the panel's edge.
_TALLEST, _DEEPEST = 1.5, -0.25


def draw_estimator_panels(rows: pd.DataFrame) -> Drawing:
    """Estimate against exact value; the line is the identity.

    Panels hold the cells that all estimators have, in the order of the root mean square error;
    colours and markers are the methods', bars 95 % intervals by the estimators' standard errors.

    Args:
        rows: of ``calibrate-readouts``.

    Raises:
        NothingToDraw: if no cell has an estimate of every estimator.
    """
    found = common_estimates(rows)
    table = estimator_errors(rows).to_dict(orient="records")
    styles = series_styles(found)
    top = max(0.1, float(found["exact_bits"].max()))
    limits = _limits(found, top)
    n_rows = -(-len(table) // _COLUMNS)
    figure = Figure(figsize=(PAGE_INCHES, _PANEL_INCHES * n_rows + 0.7), layout="constrained")
    grid = figure.subplots(n_rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    panels: list[Axes] = list(grid.flat)
    for errors, axes in zip(table, panels, strict=False):
        own = found[found["estimator"] == errors["estimator"]]
        _draw_panel(axes, own, styles, limits)
        kind = {"lower": " (lower bound)", "upper": " (upper bound)"}.get(errors["bound"], "")
        kind = " (penalty)" if errors["target"] == "jeffreys" else kind
        axes.set_title(f"{literal(errors['estimator'])}{kind}")
        axes.text(
            0.03,
            0.97,
            _panel_text(errors, int((~own["value_bits"].between(*limits)).sum())),
            transform=axes.transAxes,
            va="top",
            fontsize=TEXT_POINTS,
            color=NOTE_COLOR,
            # Over markers on the edge.
            zorder=5,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
        )
    for axes in panels[len(table) :]:
        axes.set_axis_off()
    first = panels[0]
    first.set(xlim=(-0.04 * top, 1.04 * top), ylim=limits)
    for place, axes in enumerate(panels[: len(table)]):
        # The lowest panel of a column may be above an empty place.
        axes.tick_params(labelbottom=place + _COLUMNS >= len(table))
    exact = "exact information I(Z + \N{GREEK SMALL LETTER TAU}N; block) (bits)"
    figure.supxlabel(f"{exact}\n{conditions_note(found)}", fontsize=LABEL_POINTS)
    figure.supylabel("estimate (bits)", fontsize=LABEL_POINTS)
    figure.legend(
        *first.get_legend_handles_labels(),
        loc="outside upper center",
        ncols=min(6, len(styles)),
        frameon=False,
    )
    return Drawing(figure, found)


def draw_estimator_errors(rows: pd.DataFrame) -> Drawing:
    """``estimator_errors`` as a table.

    Args:
        rows: of ``calibrate-readouts``.

    Raises:
        NothingToDraw: if no cell has an estimate of every estimator.
    """
    table = estimator_errors(rows)
    found = common_estimates(rows)
    others = [str(name) for name in table if name not in ERROR_COLUMNS]
    columns = [
        Column("estimator", tuple(table["estimator"]), True),
        Column(
            "bound",
            tuple(
                "penalty" if target == "jeffreys" else bound
                for bound, target in zip(table["bound"], table["target"], strict=True)
            ),
        ),
        Column("RMSE\n(bits)", _numbers(table["rmse_bits"])),
        Column("mean\nerror\n(bits)", _numbers(table["bias_bits"], signed=True)),
        *(
            Column(
                f"error\non\n{name.removeprefix('bias_').removesuffix('_bits')}",
                _numbers(table[name], signed=True),
            )
            for name in others
            if name.startswith("bias_")
        ),
        Column("read\n(% of\nall)", _percentages(table["share_read"])),
        Column("ranks\nof all", _numbers(table["rank_correlation"])),
        *(
            Column(f"ranks\nof\n{name.removeprefix('rank_')}", _numbers(table[name]))
            for name in others
            if name.startswith("rank_")
        ),
        Column("above\nexact by\n3 SE (%)", _percentages(table["share_above"])),
        Column("seconds", tuple(f"{value:.2g}" for value in table["seconds"])),
    ]
    note = (
        f"{conditions_note(found)}; the same {table['n_cells'].iloc[0]} cells (readout, block) for "
        f"all, of {', '.join(sorted(found['method'].unique()))}. SE: of the estimate and of the "
        "exact value together; above the exact value a lower bound is broken. Penalty: it aims at "
        "the Jeffreys divergence, which is larger than the information. Ranks: Spearman's "
        "correlation with the exact value. Nothing: a block that the readout's modality does not "
        "hold. Seconds: of this run's machine, busy or not."
    )
    return Drawing(table_figure(columns, [], note), table, markdown_table(columns, note))


def _limits(found: pd.DataFrame, top: float) -> tuple[float, float]:
    """The vertical axis' limits: all estimates with their bars, cut far above and below."""
    values = found["value_bits"]
    reach = 1.05 * float((values + _HALF_WIDTH * found["se_bits"].fillna(0.0)).max())
    return (
        max(min(-0.08 * top, float(values.min())), _DEEPEST * top),
        min(max(reach, 1.04 * top), _TALLEST * top),
    )


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
        spread = _HALF_WIDTH * points["se_bits"]
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
            label=style.text,
            # Markers of points off the scale are drawn whole on the edge.
            clip_on=False,
        )


def _panel_text(errors: Mapping[Any, Any], n_off: int) -> str:
    ranks = errors["rank_correlation"]
    lines = [f"RMSE {errors['rmse_bits']:.2f} bits"]
    lines += [] if math.isnan(ranks) else [f"rank correlation {ranks:.2f}"]
    lines += [f"{n_off} off the scale"] if n_off else []
    return "\n".join(lines)


def _numbers(values: pd.Series, *, signed: bool = False) -> tuple[str, ...]:
    return tuple(plus_minus(float(value), math.nan, signed=signed) for value in values)


def _percentages(values: pd.Series) -> tuple[str, ...]:
    return tuple("" if math.isnan(value) else f"{100 * value:.0f}" for value in values)
