"""Means over seeds with their intervals.

The interval is Student's: mean +- t(0.975, n - 1) s / sqrt(n), with s the standard deviation over n
seeds (n - 1 in its denominator). It holds for the mean over seeds of normal values, and says
nothing about a single run. One seed has no interval.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import stdtrit

CONFIDENCE = 0.95
SERIES = ["method", "variant", "unique_ratio"]


def seed_intervals(rows: pd.DataFrame, value: str, keys: Sequence[str] = SERIES) -> pd.DataFrame:
    """Mean and 95 % interval over seeds for each method, variant and ratio.

    Args:
        rows: one row per run, with the columns ``keys`` and ``value``.
        value: the column to average; rows whose value is not finite are left out.
        keys: what tells one mean from another.

    Returns:
        Columns ``keys, mean, low, high, n_seeds`` in the value's unit, sorted; ``low`` and ``high``
        are NaN for one seed.
    """
    finite = rows[np.isfinite(rows[value].to_numpy(dtype=float))]
    groups = finite.groupby(list(keys), sort=True)[value]
    table = groups.agg(["mean", "std", "count"]).reset_index()
    counts = table["count"].to_numpy(dtype=float)
    half = np.full(len(table), math.nan)
    several = counts > 1
    spread = table["std"].to_numpy(dtype=float)[several] / np.sqrt(counts[several])
    half[several] = stdtrit(counts[several] - 1, (1 + CONFIDENCE) / 2) * spread
    return pd.DataFrame(
        {
            **{name: table[name] for name in keys},
            "mean": table["mean"].astype(float),
            "low": table["mean"] - half,
            "high": table["mean"] + half,
            "n_seeds": table["count"].astype("int64"),
        }
    )


def seeds_note(
    n_seeds: pd.Series, n_unfinished: int, *, intervals: bool = True, left_out: str = ""
) -> str:
    """One line for a figure's foot: how many seeds, which interval, what is missing.

    Args:
        n_seeds: seeds behind each point.
        n_unfinished: runs that diverged or failed.
        intervals: whether the figure draws intervals.
        left_out: what else the figure does not show, in words.
    """
    counts = sorted(set(n_seeds))
    if counts == [1]:
        note = "1 seed, no interval" if intervals else "1 seed"
    else:
        number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        what = "mean and 95 % interval (Student t)" if intervals else "mean"
        note = f"{what} over {number} seeds"
    if n_unfinished:
        note += f"; {n_unfinished} unfinished run{'s' if n_unfinished > 1 else ''} left out"
    return f"{note}; {left_out}" if left_out else note
