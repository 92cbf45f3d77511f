"""Every estimator on every case that it is made for, many times over.

Owns the repetitions and the processes that make them. May import ``fctestbed.estimators``,
``fctestbed.sweep`` and the cases.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fctestbed import __version__
from fctestbed.calibration.case import Case
from fctestbed.calibration.cases import CASES
from fctestbed.calibration.rows import CALIBRATION_COLUMNS, read_calibration
from fctestbed.estimators.base import Estimator
from fctestbed.results import write_atomically
from fctestbed.sweep.worker import library_threads, undisturbed

_LEAST = 3


@dataclass(frozen=True)
class _Cell:
    """One estimator on one case at one number of samples, and how often."""

    case: Case
    name: str
    estimator: Estimator
    n: int
    repetitions: int
    seconds: float
    seed: int

    @property
    def file(self) -> str:
        """A file's name for its rows: of all that they depend on."""
        words = (
            self.case.name,
            # Readouts of two encoders may have one name, but not one information.
            self.case.true_bits,
            self.name,
            self.estimator,
            self.n,
            self.repetitions,
            self.seconds,
            self.seed,
            __version__,
        )
        return f"{hashlib.sha256(repr(words).encode()).hexdigest()[:24]}.csv"


def calibrate(
    estimators: Mapping[str, Estimator],
    *,
    cases: Sequence[Case] = CASES,
    n: Sequence[int] = (200, 1000),
    repetitions: int = 200,
    cell_seconds: float = 5.0,
    seed: int = 0,
    workers: int = 1,
    parts: Path | None = None,
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
        workers: processes, one thread each; 1 stays in this one. The rows do not depend on it, but
            for the number of repetitions that the time allows. With more, estimators have to be of
            classes that can be imported.
        parts: directory in which each cell's rows are kept as soon as they are there; cells that it
            has, of the same law, estimator and settings, are not asked again. The caller's to
            remove.
        report: called with the cells done and all of them.

    Returns:
        One row per repetition, columns ``CALIBRATION_COLUMNS``. One that the estimator refuses has
        its words under ``refusal`` and no numbers; where it refuses the first, the case is not put
        to it again.

    Raises:
        ValueError: for numbers of samples, repetitions, seconds or workers out of range, or no
            estimator, or ``parts`` that cannot be written.
    """
    if not estimators:
        raise ValueError("estimators: expected at least one, got none")
    check_numbers(
        n=n,
        repetitions=repetitions,
        cell_seconds=cell_seconds,
        seed=seed,
        workers=workers,
    )
    cells = [
        _Cell(case, name, estimator, size, repetitions, cell_seconds, seed)
        for size in n
        for case in cases
        for name, estimator in estimators.items()
        if case.kind in estimator.kinds and (estimator.conditional or not case.conditional)
    ]
    tables = {} if parts is None else _kept(cells, parts)
    open_cells = [place for place in range(len(cells)) if place not in tables]
    for place, rows in zip(
        open_cells, _mapped([cells[place] for place in open_cells], workers), strict=True
    ):
        tables[place] = pd.DataFrame(rows, columns=list(CALIBRATION_COLUMNS))
        if parts is not None:
            text = tables[place].to_csv(index=False, lineterminator="\n")
            write_atomically(parts / cells[place].file, text.encode())
        if report is not None:
            report(len(tables), len(cells))
    return pd.concat([tables[place] for place in range(len(cells))], ignore_index=True)


def _kept(cells: Sequence["_Cell"], parts: Path) -> dict[int, pd.DataFrame]:
    """Rows of cells that were done before, by the cells' places."""
    return {
        place: read_calibration(parts / cell.file)
        for place, cell in enumerate(cells)
        if (parts / cell.file).exists()
    }


def check_numbers(
    *,
    n: Sequence[int],
    repetitions: int,
    cell_seconds: float,
    seed: int,
    workers: int,
) -> None:
    """Refuse numbers that ``calibrate`` cannot take; its arguments.

    Raises:
        ValueError: one line that begins with the argument's name.
    """
    numbers = {"n": min(n, default=0), "repetitions": repetitions, "workers": workers}
    for name, least in numbers.items():
        if least < 1:
            raise ValueError(f"{name}: expected at least 1, got {least}")
    for name, number in (("cell_seconds", cell_seconds), ("seed", seed)):
        if not number >= 0:
            raise ValueError(f"{name}: expected at least 0, got {number}")


def _mapped(cells: Sequence[_Cell], workers: int) -> Iterator[list[dict[str, object]]]:
    if workers == 1:
        with _one_thread():
            yield from map(_repeat, cells)
        return
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    )
    try:
        # Workers hear neither the keyboard nor SIGTERM; they are ended below.
        with undisturbed(), library_threads(1):
            futures = [pool.submit(_repeat, cell) for cell in cells]
        for future in futures:
            yield future.result()
    finally:
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """As workers have it: sums over more threads round otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _repeat(cell: _Cell) -> list[dict[str, object]]:
    case, estimator = cell.case, cell.estimator
    rows = []
    started = time.perf_counter()
    for repetition in range(cell.repetitions):
        # By the case's name, so that a case's samples do not depend on the grid around it.
        words = [cell.seed, cell.n, repetition, *case.name.encode()]
        x, y, given = case.draw(np.random.default_rng(words), cell.n)
        row = {
            "case": case.name,
            "group": case.group,
            "kind": case.kind,
            "true_bits": case.true_bits,
            "estimator": cell.name,
            "target": estimator.target,
            "n": cell.n,
            "tolerance_bits": case.tolerance_at(estimator.name, cell.n),
            "repetition": repetition,
        }
        before = time.perf_counter()
        try:
            # One that has no conditional form need not know the argument.
            estimate = estimator.estimate(x, y, *([] if given is None else [given]))
        except ValueError as error:
            words_of = " ".join(str(error).split())
            rows.append({**row, "bound": estimator.bound, "refusal": words_of})
            if repetition == 0:
                break
            continue
        rows.append(
            {
                **row,
                "bound": estimate.bound,
                "value_bits": estimate.value_bits,
                "low_bits": estimate.low_bits,
                "high_bits": estimate.high_bits,
                "se_bits": estimate.se_bits,
                "ceiling_bits": estimate.ceiling_bits,
                # A time is not known to more digits, which a file would have to hold.
                "seconds": float(f"{time.perf_counter() - before:.3g}"),
                "refusal": "",
            }
        )
        if repetition + 1 >= _LEAST and time.perf_counter() - started > cell.seconds:
            break
    return rows
