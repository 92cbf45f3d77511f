"""Intervals of paired differences, and three-valued decisions about all cells of a claim at once.

A cell is one comparison at one unique ratio: a difference for each seed, paired within the seed.
Imports numpy and scipy.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]

ALPHA = 0.05
"""The largest chance of a false verdict, and one minus the level of simultaneous intervals."""
RESOLUTION_BITS = 1e-9
"""Differences are rounded to it, so that the last digits of equal values establish nothing."""
_DECIMALS = 9


class Verdict(StrEnum):
    """What is decided about a prediction."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "not decided"


@dataclass(frozen=True)
class PairedDifferences:
    """Summary of the differences of each cell; arrays of shape (..., cells).

    Attributes:
        n: seeds with a difference.
        mean: NaN without seeds.
        sd: the standard deviation over seeds; NaN with fewer than two.
    """

    n: NDArray[np.int64]
    mean: Floats
    sd: Floats

    @classmethod
    def of(cls, differences: Floats) -> "PairedDifferences":
        """The summary of differences of shape (..., cells, seeds), NaN where one is missing."""
        rounded = np.round(np.asarray(differences, dtype=float), _DECIMALS)
        there = np.isfinite(rounded)
        n = there.sum(axis=-1)
        filled = np.where(there, rounded, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = filled.sum(axis=-1) / n
            deviations = np.where(there, rounded - mean[..., None], 0.0)
            sd = np.sqrt((deviations**2).sum(axis=-1) / (n - 1))
        # Rounding of the mean is no spread.
        sd = np.where(sd < RESOLUTION_BITS, 0.0, sd)
        return cls(n=n, mean=mean, sd=np.where(n > 1, sd, np.nan))

    def interval(self, tail: float) -> tuple[Floats, Floats]:
        """Student's interval of the mean of each cell.

        Args:
            tail: the chance that the mean is beyond one end, for each end.

        Returns:
            Lower and upper ends; -inf and inf where there are fewer than two seeds.
        """
        n = np.maximum(self.n, 2)
        half = stats.t.isf(tail, n - 1) * self.sd / np.sqrt(n)
        known = self.n > 1
        low = np.where(known, self.mean - half, -np.inf)
        return low, np.where(known, self.mean + half, np.inf)

    @property
    def p_value(self) -> Floats:
        """Two-sided paired t-test that the mean is 0; NaN with fewer than two seeds.

        Without any spread it is 1 where the mean is 0, else 0.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            t = np.abs(self.mean) / (self.sd / np.sqrt(self.n))
        t = np.where(np.isnan(t) & (self.sd == 0), 0.0, t)
        p = 2 * np.asarray(stats.t.sf(t, np.maximum(self.n, 2) - 1))
        return np.where(self.n > 1, p, np.nan)


def simultaneous_interval(
    summary: PairedDifferences, alpha: float = ALPHA
) -> tuple[Floats, Floats]:
    """Intervals that hold the means of all cells at once with 1 - alpha (Bonferroni).

    They hold whatever the correlation between the cells. A bootstrap or sign-flip max-t is no
    alternative: three seeds have 4 different sign patterns up to reflection and five have 16, so
    no p-value reaches 5 %, and correlations estimated from so few seeds are no guide.
    """
    n_cells = max(int(summary.n.shape[-1]), 1)
    return summary.interval(alpha / (2 * n_cells))


def holm(p_values: Floats) -> Floats:
    """p-values adjusted for their number (Holm 1979); NaN ones are left out and stay NaN.

    Args:
        p_values: of shape (tests,).
    """
    adjusted = np.full(len(p_values), np.nan)
    order = [int(i) for i in np.argsort(p_values, kind="stable") if np.isfinite(p_values[i])]
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * float(p_values[place])))
        adjusted[place] = largest
    return adjusted


@dataclass(frozen=True)
class Region:
    """The differences that a prediction allows, between two ends that it does not.

    Attributes:
        low: one number for each cell, or one for all; -inf for no lower end.
        high: as ``low``; inf for no upper end.
    """

    low: Floats
    high: Floats

    @classmethod
    def of(cls, relations: Any, smallest_effects: Any) -> "Region":
        """The region of predictions such as ``>`` with a smallest effect that matters, delta.

        ``>`` is a difference above delta (superiority by a margin), ``>=`` one above -delta
        (non-inferiority), ``=`` one between -delta and delta (equivalence); ``<`` and ``<=`` are
        the mirror images.

        Args:
            relations: one for each cell.
            smallest_effects: delta in bits of each cell.
        """
        ends = {
            ">": (1.0, np.inf),
            ">=": (-1.0, np.inf),
            "=": (-1.0, 1.0),
            "<=": (-np.inf, 1.0),
            "<": (-np.inf, -1.0),
        }
        factors = np.array([ends[relation] for relation in relations]).reshape(-1, 2)
        delta = np.asarray(smallest_effects, dtype=float)
        return cls(low=factors[:, 0] * delta, high=factors[:, 1] * delta)


@dataclass(frozen=True)
class Decision:
    """What is decided about each cell, and about all of them together.

    Attributes:
        summary: means and spreads.
        own_low: lower ends of each cell's own interval, 5 % beyond each end.
        own_high: upper ends of it.
        low: lower ends of the simultaneous 95 % intervals.
        high: upper ends of them.
        holds: whether each cell's own interval is inside its region.
        fails: whether each cell's simultaneous interval is outside its region.
    """

    summary: PairedDifferences
    own_low: Floats
    own_high: Floats
    low: Floats
    high: Floats
    holds: NDArray[np.bool_]
    fails: NDArray[np.bool_]

    @property
    def verdict(self) -> Verdict:
        """The verdict over all cells of one claim."""
        if self.fails.any():
            return Verdict.FAILS
        return Verdict.HOLDS if self.holds.all() and self.holds.size else Verdict.UNDECIDED

    @property
    def cell_verdicts(self) -> list[Verdict]:
        """The verdict of each cell of one claim."""
        return [
            Verdict.FAILS if fails else Verdict.HOLDS if holds else Verdict.UNDECIDED
            for holds, fails in zip(self.holds, self.fails, strict=True)
        ]


def decide(differences: Floats, region: Region, alpha: float = ALPHA) -> Decision:
    """Decide about claims that hold where every cell's mean difference is inside its region.

    A claim *holds* where each cell's own interval, with ``alpha`` beyond each end, is inside its
    region: an intersection-union test, which needs no correction for the number of cells, and for
    ``=`` the two one-sided tests of equivalence. It *fails* where the simultaneous interval of some
    cell is outside. Either verdict is false with a chance of at most ``alpha``.

    Args:
        differences: of shape (..., cells, seeds), NaN where a seed is missing.
        region: what each cell is predicted to be.
        alpha: the largest chance of a false verdict.

    Source:
        Berger 1982 (intersection-union tests); Schuirmann 1987 (two one-sided tests).
    """
    summary = PairedDifferences.of(differences)
    own_low, own_high = summary.interval(alpha)
    low, high = simultaneous_interval(summary, alpha)
    return Decision(
        summary=summary,
        own_low=own_low,
        own_high=own_high,
        low=low,
        high=high,
        holds=(own_low > region.low) & (own_high < region.high),
        fails=(high <= region.low) | (low >= region.high),
    )
