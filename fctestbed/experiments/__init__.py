"""Experiments that are neither sweeps nor measurements of readouts.

The paper's Gaussian figure, its conditional check, and the benchmarks of ``fctestbed bench``. May
import every package except ``plotting``, ``calibration``, ``testing`` and ``cli``.
"""

from fctestbed.experiments.bench import benchmarks
from fctestbed.experiments.conditional_check import (
    ConditionalRow,
    ConditionalSpec,
    conditional_rows,
)
from fctestbed.experiments.run import run_conditional, run_gaussian
from fctestbed.experiments.staircase import StaircaseRow, StaircaseSpec, staircase
from fctestbed.experiments.timing import Timing

__all__ = [
    "ConditionalRow",
    "ConditionalSpec",
    "StaircaseRow",
    "StaircaseSpec",
    "Timing",
    "benchmarks",
    "conditional_rows",
    "run_conditional",
    "run_gaussian",
    "staircase",
]
