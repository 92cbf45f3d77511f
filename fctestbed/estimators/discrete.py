"""Mutual information of discrete data from the entropies of its tables of counts.

The estimators ``plugin``, ``miller-madow`` and ``chao-wang-jost``. May import
``fctestbed.information``.

Each estimates I(X; Y | Z) = H(X, Z) + H(Y, Z) - H(Z) - H(X, Y, Z) with its own estimate of entropy.
The chain rule holds exactly. None is a bound.

Intervals are score intervals (``LinearVariance``), centred on the value without its first-order
bias. The variance is that of the local terms log p(x, y | z) / p(x | z) p(y | z) over n (the delta
method), taken as proportional to the information, plus the second-order variance, which is all
there is under independence and for a function with equally frequent values. The terms of
``chao-wang-jost`` depend on the counts of rare values, so its variance comes from the jackknife.
Both are deterministic. Where cells of the table have no sample, the interval allows for two samples
in them, as Wilson's interval of a share of 0 does: that no sample deviates from a function does not
show that none can.

The remaining bias grows with the number of unseen cells. So there is an interval only where few
samples are alone in their cell of the joint table: 1 %, or 10 % for ``chao-wang-jost``, which
accounts for unseen cells; and for the other two only where its value is near theirs. The intervals
cover 92-97 % at n = 1000, and more where the table has structural zeros, as that of a function has.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators import bias_checks
from fctestbed.estimators.base import Array, Direction, Estimate, Estimator, Invariance, Kind
from fctestbed.estimators.count_entropy import (
    Counts,
    chao_wang_jost_nats,
    chao_wang_jost_without_one,
    miller_madow_nats,
    plugin_nats,
)
from fctestbed.estimators.inputs import Codes, codes, pair_codes
from fctestbed.estimators.intervals import HALF_WIDTH, LinearVariance

# Samples of cells without any that may have been expected, as in Wilson's interval of a small
# share: z^2 / 2 of them lower the end of the interval, and half as many are in the variance.
_RARE = HALF_WIDTH**2 / 2
# G = 2 n I in nats below which sampling shows no dependence at all, and no slope.
_NOTHING = 0.01


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
        """2 n times the first-order bias of the plug-in value in nats: negative for functions.

        Where Y is a function of X, the information is H(Y), which the plug-in underestimates.
        """
        xz, yz, z, xyz = (len(counts) for counts in self.counts)
        return xyz - xz - yz + z

    @property
    def second_order(self) -> float:
        """2 n^2 times the variance that remains where the local terms have none.

        To second order the plug-in value errs by a quadratic form of Gaussian variables over 2n,
        with the matrix P_xyz - P_xz - P_yz + P_z of projections onto functions of these variables.
        Its trace is ``freedom``; that of its square is ``freedom`` plus twice the mean square
        contingency of X and Y, summed over Z. It is the number of degrees of freedom for
        independent X and Y (chi-squared), and the number of values less one where Y is X.
        """
        xz, yz, _, xyz = (
            counts[code] for code, counts in zip(self.codes, self.counts, strict=True)
        )
        contingency = float((xyz / (xz * yz)).sum()) - len(self.counts[2])
        return max(self.freedom + 2 * contingency, 1.0)

    def local_nats(self) -> NDArray[np.float64]:
        """log p(x, y | z) / p(x | z) p(y | z) of each sample, by observed shares, [n]."""
        xz, yz, z, xyz = (
            np.log(counts)[code] for code, counts in zip(self.codes, self.counts, strict=True)
        )
        return np.asarray(xyz + z - xz - yz)

    def rare_loss(self) -> float:
        """Information in nats, times n, that one sample in a cell without samples would cost.

        It is the mean over the unseen cells of values that X and Y both have (given Z), or 0 where
        there is none: there the local term would be log n(z) / n(x, z) n(y, z).
        """
        z = self.codes[2]
        size = len(self.counts[2])
        (n_x, log_x), (n_y, log_y) = (
            _by_condition(code, counts, z, size)
            for code, counts in zip(self.codes[:2], self.counts[:2], strict=True)
        )
        every = n_x * log_y + n_y * log_x - n_x * n_y * np.log(self.counts[2])
        _, seen = np.unique(self.codes[3], return_index=True)
        xz, yz, z_n = (
            counts[code[seen]] for code, counts in zip(self.codes[:3], self.counts[:3], strict=True)
        )
        unseen = float((n_x * n_y).sum()) - len(seen)
        if unseen < 1:
            return 0.0
        mean = (float(every.sum()) - float(np.log(xz * yz / z_n).sum())) / unseen
        return max(float(self.local_nats().mean()) + mean, 0.0)

    def variance(self, at_value: float) -> LinearVariance:
        """The variance in nats squared, from the variance at the estimate."""
        # Sampling inflates both alike, so it does not change their ratio. Near independence the
        # ratio is 2/n, but would be one of rounding errors.
        information = float(self.local_nats().mean())
        slope = at_value / information if 2 * self.n * information > _NOTHING else 2 / self.n
        floor = self.second_order / 2 + _RARE / 2 * self.rare_loss() ** 2
        return LinearVariance(slope, floor / (self.n * self.n))


@dataclass(frozen=True, kw_only=True)
class _CountEstimator(Estimator):
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
        """As ``Estimator.estimate``; values of any kind (text too), distinguished by equality.

        The ceiling is the smaller of the entropies of X and Y (given Z) by the same counts and
        formula: log n at most for the plug-in.
        """
        tables = _Tables.of(*codes(x, y, given))
        value, ceiling = _information(tables, self._entropy_nats)
        variance = tables.variance(self._variance_at_value(tables))
        centre = value - self._bias_nats(tables)
        low, high = variance.score_interval(centre)
        # Unseen cells lower the information.
        unseen = max(centre - _information(tables, chao_wang_jost_nats)[0], 0.0)
        low -= unseen + _RARE * tables.rare_loss() / tables.n
        se = variance.standard_error(value)
        doubt = bias_checks.singletons(tables.counts[3], self._most_singletons)
        return self._from_nats(
            value,
            (min(low, value), max(high, value)),
            se=se,
            ceiling=ceiling,
            n_samples=tables.n,
            note=doubt or bias_checks.unseen_cells(unseen, se),
        )

    @abstractmethod
    def _entropy_nats(self, counts: Counts) -> float:
        """Entropy of a table."""

    def _variance_at_value(self, tables: _Tables) -> float:
        """Variance of the value at the estimated distribution, in nats squared."""
        return float(tables.local_nats().var()) / tables.n

    def _bias_nats(self, tables: _Tables) -> float:
        """Bias that is subtracted from the value for the middle of the interval."""
        return 0.0


def _information(tables: _Tables, entropy_nats: Callable[[Counts], float]) -> tuple[float, float]:
    """The information in nats by the entropies of the tables, and the largest that it may be."""
    xz, yz, z, xyz = (entropy_nats(counts) for counts in tables.counts)
    ceiling = min(xz, yz) - z
    # The estimated entropy of a table may be below that of its margin.
    return min(xz + yz - z - xyz, ceiling), ceiling


def _by_condition(
    code: Codes, counts: Counts, z: Codes, size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Number of values, and sum of the logs of their counts, for each of ``size`` conditions."""
    _, first = np.unique(code, return_index=True)
    condition = z[first]
    return (
        np.bincount(condition, minlength=size).astype(np.float64),
        np.bincount(condition, weights=np.log(counts), minlength=size).astype(np.float64),
    )


