"""Discrete laws, whose information is a closed form or a sum over a finite table.

May import ``fctestbed.information``.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from fctestbed.information import (
    bsc_capacity_bits,
    conditional_mutual_information_bits,
    mutual_information_bits,
)
from fctestbed.laws.law import Array, Kind, Law

HIGH_BITS = 3.0
"""Laws with more information than this, in bits, are in the group ``high MI``."""


@dataclass(frozen=True, eq=False)
class JointDistribution(Law):
    """A finite table of probabilities.

    Attributes:
        p: probabilities that sum to 1, [values of X, values of Y] or [values of X, values of Y,
            values of Z].
        name: the name in tables.
        group: the group in tables.
    """

    p: NDArray[np.float64]
    name: str = "joint distribution"
    group: str = "tables"
    kind: ClassVar[Kind] = "discrete"

    @property
    def true_bits(self) -> float:
        """I(X; Y) of a table with two axes, I(X; Y | Z) of one with three, in bits."""
        if self.conditional:
            return float(conditional_mutual_information_bits(self.p))
        return float(mutual_information_bits(self.p))

    @property
    def conditional(self) -> bool:
        """Whether the table has three axes."""
        return self.p.ndim == 3

    @property
    def n_cells(self) -> int:
        """Number of cells of positive probability."""
        return int(np.count_nonzero(self.p))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """The index along each axis, [n], integers."""
        cells = rng.choice(self.p.size, n, p=self.p.ravel())
        return tuple(index.astype(np.int64) for index in np.unravel_index(cells, self.p.shape))


@dataclass(frozen=True)
class BitChannel(Law):
    """Fair bits, each sent through its own binary channel.

    Attributes:
        noise: ``symmetric``: a bit may be flipped; ``erasure``: a bit may become 2.
        probability: probability of a flip or an erasure, in [0, 1].
        n_bits: number of bits.
    """

    noise: Literal["symmetric", "erasure"] = "symmetric"
    probability: float = 0.1
    n_bits: int = 1
    kind: ClassVar[Kind] = "discrete"

    @property
    def name(self) -> str:
        """Such as ``4 bits through BSC(0.1)``."""
        channel = "BSC" if self.noise == "symmetric" else "BEC"
        return f"{bits_in_words(self.n_bits)} through {channel}({self.probability:g})"

    @property
    def group(self) -> str:
        """``channels``, or ``high MI`` above ``HIGH_BITS``."""
        return "high MI" if self.true_bits > HIGH_BITS else "channels"

    @property
    def true_bits(self) -> float:
        """I(X; Y) = n (1 - h2(probability)) bits with flips, n (1 - probability) with erasures."""
        if self.noise == "erasure":
            return self.n_bits * (1 - self.probability)
        return self.n_bits * float(bsc_capacity_bits(self.probability))

    @property
    def n_cells(self) -> int:
        """Four outcomes for each bit."""
        return int(4**self.n_bits)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x and y, [n, n_bits], integers."""
        x = rng.integers(0, 2, (n, self.n_bits))
        hit = rng.random((n, self.n_bits)) < self.probability
        return x, np.where(hit, 1 - x if self.noise == "symmetric" else 2, x)


@dataclass(frozen=True)
class IndependentSymbols(Law):
    """Two independent uniform symbols, which share no information.

    Attributes:
        n_symbols: number of values of each.
    """

    n_symbols: int
    kind: ClassVar[Kind] = "discrete"
    group: ClassVar[str] = "nothing"

    @property
    def name(self) -> str:
        """Such as ``independent, 8 symbols each``."""
        return f"independent, {self.n_symbols} symbols each"

    @property
    def true_bits(self) -> float:
        """0."""
        return 0.0

    @property
    def n_cells(self) -> int:
        """Every pair of symbols."""
        return self.n_symbols**2

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x and y, [n], integers."""
        return rng.integers(0, self.n_symbols, n), rng.integers(0, self.n_symbols, n)


@dataclass(frozen=True, kw_only=True)
class Xor(Law):
    """Y = X xor Z of fair bits: I(X; Y) = 0 and I(X; Y | Z) = 1 bit.

    Attributes:
        conditional: whether Z is given.
    """

    conditional: bool = True
    kind: ClassVar[Kind] = "discrete"
    group: ClassVar[str] = "synergy"

    @property
    def name(self) -> str:
        """Whether the other bit is given."""
        return "xor given the other bit" if self.conditional else "xor, one bit alone"

    @property
    def true_bits(self) -> float:
        """1 bit with Z given, 0 without."""
        return 1.0 if self.conditional else 0.0

    @property
    def n_cells(self) -> int:
        """Four: two of the three bits are free."""
        return 4

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """Bits x and y, and z if it is given, [n], integers."""
        x, z = rng.integers(0, 2, (2, n))
        return (x, x ^ z, z) if self.conditional else (x, x ^ z)


def skewed_symbols(n_symbols: int, kept: float) -> JointDistribution:
    """X has value k with probability proportional to 1 / k; Y is X with probability ``kept``, else
    an independent draw from the same margin."""
    margin = 1 / np.arange(1, n_symbols + 1)
    margin /= margin.sum()
    table = kept * np.diag(margin) + (1 - kept) * np.outer(margin, margin)
    return JointDistribution(table, f"{n_symbols} symbols of rank law, {kept:g} kept", "margins")


def random_table(n_symbols: int, n_conditions: int, seed: int) -> JointDistribution:
    """A table of two symbols and a condition, drawn from a Dirichlet(0.5) distribution."""
    table = np.random.default_rng(seed).dirichlet(np.full(n_symbols**2 * n_conditions, 0.5))
    return JointDistribution(
        table.reshape(n_symbols, n_symbols, n_conditions),
        f"random table, {n_symbols} x {n_symbols} given {n_conditions}",
        "conditional",
    )


def bits_in_words(n_bits: int) -> str:
    """``1 bit``, ``2 bits``, ..."""
    return "1 bit" if n_bits == 1 else f"{n_bits} bits"
