"""Mutual information from covariances: exact where everything is jointly Gaussian.

Owns ``gaussian`` and ``gaussian-copula``. May import ``fctestbed.information``.

I(X; Y | Z) = -1/2 sum log(1 - r_i^2) over the canonical correlations r_i of what Z leaves of X and
Y. The maximum-likelihood value is too high by about dx dy / 2n; the log-determinants of Wishart
matrices have known means, so that bias is taken off exactly.

Intervals are score intervals (``intervals.score_interval``): var = sum r_i^2 / n, the variance of
the log density ratio, taken as proportional to the information, plus the exact variance of Wilks's
statistic under independence. They hold for Gaussian samples (or normal scores), and are not given
where Mardia's kurtosis tells that these are not.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import digamma, polygamma

from fctestbed.estimators import bias_checks
from fctestbed.estimators.base import (
    Array,
    Direction,
    Estimate,
    Estimator,
    Invariance,
    Kind,
)
from fctestbed.estimators.inputs import Floats, numbers
from fctestbed.estimators.intervals import score_interval
from fctestbed.estimators.margins import Margins, rescale
from fctestbed.information.units import nats_to_bits

# Columns whose independent part is below this share of them are sums of the others, but for
# rounding.
_DEPENDENT = 1e-10


Triple = tuple[Floats, Floats, Floats | None]


@dataclass(frozen=True)
class _Reading:
    """The unbiased value in nats, and its variance as slope times the information plus a floor."""

    value: float
    slope: float
    floor: float


@dataclass(frozen=True, kw_only=True)
class _ByCovariance(Estimator):
    bound: ClassVar[Direction] = "none"
    conditional: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})
    symmetric: ClassVar[bool] = True
    _margins: ClassVar[Margins]

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; the columns of each argument linearly independent."""
        arrays = numbers(x, y, given)
        n, dim = len(arrays[0]), sum(array.shape[1] for array in arrays if array is not None)
        if n < dim + 2:
            raise ValueError(
                f"x: expected at least {dim + 2} samples for columns as many as these, got {n}"
            )
        scaled = self._scaled(arrays)
        reading = _read(scaled)
        doubt, moved = self._doubt(arrays, scaled, reading.value)
        low, high = np.nan, np.nan
        if not doubt:
            low, high = score_interval(reading.value, reading.slope, reading.floor)
            low, high = low + min(moved, 0.0), high + max(moved, 0.0)
        variance = reading.slope * max(reading.value, 0.0) + reading.floor
        return Estimate(
            estimator=self.name,
            bound=self._bound_of(arrays),
            value_bits=nats_to_bits(reading.value),
            low_bits=nats_to_bits(low),
            high_bits=nats_to_bits(high),
            ceiling_bits=float("inf"),
            n_samples=n,
            se_bits=nats_to_bits(math.sqrt(variance)),
            note=doubt,
        )

    def _scaled(self, arrays: Triple) -> Triple:
        x, y, z = arrays
        return (
            rescale(x, self._margins),
            rescale(y, self._margins),
            None if z is None else rescale(z, self._margins),
        )

    def _bound_of(self, arrays: Triple) -> Direction:
        return self.bound

    def _doubt(self, arrays: Triple, scaled: Triple, value: float) -> tuple[str, float]:
        """Why there is no interval, and how far the value is from that of half the samples."""
        return bias_checks.not_gaussian([array for array in scaled if array is not None]), 0.0


@dataclass(frozen=True, kw_only=True)
class Gaussian(_ByCovariance):
    """The information of the Gaussian with the same covariance, unbiased.

    Bounds: neither; where X, Y (and Z) are jointly Gaussian it is exact in expectation, and where
    X and Y are each Gaussian but not jointly so, it is lower in population. Fails: on dependence
    that is no correlation (it reads 0 for x^2), and on heavy tails.

    Source:
        Kay 1992; the mean of log-determinants of Wishart matrices: Anderson, An Introduction to
        Multivariate Statistical Analysis, section 7.5.
    """

    name: ClassVar[str] = "gaussian"
    _margins: ClassVar[Margins] = "unit"

    @property
    def invariant_to(self) -> frozenset[Invariance]:
        """As ``Estimator.invariant_to``."""
        return frozenset({"order", "scaling", "linear"})


