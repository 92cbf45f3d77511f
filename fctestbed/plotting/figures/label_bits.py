"""Label bits along an axis, at a rate: the main figure; and as read by a linear probe."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import Axis
from fctestbed.plotting.curves import CurvePanel, ExactLine
from fctestbed.plotting.interface import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.marks import draw_curves, draw_exact, set_horizontal_axis, set_value_axis
from fctestbed.plotting.panels import draw_curve_figure
from fctestbed.plotting.run_details import exact_along, total_label_bits
from fctestbed.plotting.select import LABEL, quantity_rows, readable_series, require_rows
from fctestbed.plotting.style import COLUMN_INCHES, width_for
from fctestbed.plotting.summarise import SERIES, bits_columns, seed_intervals, within
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import LINEAR_PROBE, Results

_NEAR = 0.85
_CROWD = 4


def draw_label_bits(results: Results, options: DrawOptions) -> Drawing:
    """Label bits read along an axis, a line per method: at a stated rate, if the rows have one.

    The exact total I(X1,X2;Y) is the black line. The exact shared part S, the maximum for a method
    without unique information, is the black dotted line. Neither is drawn above the rate. If four
    methods or more are close to the total, a second panel shows that range only. If several axes
    vary, there is a panel for each combination of values of the others.

    Args:
        results: the rows.
        options: ``yardstick`` chooses whose bits, ``x`` the axis.

    Raises:
        NothingToDraw: if no finished run has label bits.
    """

    yardstick = options.yardstick_of(results)
    limit = yardstick.limit_bits
    label = f"label bits {yardstick.text}"

    def panel_of(world: Results, x: str) -> CurvePanel:
        found = quantity_rows(world, LABEL, yardstick, along=x)
        rows, left_out = readable_series(found, any_variant=options.any_variant)
        require_rows(rows, "label bits")
        total, shared = total_label_bits(world, x), exact_along(world, "shared_bits", x)
        exact = (
            ExactLine("total_bits", _named("Exact total", total, limit), total, limit),
            ExactLine("shared_bits", _named("Exact shared part", shared, limit), shared, limit),
        )
        points = seed_intervals(rows, "value_bits", [*SERIES, x])
        points = within(points, yardstick.least_bits, points[x].map(exact[0].drawn))
        return CurvePanel(points, exact, left_out)

    drawing = draw_curve_figure(
        results,
        options,
        {"": panel_of},
        partial(_one_world, label=label),
        label=label,
        note=options.world_note,
    )
    return replace(drawing, numbers=bits_columns(drawing.numbers, yardstick))


def draw_label_bits_linear(results: Results, options: DrawOptions) -> Drawing:
    """The same as read by a linear probe, if ``label_bits`` shows another reading.

    A probe finds every bit of a wide enough representation, trained or not, so its rows say how
    wide a readout is as well as what it holds.

    Args:
        results: the rows.
        options: ``yardstick`` is that of ``label_bits``, ``x`` the axis.

    Raises:
        NothingToDraw: if no finished run has such rows, or ``label_bits`` shows them.
    """
    probe = Yardstick(LINEAR_PROBE)
    if options.yardstick_of(results) == probe:
        raise NothingToDraw(
            "results: expected rows of label bits at a rate from finished runs, got none"
        )
    return draw_label_bits(results, replace(options, yardstick=probe))


def _named(name: str, values: pd.Series, limit: float) -> str:
    """The name of a line; where it is not drawn above the rate, that of the minimum."""
    return f"min(R, {name.lower()})" if (values > limit).any() else name


def _one_world(panels: Sequence[CurvePanel], x: Axis, *, label: str) -> tuple[Figure, list[Line2D]]:
    """The curves, and a second panel of those near the total if they are crowded: below the first
    in a column, next to it on a page."""
    (panel,) = panels
    total = panel.exact[0].drawn
    width = width_for(panel.points)
    number = 1 + _is_crowded(panel.points, total, x)
    if width == COLUMN_INCHES:
        figure = Figure(figsize=(width, 2.6 if number == 1 else 4.0), layout="constrained")
        heights = (3, 2)[:number]
        column = figure.subplots(number, 1, sharex=True, squeeze=False, height_ratios=heights)
        grid = list(column[:, 0])
    else:
        figure = Figure(figsize=(width, 2.8), layout="constrained")
        grid = list(figure.subplots(1, number, squeeze=False)[0])
    lines = panel.draw(grid[0], x)
    grid[0].set_ylabel(label)
    set_value_axis(grid[0], panel.points, [line.drawn for line in panel.exact])
    if number > 1:
        _draw_near_total(grid[1], panel.points, total, x)
    for axes in grid if width > COLUMN_INCHES else grid[-1:]:
        set_horizontal_axis(axes, x)
    return figure, lines


def _is_crowded(points: pd.DataFrame, total: pd.Series, x: Axis) -> bool:
    """Whether four lines or more are close to the total at most of their places."""
    if not x.is_numeric or len(total) < 2 or total.min() <= 0:
        return False
    share = points["mean"] / points[x.name].map(total)
    near = (share > _NEAR).groupby([points["method"], points["variant"]]).mean()
    return bool((near > 0.5).sum() >= _CROWD)


def _draw_near_total(axes: Axes, points: pd.DataFrame, total: pd.Series, x: Axis) -> None:
    """The lines above 85 % of the least total, without bands, which would cover the panel."""
    draw_exact(axes, total, "Exact total", x)
    draw_curves(axes, points, x, bands=False)
    bottom, top = _NEAR * float(total.min()), float(total.max())
    axes.set_ylim(bottom, max(top, float(points["mean"].max())) + 0.06 * (top - bottom))
    axes.set_ylabel("near the total, means (bits)")
