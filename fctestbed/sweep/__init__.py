"""Grids of runs: plans, stacks, executors, resumption."""

from fctestbed.sweep.driver import Outcome, run_sweep
from fctestbed.sweep.plan import Job, Plan, Unit, make_plan
from fctestbed.sweep.pool import results_as_completed
from fctestbed.sweep.presets import PRESETS
from fctestbed.sweep.provenance import environment
from fctestbed.sweep.spec import RunSpec, SweepSpec, sweep_spec
from fctestbed.sweep.worker import (
    available_cores,
    library_threads,
    signals_blocked,
    tune_process,
)

__all__ = [
    "PRESETS",
    "Job",
    "Outcome",
    "Plan",
    "RunSpec",
    "SweepSpec",
    "Unit",
    "available_cores",
    "environment",
    "library_threads",
    "make_plan",
    "results_as_completed",
    "run_sweep",
    "signals_blocked",
    "sweep_spec",
    "tune_process",
]
