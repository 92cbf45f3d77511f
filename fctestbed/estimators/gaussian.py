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


@dataclass(frozen=True, kw_only=True)
class Gaussian(Estimator):
    """The information of the Gaussian with the same covariance, unbiased.

    Bounds: neither; where X, Y (and Z) are jointly Gaussian it is exact in expectation, and where
    X and Y are each Gaussian but not jointly so, it is lower in population. Fails: on dependence
    that is no correlation (it reads 0 for x^2), and on heavy tails.

    Source:
        Kay 1992; the mean of log-determinants of Wishart matrices: Anderson, An Introduction to
        Multivariate Statistical Analysis, section 7.5.
    """

    name: ClassVar[str] = "gaussian"
    bound: ClassVar[Direction] = "none"
    conditional: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})
    symmetric: ClassVar[bool] = True

    @property
    def invariant_to(self) -> frozenset[Invariance]:
        """As ``Estimator.invariant_to``."""
        return frozenset({"order", "scaling", "linear"})

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; the columns of each argument linearly independent."""
        return _estimate(self.name, self.bound, numbers(x, y, given), "unit")


@dataclass(frozen=True, kw_only=True)
class GaussianCopula(Estimator):
    """The Gaussian information of the columns' normal scores: blind to their margins.

    Bounds: for one column each of X and Y and no condition it is lower in population, and says so
    in its estimates; otherwise neither. Fails: as ``gaussian`` on dependence that is not monotone,
    but tails do no harm.

    Source:
        Ince et al. 2017.
    """

    name: ClassVar[str] = "gaussian-copula"
    bound: ClassVar[Direction] = "none"
    conditional: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})
    symmetric: ClassVar[bool] = True

    @property
    def invariant_to(self) -> frozenset[Invariance]:
        """As ``Estimator.invariant_to``."""
        return frozenset({"order", "scaling", "monotone"})

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; the columns of each argument linearly independent."""
        arrays = numbers(x, y, given)
        plain = arrays[2] is None and arrays[0].shape[1] == arrays[1].shape[1] == 1
        return _estimate(self.name, "lower" if plain else self.bound, arrays, "normal")


@dataclass(frozen=True)
class _Reading:
    """The unbiased value in nats, and its variance as slope times the information plus a floor."""

    value: float
    slope: float
    floor: float


def _estimate(
    name: str,
    bound: Direction,
    arrays: tuple[Floats, Floats, Floats | None],
    margins: Margins,
) -> Estimate:
    x, y, z = arrays
    n, dx, dy = len(x), x.shape[1], y.shape[1]
    freedom = n - 1 - (0 if z is None else z.shape[1])
    if freedom < dx + dy + 1:
        raise ValueError(
            f"x: expected at least {n - freedom + dx + dy + 1} samples for columns as many as "
            f"these, got {n}"
        )
    reading = _read(arrays, margins)
    value = reading.value
    doubt = bias_checks.not_gaussian([rescale(a, margins) for a in arrays if a is not None])
    if margins == "normal" and not doubt:
        # Few normal scores do not show of what law they are.
        doubt = bias_checks.few_samples(n)
    moved = 0.0
    if margins == "normal" and not doubt:
        # Ranks take some of a strong correlation away, by about 1/n: as much as from half to all.
        halves = _mean_of_halves(arrays, margins)
        doubt = "halves of the samples cannot be read" if halves is None else ""
        moved = 0.0 if halves is None else value - halves
    low, high = np.nan, np.nan
    if not doubt:
        low, high = score_interval(value, reading.slope, reading.floor)
        low, high = low + min(moved, 0.0), high + max(moved, 0.0)
    return Estimate(
        estimator=name,
        bound=bound,
        value_bits=nats_to_bits(value),
        low_bits=nats_to_bits(low),
        high_bits=nats_to_bits(high),
        ceiling_bits=float("inf"),
        n_samples=n,
        se_bits=nats_to_bits(math.sqrt(reading.slope * max(value, 0.0) + reading.floor)),
        note=doubt,
    )


def _read(arrays: tuple[Floats, Floats, Floats | None], margins: Margins) -> _Reading:
    x, y, z = arrays
    n, dx, dy = len(x), x.shape[1], y.shape[1]
    freedom = n - 1 - (0 if z is None else z.shape[1])
    rho = _canonical_correlations(x, y, z, margins)
    likely = float(-0.5 * np.log1p(-rho * rho).sum())
    slope = float((rho * rho).sum()) / (likely * n) if likely > 0 else 2 / n
    value = likely - _bias_nats(freedom, dx, dy)
    return _Reading(value, slope, _independent_variance(freedom, dx, dy))


def _mean_of_halves(arrays: tuple[Floats, Floats, Floats | None], margins: Margins) -> float | None:
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
        values.append(_read(half, margins).value)
    return float(np.mean(values))


def _canonical_correlations(x: Floats, y: Floats, z: Floats | None, margins: Margins) -> Floats:
    columns = {"x": x, "y": y} if z is None else {"given": z, "x": x, "y": y}
    bases: dict[str, Floats] = {}
    for name, values in columns.items():
        scaled = rescale(values, margins)
        scaled = scaled - scaled.mean(axis=0)
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
