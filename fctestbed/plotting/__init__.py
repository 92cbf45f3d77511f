"""Figures from rows. May import ``fctestbed.results``, but no worlds, networks or training."""

from fctestbed.plotting.axes import Axis, horizontal_axis, value_text, value_texts
from fctestbed.plotting.figures import FIGURES, LEVEL_COLORS
from fctestbed.plotting.figures.gaussian import gaussian_levels, gaussian_rows
from fctestbed.plotting.figures.latent_bits import HEATMAP_RATIO
from fctestbed.plotting.figures.measured import (
    compared_rows,
    draw_measured,
    measured_yardstick,
)
from fctestbed.plotting.files import (
    check_formats,
    svg_of,
    write_figure,
)
from fctestbed.plotting.interface import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.other_figures import (
    draw_bench_figures,
    draw_calibration_figures,
    draw_docket_figures,
    draw_drawn_figures,
    draw_fault_figures,
    draw_gaussian_figures,
    draw_readout_figures,
)
from fctestbed.plotting.rates import rate_at_share, rates_at_share
from fctestbed.plotting.style import (
    METHOD_STYLES,
    MethodStyle,
    house_style,
    series_styles,
    style_of,
    table_group,
)
from fctestbed.plotting.summary import SummaryRow, summary_table
from fctestbed.plotting.write import (
    draw_figures,
    sweep_drawings,
    tables,
)
from fctestbed.plotting.yardstick import Yardstick, choose_yardstick

__all__ = [
    "FIGURES",
    "HEATMAP_RATIO",
    "LEVEL_COLORS",
    "METHOD_STYLES",
    "Axis",
    "DrawOptions",
    "Drawing",
    "MethodStyle",
    "NothingToDraw",
    "SummaryRow",
    "Yardstick",
    "check_formats",
    "choose_yardstick",
    "compared_rows",
    "draw_bench_figures",
    "draw_calibration_figures",
    "draw_docket_figures",
    "draw_drawn_figures",
    "draw_fault_figures",
    "draw_figures",
    "draw_gaussian_figures",
    "draw_measured",
    "draw_readout_figures",
    "gaussian_levels",
    "gaussian_rows",
    "horizontal_axis",
    "house_style",
    "measured_yardstick",
    "rate_at_share",
    "rates_at_share",
    "series_styles",
    "style_of",
    "summary_table",
    "svg_of",
    "sweep_drawings",
    "table_group",
    "tables",
    "value_text",
    "value_texts",
    "write_figure",
]
