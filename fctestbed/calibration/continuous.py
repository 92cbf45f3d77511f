"""Laws of continuous X whose information is a formula or a quadrature: normal, Student, noisy bits.

Owns them. May import scipy and ``fctestbed.information``.
"""

import math
from functools import partial
from typing import Literal

import numpy as np
from scipy.integrate import quad
from scipy.special import digamma, gammaln
from scipy.stats import norm

from fctestbed.calibration.case import Array, Case, Triple
from fctestbed.calibration.discrete import HIGH_BITS, bits
from fctestbed.information import nats_to_bits

Margin = Literal["normal", "cube", "uniform"]

_JOINTLY_NORMAL = ("gaussian", "gaussian-copula")


def gaussian(
    correlations: tuple[float, ...],
    dim: int,
    *,
    margin: Margin = "normal",
    group: str = "gaussian",
) -> Case:
    """Pairs of unit normals with the given correlations, padded with independent ones to ``dim``
    on each side; margins may be changed one by one, which leaves the information as it is.

    -sum log(1 - rho^2) / 2.
    """
    rho = np.zeros(dim)
    rho[: len(correlations)] = correlations
    size = "" if dim == 1 else f", {dim} + {dim} dims, {len(correlations)} pairs"
    margins = "" if margin == "normal" else f", margins {margin}"
    return Case(
        name=f"normal, rho {max(correlations):.3g}{size}{margins}",
        group=group,
        kind="continuous",
        true_bits=float(-nats_to_bits(0.5 * np.log1p(-(rho**2)).sum())) + 0.0,
        draw=partial(_draw_gaussian, rho, margin),
        exact=_JOINTLY_NORMAL if margin == "normal" else ("gaussian-copula",),
    )


def _draw_gaussian(rho: Array, margin: Margin, rng: np.random.Generator, n: int) -> Triple:
    x, noise = rng.standard_normal((2, n, len(rho)))
    y = rho * x + np.sqrt(1 - rho**2) * noise
    if margin == "cube":
        return x**3, y**3, None
    if margin == "uniform":
        return norm.cdf(x), norm.cdf(y), None
    return x, y, None


def student(dim: int, degrees: float) -> Case:
    """Uncorrelated multivariate Student: the common scale alone carries information.

    Source:
        Arellano-Valle, Contreras-Reyes and Genton 2013.
    """

    def entropy_excess(d: int) -> float:
        half = (degrees + d) / 2
        return -gammaln(half) + half * digamma(half)

    nats = (
        2 * entropy_excess(dim)
        - entropy_excess(2 * dim)
        - (-gammaln(degrees / 2) + degrees / 2 * digamma(degrees / 2))
    )
    return Case(
        name=f"Student, nu {degrees:g}, {dim} + {dim} dims",
        group="heavy tails",
        kind="continuous",
        true_bits=float(nats_to_bits(nats)),
        draw=partial(_draw_student, dim, degrees),
    )


def _draw_student(dim: int, degrees: float, rng: np.random.Generator, n: int) -> Triple:
    scale = np.sqrt(degrees / rng.chisquare(degrees, (n, 1)))
    return rng.standard_normal((n, dim)) * scale, rng.standard_normal((n, dim)) * scale, None


def equal_pairs(true_bits: float, dim: int) -> Case:
    """``dim`` pairs of one correlation that hold ``true_bits`` together."""
    rho = math.sqrt(-math.expm1(-2 * math.log(2) * true_bits / dim))
    group = "high MI" if true_bits > HIGH_BITS else "high dimension"
    return gaussian((rho,) * dim, dim, group=group)


def gaussian_given(rho: float, weight: float, dim: int) -> Case:
    """X = a Z + U, Y = a Z + V with corr(U, V) = rho: I(X;Y|Z) = -dim log(1 - rho^2) / 2."""

    return Case(
        name=f"normal given a common cause, rho {rho:g}" + ("" if dim == 1 else f", {dim} dims"),
        group="conditional",
        kind="continuous",
        true_bits=float(-nats_to_bits(dim * 0.5 * math.log1p(-(rho**2)))),
        draw=partial(_draw_gaussian_given, rho, weight, dim),
        conditional=True,
        exact=_JOINTLY_NORMAL,
    )


def _draw_gaussian_given(
    rho: float, weight: float, dim: int, rng: np.random.Generator, n: int
) -> Triple:
    z, u, noise = rng.standard_normal((3, n, dim))
    return weight * z + u, weight * z + rho * u + math.sqrt(1 - rho**2) * noise, z


def normal_sum(noise: float, *, conditional: bool) -> Case:
    """Y = X + Z + noise, all standard normal: I(X;Y) = log(1 + 1 / (1 + noise^2)) / 2, and
    I(X;Y|Z) = log(1 + 1 / noise^2) / 2: Z makes X clearer."""
    ratio = 1 / (noise**2 + (0 if conditional else 1))
    return Case(
        name=f"sum of normals, noise {noise:g}, " + ("given the other" if conditional else "one"),
        group="synergy",
        kind="continuous",
        true_bits=float(nats_to_bits(0.5 * math.log1p(ratio))),
        draw=partial(_draw_normal_sum, noise, conditional),
        conditional=conditional,
        exact=_JOINTLY_NORMAL,
    )


def _draw_normal_sum(noise: float, conditional: bool, rng: np.random.Generator, n: int) -> Triple:
    x, z, own = rng.standard_normal((3, n))
    return x, x + z + noise * own, z if conditional else None


def bits_into_gaussian(n_bits: int, noise: float) -> Case:
    """Fair bits as +-1 with normal noise: n times the information of BPSK, by quadrature."""

    return Case(
        name=f"{bits(n_bits)} in noise {noise:g}",
        group="bits in noise",
        kind="mixed",
        true_bits=n_bits * bpsk_bits(noise),
        draw=partial(_draw_noisy_bits, n_bits, noise),
    )


def _draw_noisy_bits(n_bits: int, noise: float, rng: np.random.Generator, n: int) -> Triple:
    sent = rng.integers(0, 2, (n, n_bits))
    return 2.0 * sent - 1 + noise * rng.standard_normal((n, n_bits)), sent, None


def noisy_xor(noise: float) -> Case:
    """X = +-1 by the xor of two fair bits Y and Z, in normal noise: I(X;Y) = 0, and I(X;Y|Z) is
    that of one bit in this noise."""

    return Case(
        name=f"xor in noise {noise:g} given the other bit",
        group="synergy",
        kind="mixed",
        true_bits=bpsk_bits(noise),
        draw=partial(_draw_noisy_xor, noise),
        conditional=True,
    )


def _draw_noisy_xor(noise: float, rng: np.random.Generator, n: int) -> Triple:
    y, z = rng.integers(0, 2, (2, n))
    return 2.0 * (y ^ z) - 1 + noise * rng.standard_normal(n), y, z


def bpsk_bits(noise: float) -> float:
    """I(X; X + noise N) of a fair +-1, in bits, by quadrature."""

    def integrand(t: float) -> float:
        # -log2 p(right | y), softplus without overflow.
        logit = -2 * (1 + noise * t) / noise**2
        return norm.pdf(t) * np.logaddexp(0.0, logit)

    value, _ = quad(integrand, -12, 12, epsabs=1e-12, limit=200)
    return float(1 - nats_to_bits(value))
