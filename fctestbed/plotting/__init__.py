"""Figures from rows alone. May import ``fctestbed.results``; never a world, a net or training."""

from fctestbed.plotting.draw import FIGURES, draw_figures, tables
from fctestbed.plotting.drawing import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.style import METHOD_STYLES, MethodStyle, style_of
from fctestbed.plotting.table import SummaryRow, summary_table

__all__ = [
    "FIGURES",
    "METHOD_STYLES",
    "DrawOptions",
    "Drawing",
    "MethodStyle",
    "NothingToDraw",
    "SummaryRow",
    "draw_figures",
    "style_of",
    "summary_table",
    "tables",
]
