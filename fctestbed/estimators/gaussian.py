"""Mutual information from covariances: exact where everything is jointly Gaussian.

The estimators ``gaussian`` and ``gaussian-copula``. May import ``fctestbed.information``.

I(X; Y | Z) = -1/2 sum log(1 - r_i^2) over the canonical correlations r_i of the residuals of X and
Y on Z. The maximum-likelihood value is too high by about dx dy / 2n. The log-determinants of
Wishart matrices have known means, so that this bias is subtracted exactly.

Intervals are score intervals (``LinearVariance``). The variance sum r_i^2 / n of the log density
ratio is taken as proportional to the information; the exact variance of Wilks's statistic under
independence is added. They are valid for Gaussian samples (or normal scores). There is no interval
where Mardia's kurtosis, or a value that many samples share, shows that the samples are not
Gaussian; that of the copula passes three more tests (``normality``), and is widened by what nearest
neighbours find beyond it (``copula_excess``).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import digamma, polygamma

from fctestbed.estimators import bias_checks
from fctestbed.estimators.base import Array, Direction, Estimate, Estimator, Invariance, Kind
from fctestbed.estimators.copula_excess import Triple, excesses, too_much, widened
from fctestbed.estimators.inputs import Floats, Margins, numbers, rescale
from fctestbed.estimators.intervals import LinearVariance
from fctestbed.estimators.normality import not_gaussian_copula

# Columns whose independent part is below this share of them are, up to rounding, linear
# combinations of the others.
_DEPENDENT = 1e-10


@dataclass(frozen=True, kw_only=True)
class _CovarianceEstimator(Estimator):
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
        value, variance = _unbiased(scaled)
        interval, doubt = self._interval(arrays, scaled, value, variance)
        return self._from_nats(
            value,
            interval,
            se=variance.standard_error(value),
            ceiling=float("inf"),
            n_samples=n,
            note=doubt,
            bound=self._bound_of(arrays),
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

    def _interval(
        self, arrays: Triple, scaled: Triple, value: float, variance: LinearVariance
    ) -> tuple[tuple[float, float], str]:
        """The interval in nats, and why there is none where a line says so."""
        present = [array for array in scaled if array is not None]
        doubt = bias_checks.atoms(present) or bias_checks.not_gaussian(present)
        return variance.score_interval(value), doubt


@dataclass(frozen=True, kw_only=True)
class Gaussian(_CovarianceEstimator):
    """The information of the Gaussian with the same covariance, unbiased.

    Bounds: neither; where X, Y (and Z) are jointly Gaussian it is exact in expectation, and where
    X and Y are each Gaussian but not jointly so, it is lower in population. Fails: on dependence
    without correlation (it is 0 for X and X^2), and on heavy tails.

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
class GaussianCopula(_CovarianceEstimator):
    """The Gaussian information of the columns' normal scores, which ignores their margins.

    Bounds: for one continuous column each of X and Y and no condition it is lower in population,
    and its estimates say so; otherwise neither. Fails: as ``gaussian`` on dependence that is not
    monotone; on values that repeat, whose scores have no Gaussian copula (a bit through BSC(0.01):
    2.3 bits for 0.92). Heavy tails do no harm.

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
        if z is not None or x.shape[1] > 1 or y.shape[1] > 1 or bias_checks.repeats([x, y]):
            return self.bound
        return "lower"

    def _interval(
        self, arrays: Triple, scaled: Triple, value: float, variance: LinearVariance
    ) -> tuple[tuple[float, float], str]:
        (low, high), doubt = super()._interval(arrays, scaled, value, variance)
        # Few normal scores do not show their distribution.
        doubt = doubt or bias_checks.few_samples(len(scaled[0]))
        doubt = doubt or not_gaussian_copula([array for array in scaled if array is not None])
        if doubt:
            return (low, high), doubt
        # Ranks reduce a strong correlation by about 1/n, as much as from all samples to half.
        halves = self._mean_of_halves(arrays)
        if halves is None:
            return (low, high), "there is no estimate from half of the samples"
        moved = value - halves
        found = excesses(scaled, lambda scores: _unbiased(scores)[0])
        return widened(low + min(moved, 0.0), high + max(moved, 0.0), found), too_much(found)

    def _mean_of_halves(self, arrays: Triple) -> float | None:
        """Mean value of two halves of the samples: every other one in the order of X.

        None where they are too few for the columns, or a column is constant in one.
        """
        x, y, z = arrays
        order = np.argsort(x[:, 0], kind="stable")
        values = []
        for rows in (order[::2], order[1::2]):
            half = x[rows], y[rows], None if z is None else z[rows]
            present = np.hstack([array for array in half if array is not None])
            if len(rows) < present.shape[1] + 2 or (np.ptp(present, axis=0) == 0).any():
                return None
            values.append(_unbiased(self._scaled(half))[0])
        return float(np.mean(values))


def _unbiased(scaled: Triple) -> tuple[float, LinearVariance]:
    """The unbiased value in nats, and its variance."""
    x, y, z = scaled
    n, dx, dy = len(x), x.shape[1], y.shape[1]
    freedom = n - 1 - (0 if z is None else z.shape[1])
    rho = _canonical_correlations(x, y, z)
    likely = float(-0.5 * np.log1p(-rho * rho).sum())
    slope = float((rho * rho).sum()) / (likely * n) if likely > 0 else 2 / n
    value = likely - _bias_nats(freedom, dx, dy)
    return value, LinearVariance(slope, _independent_variance(freedom, dx, dy))


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
            others = "" if name == "given" or z is None else " of each other and of given"
            raise ValueError(
                f"{name}: expected columns that are linearly independent{others}, got some that "
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
    """Bias of the maximum-likelihood value, in expectation."""

    def log_det(dim: int) -> float:
        return float(digamma((freedom - np.arange(dim)) / 2).sum())

    return (log_det(dx) + log_det(dy) - log_det(dx + dy)) / 2


def _independent_variance(freedom: int, dx: int, dy: int) -> float:
    """Variance of -1/2 log Wilks's lambda under independence: a product of beta variables."""
    i = np.arange(dy)
    upper, lower = polygamma(1, (freedom - dx - i) / 2), polygamma(1, (freedom - i) / 2)
    return float((upper - lower).sum()) / 4
