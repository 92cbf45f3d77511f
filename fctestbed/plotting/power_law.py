"""Power laws through means over seeds: y ~ x^-a, fitted by least squares in logarithms.

May import numpy and scipy.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from fctestbed.plotting.summarise import CONFIDENCE

LEAST_VALUES = 3
"""Values of x through which a law is fitted; a line goes through any two."""
NEAR = 0.05
"""A mean's relative distance from a law that is no evidence against it."""
_RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """A fitted law y = scale * x^-exponent, or the reason for which there is none.

    Args:
        exponent: a, positive for a y that falls; NaN without a law.
        low: of its 95 % interval over seeds; NaN without a law and for one seed.
        high: likewise.
        scale: y at x = 1; NaN without a law.
        n_seeds: seeds with every value of x, over which the means are.
        reason: why there is no law; empty if there is one.
    """

    exponent: float = math.nan
    low: float = math.nan
    high: float = math.nan
    scale: float = math.nan
    n_seeds: int = 0
    reason: str = ""

    def at(self, x: ArrayLike) -> NDArray[np.float64]:
        """The law's y at values of x."""
        return self.scale * np.asarray(x, dtype=float) ** -self.exponent


def fit_power_law(x: Sequence[float], y: NDArray[np.float64], rng: np.random.Generator) -> PowerLaw:
    """The power law through means over seeds, where there is one.

    The mean of y is above 0 at every x if its interval is. A law holds if at every x it is within
    the mean's interval or within 5 % of the mean. Both intervals are Student's over seeds, 95 %
    for all values of x together (Bonferroni). One seed has no interval.

    The interval of the exponent is Student's too, with the bootstrap's standard error: seeds are
    drawn with replacement, each with its y at every x, since runs of one seed share their draws.
    The standard error is multiplied by sqrt(n / (n - 1)), without which that of a mean of n values
    would be too small by this factor. Resamples with a mean that is not above 0 are left out.

    Args:
        x: different values above 0.
        y: [seeds, values]; NaN where there is none. Seeds without every value are left out.
        rng: draws the resamples.

    Raises:
        ValueError: one line, for x that are not different numbers above 0, or y of another shape.

    Source:
        Efron and Tibshirani 1993, An Introduction to the Bootstrap, sections 6.2 and 9.4 (standard
        errors; resampling of cases).
    """
    at, found = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if not (np.isfinite(at).all() and (at > 0).all()) or len(set(at)) != len(at):
        raise ValueError(f"x: expected different finite numbers above 0, got {list(x)}")
    if found.ndim != 2 or found.shape[1] != len(at):
        raise ValueError(f"y: expected [seeds, {len(at)}], got {list(found.shape)}")
    whole = found[np.isfinite(found).all(axis=1)]
    n, k = whole.shape
    if k < LEAST_VALUES:
        return PowerLaw(n_seeds=n, reason=f"fewer than {LEAST_VALUES} values")
    if n == 0:
        return PowerLaw(reason="no seed at every value")
    means, half = whole.mean(axis=0), _half_interval(whole)
    n_low = int((means - half <= 0).sum())
    if n_low:
        return PowerLaw(n_seeds=n, reason=f"not clearly above 0 at {n_low} of {k}")
    slopes = _slope_weights(at)
    exponent = -float(slopes @ np.log(means))
    scale = math.exp(float(np.mean(np.log(means) + exponent * np.log(at))))
    law = PowerLaw(exponent=exponent, scale=scale, n_seeds=n)
    if (np.abs(law.at(at) - means) > np.maximum(half, NEAR * means)).any():
        return PowerLaw(n_seeds=n, reason="no power law")
    if n == 1:
        return law
    drawn = whole[rng.integers(n, size=(_RESAMPLES, n))].mean(axis=1)
    drawn = drawn[(drawn > 0).all(axis=1)]
    error = float(np.std(np.log(drawn) @ slopes, ddof=1)) * math.sqrt(n / (n - 1))
    width = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * error
    return PowerLaw(
        exponent=exponent, low=exponent - width, high=exponent + width, scale=scale, n_seeds=n
    )


def _slope_weights(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights with which logarithms of y give the least-squares slope along log x."""
    centred = np.log(x) - np.log(x).mean()
    return centred / float(centred @ centred)


def _half_interval(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half of the simultaneous interval of each column's mean; 0 for one row."""
    n, k = y.shape
    if n == 1:
        return np.zeros(k)
    t = float(stdtrit(n - 1, 1 - (1 - CONFIDENCE) / (2 * k)))
    return t * y.std(axis=0, ddof=1) / math.sqrt(n)
