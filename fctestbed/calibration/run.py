"""Every estimator on every case that it is made for, many times over.

Owns the repetitions and their rows. May import ``fctestbed.estimators`` and the cases.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from fctestbed.calibration.cases import CASES, Case
from fctestbed.estimators.base import Estimator

CALIBRATION_COLUMNS = (
    "case",
    "group",
    "kind",
    "true_bits",
    "estimator",
    "bound",
    "n",
    "repetition",
    "value_bits",
    "low_bits",
    "high_bits",
    "ceiling_bits",
    "seconds",
    "refusal",
)
_TEXT = {"case", "group", "kind", "estimator", "bound", "refusal"}
_LEAST = 3


@dataclass(frozen=True)
class _Cell:
    """One estimator on one case at one number of samples."""

    case: int
    estimator: str
    n: int


def calibrate(
    estimators: Mapping[str, Estimator],
    *,
    cases: Sequence[Case] = CASES,
    n: Sequence[int] = (200, 1000),
    repetitions: int = 200,
    cell_seconds: float = 5.0,
    seed: int = 0,
    workers: int = 1,
    report: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Estimates of known truths, in bits.

    Each repetition draws its own samples, the same for every estimator; the estimator sees a seed
    of its own only through its settings.

    Args:
        estimators: by the name under which they are shown; one whose ``kinds`` lack a case's kind,
            or that has no conditional form, is not asked.
        cases: the truths.
        n: numbers of samples.
        repetitions: at most this many of each cell.
        cell_seconds: no further repetitions of a cell after this long; at least 3 are done.
        seed: of the samples.
        workers: processes; results do not depend on it, but for the number of repetitions.
        report: called with the cells done and all of them.

    Returns:
        One row per repetition, columns ``CALIBRATION_COLUMNS``. A case that an estimator refuses is
        one row with its words under ``refusal``.

    Raises:
        ValueError: for numbers of samples, repetitions or workers below 1.
    """
    for name, least in (
        ("n", min(n, default=0)),
        ("repetitions", repetitions),
        ("workers", workers),
    ):
        if least < 1:
            raise ValueError(f"{name}: expected at least 1, got {least}")
    cells = [
        _Cell(place, name, size)
        for size in n
        for place, case in enumerate(cases)
        for name, estimator in estimators.items()
        if case.kind in estimator.kinds and (estimator.conditional or not case.conditional)
    ]
    tasks = [
        (cases[cell.case], estimators[cell.estimator], cell, repetitions, cell_seconds, seed)
        for cell in cells
    ]
    rows: list[dict[str, object]] = []
    for done, found in enumerate(_mapped(tasks, workers), start=1):
        rows += found
        if report is not None:
            report(done, len(cells))
    return pd.DataFrame(rows, columns=list(CALIBRATION_COLUMNS))


_Task = tuple[Case, Estimator, _Cell, int, float, int]


def _mapped(tasks: Sequence[_Task], workers: int) -> Iterator[list[dict[str, object]]]:
    if workers == 1:
        yield from map(_repeat, tasks)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_repeat, tasks)


def _repeat(task: _Task) -> list[dict[str, object]]:
    case, estimator, cell, repetitions, cell_seconds, seed = task
    rows = []
    started = time.perf_counter()
    for repetition in range(repetitions):
        # By the case's name, so that a case's samples do not depend on the grid around it.
        words = [seed, cell.n, repetition, *case.name.encode()]
        x, y, given = case.draw(np.random.default_rng(words), cell.n)
        row = {
            "case": case.name,
            "group": case.group,
            "kind": case.kind,
            "true_bits": case.true_bits,
            "estimator": cell.estimator,
            "n": cell.n,
            "repetition": repetition,
        }
        before = time.perf_counter()
        try:
            estimate = estimator.estimate(x, y, given)
        except ValueError as error:
            return [{**row, "bound": estimator.bound, "refusal": str(error)}]
        rows.append(
            {
                **row,
                "bound": estimate.bound,
                "value_bits": estimate.value_bits,
                "low_bits": estimate.low_bits,
                "high_bits": estimate.high_bits,
                "ceiling_bits": estimate.ceiling_bits,
                "seconds": time.perf_counter() - before,
                "refusal": "",
            }
        )
        if repetition + 1 >= _LEAST and time.perf_counter() - started > cell_seconds:
            break
    return rows


def read_calibration(path: Path) -> pd.DataFrame:
    """Rows that were written as CSV, perhaps with ``.gz``.

    Raises:
        ValueError: one line, for a file that is missing or lacks columns.
    """
    try:
        frame = pd.read_csv(path, keep_default_na=False, dtype=str)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: expected rows of a calibration, got: {reason}") from error
    missing = [column for column in CALIBRATION_COLUMNS if column not in frame]
    if missing:
        raise ValueError(f"{path}: expected the columns of a calibration, got no {missing[0]}")
    for column in CALIBRATION_COLUMNS:
        if column not in _TEXT:
            frame[column] = pd.to_numeric(frame[column])
    return frame[list(CALIBRATION_COLUMNS)]
