"""Grids of runs: plans, stacks, executors, resumption."""

from fctestbed.sweep.driver import Outcome, run_sweep
from fctestbed.sweep.plan import Job, Plan, Unit, make_plan
from fctestbed.sweep.presets import PRESETS
from fctestbed.sweep.spec import RunSpec, SweepSpec, sweep_spec

__all__ = [
    "PRESETS",
    "Job",
    "Outcome",
    "Plan",
    "RunSpec",
    "SweepSpec",
    "Unit",
    "make_plan",
    "run_sweep",
    "sweep_spec",
]
