"""The registry of figures: one file each, and one line here.

May import the figures of this package.
"""

from collections.abc import Callable

import pandas as pd

from fctestbed.plotting.figures.ablation import draw_ablation
from fctestbed.plotting.figures.accuracy import draw_accuracy
from fctestbed.plotting.figures.along import draw_along
from fctestbed.plotting.figures.audit import draw_audit
from fctestbed.plotting.figures.bench import draw_bench, draw_bench_growth
from fctestbed.plotting.figures.blocks import draw_blocks
from fctestbed.plotting.figures.calibration import KINDS, draw_calibration
from fctestbed.plotting.figures.critics import draw_critics
from fctestbed.plotting.figures.docket import docket_pages, docket_table, draw_docket
from fctestbed.plotting.figures.drawn_laws import draw_drawn_laws
from fctestbed.plotting.figures.estimators import draw_estimator_errors, draw_estimator_panels
from fctestbed.plotting.figures.gaussian import draw_levels, draw_staircase
from fctestbed.plotting.figures.label_bits import draw_label_bits, draw_label_bits_linear
from fctestbed.plotting.figures.label_free import draw_label_free
from fctestbed.plotting.figures.latent_bits import draw_latent_bits
from fctestbed.plotting.figures.overview import draw_overview
from fctestbed.plotting.figures.quality import draw_quality
from fctestbed.plotting.figures.r90 import draw_r90
from fctestbed.plotting.figures.rate_curves import draw_rate_curves
from fctestbed.plotting.figures.scaling import draw_scaling, draw_scaling_exponents
from fctestbed.plotting.figures.table1 import draw_readouts, draw_table1
from fctestbed.plotting.figures.waterfall import LEVEL_COLORS, draw_waterfall
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.results import Results

FIGURES: dict[str, Callable[[Results, DrawOptions], Drawing]] = {
    "label_bits": draw_label_bits,
    "rate_curves": draw_rate_curves,
    "r90": draw_r90,
    "blocks": draw_blocks,
    "label_bits_linear": draw_label_bits_linear,
    "accuracy": draw_accuracy,
    "latent_bits": draw_latent_bits,
    "ablation": draw_ablation,
    "readouts": draw_readouts,
    "audit": draw_audit,
    "quality": draw_quality,
    "critics": draw_critics,
    "label_free": draw_label_free,
    "along": draw_along,
    "scaling": draw_scaling,
    "scaling_exponents": draw_scaling_exponents,
}
"""Figures of a sweep's results."""
EVERY_AXIS = frozenset({"scaling", "scaling_exponents"})
"""The figures of ``FIGURES`` that draw all axes of a sweep whose axes vary one at a time. Others
draw one of them, and the rows at the baseline of the others."""
PANELS_PER_WORLD = {
    "label_bits": 1,
    "r90": 1,
    "blocks": 2,
    "label_bits_linear": 1,
    "accuracy": 1,
}
"""The figures of ``FIGURES`` that draw several worlds as panels, and how many panels each has."""

READOUT_FIGURES: dict[str, Callable[[pd.DataFrame], Drawing]] = {
    "estimators_on_readouts": draw_estimator_panels,
    "estimator_verdicts": draw_estimator_errors,
    "table1": draw_table1,
}
"""Figures of the rows of ``calibrate-readouts``."""
GAUSSIAN_FIGURES: dict[str, Callable[[pd.DataFrame], Drawing]] = {
    "gaussian": draw_staircase,
    "gaussian_levels": draw_levels,
}
"""Figures of the rows of ``fctestbed gaussian``."""
DRAWN_FIGURES: dict[str, Callable[[pd.DataFrame], Drawing]] = {"drawn_laws": draw_drawn_laws}
"""Figures of the cells of a calibration on drawn laws."""

BENCH_FIGURES: dict[str, tuple[str, Callable[[pd.DataFrame], Drawing]]] = {
    "bench": ("cases", draw_bench),
    "bench_growth": ("growth", draw_bench_growth),
}
"""Figures of a benchmark's report, and the part of it that each draws."""

__all__ = [
    "BENCH_FIGURES",
    "DRAWN_FIGURES",
    "EVERY_AXIS",
    "FIGURES",
    "GAUSSIAN_FIGURES",
    "KINDS",
    "LEVEL_COLORS",
    "PANELS_PER_WORLD",
    "READOUT_FIGURES",
    "docket_pages",
    "docket_table",
    "draw_calibration",
    "draw_docket",
    "draw_overview",
    "draw_waterfall",
]
