"""Shared and unique bits captured along an axis, one panel each."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import UNIQUE_RATIO, Axis, horizontal_axis
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.marks import set_horizontal_axis, set_value_axis
from fctestbed.plotting.panels import (
    CurvePanel,
    ExactLine,
    curve_numbers,
    curve_panels,
    draw_small_multiples,
    panels_note,
    shared_axis,
)
from fctestbed.plotting.select import SHARED, UNIQUE, quantity_rows, readable_series, require_rows
from fctestbed.plotting.style import PAGE_INCHES, add_legend
from fctestbed.plotting.summarise import SERIES, bits_columns, seed_intervals
from fctestbed.results import Results

_BLOCKS = {"shared": SHARED, "unique": UNIQUE}
_TITLES = {"shared": "shared block $w_s$", "unique": "unique blocks $w_1$ and $w_2$"}
_LABEL = "information captured (bits)"


def draw_blocks(results: Results, options: DrawOptions) -> Drawing:
    """Bits captured of the shared block and of both unique blocks (summed within each run).

    The black line is H(block), all there is; the dotted one the part that the label reads. Where
    several axes vary, there are two panels for each combination of values of the others.

    Args:
        results: the rows.
        options: ``estimator`` chooses whose bits, ``x`` the axis.

    Raises:
        NothingToDraw: if no finished run has block bits.
    """
    x_name = horizontal_axis(results, options.x)

    def panel_of(rows_of: Results, block: str) -> CurvePanel:
        quantities = _BLOCKS[block]
        found = quantity_rows(rows_of, quantities, options.estimator, along=x_name)
        rows, left_out = readable_series(found, any_variant=options.any_variant)
        require_rows(rows, f"{block} bits")
        points = seed_intervals(rows, "value_bits", [*SERIES, x_name]).assign(panel=block)
        parts = [f"{quantity}_relevant" for quantity in quantities]
        relevant = quantity_rows(rows_of, parts, options.estimator, along=x_name)
        exact = (
            ExactLine("block_bits", "H(block)", _true_bits(rows, x_name)),
            ExactLine("relevant_bits", "H(part the label reads)", _true_bits(relevant, x_name)),
        )
        return CurvePanel(points, exact, left_out)

    bands = {
        block: curve_panels(results, x_name, lambda rows_of, block=block: panel_of(rows_of, block))
        for block in _BLOCKS
    }
    panels = [panel for band in bands.values() for panel in band]
    x = shared_axis(panels, x_name)
    if len(panels) == len(bands):
        figure, lines = _one_world(panels, x)
    else:
        titled = {_TITLES[block]: band for block, band in bands.items()}
        figure, lines = draw_small_multiples(titled, x, _LABEL)
    note = panels_note(results, panels) + options.estimator_note
    add_legend(figure, lines, 6, note)
    numbers = curve_numbers(panels, x_name, (UNIQUE_RATIO, *results.axes))
    return Drawing(figure, bits_columns(numbers))


def _one_world(panels: list[CurvePanel], x: Axis) -> tuple[Figure, list[Line2D]]:
    """Both panels side by side."""
    figure = Figure(figsize=(PAGE_INCHES, 2.5), layout="constrained")
    handles: dict[str, Line2D] = {}
    for axes, panel, title in zip(figure.subplots(1, 2), panels, _TITLES.values(), strict=True):
        for line in panel.draw(axes, x):
            handles.setdefault(str(line.get_label()), line)
        axes.set_title(title)
        axes.set_ylabel(_LABEL)
        set_horizontal_axis(axes, x)
        set_value_axis(axes, panel.points, [line.values for line in panel.exact])
    return figure, list(handles.values())


def _true_bits(rows: pd.DataFrame, x_name: str) -> pd.Series:
    return rows.groupby(x_name)["true_bits"].mean().dropna()
