"""Mutual information of discrete data from the entropies of its tables of counts.

Owns ``plugin``, ``miller-madow`` and ``chao-wang-jost``. May import ``fctestbed.information``.

All of them are I(X; Y | Z) = H(X, Z) + H(Y, Z) - H(Z) - H(X, Y, Z), each with its own entropy; the
chain rule holds exactly. None is a bound.

Intervals are score intervals (``intervals.score_interval``): the variance of the local terms
log p(x, y | z) / p(x | z) p(y | z) over n (the delta method; for ``chao-wang-jost``, whose terms
depend on the counts of rare values, the jackknife), taken as proportional to the information, and
the chi-squared variance under independence. Both are deterministic. They are about the truth: the
first-order bias is taken off before. What is left of it grows with the cells that were never seen,
so there is an interval only where few samples are alone in their cell of the joint table: 1 %, or
10 % for ``chao-wang-jost``, which accounts for the unseen. There they cover 92-97 % at n = 1000;
where the information is all that there can be, as in a noiseless table, always.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators import bias_checks
from fctestbed.estimators.base import (
    Array,
    Direction,
    Estimate,
    Estimator,
    Invariance,
    Kind,
)
from fctestbed.estimators.count_entropy import (
    Counts,
    chao_wang_jost_nats,
    chao_wang_jost_without_one,
    miller_madow_nats,
    plugin_nats,
)
from fctestbed.estimators.inputs import Codes, codes, pair_codes
from fctestbed.estimators.intervals import score_interval
from fctestbed.information.units import nats_to_bits


@dataclass(frozen=True)
class _Tables:
    """Codes of the rows of (X, Z), (Y, Z), Z and (X, Y, Z), and their counts."""

    codes: tuple[Codes, Codes, Codes, Codes]
    counts: tuple[Counts, Counts, Counts, Counts]

    @classmethod
    def of(cls, x: Codes, y: Codes, z: Codes | None) -> "_Tables":
        z = np.zeros_like(x) if z is None else z
        xz = pair_codes(x, z)
        rows = (xz, pair_codes(y, z), z, pair_codes(xz, y))
        xz_n, yz_n, z_n, xyz_n = (np.bincount(row).astype(np.int64) for row in rows)
        return cls(rows, (xz_n, yz_n, z_n, xyz_n))

    @property
    def n(self) -> int:
        return len(self.codes[0])

    @property
    def freedom(self) -> int:
        """Degrees of freedom, of the cells that were seen."""
        xz, yz, z, xyz = (len(counts) for counts in self.counts)
        return max(xyz - xz - yz + z, 0)

    def local_nats(self) -> NDArray[np.float64]:
        """log p(x, y | z) / p(x | z) p(y | z) of each sample, by observed shares, [n]."""
        xz, yz, z, xyz = (
            np.log(counts)[code] for code, counts in zip(self.codes, self.counts, strict=True)
        )
        return np.asarray(xyz + z - xz - yz)


# G = 2 n I in nats below which sampling shows no dependence at all, and no slope.
_NOTHING = 0.01


@dataclass(frozen=True, kw_only=True)
class _ByCounts(Estimator):
    bound: ClassVar[Direction] = "none"
    conditional: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset({"discrete"})
    symmetric: ClassVar[bool] = True
    _most_singletons: ClassVar[float] = 0.01

    @property
    def invariant_to(self) -> frozenset[Invariance]:
        """As ``Estimator.invariant_to``."""
        return frozenset({"order", "relabelling", "scaling", "monotone"})

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; values of any kind (text too), told apart by equality.

        The ceiling is the smaller of the entropies of X and Y (given Z) that the same counts and
        formula give: log n at most for the plug-in.
        """
        tables = _Tables.of(*codes(x, y, given))
        xz, yz, z, xyz = (self._entropy_nats(counts) for counts in tables.counts)
        ceiling = min(xz, yz) - z
        # An entropy with unseen values added may be below that of a part of the table.
        value = min(xz + yz - z - xyz, ceiling)
        variance = _Variance.of(tables, self._variance_at_value(tables))
        doubt = bias_checks.singletons(tables.counts[3], self._most_singletons)
        low, high = (np.nan, np.nan) if doubt else self._interval_nats(tables, value, variance)
        return Estimate(
            estimator=self.name,
            bound=self.bound,
            value_bits=nats_to_bits(value),
            low_bits=nats_to_bits(low),
            high_bits=nats_to_bits(high),
            ceiling_bits=nats_to_bits(ceiling),
            n_samples=tables.n,
            se_bits=nats_to_bits(math.sqrt(variance.slope * max(value, 0.0) + variance.floor)),
            note=doubt,
        )

    @abstractmethod
    def _entropy_nats(self, counts: Counts) -> float:
        """Entropy of a table."""

    def _variance_at_value(self, tables: _Tables) -> float:
        """Variance of the value that the sample shows, in nats squared."""
        return float(tables.local_nats().var()) / tables.n

    def _interval_nats(
        self, tables: _Tables, value: float, variance: "_Variance"
    ) -> tuple[float, float]:
        return score_interval(value, variance.slope, variance.floor)


