"""Pairs and triples whose information is known: what estimators are calibrated on, in bits.

Owns the cases: each knows its truth by a formula or by a finite table, and how to draw samples. May
import numpy, scipy and ``fctestbed.information``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import digamma, gammaln
from scipy.stats import norm

from fctestbed.information import binary_entropy_bits, conditional_mutual_information_bits
from fctestbed.information.units import nats_to_bits

Array = NDArray[Any]
Kind = Literal["discrete", "continuous", "mixed"]
Margin = Literal["normal", "cube", "uniform"]
Triple = tuple[Array, Array, Array | None]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A law of (X, Y), or of (X, Y, condition), with its exact information.

    Attributes:
        name: what it is, for tables.
        group: the question that it asks: ``channels``, ``gaussian``, ``margins``, ``high MI``, ...
        kind: which values X and Y take; ``mixed`` is a continuous X with a discrete Y.
        true_bits: I(X; Y), or I(X; Y | condition), exactly.
        draw: samples (x, y, condition or None) from a generator and a number of samples.
        conditional: whether there is a condition.
    """

    name: str
    group: str
    kind: Kind
    true_bits: float
    draw: Callable[[np.random.Generator, int], Triple]
    conditional: bool = False


def bits_through_bsc(n_bits: int, flip: float) -> Case:
    """Fair bits, each through a binary symmetric channel: n (1 - h(flip))."""

    true_bits = float(n_bits * (1 - binary_entropy_bits(flip)))
    return Case(
        name=f"{_bits(n_bits)} through BSC({flip:g})",
        group="high MI" if true_bits > 3 else "channels",
        kind="discrete",
        true_bits=true_bits,
        draw=partial(_draw_bsc, n_bits, flip),
    )


def _draw_bsc(n_bits: int, flip: float, rng: np.random.Generator, n: int) -> Triple:
    x = rng.integers(0, 2, (n, n_bits))
    return x, x ^ (rng.random((n, n_bits)) < flip), None


def bits_through_bec(n_bits: int, erasure: float) -> Case:
    """Fair bits, each through a binary erasure channel: n (1 - erasure)."""

    return Case(
        name=f"{_bits(n_bits)} through BEC({erasure:g})",
        group="channels",
        kind="discrete",
        true_bits=n_bits * (1 - erasure),
        draw=partial(_draw_bec, n_bits, erasure),
    )


def _draw_bec(n_bits: int, erasure: float, rng: np.random.Generator, n: int) -> Triple:
    x = rng.integers(0, 2, (n, n_bits))
    return x, np.where(rng.random((n, n_bits)) < erasure, 2, x), None


def independent_symbols(n_symbols: int) -> Case:
    """Two independent uniform symbols: 0."""

    return Case(
        name=f"independent, {n_symbols} symbols each",
        group="nothing",
        kind="discrete",
        true_bits=0.0,
        draw=partial(_draw_independent, n_symbols),
    )


def _draw_independent(n_symbols: int, rng: np.random.Generator, n: int) -> Triple:
    return rng.integers(0, n_symbols, n), rng.integers(0, n_symbols, n), None


def xor(*, conditional: bool) -> Case:
    """Y = X xor Z, fair bits: I(X;Y) = 0, I(X;Y|Z) = 1."""

    return Case(
        name="xor given the other bit" if conditional else "xor, one bit alone",
        group="synergy",
        kind="discrete",
        true_bits=1.0 if conditional else 0.0,
        draw=partial(_draw_xor, conditional),
        conditional=conditional,
    )


def _draw_xor(conditional: bool, rng: np.random.Generator, n: int) -> Triple:
    x, z = rng.integers(0, 2, (2, n))
    return x, x ^ z, z if conditional else None


def table_case(n_symbols: int, n_conditions: int, seed: int) -> Case:
    """A random law (Dirichlet(0.5)) of two symbols and a condition: I(X;Y|Z) by its table."""
    table = np.random.default_rng(seed).dirichlet(np.full(n_symbols**2 * n_conditions, 0.5))
    table = table.reshape(n_symbols, n_symbols, n_conditions)
    return Case(
        name=f"random table, {n_symbols} x {n_symbols} given {n_conditions}",
        group="conditional",
        kind="discrete",
        true_bits=float(conditional_mutual_information_bits(table)),
        draw=partial(_draw_table, table),
        conditional=True,
    )


