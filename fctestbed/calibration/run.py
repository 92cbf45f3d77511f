"""Repeated estimates of every estimator on every law of its kind.

May import ``fctestbed.estimators``, ``fctestbed.laws``, ``fctestbed.results`` and
``fctestbed.sweep``.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fctestbed import __version__
from fctestbed.calibration.rows import read_calibration
from fctestbed.calibration.tolerance import tolerance_bits
from fctestbed.estimators import Estimator, estimate_of
from fctestbed.laws import LAWS, Law
from fctestbed.results import CALIBRATION_COLUMNS, write_atomically
from fctestbed.sweep import results_as_completed

_MIN_REPETITIONS = 3
MOST_SAMPLES = 10**8
"""Of one data set; more fit into no machine's memory with what estimators make of them."""


@dataclass(frozen=True)
class _Cell:
    """One estimator on one law at one number of samples, and the number of repetitions."""

    law: Law
    name: str
    estimator: Estimator
    n: int
    repetitions: int
    seconds: float
    seed: int

    @property
    def file(self) -> str:
        """The name of the file of its rows: a digest of everything that they depend on."""
        content = (
            self.law.name,
            # Readouts of two encoders may have the same name, but not the same information.
            self.law.true_bits,
            self.name,
            self.estimator,
            self.n,
            self.repetitions,
            self.seconds,
            self.seed,
            __version__,
        )
        return f"{hashlib.sha256(repr(content).encode()).hexdigest()[:24]}.csv"


def calibrate(
    estimators: Mapping[str, Estimator],
    *,
    laws: Sequence[Law] = LAWS,
    n: Sequence[int] = (200, 1000),
    repetitions: int = 200,
    cell_seconds: float = 5.0,
    seed: int = 0,
    workers: int = 1,
    parts: Path | None = None,
    report: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Estimate known information repeatedly, in bits.

    Each repetition draws new samples, which are the same for every estimator. An estimator's own
    seed is one of its settings.

    Args:
        estimators: estimators by their name in the rows. An estimator is not applied to laws of
            another kind than its own, nor to conditional laws if it has no conditional form.
        laws: the laws.
        n: numbers of samples.
        repetitions: largest number of repetitions of each cell (law, estimator, n).
        cell_seconds: a cell gets no further repetitions after this time, but at least 3.
        seed: seed of the samples.
        workers: number of processes, one thread each; 1 uses this process. The rows do not depend
            on it, except for the number of repetitions that the time allows. With more than one,
            the classes of estimators and laws have to be importable.
        parts: directory for the rows of each finished cell. Cells whose rows are there (same law,
            estimator, settings and version) are not estimated again. The caller removes the
            directory.
        report: called with the number of finished cells and the number of all cells.

    Returns:
        One row per repetition, columns ``CALIBRATION_COLUMNS``. Where an estimator raises a
        ``ValueError``, its message is under ``refusal`` and the row has no numbers; if that is the
        first repetition, it is the only one.

    Raises:
        ValueError: for numbers of samples, repetitions, seconds or workers out of range, for no
            estimators, or for ``parts`` that cannot be written.
    """
    if not isinstance(estimators, Mapping):
        raise ValueError(f"estimators: expected estimators by name, got {estimators!r}")
    if not estimators:
        raise ValueError("estimators: expected at least one, got none")
    for expected, kind, found in (
        ("estimators", Estimator, estimators.values()),
        ("laws", Law, _listed("laws", laws)),
    ):
        for one in found:
            if not isinstance(one, kind):
                raise ValueError(f"{expected}: expected each to be one, got {one!r}")
    if not isinstance(parts, Path | str | None):
        raise ValueError(f"parts: expected a directory, got {parts!r}")
    parts = None if parts is None else Path(parts)
    check_numbers(
        n=n,
        repetitions=repetitions,
        cell_seconds=cell_seconds,
        seed=seed,
        workers=workers,
    )
    cells = [
        _Cell(law, name, estimator, size, repetitions, cell_seconds, seed)
        for size in n
        for law in laws
        for name, estimator in estimators.items()
        if law.kind in estimator.kinds and (estimator.conditional or not law.conditional)
    ]
    tables = {} if parts is None else _kept(cells, parts)
    missing = [place for place in range(len(cells)) if place not in tables]
    results = results_as_completed(_repeat, [(cells[place],) for place in missing], workers)
    for number, rows in results:
        place = missing[number]
        tables[place] = pd.DataFrame(rows, columns=list(CALIBRATION_COLUMNS))
        if parts is not None:
            text = tables[place].to_csv(index=False, lineterminator="\n")
            write_atomically(parts / cells[place].file, text.encode())
        if report is not None:
            report(len(tables), len(cells))
    return pd.concat([tables[place] for place in range(len(cells))], ignore_index=True)


def _kept(cells: Sequence[_Cell], parts: Path) -> dict[int, pd.DataFrame]:
    """The rows of finished cells, by the place of the cell."""
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
    """Refuse arguments of ``calibrate`` that are out of range.

    Raises:
        ValueError: one line that begins with the argument's name.
    """
    sizes = _listed("n", n)
    for name, numbers, least in (
        ("n", sizes or [0], 1),
        ("repetitions", [repetitions], 1),
        ("workers", [workers], 1),
        ("seed", [seed], 0),
    ):
        for number in numbers:
            if isinstance(number, bool) or not isinstance(number, int | np.integer):
                raise ValueError(f"{name}: expected a whole number, got {number!r}")
            if number < least:
                raise ValueError(f"{name}: expected at least {least}, got {number}")
    if max(sizes) > MOST_SAMPLES:
        raise ValueError(f"n: expected at most {MOST_SAMPLES}, got {max(sizes)}")
    if isinstance(cell_seconds, str) or not cell_seconds >= 0:
        raise ValueError(f"cell_seconds: expected at least 0, got {cell_seconds!r}")


def _listed(name: str, values: object) -> list[Any]:
    """The values as a list; refused where they are none."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name}: expected a list, got {values!r}")
    listed = list(values)
    if not listed:
        raise ValueError(f"{name}: expected at least one, got none")
    return listed


def _repeat(cell: _Cell) -> list[dict[str, object]]:
    law, estimator = cell.law, cell.estimator
    about = {
        "case": law.name,
        "group": law.group,
        "kind": law.kind,
        "true_bits": law.true_bits,
        "estimator": cell.name,
        "target": estimator.target,
        "n": cell.n,
        "tolerance_bits": tolerance_bits(law, estimator.name, cell.n),
    }
    rows: list[dict[str, object]] = []
    started = time.perf_counter()
    for repetition in range(cell.repetitions):
        # The law's name is part of the seed, so that its samples do not depend on the other laws.
        seed = [cell.seed, cell.n, repetition, *law.name.encode()]
        samples = law.sample(cell.n, np.random.default_rng(seed))
        row = {**about, "repetition": repetition}
        before = time.perf_counter()
        try:
            estimate = estimate_of(estimator, *samples)
        except ValueError as error:
            refusal = " ".join(str(error).split())
            rows.append({**row, "bound": estimator.bound, "refusal": refusal})
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
                # Further digits of a time are noise, and make files larger.
                "seconds": float(f"{time.perf_counter() - before:.3g}"),
                "refusal": "",
            }
        )
        if repetition + 1 >= _MIN_REPETITIONS and time.perf_counter() - started > cell.seconds:
            break
    return rows
