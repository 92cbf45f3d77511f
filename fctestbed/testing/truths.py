"""Distributions whose information is known exactly, and samples of them.

Owns the records that the strategies draw and the checks use. May import ``fctestbed.information``.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fctestbed.information import bsc_capacity_bits, mutual_information_bits, nats_to_bits

Samples = NDArray[np.float64] | NDArray[np.int64]
_NODES = 201


@dataclass(frozen=True, eq=False)
class JointDistribution:
    """Two discrete variables with a table of probabilities.

    Attributes:
        p: probabilities, [values of X, values of Y], summing to 1.
    """

    p: NDArray[np.float64]

    @property
    def true_bits(self) -> float:
        """I(X; Y)."""
        return mutual_information_bits(self.p)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Samples, Samples]:
        """n samples of (X, Y), each [n], whole numbers."""
        cells = rng.choice(self.p.size, size=n, p=self.p.ravel())
        x, y = np.unravel_index(cells, self.p.shape)
        return x.astype(np.int64), y.astype(np.int64)


@dataclass(frozen=True)
class BitChannel:
    """Fair bits, each through a channel of its own.

    Attributes:
        noise: ``symmetric``: bits are flipped; ``erasure``: they become 2.
        probability: how often.
        n_bits: how many bits there are.
    """

    noise: Literal["symmetric", "erasure"] = "symmetric"
    probability: float = 0.1
    n_bits: int = 1

    @property
    def true_bits(self) -> float:
        """I(X; Y)."""
        if self.noise == "erasure":
            return self.n_bits * (1 - self.probability)
        return self.n_bits * float(bsc_capacity_bits(self.probability))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Samples, Samples]:
        """n samples of (X, Y), each [n, n_bits], whole numbers."""
        x = rng.integers(0, 2, size=(n, self.n_bits))
        hit = rng.random(x.shape) < self.probability
        return x, np.where(hit, 1 - x if self.noise == "symmetric" else 2, x)


@dataclass(frozen=True)
class GaussianPair:
    """Pairs of correlated standard normal columns.

    Attributes:
        correlations: one for each pair of columns.
    """

    correlations: tuple[float, ...] = (0.8,)

    @property
    def true_bits(self) -> float:
        """I(X; Y)."""
        return nats_to_bits(float(-0.5 * np.log1p(-np.square(self.correlations)).sum()))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Samples, Samples]:
        """n samples of (X, Y), each [n, pairs]."""
        rho = np.array(self.correlations)
        x, noise = rng.standard_normal((2, n, len(rho)))
        return x, rho * x + np.sqrt(1 - rho * rho) * noise


@dataclass(frozen=True)
class GaussianTriple:
    """Two normal variables that see a third: Y and Z are X with noise of their own.

    Attributes:
        noise_y: standard deviation of Y's noise, X's being 1.
        noise_z: that of Z's.
    """

    noise_y: float = 1.0
    noise_z: float = 1.0

    @property
    def true_bits(self) -> float:
        """I(X; Y | Z)."""
        left = self.noise_z**2 / (1 + self.noise_z**2)
        return nats_to_bits(float(0.5 * np.log1p(left / self.noise_y**2)))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Samples, Samples, Samples]:
        """n samples of (X, Y, Z), each [n]."""
        x, noise_y, noise_z = rng.standard_normal((3, n))
        return x, x + self.noise_y * noise_y, x + self.noise_z * noise_z


@dataclass(frozen=True)
class BitInNoise:
    """A fair bit Y, and X, which is -1 or 1 with normal noise.

    Attributes:
        noise: the noise's standard deviation.
    """

    noise: float = 0.8

    @property
    def true_bits(self) -> float:
        """I(X; Y), by Gauss-Hermite quadrature over the noise."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        logits = 2 * (1 + self.noise * nodes) / self.noise**2
        lost = (weights * np.logaddexp(0, -logits)).sum() / weights.sum()
        return 1 - nats_to_bits(float(lost))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Samples, Samples]:
        """n samples of (X, Y), each [n]; Y whole numbers."""
        y = rng.integers(0, 2, size=n)
        return 2.0 * y - 1 + self.noise * rng.standard_normal(n), y
