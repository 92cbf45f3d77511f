"""Experiments that are neither sweeps nor measurements of readouts.

The paper's Gaussian figure, its conditional check, the benchmarks of ``fctestbed bench`` and the
self-test of ``fctestbed doctor``. May import every package except ``plotting``, ``calibration``,
``testing`` and ``cli``.
"""

from fctestbed.experiments.bench import (
    BenchRow,
    BenchSpec,
    GrowthRow,
    LeftOut,
    bench_report,
    case_units,
    run_bench,
)
from fctestbed.experiments.conditional_check import (
    ConditionalRow,
    ConditionalSpec,
    conditional_rows,
)
from fctestbed.experiments.run import run_conditional, run_gaussian
from fctestbed.experiments.self_test import Finding, SelfTest, run_self_test
from fctestbed.experiments.staircase import StaircaseRow, StaircaseSpec, staircase

__all__ = [
    "BenchRow",
    "BenchSpec",
    "ConditionalRow",
    "ConditionalSpec",
    "Finding",
    "GrowthRow",
    "LeftOut",
    "SelfTest",
    "StaircaseRow",
    "StaircaseSpec",
    "bench_report",
    "case_units",
    "conditional_rows",
    "run_bench",
    "run_conditional",
    "run_gaussian",
    "run_self_test",
    "staircase",
]
