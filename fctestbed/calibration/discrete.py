"""Discrete laws whose information is a formula or a finite table's.

Owns them. May import ``fctestbed.information``.
"""

from functools import partial

import numpy as np

from fctestbed.calibration.case import Array, Case, Triple
from fctestbed.information import (
    binary_entropy_bits,
    conditional_mutual_information_bits,
    mutual_information_bits,
)

# The estimators from counts that take their bias off.
_COUNTED = ("miller-madow", "chao-wang-jost")
_PER_CELL = 10
# From so many bits on a law counts as one of high information.
HIGH_BITS = 3.0


def bits_through_bsc(n_bits: int, flip: float) -> Case:
    """Fair bits, each through a binary symmetric channel: n (1 - h(flip))."""

    true_bits = float(n_bits * (1 - binary_entropy_bits(flip)))
    return Case(
        name=f"{bits(n_bits)} through BSC({flip:g})",
        group="high MI" if true_bits > HIGH_BITS else "channels",
        kind="discrete",
        true_bits=true_bits,
        draw=partial(_draw_bsc, n_bits, flip),
        exact=_COUNTED,
        exact_from=_PER_CELL * 4**n_bits,
    )


def _draw_bsc(n_bits: int, flip: float, rng: np.random.Generator, n: int) -> Triple:
    x = rng.integers(0, 2, (n, n_bits))
    return x, x ^ (rng.random((n, n_bits)) < flip), None


def bits_through_bec(n_bits: int, erasure: float) -> Case:
    """Fair bits, each through a binary erasure channel: n (1 - erasure)."""

    return Case(
        name=f"{bits(n_bits)} through BEC({erasure:g})",
        group="channels",
        kind="discrete",
        true_bits=n_bits * (1 - erasure),
        draw=partial(_draw_bec, n_bits, erasure),
        exact=_COUNTED,
        exact_from=_PER_CELL * 4**n_bits,
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
        exact=_COUNTED,
        exact_from=_PER_CELL * n_symbols**2,
    )


def _draw_independent(n_symbols: int, rng: np.random.Generator, n: int) -> Triple:
    return rng.integers(0, n_symbols, n), rng.integers(0, n_symbols, n), None


def skewed_symbols(n_symbols: int, kept: float) -> Case:
    """A symbol k with probability in proportion to 1 / k; Y is X, or with 1 - ``kept`` a draw of
    its own of the same law: by its table."""
    margin = 1 / np.arange(1, n_symbols + 1)
    margin /= margin.sum()
    table = kept * np.diag(margin) + (1 - kept) * np.outer(margin, margin)
    return Case(
        name=f"{n_symbols} symbols of rank law, {kept:g} kept",
        group="margins",
        kind="discrete",
        true_bits=float(mutual_information_bits(table)),
        draw=partial(_draw_table, table[..., None], False),
        exact=_COUNTED,
        exact_from=_PER_CELL * table.size,
    )


def xor(*, conditional: bool) -> Case:
    """Y = X xor Z, fair bits: I(X;Y) = 0, I(X;Y|Z) = 1."""

    return Case(
        name="xor given the other bit" if conditional else "xor, one bit alone",
        group="synergy",
        kind="discrete",
        true_bits=1.0 if conditional else 0.0,
        draw=partial(_draw_xor, conditional),
        conditional=conditional,
        exact=_COUNTED,
        exact_from=_PER_CELL * 4,
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
        draw=partial(_draw_table, table, True),
        conditional=True,
        exact=_COUNTED,
        exact_from=_PER_CELL * table.size,
    )


def _draw_table(table: Array, conditional: bool, rng: np.random.Generator, n: int) -> Triple:
    cells = rng.choice(table.size, n, p=table.ravel())
    x, y, z = np.unravel_index(cells, table.shape)
    return x, y, z if conditional else None


def bits(n_bits: int) -> str:
    """``1 bit``, ``2 bits``."""
    return "1 bit" if n_bits == 1 else f"{n_bits} bits"
