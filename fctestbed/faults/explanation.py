"""Explanations: the levels of methods at unique ratios, in the order in which they are computed.

Owns the order of levels and the table. May import ``fctestbed.objectives``, ``fctestbed.results``,
``fctestbed.sweep``, ``fctestbed.training`` and this package.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fctestbed.faults.kept_rows import COLUMNS, KeptRows
from fctestbed.faults.levels import (
    CONTINUED,
    DISTILLED,
    LEVELS,
    Effort,
    Optima,
    Reading,
    Readings,
    batch_level,
    objective_level,
    samples_level,
    truth_level,
)
from fctestbed.faults.networks import network_level, run_level
from fctestbed.faults.undercut import has_comparable_losses, with_undercut_levels
from fctestbed.objectives import find_method
from fctestbed.results import write_atomically
from fctestbed.sweep import (
    SweepSpec,
    describe_error,
    process_as_a_worker,
    results_as_completed,
    sweep_spec,
)
from fctestbed.synthesis import world_truth
from fctestbed.training import TrainingSpec

_MOST_RUNS = 16
_TABLE = "explanation.csv"
_NOT_TRAINED = "the method is not trained"

Level = Callable[[Sequence[TrainingSpec], Effort, Optima], Readings]
_LEVELS: tuple[tuple[tuple[str, ...], Level], ...] = (
    (LEVELS[:1], truth_level),
    (LEVELS[1:2], objective_level),
    (LEVELS[2:3], batch_level),
    (LEVELS[3:4], samples_level),
    ((LEVELS[4], DISTILLED, CONTINUED), network_level),
    (LEVELS[5:], run_level),
)
"""What is computed at once, and the names of its rows."""
_OF_NAME = {name: level for level, name in enumerate(LEVELS)} | {DISTILLED: 4, CONTINUED: 4}


def explain(
    spec: SweepSpec | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    rate: float | None = None,
    n_starts: int = 8,
    long: int = 4,
    n_restarts: int = 3,
    workers: int = 1,
    report: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Label, shared and unique bits at every level, from the world's truth to the reader.

    A level that ends in an error has that error as its note, and the others are computed.

    Args:
        spec: methods, unique ratios, seeds and everything that trainings depend on, as of a sweep.
        out: a directory; ``rows/METHOD.csv`` there gets each level's rows when they are known, and
            ``explanation.csv`` the result. What ``rows`` has of a method, ratio and seed is not
            computed again, but for levels that ended in an error. None writes nothing.
        rate: of all readings, in bits; None: twice the label's bits.
        n_starts: starts of level 1; fewer, at least two, where a loss scores many pairs.
        long: steps of levels 2 to 4, as a multiple of the training's own.
        n_restarts: initial weights of level 4.
        workers: processes, which share the methods; 1 uses this process. The rows do not depend on
            it.
        report: called with a line when a level of a method begins; with several workers, when a
            method is done.

    Returns:
        The rows, with the columns ``COLUMNS``: one for each method, ratio, seed and level, and two
        more for networks that start from the best known code.

    Raises:
        ValueError: one line, for a sweep with variants or axes, numbers that are not positive, or a
            file of other settings in ``out``.
        WorkersCannotStart: if worker processes end before a method is done.
    """
    sweep = spec if isinstance(spec, SweepSpec) else sweep_spec(spec)
    if sweep.axes:
        raise ValueError(f"axes: expected none to explain, got {', '.join(sweep.axes)}")
    numbers = {"n_starts": n_starts, "long": long, "n_restarts": n_restarts, "workers": workers}
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"{name}: expected at least 1, got {value}")
    runs = sweep.runs()
    variants = sorted({run.variant for run in runs})
    if len(variants) != 1:
        raise ValueError(f"variants: expected one to explain, got {', '.join(variants)}")
    if rate is None:
        rate = 2 * world_truth(runs[0].training.world).total_bits
    if not 0 < rate < math.inf:
        raise ValueError(f"rate: expected a number of bits above 0, got {rate}")
    effort = Effort(rate=rate, n_starts=n_starts, long=long, n_restarts=n_restarts)
    by_method: dict[str, list[TrainingSpec]] = {}
    for run in runs:
        by_method.setdefault(run.training.method, []).append(run.training)
    directory = None if out is None else Path(out) / "rows"
    kept = {method: KeptRows.of(directory, own, effort) for method, own in by_method.items()}
    tables = _of_methods(by_method, kept, effort, workers, report or (lambda line: None))
    rows = pd.concat([tables[method] for method in by_method], ignore_index=True)
    if out is not None:
        write_atomically(Path(out) / _TABLE, rows.to_csv(index=False).encode())
    return rows


