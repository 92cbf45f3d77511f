"""Readings at a stated rate: the noise that limits what a reader can take to R bits.

Owns the equation between noise and rate, and the two forms in which a codebook is read. May import
numpy, scipy, torch and ``codebooks``.

Noise of a fixed strength per dimension lets more through, the more dimensions there are. The rate
fixes what comes through instead: of all Z with eigenvalues lambda_i of the covariance the Gaussian
one has the most information, so I(Z + tau N; W) <= 1/2 sum_i log2(1 + lambda_i / tau^2) for every
W, and the noise tau(R) makes this bound R. Scale, rotation, shift, constant columns, zero columns
and columns written twice leave the eigenvalues' ratios as they are, and so the reading.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import brentq
from torch import Tensor

from fctestbed.information import bits_to_nats, nats_to_bits
from fctestbed.measurement.channel.codebooks import Codebook

RESOLUTION = 2.0**-20
"""The least noise of a reading, in roots of a codebook's power: float32 codewords hold rounding
below it. A direction to itself then holds 20 bits."""

Array = npt.NDArray[np.float64]


def noise_of_rate(books: Codebook | Sequence[Codebook], rate_bits: float) -> float:
    """The noise through which one or two codebooks together hold at most ``rate_bits``.

    It solves 1/2 sum_i log2(1 + lambda_i / tau^2) = R over the eigenvalues of all codebooks'
    covariances, their points as they are: ``metric`` and ``whitened`` are the forms whose scale has
    a meaning.

    Args:
        books: one codebook, or both of a pair, which share the noise.
        rate_bits: R, above 0.

    Returns:
        tau(R), but not less than ``RESOLUTION`` times the root of the largest power of a codebook.
        1.0 where all codebooks are constant: they hold 0 bits at any noise.

    Raises:
        ValueError: for a rate that is not a finite number above 0.

    Source:
        Cover and Thomas, Elements of Information Theory, theorem 8.6.5 (the Gaussian has the most
        entropy of its covariance) and section 9.4 (parallel channels).
    """
    (tau,) = noises_of_rates(books, (rate_bits,))
    return tau


def noises_of_rates(
    books: Codebook | Sequence[Codebook], rates_bits: Sequence[float]
) -> list[float]:
    """``noise_of_rate`` at each of several rates."""
    for rate_bits in rates_bits:
        _check_rate(rate_bits)
    books = (books,) if isinstance(books, Codebook) else tuple(books)
    variances = [_variances(book.points) for book in books if book.rank]
    if not variances:
        return [1.0 for _ in rates_bits]
    every = np.concatenate(variances)
    least = RESOLUTION * math.sqrt(max(float(own.sum()) for own in variances))
    most = rate_of_noise(every, least)
    return [
        least if most <= rate_bits else noise_of_variances(every, rate_bits)
        for rate_bits in rates_bits
    ]


def noise_of_variances(variances: npt.ArrayLike, rate_bits: float) -> float:
    """The noise tau that solves 1/2 sum_i log2(1 + lambda_i / tau^2) = R, to rounding.

    Args:
        variances: the eigenvalues lambda_i of a covariance. Those that are 0 change nothing.
        rate_bits: R, above 0.

    Raises:
        ValueError: for a rate that is not a finite number above 0, variances that are negative,
            not finite or all 0, or a rate whose noise is no float64 number.
    """
    _check_rate(rate_bits)
    logs = np.log(_positive_variances(variances))
    nats = 2 * bits_to_nats(rate_bits)

    def excess(log_square: float) -> float:
        return float(np.logaddexp(0.0, logs - log_square).sum()) - nats

    # The largest variance alone passes no more than all; the sum of all, in one direction, no less.
    low = float(logs.max()) - _log_expm1(nats)
    high = float(np.logaddexp.reduce(logs)) - math.log(nats)
    # A little wider, since the ends may be the root up to rounding.
    root = brentq(excess, low - 1e-6, high + 1e-6, xtol=1e-14, rtol=1e-14, maxiter=500)
    tau = math.exp(float(root) / 2) if root < 1400 else math.inf
    if not 0 < tau < math.inf:
        raise ValueError(
            f"rate_bits: expected a rate whose noise float64 can hold, got {rate_bits}"
        )
    return tau


def rate_of_noise(variances: npt.ArrayLike, tau: float) -> float:
    """The most that comes through a noise: 1/2 sum_i log2(1 + lambda_i / tau^2), in bits.

    Args:
        variances: the eigenvalues lambda_i of a covariance.
        tau: standard deviation of the noise in each direction.

    Raises:
        ValueError: for variances that are negative, not finite or all 0, or a tau that is not a
            finite number above 0.
    """
    if not 0 < tau < math.inf:
        raise ValueError(f"tau: expected a number above 0, got {tau}")
    logs = np.log(_positive_variances(variances)) - 2 * math.log(tau)
    return nats_to_bits(float(np.logaddexp(0.0, logs).sum()) / 2)


def metric(book: Codebook) -> Codebook:
    """The codebook on its principal axes, at a total power of 1: what distances show.

    Zero columns and columns written twice change nothing but the codebook's ``dim``. The axes are
    in the order of their variance, with signs that depend on the points alone, so that equal
    encoders have equal readings draw by draw where no two variances are equal.
    """
    points, variances = _on_principal_axes(book)
    return replace(book, points=points / variances.sum().sqrt()) if book.rank else book


def whitened(book: Codebook) -> Codebook:
    """The codebook on its principal axes, each at a variance of 1: what its subspace holds."""
    points, variances = _on_principal_axes(book)
    return replace(book, points=points / variances.sqrt()) if book.rank else book


def _on_principal_axes(book: Codebook) -> tuple[Tensor, Tensor]:
    """Points on their principal axes, the largest variance first, and the variances."""
    gram = book.points.T @ book.points / len(book)
    variances, axes = torch.linalg.eigh(gram)
    points = book.points @ axes.flip(1)
    # A fixed vector is orthogonal to no axis but by chance, also where points are symmetric.
    generator = torch.Generator().manual_seed(0)
    fixed = torch.randn(len(book), generator=generator, dtype=points.dtype).to(points.device)
    signs = torch.where(fixed @ points < 0, -1.0, 1.0).to(points)
    return points * signs, variances.flip(0)


def _variances(points: Tensor) -> Array:
    """The eigenvalues of the points' covariance, those that rounding makes negative as 0."""
    gram = points.T @ points / len(points)
    found: Array = torch.linalg.eigvalsh(gram).clamp_min(0.0).cpu().numpy()
    return found


def _positive_variances(variances: npt.ArrayLike) -> Array:
    values = np.asarray(variances, dtype=np.float64).ravel()
    if not (np.isfinite(values).all() and (values >= 0).all() and values.any()):
        raise ValueError("variances: expected finite numbers of which one is above 0, none below")
    return values[values > 0]


def _log_expm1(x: float) -> float:
    """log(exp(x) - 1) for x > 0, for large x too."""
    return x + math.log(-math.expm1(-x))


def _check_rate(rate_bits: float) -> None:
    number = isinstance(rate_bits, int | float | np.number) and not isinstance(rate_bits, bool)
    if not number or not 0 < rate_bits < math.inf:
        raise ValueError(f"rate_bits: expected a finite number above 0, got {rate_bits!r}")
