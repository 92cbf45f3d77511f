"""Gaussian and Student laws, whose information is a closed form.

May import ``fctestbed.information``.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, ndtr

from fctestbed.information import bits_to_nats, nats_to_bits
from fctestbed.laws.discrete import HIGH_BITS
from fctestbed.laws.law import Array, Kind, Law, Normality

# Laws with at least so many columns on each side are in the group ``high dimension``.
_HIGH_DIM = 20


@dataclass(frozen=True)
class GaussianPair(Law):
    """Pairs of correlated standard normal columns, and further independent columns.

    Attributes:
        correlations: one for each pair of columns, in (-1, 1).
        n_independent: number of further columns on each side, independent of all others.
        margin: ``normal``; ``cube``: every column is cubed; ``uniform``: every column is replaced
            by its cumulative probability. The information does not depend on it.
    """

    correlations: tuple[float, ...] = (0.8,)
    n_independent: int = 0
    margin: Literal["normal", "cube", "uniform"] = "normal"
    kind: ClassVar[Kind] = "continuous"

    @property
    def dim(self) -> int:
        """Number of columns of X, and of Y."""
        return len(self.correlations) + self.n_independent

    @property
    def name(self) -> str:
        """Such as ``normal, rho 0.8, 5 + 5 dims, 2 pairs``."""
        n_pairs = len(self.correlations)
        size = "" if self.dim == 1 else f", {self.dim} + {self.dim} dims, {n_pairs} pairs"
        margins = "" if self.margin == "normal" else f", margins {self.margin}"
        return f"normal, rho {max(self.correlations):.3g}{size}{margins}"

    @property
    def group(self) -> str:
        """By margin, information and dimension, in this order."""
        if self.margin != "normal":
            return "margins"
        if self.true_bits == 0:
            return "nothing"
        if self.true_bits > HIGH_BITS:
            return "high MI"
        return "high dimension" if self.dim >= _HIGH_DIM else "gaussian"

    @property
    def normality(self) -> Normality:
        """``joint`` with normal margins, ``copula`` with others."""
        return "joint" if self.margin == "normal" else "copula"

    @property
    def true_bits(self) -> float:
        """I(X; Y) = -sum log(1 - rho^2) / 2 nats, in bits."""
        nats = 0.5 * np.log1p(-(self._rho() ** 2)).sum()
        # Adding 0 turns -0 into 0.
        return float(-nats_to_bits(nats)) + 0.0

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x and y, [n, dim]."""
        rho = self._rho()
        x, noise = rng.standard_normal((2, n, self.dim))
        y = rho * x + np.sqrt(1 - rho**2) * noise
        if self.margin == "cube":
            return x**3, y**3
        if self.margin == "uniform":
            return ndtr(x), ndtr(y)
        return x, y

    def _rho(self) -> NDArray[np.float64]:
        return np.pad(np.array(self.correlations, dtype=float), (0, self.n_independent))


def gaussian_correlation(information_nats: float, dim: int) -> float:
    """The correlation of ``dim`` equal Gaussian pairs that share ``information_nats`` in total."""
    return math.sqrt(-math.expm1(-2 * information_nats / dim))


def equal_gaussian_pairs(true_bits: float, dim: int) -> GaussianPair:
    """``dim`` Gaussian pairs of one correlation that share ``true_bits`` in total."""
    return GaussianPair((gaussian_correlation(bits_to_nats(true_bits), dim),) * dim)