def _of_methods(
    by_method: Mapping[str, Sequence[TrainingSpec]],
    kept: Mapping[str, KeptRows],
    effort: Effort,
    workers: int,
    report: Callable[[str], None],
) -> dict[str, pd.DataFrame]:
    """The rows of each method."""
    left = [
        method
        for method, own in by_method.items()
        if any(_missing(own, kept[method], names) for names, _ in _LEVELS)
    ]
    tables: dict[str, pd.DataFrame] = {}
    if workers > 1 and len(left) > 1:
        # The methods that take longest come first, so that the workers end together.
        left.sort(key=lambda method: -find_method(method).relative_cost)
        arguments = [(by_method[method], kept[method], effort) for method in left]
        done = results_as_completed(_as_a_worker, arguments, min(workers, len(left)))
        for place, table in done:
            tables[left[place]] = table
            report(f"{left[place]}: done, {len(tables)} of {len(left)} methods")
    for method in [method for method in by_method if method not in tables]:
        tables[method] = _as_a_worker(by_method[method], kept[method], effort, report)
    return tables


def _missing(
    trainings: Sequence[TrainingSpec], kept: KeptRows, names: tuple[str, ...]
) -> list[TrainingSpec]:
    """The trainings whose rows of these names are not known."""
    return [one for one in trainings if not kept.has(_ratio(one), one.seed, names)]


def _as_a_worker(
    trainings: Sequence[TrainingSpec],
    kept: KeptRows,
    effort: Effort,
    report: Callable[[str], None] = lambda line: None,
) -> pd.DataFrame:
    """The rows of one method, on one thread: stacks this small gain nothing from more."""
    with process_as_a_worker(1):
        return _of_method(trainings, kept, effort, report)


def _of_method(
    trainings: Sequence[TrainingSpec],
    kept: KeptRows,
    effort: Effort,
    report: Callable[[str], None],
) -> pd.DataFrame:
    """The rows of one method; each level is kept when it is done."""
    trainings = sorted(trainings, key=lambda one: (_ratio(one), one.seed))
    optima = Optima(effort=effort)
    for names, level in _LEVELS:
        missing = _missing(trainings, kept, names)
        for start in range(0, len(missing), _MOST_RUNS):
            own = missing[start : start + _MOST_RUNS]
            report(f"{own[0].method}: {names[0]}, {len(own)} of {len(trainings)} cells")
            readings = _tried(level, names, own, effort, optima)
            kept.add(
                _row(one, name, reading, effort)
                for one, found in zip(own, readings, strict=True)
                for name, reading in found.items()
            )
    table = kept.table([(_ratio(one), one.seed) for one in trainings])
    return with_undercut_levels(table) if has_comparable_losses(trainings[0]) else table


def _tried(
    level: Level,
    names: tuple[str, ...],
    trainings: Sequence[TrainingSpec],
    effort: Effort,
    optima: Optima,
) -> Readings:
    """The readings of a level, which have its error as a note if it ends in one."""
    trained = trainings[0].train is not None and trainings[0].nets is not None
    if not trained and names[0] in LEVELS[1:5]:
        return [dict.fromkeys(names, Reading(note=_NOT_TRAINED)) for _ in trainings]
    try:
        return level(trainings, effort, optima)
    except KeyboardInterrupt:
        raise
    # A user's method may raise anything, SystemExit too.
    except BaseException as error:
        failed = Reading(note=f"failed: {describe_error(error)}", failed=True)
        return [dict.fromkeys(names, failed) for _ in trainings]


def _ratio(one: TrainingSpec) -> float:
    return float(one.world.label.unique_ratio)


def _row(one: TrainingSpec, name: str, reading: Reading, effort: Effort) -> dict[str, Any]:
    nan = math.nan
    bits = reading.bits
    values = (
        one.method,
        _ratio(one),
        one.seed,
        _OF_NAME[name],
        name,
        nan if bits is None else bits.label,
        reading.lowest_label,
        reading.highest_label,
        reading.lowest_whitened,
        reading.highest_whitened,
        nan if bits is None else bits.shared,
        nan if bits is None else bits.unique,
        effort.rate,
        reading.loss_nats,
        reading.late_loss_nats,
        reading.converged,
        reading.criterion,
        reading.note,
        reading.failed,
    )
    return dict(zip(COLUMNS, values, strict=True))
