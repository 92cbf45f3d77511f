"""The steps of a waterfall: what each level loses, and the first that loses much.

Owns the comparison of levels. Takes rows of explanations as tables. May import pandas, scipy and
this package.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from fctestbed.faults.levels import LEVELS
from fctestbed.faults.networks import LARGE_BITS

_RUN = LEVELS[5]
STEP_COLUMNS = (
    "method",
    "unique_ratio",
    "name",
    "lost_bits",
    "half_width_bits",
    "kept_bits",
    "kept_half_width_bits",
    "converged",
    "is_culprit",
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """The drop of label bits from one level to the next that exists.

    Attributes:
        name: of the lower level, to which the drop is attributed.
        lost_bits: the mean drop over seeds; negative where bits are gained.
        half_width: of its 95 % interval over seeds (Student t); 0 where both levels are the same
            for all seeds, NaN for a single seed.
        kept_bits: the mean drop from the same upper level to the run: what later levels do not
            regain. Of a step below the run, and where there is no run, ``lost_bits``.
        kept_half_width: as ``half_width``.
        converged: whether the lower level converged for all seeds; None where it has no criterion.
    """

    name: str
    lost_bits: float
    half_width: float
    kept_bits: float
    kept_half_width: float
    converged: bool | None

    @property
    def is_large(self) -> bool:
        """Whether at least 0.1 bit is lost, and more than the interval, and the run does not regain
        all but less than 0.1 bit of it."""
        return (
            self.lost_bits >= LARGE_BITS
            and not self.lost_bits <= self.half_width
            and self.kept_bits >= LARGE_BITS
        )


def steps_of(rows: pd.DataFrame) -> list[Step]:
    """The steps of one method at one unique ratio, from its rows, in the order of the levels."""
    levels = rows.dropna(subset=["label_bits"])
    # Networks that start from the best known code are no level of the waterfall.
    present = [name for name in LEVELS if (levels["name"] == name).any()]
    by_name = {
        name: levels[levels["name"] == name].set_index("seed")["label_bits"] for name in present
    }
    before_run = LEVELS[: LEVELS.index(_RUN)]
    steps = []
    for upper, lower in pairwise(present):
        drops = (by_name[upper] - by_name[lower]).dropna().to_numpy()
        kept = drops
        if _RUN in present and lower in before_run:
            kept = (by_name[upper] - by_name[_RUN]).dropna().to_numpy()
        met = levels.loc[levels["name"] == lower, "converged"].dropna()
        steps.append(
            Step(
                name=lower,
                lost_bits=float(drops.mean()),
                half_width=_half_width(drops),
                kept_bits=float(kept.mean()) if len(kept) else math.nan,
                kept_half_width=_half_width(kept),
                converged=None if met.empty else bool(met.astype(bool).all()),
            )
        )
    return steps


def culprit(rows: pd.DataFrame) -> str | None:
    """The first level of one method at one ratio to which a large drop leads.

    A drop is large if it is at least 0.1 bit and more than its interval over seeds, and if at least
    0.1 bit is still lost after the run: what an objective leaves open, a network may still hold.
    None: no drop is.
    """
    return next((step.name for step in steps_of(rows) if step.is_large), None)


def all_steps(rows: pd.DataFrame) -> pd.DataFrame:
    """The steps of all methods and ratios of an explanation, one a row, and which is the culprit.

    Args:
        rows: of ``explain``.

    Returns:
        The columns ``STEP_COLUMNS``.
    """
    found = [
        {
            "method": method,
            "unique_ratio": ratio,
            "name": step.name,
            "lost_bits": step.lost_bits,
            "half_width_bits": step.half_width,
            "kept_bits": step.kept_bits,
            "kept_half_width_bits": step.kept_half_width,
            "converged": step.converged,
            "is_culprit": step.name == culprit(own),
        }
        for (method, ratio), own in rows.groupby(["method", "unique_ratio"], sort=False)
        for step in steps_of(own)
    ]
    return pd.DataFrame(found, columns=list(STEP_COLUMNS)).astype({"converged": object})


def _half_width(drops: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    if len(drops) < 2:
        return math.nan
    spread = float(drops.std(ddof=1))
    return float(t.ppf(0.975, len(drops) - 1)) * spread / math.sqrt(len(drops))
