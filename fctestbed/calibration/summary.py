"""Bias, spread and coverage out of a calibration's rows, and what they say of each estimator.

Imports pandas and scipy only.
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
# Fewer repetitions say nothing about a share of 95 %.
LEAST_REPETITIONS = 100
# Of its own standard errors, that a bound may be on the wrong side.
MOST_ERRORS = 3.0
# Of a normal value past MOST_ERRORS on one side: what a bound that is tight does by chance.
_CHANCE = 0.00135


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """What the repetitions of each cell say.

    Args:
        rows: what ``calibrate`` gave.

    Returns:
        One row per case, estimator and n, columns ``SUMMARY_COLUMNS``:

        - ``mean_bits``, its ``bias_bits`` with the bias's standard error, ``sd_bits`` over
          repetitions, and ``se_ratio``, the mean stated standard error over that deviation: 1
          where the spread is told right;
        - ``intervals``: how many repetitions have one; ``coverage``: the share of these that hold
          the truth (of a bound: that the truth is not past its far end), with that share's own 95 %
          interval; ``coverage_verdict``: ``within``, ``below`` or ``above`` 90-99 % (a bound may
          hold it always), ``few`` for under 100 intervals, empty for none or those that aim at
          something else than the information;
        - ``above`` and ``below``: in how many repetitions the value is past the truth by more than
          three of its own standard errors, and ``worst_z``, the most of them on the side that the
          bound forbids; ``direction_verdict`` for bounds: ``held`` (never), ``chance`` (no more
          often than one that is tight would be, by a binomial test at 1 %) or ``broken``;
        - ``tolerance_bits`` where the case states one for the estimator, and whether the bias is
          ``within`` it, up to three of the bias's own standard errors, or ``outside``;
        - mean ceiling and seconds, ``refused`` repetitions and the words of their refusal.
    """
    cells = [_cell(key, cell) for key, cell in rows.groupby(_KEYS, sort=False)]
    return pd.DataFrame(cells, columns=list(SUMMARY_COLUMNS))


def _cell(key: tuple[object, ...], cell: pd.DataFrame) -> dict[str, object]:
    read = cell.dropna(subset=["value_bits"])
    row: dict[str, object] = dict(zip(_KEYS, key, strict=True))
    row |= {
        "repetitions": len(read),
        "refused": len(cell) - len(read),
        "refusal": "; ".join(sorted(set(cell["refusal"]) - {""})),
        "coverage_verdict": "",
        "direction_verdict": "",
        "tolerance_verdict": "",
    }
    if not len(read):
        return row
    errors = read["value_bits"] - read["true_bits"]
    bias, sd = errors.mean(), errors.std(ddof=1) if len(read) > 1 else np.nan
    bias_se = sd / np.sqrt(len(read))
    tolerance = read["tolerance_bits"].iloc[0]
    row |= {
        "mean_bits": read["value_bits"].mean(),
        "bias_bits": bias,
        "bias_se_bits": bias_se,
        "sd_bits": sd,
        "tolerance_bits": tolerance,
        "ceiling_bits": read["ceiling_bits"].mean(),
        "seconds": read["seconds"].mean(),
    }
    if not np.isnan(tolerance):
        inside = abs(bias) <= tolerance + MOST_ERRORS * np.nan_to_num(bias_se)
        row["tolerance_verdict"] = "within" if inside else "outside"
    return row | _of_errors(read.dropna(subset=["se_bits"]), float(sd)) | _of_intervals(read)


def _of_errors(cell: pd.DataFrame, sd: float) -> dict[str, object]:
    """What the stated standard errors say."""
    if not len(cell):
        return {}
    bound, se = cell["bound"].iloc[0], cell["se_bits"]
    errors = cell["value_bits"] - cell["true_bits"]
    # A hair for truths that a value without spread meets up to rounding.
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


def _of_intervals(read: pd.DataFrame) -> dict[str, object]:
    cell = read.dropna(subset=["low_bits", "high_bits"])
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
    """How many cells of each estimator have which verdict.

    Args:
        summary: what ``summarise`` gave.

    Returns:
        One row per estimator and n: cells asked and ``refused``; those with fewer than 100
        intervals, too ``few`` to judge, and of the others ``cover``, ``cover_less`` and
        ``cover_more`` than 90-99 %; of its bounds ``held``, ``by_chance`` and ``broken``, with
        ``readings`` behind them and ``past`` of these over three standard errors; of its tolerances
        ``kept`` and ``missed``.
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
