"""The Gaussian figure and the conditional check over worker processes; rows out as CSV.

Owns their running and their files. May import ``fctestbed.measurement``; draws nothing.
"""

import json
import multiprocessing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from fctestbed.measurement.conditional_check import ConditionalSpec, conditional_rows
from fctestbed.measurement.staircase import StaircaseSpec, staircase, units
from fctestbed.results import write_atomically
from fctestbed.sweep.provenance import environment
from fctestbed.sweep.worker import available_cores, signals_blocked, tune_process
from fctestbed.synthesis.record import Spec

GAUSSIAN_NAME, CONDITIONAL_NAME = "gaussian", "conditional"

Report = Callable[[int, int], None]
Task = tuple[Callable[..., list[Any]], tuple[Any, ...]]


def run_gaussian(
    spec: StaircaseSpec, out_dir: str | Path, *, workers: int, report: Report | None = None
) -> list[Path]:
    """Train the staircase of the paper's Gaussian figure and write ``gaussian.csv`` and its
    settings, ``gaussian.json``.

    The rows do not depend on the number of workers.

    Args:
        spec: settings.
        out_dir: directory to write to.
        workers: processes, one thread each; 1 stays in this one. 0: one for each core.
        report: told how many of how many trainings are done.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for a number of workers under 0 or a directory that cannot be written.
    """
    tasks: list[Task] = [(staircase, (spec, what, dim)) for what, dim in units(spec)]
    rows = _gathered(tasks, workers, report)
    order = ["dim", "estimator", "seed", "step"]
    return _write(rows, order, spec, Path(out_dir), GAUSSIAN_NAME)


def run_conditional(
    spec: ConditionalSpec, out_dir: str | Path, *, workers: int, report: Report | None = None
) -> list[Path]:
    """Train the cells of the conditional check and write ``conditional.csv`` and its settings.

    Arguments, result and errors are those of ``run_gaussian``.
    """
    tasks: list[Task] = [
        (conditional_rows, (spec, cell, strength, negatives, seed))
        for cell in sorted(set(spec.cells), reverse=True)
        for strength in spec.strengths
        for negatives in spec.negatives
        for seed in range(spec.seeds)
    ]
    rows = _gathered(tasks, workers, report)
    order = ["strength", "negatives", "estimator", "dim", "n", "seed"]
    return _write(rows, order, spec, Path(out_dir), CONDITIONAL_NAME)


def _gathered(tasks: Sequence[Task], workers: int, report: Report | None) -> list[Any]:
    if workers < 0:
        raise ValueError(f"workers: expected 0 (one for each core) or more, got {workers}")
    found: list[Any] = []
    results = _results(tasks, min(len(tasks), workers or available_cores()))
    for done, rows in enumerate(results, 1):
        found += rows
        if report is not None:
            report(done, len(tasks))
    return found


def _results(tasks: Sequence[Task], workers: int) -> Iterable[list[Any]]:
    if workers == 1:
        yield from (function(*arguments) for function, arguments in tasks)
        return
    pool = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=tune_process, initargs=(1,)
    )
    try:
        # Workers hear neither the keyboard nor SIGTERM; they are killed below.
        with signals_blocked():
            futures = [pool.submit(function, *arguments) for function, arguments in tasks]
        for future in as_completed(futures):
            yield future.result()
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _write(rows: list[Any], order: list[str], spec: Spec, out_dir: Path, name: str) -> list[Path]:
    table = pd.DataFrame([asdict(row) for row in rows]).sort_values(order, ignore_index=True)
    content = table.to_csv(index=False, lineterminator="\n", float_format="%.7g").encode()
    kept = {"settings": spec.model_dump(mode="json"), "environment": environment()}
    return [
        write_atomically(out_dir / f"{name}.csv", content),
        write_atomically(out_dir / f"{name}.json", (json.dumps(kept, indent=2) + "\n").encode()),
    ]
