"""Label bits against the rate at which they are read, a panel for each of some unique ratios."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import UNIQUE_RATIO, Axis
from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.interface import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.marks import EXACT_ORDER, draw_curves, set_rate_axis, set_value_axis
from fctestbed.plotting.rates import rate_rows
from fctestbed.plotting.run_details import total_label_bits
from fctestbed.plotting.select import chosen_ratios, n_unfinished, readable_series, require_rows
from fctestbed.plotting.style import COLUMN_INCHES, PAGE_INCHES
from fctestbed.plotting.summarise import SERIES, bits_columns, seed_intervals, seeds_note, within
from fctestbed.plotting.yardstick import Yardstick, rate_estimator
from fctestbed.results import RATE, Results

_RATE = "rate_bits"
_NARROWEST_INCHES = 1.9
_PANEL_INCHES = 2.1
_IDEAL = "ideal: min(R, exact total)"
_STEPS = 200


def draw_rate_curves(results: Results, options: DrawOptions) -> Drawing:
    """Label bits read from the joint readout at each measured rate R, a line per method.

    A reading at R is at most R and at most I(X1,X2;Y): their minimum is the black line. How far
    below it a line runs says how much of what a reader can take is not about the label. Controls
    are drawn thin with hollow markers.

    Args:
        results: the rows.
        options: ``curve_ratios`` chooses the panels; ``yardstick`` the estimator, if it reads at
            rates.

    Raises:
        NothingToDraw: if no finished run has label bits at two rates or more.
    """
    yardstick = options.yardstick_of(results)
    estimator = rate_estimator(results, yardstick)
    if estimator is None:
        raise NothingToDraw(
            "results: expected rows of label bits at two rates or more from finished runs, got none"
        )
    found = rate_rows(results, estimator)
    require_rows(found, "label bits at rates")
    rows, left_out = readable_series(found, any_variant=options.any_variant)
    require_rows(rows, "label bits at rates of a variant to show")
    ratios = chosen_ratios(rows, options.curve_ratios)
    rows = rows[rows[UNIQUE_RATIO].isin(ratios)]
    points = seed_intervals(rows, "value_bits", [*SERIES, UNIQUE_RATIO, _RATE])
    total = total_label_bits(results)
    ideal = np.minimum(points[_RATE], points[UNIQUE_RATIO].map(total))
    points = within(points, 0.0, ideal)
    figure, lines = _figure(points, ratios, total, options.inches or PAGE_INCHES)
    note = seeds_note(points["n_seeds"], n_unfinished(results), left_out=left_out)
    note += f"{'' if estimator == RATE else f'; estimator {estimator}'}{options.world_note}"
    add_legend(figure, lines, round(figure.get_figwidth()), note)
    numbers = bits_columns(points, Yardstick(estimator)).drop(columns=_RATE)
    numbers.insert(3, _RATE, points[_RATE])
    return Drawing(figure, numbers.assign(ideal_bits=ideal))


def _figure(
    points: pd.DataFrame, ratios: Sequence[float], total: pd.Series, inches: float
) -> tuple[Figure, list[Line2D]]:
    """A panel for each ratio on one scale; a single one in a column's width."""
    columns = min(len(ratios), max(1, int(inches / _NARROWEST_INCHES)))
    n_rows = -(-len(ratios) // columns)
    width = COLUMN_INCHES if columns == 1 else inches
    figure = Figure(figsize=(width, _PANEL_INCHES * n_rows + 0.4), layout="constrained")
    grid = list(figure.subplots(n_rows, columns, squeeze=False).flat)
    x = Axis.of(points[_RATE])
    handles: dict[str, Line2D] = {}
    for place, (axes, ratio) in enumerate(zip(grid, ratios, strict=False)):
        own = points[points[UNIQUE_RATIO] == ratio]
        for line in [*_draw_ideal(axes, x, total.get(ratio)), *draw_curves(axes, own, x)]:
            handles.setdefault(str(line.get_label()), line)
        axes.set_title(f"unique ratio {ratio:g}")
        set_value_axis(axes, points, [total[total.index.isin(ratios)]])
        set_rate_axis(axes.xaxis, x.values)
        axes.set_xlabel("rate R (bits)")
        if place % columns == 0:
            axes.set_ylabel("label bits read at R (bits)")
        else:
            axes.tick_params(labelleft=False)
    for axes in grid[len(ratios) :]:
        axes.remove()
    return figure, list(handles.values())


def _draw_ideal(axes: Axes, x: Axis, total: float | None) -> list[Line2D]:
    """min(R, total) between the lowest and the highest rate; nothing if the total is not known."""
    if total is None:
        return []
    rates = np.geomspace(float(x.values[0]), float(x.values[-1]), _STEPS)
    # The corner itself is a point of the line.
    rates = np.unique([*rates, np.clip(total, rates[0], rates[-1])])
    return axes.plot(
        rates,
        np.minimum(rates, total),
        color="black",
        linewidth=1.1,
        label=_IDEAL,
        zorder=EXACT_ORDER,
    )
