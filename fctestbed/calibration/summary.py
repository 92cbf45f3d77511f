"""Bias, spread and coverage of each cell of a calibration, and counts of its verdicts.

May import ``fctestbed.estimators``.
"""

import numpy as np
import pandas as pd
from scipy.stats import binom

from fctestbed.estimators import share_interval

_KEYS = ["case", "group", "kind", "true_bits", "estimator", "bound", "target", "n"]
SUMMARY_COLUMNS = (
    *_KEYS,
    "repetitions",
    "refused",
    "mean_bits",
    "bias_bits",
    "bias_se_bits",
    "sd_bits",
    "se_ratio",
    "intervals",
    "coverage",
    "coverage_low",
    "coverage_high",
    "coverage_verdict",
    "above",
    "below",
    "worst_z",
    "direction_verdict",
    "tolerance_bits",
    "tolerance_verdict",
    "ceiling_bits",
    "seconds",
    "refusal",
)
LEAST_COVERAGE, MOST_COVERAGE = 0.90, 0.99
# With fewer intervals a coverage of 95 % cannot be distinguished from one of 90 %.
LEAST_REPETITIONS = 100
# A bound may be on the wrong side by this many of its own standard errors.
MOST_ERRORS = 3.0
# Probability that a normal value exceeds its mean by MOST_ERRORS: the rate of a tight bound.
_CHANCE = 0.00135


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Summarise the repetitions of each cell.

    Args:
        rows: the result of ``calibrate``.

    Returns:
        One row per law (``case``), estimator and n, columns ``SUMMARY_COLUMNS``:

        - ``mean_bits``, ``bias_bits`` with its standard error, the standard deviation ``sd_bits``
          over repetitions, and ``se_ratio``, the mean stated standard error over ``sd_bits``: 1
          where stated errors are right;
        - ``intervals``, the number of repetitions with an interval; ``coverage``, the share of
          these intervals that contain the truth (for a lower bound: whose lower end is not above
          it; for an upper bound: whose upper end is not below it), with a 95 % interval of that
          share; ``coverage_verdict``: ``within``, ``below`` or ``above`` 90-99 % (a bound is never
          ``above``), ``few`` for fewer than 100 intervals, empty where there are none or the
          estimator has another target than the information;
        - ``above`` and ``below``, the numbers of repetitions whose value is off the truth by more
          than three of its own standard errors, and ``worst_z``, the largest such deviation on the
          side that the bound forbids; ``direction_verdict`` for bounds: ``held`` (no repetition),
          ``chance`` (no more than of a tight bound, by a binomial test at 1 %) or ``broken``;
        - ``tolerance_bits`` where one is stated, and whether the bias is ``within`` it, up to three
          of its own standard errors, or ``outside``;
        - mean ceiling and seconds, ``refused`` repetitions and the messages of the refusals.
    """
    cells = [_cell(key, cell) for key, cell in rows.groupby(_KEYS, sort=False)]
    return pd.DataFrame(cells, columns=list(SUMMARY_COLUMNS))


def _cell(key: tuple[object, ...], cell: pd.DataFrame) -> dict[str, object]:
    valued = cell.dropna(subset=["value_bits"])
    row: dict[str, object] = dict(zip(_KEYS, key, strict=True))
    row |= {
        "repetitions": len(valued),
        "refused": len(cell) - len(valued),
        "refusal": "; ".join(sorted(set(cell["refusal"]) - {""})),
        "coverage_verdict": "",
        "direction_verdict": "",
        "tolerance_verdict": "",
    }
    if not len(valued):
        return row
    errors = valued["value_bits"] - valued["true_bits"]
    bias, sd = errors.mean(), errors.std(ddof=1) if len(valued) > 1 else np.nan
    bias_se = sd / np.sqrt(len(valued))
    tolerance = valued["tolerance_bits"].iloc[0]
    row |= {
        "mean_bits": valued["value_bits"].mean(),
        "bias_bits": bias,
        "bias_se_bits": bias_se,
        "sd_bits": sd,
        "tolerance_bits": tolerance,
        "ceiling_bits": valued["ceiling_bits"].mean(),
        "seconds": valued["seconds"].mean(),
    }
    if not np.isnan(tolerance):
        inside = abs(bias) <= tolerance + MOST_ERRORS * np.nan_to_num(bias_se)
        row["tolerance_verdict"] = "within" if inside else "outside"
    with_errors = valued.dropna(subset=["se_bits"])
    return row | _direction_columns(with_errors, float(sd)) | _coverage_columns(valued)


def _direction_columns(cell: pd.DataFrame, sd: float) -> dict[str, object]:
    """Deviations from the truth in units of the stated standard errors."""
    if not len(cell):
        return {}
    bound, se = cell["bound"].iloc[0], cell["se_bits"]
    errors = cell["value_bits"] - cell["true_bits"]
    # A value without spread may equal the truth up to rounding.
    z = (errors / se.clip(lower=1e-9)).where(errors.abs() > 1e-9, 0.0)
    above, below = int((z > MOST_ERRORS).sum()), int((z < -MOST_ERRORS).sum())
    found: dict[str, object] = {
        "se_ratio": se.mean() / sd if sd > 0 else np.nan,
        "above": above,
        "below": below,
    }
    if bound in {"lower", "upper"}:
        wrong = above if bound == "lower" else below
        found["worst_z"] = (z if bound == "lower" else -z).max()
        found["direction_verdict"] = _direction_verdict(wrong, len(cell))
    return found


def _coverage_columns(valued: pd.DataFrame) -> dict[str, object]:
    """The number of intervals, and the share of them that contain the truth."""
    cell = valued.dropna(subset=["low_bits", "high_bits"])
    n, truth = len(cell), cell["true_bits"]
    if not n:
        return {"intervals": 0}
    bound, target = cell["bound"].iloc[0], cell["target"].iloc[0]
    not_above = (cell["low_bits"] - 1e-9 <= truth) | (bound == "upper")
    not_below = (truth <= cell["high_bits"] + 1e-9) | (bound == "lower")
    share, low, high = share_interval(int((not_above & not_below).sum()), n)
    found: dict[str, object] = {
        "intervals": n,
        "coverage": share,
        "coverage_low": low,
        "coverage_high": high,
    }
    if target == "information":
        found["coverage_verdict"] = _coverage_verdict(share, n, bound=bound in {"lower", "upper"})
    return found


def _coverage_verdict(share: float, n: int, *, bound: bool) -> str:
    if n < LEAST_REPETITIONS:
        return "few"
    if share < LEAST_COVERAGE:
        return "below"
    return "above" if share > MOST_COVERAGE and not bound else "within"


def _direction_verdict(wrong: int, n: int) -> str:
    if not wrong:
        return "held"
    return "chance" if binom.sf(wrong - 1, n, _CHANCE) > 0.01 else "broken"


def verdicts(summary: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts of each estimator's cells.

    Args:
        summary: the result of ``summarise``.

    Returns:
        One row per estimator and n, with numbers of cells: all ``cells`` and the ``refused`` ones;
        those with ``few`` intervals (under 100), and of the others those that ``cover`` 90-99 %,
        ``cover_less`` and ``cover_more``; of its bounds ``held``, ``by_chance`` and ``broken``,
        with the number of their estimates (``readings``) and of those on the wrong side by over
        three standard errors (``past``); of its tolerances ``kept`` and ``missed``.
    """
    rows = []
    for (name, n), cells in summary.groupby(["estimator", "n"], sort=False):
        coverage = cells["coverage_verdict"].value_counts()
        direction = cells["direction_verdict"].value_counts()
        tolerance = cells["tolerance_verdict"].value_counts()
        bounds = cells[cells["direction_verdict"] != ""]
        wrong = bounds["above"].where(bounds["bound"] == "lower", bounds["below"])
        rows.append(
            {
                "estimator": name,
                "n": n,
                "cells": len(cells),
                "refused": int((cells["repetitions"] == 0).sum()),
                "few": int(
                    ((cells["repetitions"] > 0) & (cells["intervals"] < LEAST_REPETITIONS)).sum()
                ),
                "cover": coverage.get("within", 0),
                "cover_less": coverage.get("below", 0),
                "cover_more": coverage.get("above", 0),
                "held": direction.get("held", 0),
                "by_chance": direction.get("chance", 0),
                "broken": direction.get("broken", 0),
                "readings": int(bounds["repetitions"].sum()),
                "past": int(wrong.sum()),
                "kept": tolerance.get("within", 0),
                "missed": tolerance.get("outside", 0),
            }
        )
    return pd.DataFrame(rows)
