"""Shared and unique bits read along an axis, one panel each."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import Axis
from fctestbed.plotting.curves import CurvePanel, ExactLine
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.marks import set_horizontal_axis, set_value_axis
from fctestbed.plotting.panels import draw_curve_figure
from fctestbed.plotting.select import SHARED, UNIQUE, quantity_rows, readable_series, require_rows
from fctestbed.plotting.style import PAGE_INCHES
from fctestbed.plotting.summarise import SERIES, bits_columns, seed_intervals, within
from fctestbed.results import Results

_BLOCKS = {"shared": SHARED, "unique": UNIQUE}
_TITLES = {"shared": "shared block $w_s$", "unique": "unique blocks $w_1$ and $w_2$"}


def draw_blocks(results: Results, options: DrawOptions) -> Drawing:
    """Bits read of the shared block and of both unique blocks (summed within each run).

    The black line is H(block), the maximum; the dotted one is the entropy of the relevant part. At
    a rate R neither is above R, and the blocks together are at most R.
    If several axes vary, there are two panels for each combination of values of the others.

    Args:
        results: the rows.
        options: ``yardstick`` chooses whose bits, ``x`` the axis.

    Raises:
        NothingToDraw: if no finished run has block bits.
    """

    yardstick = options.yardstick_of(results)
    limit = yardstick.limit_bits
    label = f"bits {yardstick.text}"

    def panel_of(world: Results, x: str, *, block: str) -> CurvePanel:
        quantities = _BLOCKS[block]
        found = quantity_rows(world, quantities, yardstick, along=x)
        rows, left_out = readable_series(found, any_variant=options.any_variant)
        require_rows(rows, f"{block} bits")
        parts = [f"{quantity}_relevant" for quantity in quantities]
        relevant = quantity_rows(world, parts, yardstick, along=x)
        exact = (
            ExactLine("block_bits", yardstick.most_text("H(block)"), _true_bits(rows, x), limit),
            ExactLine(
                "relevant_bits",
                yardstick.most_text("H(relevant part)"),
                _true_bits(relevant, x),
                limit,
            ),
        )
        points = seed_intervals(rows, "value_bits", [*SERIES, x])
        points = within(points, yardstick.least_bits, points[x].map(exact[0].drawn))
        return CurvePanel(points.assign(panel=block), exact, left_out)

    drawing = draw_curve_figure(
        results,
        options,
        {_TITLES[block]: partial(panel_of, block=block) for block in _BLOCKS},
        partial(_one_world, label=label),
        label=label,
        note=options.world_note,
        columns=6,
    )
    return replace(drawing, numbers=bits_columns(drawing.numbers, yardstick))


def _one_world(panels: Sequence[CurvePanel], x: Axis, *, label: str) -> tuple[Figure, list[Line2D]]:
    """Both panels side by side."""
    figure = Figure(figsize=(PAGE_INCHES, 2.5), layout="constrained")
    handles: dict[str, Line2D] = {}
    for axes, panel, title in zip(figure.subplots(1, 2), panels, _TITLES.values(), strict=True):
        for line in panel.draw(axes, x):
            handles.setdefault(str(line.get_label()), line)
        axes.set_title(title)
        axes.set_ylabel(label)
        set_horizontal_axis(axes, x)
        set_value_axis(axes, panel.points, [line.drawn for line in panel.exact])
    return figure, list(handles.values())


def _true_bits(rows: pd.DataFrame, x: str) -> pd.Series:
    return rows.groupby(x)["true_bits"].mean().dropna()
