"""Sweeps: axes, grids, plans, stacks, executors, resumption."""

from fctestbed.sweep.adopt import adopt_runs
from fctestbed.sweep.alarms import head_alarms, loss_alarms
from fctestbed.sweep.axes import join_path, split_path
from fctestbed.sweep.checkpoints import CHECKPOINT_SECONDS
from fctestbed.sweep.costs import Estimate, estimate_from_rate, seconds_per_work
from fctestbed.sweep.dask_cluster import ClusterLost
from fctestbed.sweep.driver import (
    Display,
    Outcome,
    check_plugins,
    run_sweep,
)
from fctestbed.sweep.dry_run import describe_plan
from fctestbed.sweep.event_log import EVENTS, EventLog, tensorboard_writer
from fctestbed.sweep.execute import describe_error
from fctestbed.sweep.executors import Executor, InProcess, WorkerProcesses
from fctestbed.sweep.grid import Grid, RunSpec
from fctestbed.sweep.growth import sweep_digest
from fctestbed.sweep.in_memory import run_records
from fctestbed.sweep.lines import line_of, located_in
from fctestbed.sweep.merging import Merged, merge_sweeps
from fctestbed.sweep.options import (
    SpecError,
    build_sweep,
    read_grids,
    read_pair,
    read_values,
    toml_text,
)
from fctestbed.sweep.plan import Job, Plan, Unit, make_plan
from fctestbed.sweep.pool import results_as_completed
from fctestbed.sweep.presets import PRESETS, merge, sweep_spec
from fctestbed.sweep.provenance import environment
from fctestbed.sweep.records import run_truth
from fctestbed.sweep.remeasure import measure_sweep
from fctestbed.sweep.resources import ENGINES, resolve_device
from fctestbed.sweep.schema import sweep_schema
from fctestbed.sweep.settings import Setting, sweep_settings
from fctestbed.sweep.spec import DEFAULT_METHODS, SweepSpec
from fctestbed.sweep.syntax import parse_grid, parse_integers
from fctestbed.sweep.template import sweep_template
from fctestbed.sweep.worker import (
    UnitProgress,
    WorkersCannotStart,
    available_cores,
    end_a_worker_in_its_start,
    library_threads,
    process_as_a_worker,
    signals_blocked,
    tune_process,
)

__all__ = [
    "CHECKPOINT_SECONDS",
    "DEFAULT_METHODS",
    "ENGINES",
    "EVENTS",
    "PRESETS",
    "ClusterLost",
    "Display",
    "Estimate",
    "EventLog",
    "Executor",
    "Grid",
    "InProcess",
    "Job",
    "Merged",
    "Outcome",
    "Plan",
    "RunSpec",
    "Setting",
    "SpecError",
    "SweepSpec",
    "Unit",
    "UnitProgress",
    "WorkerProcesses",
    "WorkersCannotStart",
    "adopt_runs",
    "available_cores",
    "build_sweep",
    "check_plugins",
    "describe_error",
    "describe_plan",
    "end_a_worker_in_its_start",
    "environment",
    "estimate_from_rate",
    "head_alarms",
    "join_path",
    "library_threads",
    "line_of",
    "located_in",
    "loss_alarms",
    "make_plan",
    "measure_sweep",
    "merge",
    "merge_sweeps",
    "parse_grid",
    "parse_integers",
    "process_as_a_worker",
    "read_grids",
    "read_pair",
    "read_values",
    "resolve_device",
    "results_as_completed",
    "run_records",
    "run_sweep",
    "run_truth",
    "seconds_per_work",
    "signals_blocked",
    "split_path",
    "sweep_digest",
    "sweep_schema",
    "sweep_settings",
    "sweep_spec",
    "sweep_template",
    "tensorboard_writer",
    "toml_text",
    "tune_process",
]