@dataclass(frozen=True)
class GaussianCommonCause(Law):
    """X = w Z + U and Y = w Z + V, where U and V have a correlation and Z is given.

    Attributes:
        rho: correlation of U and V, in (-1, 1).
        weight: w.
        dim: number of independent copies, one a column.
    """

    rho: float
    weight: float = 1.0
    dim: int = 1
    kind: ClassVar[Kind] = "continuous"
    group: ClassVar[str] = "conditional"
    conditional: ClassVar[bool] = True
    normality: ClassVar[Normality] = "joint"

    @property
    def name(self) -> str:
        """Such as ``normal given a common cause, rho 0.8``."""
        size = "" if self.dim == 1 else f", {self.dim} dims"
        return f"normal given a common cause, rho {self.rho:g}{size}"

    @property
    def true_bits(self) -> float:
        """I(X; Y | Z) = -dim log(1 - rho^2) / 2 nats, in bits."""
        return float(-nats_to_bits(self.dim * 0.5 * math.log1p(-(self.rho**2))))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x, y and z, [n, dim]."""
        z, u, noise = rng.standard_normal((3, n, self.dim))
        y = self.weight * z + self.rho * u + math.sqrt(1 - self.rho**2) * noise
        return self.weight * z + u, y, z


@dataclass(frozen=True)
class GaussianTriple(Law):
    """Y and Z are a standard normal X with independent normal noise each, and Z is given.

    Attributes:
        noise_y: standard deviation of Y's noise.
        noise_z: standard deviation of Z's noise.
    """

    noise_y: float = 1.0
    noise_z: float = 1.0
    kind: ClassVar[Kind] = "continuous"
    group: ClassVar[str] = "conditional"
    conditional: ClassVar[bool] = True
    normality: ClassVar[Normality] = "joint"

    @property
    def name(self) -> str:
        """Such as ``normal in noise 1 given it in noise 2``."""
        return f"normal in noise {self.noise_y:g} given it in noise {self.noise_z:g}"

    @property
    def true_bits(self) -> float:
        """I(X; Y | Z) = log(1 + var(X | Z) / noise_y^2) / 2 nats, in bits."""
        left = self.noise_z**2 / (1 + self.noise_z**2)
        return nats_to_bits(float(0.5 * np.log1p(left / self.noise_y**2)))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x, y and z, [n]."""
        x, noise_y, noise_z = rng.standard_normal((3, n))
        return x, x + self.noise_y * noise_y, x + self.noise_z * noise_z


@dataclass(frozen=True, kw_only=True)
class GaussianSum(Law):
    """Y = X + Z + noise with standard normal X and Z: giving Z raises the information.

    Attributes:
        noise: the noise's standard deviation.
        conditional: whether Z is given.
    """

    noise: float
    conditional: bool = True
    kind: ClassVar[Kind] = "continuous"
    group: ClassVar[str] = "synergy"
    normality: ClassVar[Normality] = "joint"

    @property
    def name(self) -> str:
        """Such as ``sum of normals, noise 0.5, one``."""
        end = "given the other" if self.conditional else "one"
        return f"sum of normals, noise {self.noise:g}, {end}"

    @property
    def true_bits(self) -> float:
        """I(X; Y) = log(1 + 1 / (1 + noise^2)) / 2 nats, or I(X; Y | Z) = log(1 + 1 / noise^2) / 2,
        in bits."""
        ratio = 1 / (self.noise**2 + (0 if self.conditional else 1))
        return float(nats_to_bits(0.5 * math.log1p(ratio)))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x and y, and z if it is given, [n]."""
        x, z, noise = rng.standard_normal((3, n))
        y = x + z + self.noise * noise
        return (x, y, z) if self.conditional else (x, y)


@dataclass(frozen=True)
class StudentPair(Law):
    """Uncorrelated multivariate Student variables, which share information by their common scale.

    Attributes:
        dim: number of columns of X, and of Y.
        degrees: degrees of freedom.

    Source:
        Arellano-Valle, Contreras-Reyes and Genton 2013.
    """

    dim: int
    degrees: float
    kind: ClassVar[Kind] = "continuous"
    group: ClassVar[str] = "heavy tails"

    @property
    def name(self) -> str:
        """Such as ``Student, nu 2, 2 + 2 dims``."""
        return f"Student, nu {self.degrees:g}, {self.dim} + {self.dim} dims"

    @property
    def true_bits(self) -> float:
        """I(X; Y), in bits."""
        nats = 2 * self._entropy_excess(self.dim) - self._entropy_excess(2 * self.dim)
        return float(nats_to_bits(nats - self._entropy_excess(0)))

    def _entropy_excess(self, dim: int) -> float:
        """The contribution of degrees of freedom and dimension to the entropy, in nats."""
        half = (self.degrees + dim) / 2
        return float(-gammaln(half) + half * digamma(half))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x and y, [n, dim]."""
        scale = np.sqrt(self.degrees / rng.chisquare(self.degrees, (n, 1)))
        x, y = (rng.standard_normal((n, self.dim)) * scale for _ in range(2))
        return x, y
