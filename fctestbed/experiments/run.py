"""Runs of the staircase and of the conditional check, in worker processes; rows out as CSV.

May import ``fctestbed.sweep`` and ``fctestbed.results``; draws nothing.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from fctestbed.experiments.conditional_check import ConditionalSpec, conditional_rows
from fctestbed.experiments.staircase import StaircaseSpec, staircase, units
from fctestbed.results import write_atomically
from fctestbed.sweep import available_cores, environment, results_as_completed, tune_process
from fctestbed.synthesis import Spec

GAUSSIAN_NAME, CONDITIONAL_NAME = "gaussian", "conditional"

Report = Callable[[int, int], None]


def run_gaussian(
    spec: StaircaseSpec, out_dir: str | Path, *, workers: int, report: Report | None = None
) -> list[Path]:
    """Train the staircase of the paper's Gaussian figure; write the rows, ``gaussian.csv``, and the
    settings, ``gaussian.json``.

    The rows do not depend on the number of workers.

    Args:
        spec: settings.
        out_dir: directory to write to.
        workers: number of processes, one thread each; 1 trains in this process, 0 is one process
            for each core.
        report: called with the number of finished trainings and the number of all trainings.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for a number of workers below 0 or a directory that cannot be written.
    """
    rows = _gathered(staircase, [(spec, *unit) for unit in units(spec)], workers, report)
    order = ["dim", "estimator", "seed", "step"]
    return _write(rows, order, spec, Path(out_dir), GAUSSIAN_NAME)


def run_conditional(
    spec: ConditionalSpec, out_dir: str | Path, *, workers: int, report: Report | None = None
) -> list[Path]:
    """Train the cells of the conditional check; write ``conditional.csv`` and its settings.

    Arguments, result and errors are those of ``run_gaussian``.
    """
    arguments = [
        (spec, cell, strength, negatives, seed)
        for cell in sorted(set(spec.cells), reverse=True)
        for strength in spec.strengths
        for negatives in spec.negatives
        for seed in spec.seeds
    ]
    rows = _gathered(conditional_rows, arguments, workers, report)
    order = ["strength", "negatives", "estimator", "dim", "n", "seed"]
    return _write(rows, order, spec, Path(out_dir), CONDITIONAL_NAME)


def _gathered(
    function: Callable[..., list[Any]],
    arguments: Sequence[tuple[Any, ...]],
    workers: int,
    report: Report | None,
) -> list[Any]:
    """The rows of all calls of a function, one after the other."""
    if workers < 0:
        raise ValueError(f"workers: expected 0 (one for each core) or more, got {workers}")
    found: list[Any] = []
    results = results_as_completed(
        function,
        arguments,
        min(len(arguments), workers or available_cores()),
        initializer=tune_process,
    )
    for done, (_, rows) in enumerate(results, 1):
        found += rows
        if report is not None:
            report(done, len(arguments))
    return found


def _write(rows: list[Any], order: list[str], spec: Spec, out_dir: Path, name: str) -> list[Path]:
    table = pd.DataFrame([asdict(row) for row in rows]).sort_values(order, ignore_index=True)
    content = table.to_csv(index=False, lineterminator="\n", float_format="%.7g").encode()
    kept = {"settings": spec.model_dump(mode="json"), "environment": environment()}
    return [
        write_atomically(out_dir / f"{name}.csv", content),
        write_atomically(out_dir / f"{name}.json", (json.dumps(kept, indent=2) + "\n").encode()),
    ]
