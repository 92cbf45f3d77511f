"""Laws of bits in normal noise (a continuous X, a discrete Y), whose information is a quadrature.

May import ``fctestbed.information``.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from scipy.integrate import quad

from fctestbed.information import nats_to_bits
from fctestbed.laws.discrete import bits_in_words
from fctestbed.laws.law import Array, Kind, Law

_SQRT_2PI = math.sqrt(2 * math.pi)


@dataclass(frozen=True)
class BitsInNoise(Law):
    """Fair bits Y, and X: each bit as -1 or 1 with independent normal noise.

    Attributes:
        noise: the noise's standard deviation, above 0.
        n_bits: number of bits.
    """

    noise: float = 0.8
    n_bits: int = 1
    kind: ClassVar[Kind] = "mixed"
    group: ClassVar[str] = "bits in noise"

    @property
    def name(self) -> str:
        """Such as ``3 bits in noise 0.5``."""
        return f"{bits_in_words(self.n_bits)} in noise {self.noise:g}"

    @property
    def true_bits(self) -> float:
        """I(X; Y), in bits: ``n_bits`` times that of one bit."""
        return self.n_bits * noisy_sign_bits(self.noise)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x and y, [n, n_bits]; y is integers."""
        y = rng.integers(0, 2, (n, self.n_bits))
        return 2.0 * y - 1 + self.noise * rng.standard_normal((n, self.n_bits)), y


@dataclass(frozen=True)
class NoisyXor(Law):
    """X: the xor of two fair bits Y and Z as -1 or 1 with normal noise, and Z is given.

    I(X; Y) = 0, and I(X; Y | Z) is that of one bit in this noise.

    Attributes:
        noise: the noise's standard deviation, above 0.
    """

    noise: float
    kind: ClassVar[Kind] = "mixed"
    group: ClassVar[str] = "synergy"
    conditional: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Such as ``xor in noise 0.5 given the other bit``."""
        return f"xor in noise {self.noise:g} given the other bit"

    @property
    def true_bits(self) -> float:
        """I(X; Y | Z), in bits."""
        return noisy_sign_bits(self.noise)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """x, y and z, [n]; y and z are integers."""
        y, z = rng.integers(0, 2, (2, n))
        return 2.0 * (y ^ z) - 1 + self.noise * rng.standard_normal(n), y, z


@cache
def noisy_sign_bits(noise: float) -> float:
    """I(S; S + noise N) in bits of a fair sign S and a standard normal N, by quadrature."""

    def integrand(t: float) -> float:
        # -log P(S = 1 | S + noise t) in nats where S = 1, weighted with the density of t.
        logit = -2 * (1 + noise * t) / noise**2
        return math.exp(-t * t / 2) / _SQRT_2PI * float(np.logaddexp(0.0, logit))

    lost_nats, _ = quad(integrand, -12, 12, epsabs=1e-12, limit=200)
    return float(1 - nats_to_bits(lost_nats))