@dataclass(frozen=True)
class _Variance:
    """Variance of a value, as slope times the information plus a floor, in nats squared."""

    slope: float
    floor: float

    @classmethod
    def of(cls, tables: _Tables, at_value: float) -> "_Variance":
        n = tables.n
        # Both are inflated alike by sampling, so their ratio is not; it is 2/n near independence,
        # where it would be one of roundings.
        information = float(tables.local_nats().mean())
        slope = at_value / information if 2 * n * information > _NOTHING else 2 / n
        return cls(slope, max(tables.freedom, 1) / (2 * n * n))


@dataclass(frozen=True, kw_only=True)
class Plugin(_ByCounts):
    """The information of the observed shares.

    Bounds: neither. Fails: it is too high by about (kx - 1)(ky - 1)/2n nats, so by more than the
    information itself where the table has more cells than there are samples. The interval has that
    first-order bias taken off, and is widened to hold the value.

    Source:
        Paninski 2003, section 4.
    """

    name: ClassVar[str] = "plugin"

    def _entropy_nats(self, counts: Counts) -> float:
        return plugin_nats(counts)

    def _interval_nats(
        self, tables: _Tables, value: float, variance: "_Variance"
    ) -> tuple[float, float]:
        corrected = value - tables.freedom / (2 * tables.n)
        low, high = super()._interval_nats(tables, corrected, variance)
        return low, max(high, value)


@dataclass(frozen=True, kw_only=True)
class MillerMadow(_ByCounts):
    """The plug-in with its first-order bias taken off, by the cells that were seen.

    Bounds: neither. Fails: too high, if less, where many cells were never seen.

    Source:
        Miller 1955.
    """

    name: ClassVar[str] = "miller-madow"

    def _entropy_nats(self, counts: Counts) -> float:
        return miller_madow_nats(counts)


@dataclass(frozen=True, kw_only=True)
class ChaoWangJost(_ByCounts):
    """Entropies that account for unseen cells: the least biased of the three on small samples.

    Bounds: neither. Fails: where almost every cell was seen once, so that nothing says how many
    there are; each entropy is then a guess.

    Source:
        Chao, Wang and Jost 2013, Eq. 7, for each entropy.
    """

    name: ClassVar[str] = "chao-wang-jost"
    _most_singletons: ClassVar[float] = 0.1

    def _entropy_nats(self, counts: Counts) -> float:
        return chao_wang_jost_nats(counts)

    def _variance_at_value(self, tables: _Tables) -> float:
        xz, yz, z, xyz = (
            chao_wang_jost_without_one(counts)[code]
            for code, counts in zip(tables.codes, tables.counts, strict=True)
        )
        return float((xz + yz - z - xyz).var()) * (tables.n - 1)
