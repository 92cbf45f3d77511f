"""Grids of runs: plans, stacks, executors, resumption."""

from fctestbed.sweep.driver import Outcome, describe_plan, resolve_device, run_sweep
from fctestbed.sweep.executors import Executor, InProcess
from fctestbed.sweep.grid import parse_grid, parse_integers
from fctestbed.sweep.options import build_sweep
from fctestbed.sweep.plan import Job, Plan, Unit, make_plan
from fctestbed.sweep.presets import PRESETS
from fctestbed.sweep.spec import RunSpec, SweepSpec, sweep_spec
from fctestbed.sweep.worker import UnitProgress, available_cores, tune_process

__all__ = [
    "PRESETS",
    "Executor",
    "InProcess",
    "Job",
    "Outcome",
    "Plan",
    "RunSpec",
    "SweepSpec",
    "Unit",
    "UnitProgress",
    "available_cores",
    "build_sweep",
    "describe_plan",
    "make_plan",
    "parse_grid",
    "parse_integers",
    "resolve_device",
    "run_sweep",
    "sweep_spec",
    "tune_process",
]
