"""Means and medians over seeds with their intervals, at each unique ratio or over several of them.

The interval is Student's: mean +- t(0.975, n - 1) s / sqrt(n), with s the standard deviation over n
seeds (n - 1 in its denominator). It is an interval for the mean over seeds of normal values, not
for a single run. One seed has no interval.

Numbers that may be infinite have a median, and an interval for the median from order statistics:
from the k-th lowest to the k-th highest of n seeds, which holds the median of any distribution with
probability 1 - 2 P(B < k), B binomial (n, 1/2) (Conover 1999, Practical Nonparametric Statistics,
section 3.2). k is the largest for which this is at least 95 %, or else 1: three seeds give 75 %,
five 94 %.

A mean over ratios is taken within each seed before any interval, so that the interval is over
seeds. A seed that did not finish at every ratio has no such mean and is left out.

May import numpy, pandas and scipy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import bdtr, stdtrit

from fctestbed.plotting.select import nearest_ratio
from fctestbed.plotting.yardstick import Yardstick

CONFIDENCE = 0.95
SERIES = ["method", "variant"]


def seed_intervals(rows: pd.DataFrame, value: str, keys: Sequence[str]) -> pd.DataFrame:
    """Mean and 95 % interval over seeds of each group of rows.

    Args:
        rows: one row per run, with the columns ``keys``, ``seed`` and ``value``.
        value: the column to average; rows whose value is not finite are left out.
        keys: the columns that define groups, for instance method, variant and ratio.

    Returns:
        Columns ``keys, mean, low, high, n_seeds`` in the value's unit, sorted; ``low`` and ``high``
        are NaN for one seed.

    Raises:
        ValueError: one line, if a group has two rows of one seed: those differ in more than the
            seed.
    """
    finite = rows[np.isfinite(rows[value].to_numpy(dtype=float))]
    _require_one_row_per_seed(finite, keys)
    table = finite.groupby(list(keys), sort=True)[value].agg(["mean", "std", "count"]).reset_index()
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


def within(
    points: pd.DataFrame, least: float, most: float | pd.Series | np.ndarray
) -> pd.DataFrame:
    """The points with their intervals cut at what is possible; an interval that holds the truth
    still does.

    Args:
        points: with columns ``mean, low, high``.
        least: the least possible value, in the unit of the points.
        most: the largest one, or one for each point; NaN for a point without one. A mean outside
            (a noisy measurement) stays inside its interval.
    """
    limits = np.broadcast_to(np.asarray(most, dtype=float), len(points))
    limits = np.where(np.isnan(limits), math.inf, limits)
    mean = points["mean"].to_numpy(dtype=float)
    low = np.minimum(np.maximum(points["low"].to_numpy(dtype=float), least), mean)
    high = np.maximum(np.minimum(points["high"].to_numpy(dtype=float), limits), mean)
    return points.assign(
        low=np.where(points["low"].isna(), math.nan, low),
        high=np.where(points["high"].isna(), math.nan, high),
    )


def median_coverage(n: int) -> tuple[int, float]:
    """The order k of the interval for a median of n values, and its probability."""
    half = n // 2
    orders = [k for k in range(1, half + 1) if _coverage(n, k) >= CONFIDENCE]
    k = max(orders, default=1)
    return k, _coverage(n, k)


def seed_medians(rows: pd.DataFrame, value: str, keys: Sequence[str]) -> pd.DataFrame:
    """Median over seeds of each group of rows, and its interval from order statistics.

    Args:
        rows: one row per run, with the columns ``keys``, ``seed`` and ``value``.
        value: the column; NaN is left out, infinities count.
        keys: the columns that define groups.

    Returns:
        Columns ``keys, median, low, high, coverage, n_seeds`` in the value's unit, sorted; ``low``,
        ``high`` and ``coverage`` are NaN for one seed. The median of an even number of seeds is the
        mean of the middle two, hence infinite where half of them are.

    Raises:
        ValueError: one line, if a group has two rows of one seed.
    """
    known = rows[rows[value].notna()]
    _require_one_row_per_seed(known, keys)
    records = []
    for key, own in known.groupby(list(keys), sort=True)[value]:
        values = np.sort(own.to_numpy(dtype=float))
        n = len(values)
        k, coverage = median_coverage(n)
        ends = (values[k - 1], values[n - k], coverage) if n > 1 else (math.nan,) * 3
        names = key if isinstance(key, tuple) else (key,)
        records.append((*names, float(np.median(values)), *ends, n))
    columns = [*keys, "median", "low", "high", "coverage", "n_seeds"]
    return pd.DataFrame(records, columns=columns)


def _coverage(n: int, k: int) -> float:
    return 1 - 2 * float(bdtr(k - 1, n, 0.5))


@dataclass(frozen=True)
class Ratios:
    """The unique ratios of a table.

    Args:
        values: ascending; one, or those that are averaged.
    """

    values: tuple[float, ...]

    @classmethod
    def of(cls, rows: pd.DataFrame, wanted: float | None) -> "Ratios":
        """The ratio nearest to the wanted one; all ratios of the rows for None."""
        if wanted is not None:
            return cls((nearest_ratio(rows, wanted),))
        return cls(tuple(sorted(float(ratio) for ratio in rows["unique_ratio"].unique())))

    @property
    def name(self) -> str:
        """For a column of numbers: the ratio, or ``mean``."""
        return f"{self.values[0]:g}" if len(self.values) == 1 else "mean"

    @property
    def note(self) -> str:
        """For a caption."""
        if len(self.values) == 1:
            return f"unique ratio {self.values[0]:g}"
        first, last = self.values[0], self.values[-1]
        return f"mean over {len(self.values)} unique ratios from {first:g} to {last:g}"

    def mean(self, by_ratio: pd.Series) -> float:
        """Mean of a number known by ratio; NaN unless it is known at every one."""
        return float(by_ratio.reindex(list(self.values)).mean(skipna=False))


def pooled_intervals(
    rows: pd.DataFrame, value: str, keys: Sequence[str], ratios: Ratios
) -> pd.DataFrame:
    """Mean and 95 % interval over seeds of the mean over ratios.

    Args:
        rows: one row per run, with the columns ``keys, unique_ratio, seed`` and ``value``.
        value: the column to average; values that are not finite count as missing.
        keys: the columns that define lines of the table, for instance method and variant.
        ratios: the ratios; a seed that lacks one of them is left out.

    Returns:
        Columns ``keys, mean, low, high, n_seeds`` in the value's unit; ``low`` and ``high`` are NaN
        for one seed.

    Raises:
        ValueError: one line, if a seed has two rows of one ratio.
    """
    wanted = rows["unique_ratio"].isin(ratios.values)
    finite = rows[wanted & np.isfinite(rows[value].to_numpy(dtype=float))]
    _require_one_row_per_seed(finite, [*keys, "unique_ratio"])
    by_seed = finite.groupby([*keys, "seed"], sort=True)
    means = by_seed[value].mean()[by_seed["unique_ratio"].nunique() == len(ratios.values)]
    return seed_intervals(means.reset_index(), value, keys)


def seeds_note(
    n_seeds: pd.Series, n_unfinished: int, *, intervals: bool = True, left_out: str = ""
) -> str:
    """One line for a figure's note: the number of seeds, the interval, what is missing.

    Args:
        n_seeds: seeds of each point.
        n_unfinished: runs that diverged or failed.
        intervals: whether the figure draws intervals.
        left_out: what else the figure does not show.
    """
    what = "mean and 95 % interval (Student t)" if intervals else "mean"
    alone = "1 seed, no interval" if intervals else "1 seed"
    return _over_seeds(what, alone, n_seeds, n_unfinished, left_out)


def medians_note(n_seeds: pd.Series, n_unfinished: int, *, left_out: str = "") -> str:
    """As ``seeds_note``, for medians with their intervals."""
    several = sorted(n for n in set(n_seeds) if n > 1)
    shares = [f"{100 * median_coverage(int(n))[1]:.0f}" for n in several]
    percent = " to ".join(dict.fromkeys((shares[0], shares[-1]))) if shares else ""
    what = f"median and its interval (order statistics, {percent} %)"
    return _over_seeds(what, "1 seed, no interval", n_seeds, n_unfinished, left_out)


def _over_seeds(what: str, alone: str, n_seeds: pd.Series, n_unfinished: int, left_out: str) -> str:
    counts = sorted(set(n_seeds))
    if counts == [1]:
        note = alone
    else:
        number = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        note = f"{what} over {number} seeds"
    if n_unfinished:
        note += f"; {n_unfinished} unfinished run{'s' if n_unfinished > 1 else ''} left out"
    return f"{note}; {left_out}" if left_out else note


def bits_columns(points: pd.DataFrame, yardstick: Yardstick) -> pd.DataFrame:
    """Points of captured bits with the column names of the files: ``captured_bits, low_bits,
    high_bits``, and at the end ``estimator, rate_bits``."""
    names = {"mean": "captured_bits", "low": "low_bits", "high": "high_bits"}
    return points.rename(columns=names).assign(**yardstick.columns)


def _require_one_row_per_seed(rows: pd.DataFrame, keys: Sequence[str]) -> None:
    twice = rows[rows.duplicated([*keys, "seed"])]
    if len(twice):
        first = ", ".join(f"{name} {twice[name].iloc[0]}" for name in [*keys, "seed"])
        raise ValueError(f"rows: expected one row per seed in each mean, got several of {first}")