@dataclass(frozen=True, kw_only=True)
class GaussianCopula(_ByCovariance):
    """The Gaussian information of the columns' normal scores: blind to their margins.

    Bounds: for one column each of X and Y and no condition it is lower in population, and says so
    in its estimates; otherwise neither. Fails: as ``gaussian`` on dependence that is not monotone,
    but tails do no harm.

    Source:
        Ince et al. 2017.
    """

    name: ClassVar[str] = "gaussian-copula"
    _margins: ClassVar[Margins] = "normal"

    @property
    def invariant_to(self) -> frozenset[Invariance]:
        """As ``Estimator.invariant_to``."""
        return frozenset({"order", "scaling", "monotone"})

    def _bound_of(self, arrays: Triple) -> Direction:
        x, y, z = arrays
        return "lower" if z is None and x.shape[1] == y.shape[1] == 1 else self.bound

    def _doubt(self, arrays: Triple, scaled: Triple, value: float) -> tuple[str, float]:
        doubt, _ = super()._doubt(arrays, scaled, value)
        # Few normal scores do not show of what law they are.
        doubt = doubt or bias_checks.few_samples(len(scaled[0]))
        if doubt:
            return doubt, 0.0
        # Ranks take some of a strong correlation away, by about 1/n: as much as from half to all.
        halves = self._mean_of_halves(arrays)
        return (
            ("halves of the samples cannot be read", 0.0)
            if halves is None
            else ("", value - halves)
        )

    def _mean_of_halves(self, arrays: Triple) -> float | None:
        """Mean value of two halves of the samples, every other one by the order of X: no chance.

        None where they are too few for the columns, or a column is constant in one.
        """
        x, y, z = arrays
        order = np.argsort(x[:, 0], kind="stable")
        values = []
        for rows in (order[::2], order[1::2]):
            half = x[rows], y[rows], None if z is None else z[rows]
            there = np.hstack([array for array in half if array is not None])
            if len(rows) < there.shape[1] + 2 or (np.ptp(there, axis=0) == 0).any():
                return None
            values.append(_read(self._scaled(half)).value)
        return float(np.mean(values))


def _read(scaled: Triple) -> _Reading:
    x, y, z = scaled
    n, dx, dy = len(x), x.shape[1], y.shape[1]
    freedom = n - 1 - (0 if z is None else z.shape[1])
    rho = _canonical_correlations(x, y, z)
    likely = float(-0.5 * np.log1p(-rho * rho).sum())
    slope = float((rho * rho).sum()) / (likely * n) if likely > 0 else 2 / n
    value = likely - _bias_nats(freedom, dx, dy)
    return _Reading(value, slope, _independent_variance(freedom, dx, dy))


def _canonical_correlations(x: Floats, y: Floats, z: Floats | None) -> Floats:
    columns = {"x": x, "y": y} if z is None else {"given": z, "x": x, "y": y}
    bases: dict[str, Floats] = {}
    for name, values in columns.items():
        scaled = values - values.mean(axis=0)
        left = scaled
        if "given" in bases:
            left = scaled - bases["given"] @ (bases["given"].T @ scaled)
        basis, triangle = np.linalg.qr(left)
        if (np.abs(np.diag(triangle)) < _DEPENDENT * np.linalg.norm(scaled, axis=0)).any():
            beside = "" if name == "given" or z is None else " of each other and of given"
            raise ValueError(
                f"{name}: expected columns that are linearly independent{beside}, got some that "
                f"are sums of others"
            )
        bases[name] = basis
    rho = np.linalg.svd(bases["x"].T @ bases["y"], compute_uv=False)
    if rho.max() >= 1 - 1e-14:
        raise ValueError(
            "y: expected no column that is an exact linear function of x, got a correlation of 1"
        )
    return np.asarray(rho)


def _bias_nats(freedom: int, dx: int, dy: int) -> float:
    """What the maximum-likelihood value is too high by, in expectation."""

    def log_det(dim: int) -> float:
        return float(digamma((freedom - np.arange(dim)) / 2).sum())

    return (log_det(dx) + log_det(dy) - log_det(dx + dy)) / 2


def _independent_variance(freedom: int, dx: int, dy: int) -> float:
    """Variance of -1/2 log Wilks's lambda under independence: a product of beta variables."""
    i = np.arange(dy)
    upper, lower = polygamma(1, (freedom - dx - i) / 2), polygamma(1, (freedom - i) / 2)
    return float((upper - lower).sum()) / 4