def _draw_table(table: Array, rng: np.random.Generator, n: int) -> Triple:
    x, y, z = np.unravel_index(rng.choice(table.size, n, p=table.ravel()), table.shape)
    return x, y, z


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
        name=f"Student, {degrees:g} degrees of freedom, {dim} + {dim} dims",
        group="heavy tails",
        kind="continuous",
        true_bits=float(nats_to_bits(nats)),
        draw=partial(_draw_student, dim, degrees),
    )


def _draw_student(dim: int, degrees: float, rng: np.random.Generator, n: int) -> Triple:
    scale = np.sqrt(degrees / rng.chisquare(degrees, (n, 1)))
    return rng.standard_normal((n, dim)) * scale, rng.standard_normal((n, dim)) * scale, None


def bits_into_gaussian(n_bits: int, noise: float) -> Case:
    """Fair bits as +-1 with normal noise: n times the information of BPSK, by quadrature."""

    return Case(
        name=f"{_bits(n_bits)} in noise {noise:g}",
        group="bits in noise",
        kind="mixed",
        true_bits=n_bits * bpsk_bits(noise),
        draw=partial(_draw_noisy_bits, n_bits, noise),
    )


def _draw_noisy_bits(n_bits: int, noise: float, rng: np.random.Generator, n: int) -> Triple:
    bits = rng.integers(0, 2, (n, n_bits))
    return 2.0 * bits - 1 + noise * rng.standard_normal((n, n_bits)), bits, None


def bpsk_bits(noise: float) -> float:
    """I(X; X + noise N) of a fair +-1, in bits, by quadrature."""

    def integrand(t: float) -> float:
        # -log2 p(right | y), softplus without overflow.
        logit = -2 * (1 + noise * t) / noise**2
        return norm.pdf(t) * np.logaddexp(0.0, logit)

    value, _ = quad(integrand, -12, 12, epsabs=1e-12, limit=200)
    return float(1 - nats_to_bits(value))


def gaussian_given(rho: float, weight: float, dim: int) -> Case:
    """X = a Z + U, Y = a Z + V with corr(U, V) = rho: I(X;Y|Z) = -dim log(1 - rho^2) / 2."""

    return Case(
        name=f"normal given a common cause, rho {rho:g}, {dim} dims",
        group="conditional",
        kind="continuous",
        true_bits=float(-nats_to_bits(dim * 0.5 * math.log1p(-(rho**2)))),
        draw=partial(_draw_gaussian_given, rho, weight, dim),
        conditional=True,
    )


def _draw_gaussian_given(
    rho: float, weight: float, dim: int, rng: np.random.Generator, n: int
) -> Triple:
    z, u, noise = rng.standard_normal((3, n, dim))
    return weight * z + u, weight * z + rho * u + math.sqrt(1 - rho**2) * noise, z


def _bits(n_bits: int) -> str:
    return "1 bit" if n_bits == 1 else f"{n_bits} bits"


def _equal_pairs(true_bits: float, dim: int) -> Case:
    nats = true_bits * math.log(2)
    rho = math.sqrt(-math.expm1(-2 * nats / dim))
    return gaussian((rho,) * dim, dim, group="high MI" if true_bits > 3 else "high dimension")


CASES: tuple[Case, ...] = (
    independent_symbols(8),
    bits_through_bsc(1, 0.1),
    bits_through_bsc(4, 0.1),
    bits_through_bsc(8, 0.05),
    bits_through_bec(3, 0.5),
    xor(conditional=False),
    xor(conditional=True),
    table_case(4, 3, seed=0),
    gaussian((0.0,), 1, group="nothing"),
    gaussian((0.5,), 1),
    gaussian((0.9,), 1),
    gaussian((0.8, 0.8), 5),
    gaussian((0.9,), 1, margin="cube", group="margins"),
    gaussian((0.9,), 1, margin="uniform", group="margins"),
    student(1, 1.0),
    student(2, 2.0),
    _equal_pairs(4.0, 2),
    _equal_pairs(1.5, 20),
    gaussian_given(0.8, 1.0, 1),
    bits_into_gaussian(1, 1.0),
    bits_into_gaussian(3, 0.5),
)
"""The published grid."""