@dataclass(frozen=True, kw_only=True)
class Plugin(_CountEstimator):
    """The information of the observed shares.

    Bounds: neither. Fails: it is too high by about (kx - 1)(ky - 1)/2n nats, so by more than the
    information itself where the table has more cells than there are samples, and too low by about
    (ky - 1)/2n where Y is a function of X. The interval is centred on the value without that
    first-order bias, and extended to hold the value.

    Source:
        Paninski 2003, section 4.
    """

    name: ClassVar[str] = "plugin"

    def _entropy_nats(self, counts: Counts) -> float:
        return plugin_nats(counts)

    def _bias_nats(self, tables: _Tables) -> float:
        return tables.freedom / (2 * tables.n)


@dataclass(frozen=True, kw_only=True)
class MillerMadow(_CountEstimator):
    """The plug-in without its first-order bias, by the number of observed cells.

    Bounds: neither. Fails: too high, though less than the plug-in, where many cells are unseen.

    Source:
        Miller 1955.
    """

    name: ClassVar[str] = "miller-madow"

    def _entropy_nats(self, counts: Counts) -> float:
        return miller_madow_nats(counts)


@dataclass(frozen=True, kw_only=True)
class ChaoWangJost(_CountEstimator):
    """Entropies that account for unseen cells: the least biased of the three on small samples.

    Bounds: neither. Fails: where almost every cell is observed once, so that the samples do not
    show how many cells there are; each entropy is then a guess.

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
