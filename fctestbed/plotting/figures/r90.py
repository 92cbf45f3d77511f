"""R90 along an axis: the least rate at which 90 % of the exact label information is read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import UNIQUE_RATIO, Axis, horizontal_axis
from fctestbed.plotting.curves import CurvePanel, ExactLine
from fctestbed.plotting.interface import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.marks import set_horizontal_axis, set_rate_axis
from fctestbed.plotting.panels import draw_curve_figure
from fctestbed.plotting.rates import SHARE, rates_at_share
from fctestbed.plotting.run_details import total_label_bits
from fctestbed.plotting.select import readable_series, require_rows
from fctestbed.plotting.style import (
    NOTE_COLOR,
    TEXT_POINTS,
    series_styles,
    table_order,
    variant_order,
    width_for,
)
from fctestbed.plotting.summarise import SERIES, medians_note, seed_medians
from fctestbed.plotting.table import Column, markdown_table
from fctestbed.plotting.yardstick import measured_rates, rate_estimator
from fctestbed.results import RATE, Results

_LABEL = "R90 of the label (bits)"
_MEANING = "R90: least rate that reads 90 % of the label"
# Octaves above the highest rate: where the band for infinite values begins, where its first line
# is, how far its lines are apart, so that they do not hide each other, and how far at most in all.
_BAND, _FIRST, _APART, _MOST = 0.3, 0.5, 0.16, 0.9


@dataclass(frozen=True)
class _RatePanel(CurvePanel):
    """Curves of medians; infinite ones are drawn in a band above the highest rate.

    Args:
        top: the highest measured rate in bits.
    """

    top: float = math.inf

    def draw(self, axes: Axes, x: Axis) -> list[Line2D]:
        """As ``CurvePanel.draw``, with the band."""
        shown = self.points.rename(columns={"median": "mean"}).copy()
        for key, level in self.levels().items():
            own = (shown["method"] == key[0]) & (shown["variant"] == key[1])
            for name in ("mean", "low", "high"):
                shown.loc[own & np.isinf(shown[name]), name] = level
        lines = CurvePanel(shown, self.exact).draw(axes, x)
        axes.axhline(self.top * 2**_BAND, color=NOTE_COLOR, linewidth=0.6, linestyle="--")
        return lines

    def levels(self) -> dict[tuple[str, str], float]:
        """Where each series with an infinite value or end of an interval is drawn in the band."""
        ends = self.points[["median", "low", "high"]].to_numpy(dtype=float)
        without = self.points[np.isinf(ends).any(axis=1)]
        styles = series_styles(without)
        apart = _apart(len(styles))
        return {key: self.top * 2 ** (_FIRST + apart * n) for n, key in enumerate(styles)}


def draw_r90(results: Results, options: DrawOptions) -> Drawing:
    """R90 of the label and the joint readout along an axis, a line per method; as a table too.

    R90 is interpolated in each run (``rate_at_share``). Its median over seeds is drawn, with an
    interval from order statistics, as it is infinite in runs whose highest rate reads less. A
    reading at R is at most R, so 0.9 I(X1,X2;Y), the black line, is the least possible.

    Args:
        results: the rows.
        options: ``x`` chooses the axis; ``yardstick`` the estimator, if it reads at rates.

    Raises:
        NothingToDraw: if no finished run has label bits at two rates or more.
    """
    estimator = rate_estimator(results, options.yardstick_of(results))
    if estimator is None:
        raise NothingToDraw(
            "results: expected rows of label bits at two rates or more from finished runs, got none"
        )
    rates = measured_rates(results, estimator)

    def panel_of(world: Results, x: str) -> CurvePanel:
        found = rates_at_share(world, estimator, x)
        rows, left_out = readable_series(found, any_variant=options.any_variant)
        rows = rows.dropna(subset=["rate_at_share_bits"])
        require_rows(rows, "label bits at rates")
        points = seed_medians(rows, "rate_at_share_bits", [*SERIES, x])
        points["highest_rate_bits"] = measured_rates(world, estimator)[-1]
        least = SHARE * total_label_bits(world, x)
        exact = (ExactLine("least_bits", "0.9 exact total", least[least > 0]),)
        return _RatePanel(points, exact, left_out, top=rates[-1])

    scale = partial(_set_scale, rates=rates)
    whitened = "" if estimator == RATE else f"; estimator {estimator}"
    drawing = draw_curve_figure(
        results,
        options,
        {"": panel_of},
        partial(_one_world, scale=scale),
        label=_LABEL,
        note=f"; {_MEANING}{whitened}{options.world_note}",
        seeds=medians_note,
        scale=scale,
    )
    numbers = drawing.numbers.rename(
        columns={"median": "r90_bits", "low": "low_bits", "high": "high_bits"}
    ).assign(estimator=estimator)
    note = f"{_MEANING}, in bits; {medians_note(numbers['n_seeds'], 0)}{whitened}"
    x = horizontal_axis(results, options.x)
    return replace(drawing, numbers=numbers, markdown=_markdown(numbers, x, results.axes, note))


def _one_world(panels: Sequence[CurvePanel], x: Axis, *, scale: Any) -> tuple[Figure, list[Line2D]]:
    (panel,) = panels
    figure = Figure(figsize=(width_for(panel.points), 3.0), layout="constrained")
    axes = figure.subplots()
    lines = panel.draw(axes, x)
    axes.set_ylabel(_LABEL)
    set_horizontal_axis(axes, x)
    scale(axes, panel.points, [line.drawn for line in panel.exact])
    return figure, lines


def _set_scale(
    axes: Axes, points: pd.DataFrame, exact: Sequence[pd.Series], *, rates: Sequence[float]
) -> None:
    """A log scale of all finite values and the band, with ticks at the measured rates."""
    ends = points[["median", "low", "high"]].to_numpy(dtype=float)
    finite = [*ends[np.isfinite(ends)], *(value for line in exact for value in line), rates[-1]]
    without = points[np.isinf(ends).any(axis=1)]
    tops = set(points["highest_rate_bits"])
    n_lines = max(1, len(without[SERIES].drop_duplicates()))
    low = min(finite) / 2**0.3
    high = rates[-1] * 2 ** (_FIRST + _apart(n_lines) * n_lines)
    # The text is above the lines of the band.
    axes.set_ylim(low, high * (high / low) ** 0.1)
    set_rate_axis(axes.yaxis, rates)
    axes.annotate(
        f"not within {rates[-1]:g} bits" if len(tops) == 1 else "not within the measured rates",
        (0.01, 1.0),
        xycoords="axes fraction",
        va="top",
        fontsize=TEXT_POINTS,
        color=NOTE_COLOR,
    )


def _apart(n_lines: int) -> float:
    """How far the lines of the band are apart, in octaves."""
    return min(_APART, _MOST / max(n_lines, 1))


def _markdown(numbers: pd.DataFrame, x: str, axes: Sequence[str], note: str) -> str:
    """A row per method (and world), a column per value of the axis."""
    others = [name for name in (UNIQUE_RATIO, *axes) if name != x and name in numbers]
    others = [name for name in others if numbers[name].nunique() > 1]
    styles = series_styles(numbers)
    values = Axis.of(numbers[x])
    cells: dict[tuple[Any, ...], dict[Any, str]] = {}
    points = numbers.to_dict(orient="records")
    worlds = list(dict.fromkeys(tuple(point[name] for name in others) for point in points))
    points.sort(
        key=lambda point: (
            worlds.index(tuple(point[name] for name in others)),
            table_order(point["method"]),
            variant_order(point["variant"]),
        )
    )
    for point in points:
        world = tuple(point[name] for name in others)
        key = (*world, styles[point["method"], point["variant"]].label)
        cells.setdefault(key, {})[point[x]] = _cell(point)
    name = "unique ratio" if x == UNIQUE_RATIO else x
    columns = [
        *(
            Column(other, tuple(str(key[place]) for key in cells), left=True)
            for place, other in enumerate(others)
        ),
        Column("method", tuple(str(key[-1]) for key in cells), left=True),
        *(
            Column(f"{name} {text}", tuple(own.get(value, "") for own in cells.values()))
            for value, text in values.texts.items()
        ),
    ]
    return markdown_table(columns, note)


def _cell(point: Mapping[Any, Any]) -> str:
    """``6.9 (5.5 to 8.1)``; ``> 32`` for an infinite number."""
    top = point["highest_rate_bits"]

    def text(value: float) -> str:
        return f"> {top:g}" if math.isinf(value) else f"{value:.1f}"

    middle = text(point["r90_bits"])
    if math.isnan(point["low_bits"]) or math.isinf(point["low_bits"]):
        return middle
    return f"{middle} ({text(point['low_bits'])} to {text(point['high_bits'])})"
