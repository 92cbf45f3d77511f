"""Gaussian latents: closed forms and bounds of I(Z + tau N; block), in bits.

Owns the linear-Gaussian channel. May import numpy, ``fctestbed.information`` and ``rates``.

Without noise the information is infinite: a smooth map that depends on a continuous block keeps
every digit of it, and every further digit adds information. Noise makes it finite.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fctestbed.information import nats_to_bits
from fctestbed.measurement.channel.rates import noise_of_variances

Array = npt.NDArray[np.float64]


def linear_gaussian_bits(
    maps: npt.ArrayLike, block: npt.ArrayLike, *, tau: float, variance: float = 1.0
) -> float:
    """I(w A + tau N; w_block), in bits, exactly, for w ~ N(0, variance I).

    The map is not scaled: use ``unit_power`` beforehand where Z is to have unit power.

    Args:
        maps: the linear encoder A, [n_latents, dim]: z = w A.
        block: the places of the block's latents.
        tau: standard deviation of the noise per dimension.
        variance: of every latent.

    Returns:
        (log det(tau^2 + A'A v) - log det(tau^2 + A_rest' A_rest v)) / 2, over log 2.

    Raises:
        ValueError: for a map that is not a finite matrix, a block outside it, or a tau or a
            variance that is not above 0.

    Source:
        Cover and Thomas, Elements of Information Theory, section 9.4.
    """
    matrix = _matrix("maps", maps)
    places = np.asarray(block, dtype=np.int64).ravel()
    if places.size and not (places.min() >= 0 and places.max() < len(matrix)):
        raise ValueError(
            f"block: expected places from 0 to {len(matrix) - 1}, got {places.tolist()}"
        )
    _positive("tau", tau)
    _positive("variance", variance)
    rest = np.delete(matrix, places, axis=0)
    return _log_det_bits(matrix, tau, variance) - _log_det_bits(rest, tau, variance)


def linear_noise_of_rate(maps: npt.ArrayLike, rate_bits: float, *, variance: float = 1.0) -> float:
    """The noise tau(R) through which a linear encoder of Gaussian latents holds R bits of them all,
    exactly. ``linear_gaussian_bits`` at this tau is a block's reading at the rate R.

    The map is not scaled, and need not be: tau scales with it, and the reading does not change.

    Args:
        maps: the linear encoder A, [n_latents, dim]: z = w A, w ~ N(0, variance I).
        rate_bits: R, above 0.
        variance: of every latent.

    Raises:
        ValueError: for a map that is not a finite matrix or is all zero, or a rate or a variance
            that is not above 0.
    """
    matrix = _matrix("maps", maps)
    _positive("variance", variance)
    if not matrix.any():
        raise ValueError("maps: expected a map of some power, got zeros")
    return noise_of_variances(variance * np.linalg.svd(matrix, compute_uv=False) ** 2, rate_bits)


def samples_noise_of_rate(z: npt.ArrayLike, rate_bits: float) -> float:
    """The noise tau(R) of the samples' covariance, in the scale of ``gaussian_bounds``: unit mean
    power per dimension. ``gaussian_bounds`` at this tau bounds readings at the rate R, and its
    bound on the information about all latents is R.

    Args:
        z: representations, [n, dim].
        rate_bits: R, above 0.

    Raises:
        ValueError: for an array that is not a finite matrix or has no power, or a rate that is not
            above 0.
    """
    points = _matrix("z", z)
    points = points - points.mean(axis=0)
    power = float(np.square(points).mean())
    if power == 0:
        raise ValueError("z: expected points that differ, got zero power")
    variances = np.linalg.svd(points, compute_uv=False) ** 2 / (len(points) * power)
    return noise_of_variances(variances, rate_bits)


def unit_power(maps: npt.ArrayLike, *, variance: float = 1.0) -> Array:
    """A linear encoder scaled so that z = w A, w ~ N(0, variance I), has mean power 1 per
    dimension.

    Raises:
        ValueError: for a map that is not a finite matrix, or is all zero.
    """
    matrix = _matrix("maps", maps)
    power = variance * np.square(matrix).sum(axis=0).mean()
    if power == 0:
        raise ValueError("maps: expected a map of some power, got zeros")
    return np.asarray(matrix / np.sqrt(power))


@dataclass(frozen=True, kw_only=True)
class GaussianBounds:
    """Bounds on I(Z + tau N; w) of any encoder of Gaussian latents, in bits.

    Attributes:
        lower_bits: from the error of the best linear estimate of w from the noisy Z.
        upper_bits: the information of a Gaussian Z of the same covariance.
        n_samples: samples that the covariances come from; both bounds have their sampling error.
    """

    lower_bits: float
    upper_bits: float
    n_samples: int


def gaussian_bounds(
    z: npt.ArrayLike, w: npt.ArrayLike, *, tau: float, variance: float = 1.0
) -> GaussianBounds:
    """Bounds on I(Z + tau N; w) from second moments alone, for w ~ N(0, variance I).

    Upper bound: given all latents only the noise is random, and of all Z with one covariance the
    Gaussian has the most entropy, so I <= log det(1 + cov(Z) / tau^2) / 2. This holds for a part w
    of the latents too, since I(Z + tau N; w) is at most the information about all of them. Lower
    bound: w - E_linear(w | Z) has at most the entropy of a Gaussian of its covariance C, so
    I >= log det(variance C^-1) / 2. Both are exact for a linear encoder of all latents, and far
    apart for a strongly non-linear one. Z is first centred and scaled to unit mean power per
    dimension, as codebooks are.

    Args:
        z: representations, [n, dim].
        w: the block's latents, rows as in ``z``, [n, n_latents].
        tau: standard deviation of the noise per dimension.
        variance: of every latent.

    Raises:
        ValueError: for arrays that are not finite matrices, that differ in length or have fewer
            rows than twice their columns, for a representation without power, or for a tau or a
            variance that is not above 0.

    Source:
        Cover and Thomas, theorems 8.6.5 (upper bound) and 8.6.6 (lower bound).
    """
    points, latents = _matrix("z", z), _matrix("w", w)
    _positive("tau", tau)
    _positive("variance", variance)
    n, width = len(points), points.shape[1] + latents.shape[1]
    if len(latents) != n:
        raise ValueError(f"w: expected {n} rows as in z, got {len(latents)}")
    if n < 2 * width:
        raise ValueError(f"z: expected at least {2 * width} rows for {width} columns, got {n}")
    points = points - points.mean(axis=0)
    power = float(np.square(points).mean())
    if power == 0:
        raise ValueError("z: expected points that differ, got zero power")
    points /= power**0.5
    noisy = points.T @ points / n + tau**2 * np.eye(points.shape[1])
    latents = latents - latents.mean(axis=0)
    cross = latents.T @ points / n
    left = latents.T @ latents / n - cross @ np.linalg.solve(noisy, cross.T)
    _, log_left = np.linalg.slogdet(left / variance)
    _, log_noisy = np.linalg.slogdet(noisy / tau**2)
    return GaussianBounds(
        lower_bits=nats_to_bits(float(-log_left) / 2),
        upper_bits=nats_to_bits(float(log_noisy) / 2),
        n_samples=n,
    )


def _log_det_bits(matrix: Array, tau: float, variance: float) -> float:
    """log det(1 + A A' v / tau^2) / 2, in bits; 0 for no latents."""
    gram = np.eye(len(matrix)) + matrix @ matrix.T * (variance / tau**2)
    return nats_to_bits(float(np.linalg.slogdet(gram)[1]) / 2)


def _matrix(name: str, values: npt.ArrayLike) -> Array:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"{name}: expected a matrix, got shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return matrix


def _positive(name: str, value: float) -> None:
    if not 0 < value < np.inf:
        raise ValueError(f"{name}: expected a number above 0, got {value}")
