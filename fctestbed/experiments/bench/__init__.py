"""The benchmark: each hot path beside a plain form of it, and how its time grows.

May import what is below ``fctestbed.experiments``.
"""

from fctestbed.experiments.bench.case import BenchRow, GrowthRow, LeftOut
from fctestbed.experiments.bench.report import bench_report
from fctestbed.experiments.bench.run import BenchSpec, case_units, run_bench

__all__ = [
    "BenchRow",
    "BenchSpec",
    "GrowthRow",
    "LeftOut",
    "bench_report",
    "case_units",
    "run_bench",
]
