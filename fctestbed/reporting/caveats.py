"""What the rows of a sweep cannot say, in lines.

May import numpy, ``fctestbed.plotting`` and ``fctestbed.results``.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fctestbed.plotting import Yardstick
from fctestbed.reporting.label_bits import RATIO, LabelBits
from fctestbed.reporting.wording import counted, listed
from fctestbed.results import LINEAR_PROBE, Results

_FEW_SEEDS = 3
_CHAOTIC = "factorcl"


def caveats(results: Results, found: LabelBits) -> list[str]:
    """What a reader must not conclude from the rows, and why.

    Args:
        results: the rows.
        found: their label bits.
    """
    return [
        *_about_the_yardstick(found.yardstick),
        *_about_seeds(found),
        *_about_runs(results, found),
        *_about_methods(results),
        *results.notes,
    ]


def _about_the_yardstick(yardstick: Yardstick) -> Iterator[str]:
    if yardstick.rate_bits is not None:
        yield (
            f"All sentences are about one rate, R = {yardstick.rate_bits:g} bits. Methods may have "
            "another order at another rate."
        )
    elif yardstick.estimator == LINEAR_PROBE:
        yield (
            "The rows have no reading at a rate. A linear probe gives a lower bound and may use "
            "every direction of a representation, however small: wide readouts, raw inputs among "
            "them, score high."
        )


def _about_seeds(found: LabelBits) -> Iterator[str]:
    n = len(found.seeds)
    if n == 1:
        yield "One seed: the rows have no interval over seeds, and no difference can be shown."
    elif 1 < n <= _FEW_SEEDS:
        yield f"{counted(n, 'seed')}: intervals are wide, and what is not shown may still be so."
    if n > 1:
        yield (
            "Intervals are over seeds (world, data and initialisation together) of these worlds "
            "and settings. They say nothing of other sizes or settings."
        )
    whole = np.isfinite(found.averages).sum(axis=1) if found.series else np.array([])
    short = [one.label for one, k in zip(found.series, whole, strict=True) if k < n]
    if short:
        yield (
            f"Averages leave out each seed of {listed(short)} that did not finish in every world."
        )


def _about_runs(results: Results, found: LabelBits) -> Iterator[str]:
    runs = results.runs.drop_duplicates("run_id")
    n = int((runs["status"] != "ok").sum())
    if n:
        verb = "has" if n == 1 else "have"
        yield f"{counted(n, 'run')} of {len(runs)} did not finish and {verb} no rows."
    missing = _n_missing(results)
    if missing:
        verb = "is" if missing == 1 else "are"
        yield (
            f"The sweep is not complete: {counted(missing, 'combination')} of method, unique ratio "
            f"and seed {verb} still to be run."
        )
    unread = [name for name in results.runs["method"].unique() if name not in _methods(found)]
    if unread:
        yield f"No finished run of {listed(unread)} has label bits."


def _about_methods(results: Results) -> Iterator[str]:
    if any(str(name).startswith(_CHAOTIC) for name in results.runs["method"]):
        yield (
            "FactorCL's trainings are chaotic: a difference in rounding, as between processors, "
            "changes single runs by up to 0.9 bit. Single cells of it are not settled by few seeds."
        )


def _methods(found: LabelBits) -> set[str]:
    return {one.method for one in found.series}


def _n_missing(results: Results) -> int:
    """How many combinations of method, unique ratio and seed of the sweep have no run."""
    spec: dict[str, Any] = dict(results.sweep_spec)
    asked = [spec.get(name) for name in ("methods", RATIO, "seeds")]
    if not all(isinstance(values, list) for values in asked):
        return 0
    methods, ratios, seeds = (list(values or ()) for values in asked)
    runs = results.runs
    there = set(zip(runs["method"], runs[RATIO].astype(float), runs["seed"], strict=True))
    wanted = {(m, float(r), int(s)) for m in methods for r in ratios for s in seeds}
    return len(wanted - there)
