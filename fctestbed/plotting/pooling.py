"""One value per seed for tables: at one unique ratio, or the mean over all of them.

A mean over ratios is taken within each seed before any interval, so that the interval is over
seeds. A seed that did not finish at every ratio has no such mean and is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fctestbed.plotting.intervals import seed_intervals
from fctestbed.plotting.selection import nearest_ratio


@dataclass(frozen=True)
class Ratios:
    """The unique ratios that a table speaks of.

    Args:
        values: ascending; one, or those that are averaged.
    """

    values: tuple[float, ...]

    @classmethod
    def of(cls, rows: pd.DataFrame, wanted: float | None) -> "Ratios":
        """The one nearest to the wanted ratio; all that the rows have if None is wanted."""
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
        keys: what a line of the table is, ``method`` and ``variant`` for instance.
        ratios: which ratios; a seed that lacks one of them is left out.

    Returns:
        Columns ``keys, mean, low, high, n_seeds`` in the value's unit; ``low`` and ``high`` are NaN
        for one seed.
    """
    wanted = rows["unique_ratio"].isin(ratios.values)
    finite = rows[wanted & np.isfinite(rows[value].to_numpy(dtype=float))]
    by_seed = finite.groupby([*keys, "seed"], sort=True)
    means = by_seed[value].mean()[by_seed["unique_ratio"].nunique() == len(ratios.values)]
    return seed_intervals(means.reset_index(), value, keys)
