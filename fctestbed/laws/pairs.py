"""Pairs of columns whose information is a closed form or a quadrature: the parts of a drawn law.

May import ``fctestbed.information`` and the other laws.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import i0e, ndtri, stdtr
from scipy.stats import laplace, norm, uniform

from fctestbed.information import bits_to_nats
from fctestbed.laws.continuous import GaussianPair, StudentPair

Floats = NDArray[np.float64]
Noise = Literal["normal", "laplace", "uniform"]
Function = Literal["linear", "sine", "square", "tanh"]

NOISES = {
    "normal": norm(),
    "laplace": laplace(scale=math.sqrt(0.5)),
    "uniform": uniform(-math.sqrt(3), 2 * math.sqrt(3)),
}
"""Distributions of a standard deviation of 1."""
_SIGNAL_POINTS = 2**20
_GRID_CELLS = 2**16
# Values of a signal that has no bounds are cut off at this probability on each side.
_CUT = 1e-12


class ColumnPair(ABC):
    """A distribution of one column of X and one column of Y, each of a scale of about 1."""

    @property
    def smooth(self) -> bool:
        """Whether the density has derivatives everywhere and tails no longer than exponential."""
        return True

    @property
    @abstractmethod
    def label(self) -> str:
        """Short name with the parameters."""

    @abstractmethod
    def true_nats(self) -> float:
        """Mutual information of the two columns, in nats."""

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """x and y, [n] each."""


@dataclass(frozen=True)
class CopulaPair(ColumnPair):
    """A Gaussian, Student or Clayton copula with standard normal margins.

    Attributes:
        family: the copula.
        parameter: correlation in (-1, 1), or Clayton's theta above 0.
        degrees: degrees of freedom of the Student copula.
    """

    family: Literal["gaussian", "student", "clayton"]
    parameter: float
    degrees: float = math.inf

    @property
    def label(self) -> str:
        """Such as ``student(0.5, 3)``."""
        degrees = f", {self.degrees:g}" if self.family == "student" else ""
        return f"{self.family}({self.parameter:.3g}{degrees})"

    def true_nats(self) -> float:
        """Of Clayton's copula log(1 + theta) - theta / (1 + theta), by its Kendall distribution."""
        if self.family == "clayton":
            return math.log1p(self.parameter) - self.parameter / (1 + self.parameter)
        nats = bits_to_nats(GaussianPair((self.parameter,)).true_bits)
        if self.family == "student":
            nats += bits_to_nats(StudentPair(1, self.degrees).true_bits)
        return float(nats)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """As ``ColumnPair.sample``."""
        if self.family == "clayton":
            # Frailty: given a gamma variable both are independent (Marshall and Olkin 1988).
            frailty = rng.gamma(1 / self.parameter, size=n)
            u, v = (1 + rng.exponential(size=(2, n)) / frailty) ** (-1 / self.parameter)
            return ndtri(np.clip(u, 1e-300, 1 - 1e-16)), ndtri(np.clip(v, 1e-300, 1 - 1e-16))
        x, noise = rng.standard_normal((2, n))
        y = self.parameter * x + math.sqrt(1 - self.parameter**2) * noise
        if self.family == "gaussian":
            return x, y
        scale = np.sqrt(self.degrees / rng.chisquare(self.degrees, n))
        return _scores(x * scale, self.degrees), _scores(y * scale, self.degrees)


def _scores(values: Floats, degrees: float) -> Floats:
    """Normal scores of Student values, without loss of digits in the upper tail."""
    return np.asarray(-np.sign(values) * ndtri(stdtr(degrees, -np.abs(values))))


@dataclass(frozen=True)
class MixturePair(ColumnPair):
    """A mixture of normal distributions of two columns.

    Attributes:
        weights: probability of each component.
        means: mean of each component, (x, y).
        spreads: standard deviations of each component, (x, y).
        correlations: correlation in each component.
    """

    weights: tuple[float, ...]
    means: tuple[tuple[float, float], ...]
    spreads: tuple[tuple[float, float], ...]
    correlations: tuple[float, ...]

    @property
    def label(self) -> str:
        """Such as ``mixture of 3``."""
        return f"mixture of {len(self.weights)}"

    def true_nats(self) -> float:
        """By the trapezoidal rule, whose error on normal densities falls exponentially."""
        spreads, rho = np.array(self.spreads), np.array(self.correlations)
        step = 0.35 * float((spreads.min(axis=1) * np.sqrt(1 - np.abs(rho))).min())
        axes, margins, standard = [], [], []
        for side in (0, 1):
            mean, spread = np.array(self.means)[:, side], spreads[:, side]
            points = np.arange((mean - 8 * spread).min(), (mean + 8 * spread).max(), step)
            z = (points - mean[:, None]) / spread[:, None]
            density = np.exp(-z * z / 2) / (math.sqrt(2 * math.pi) * spread[:, None])
            axes.append(points)
            standard.append(z)
            margins.append(np.array(self.weights) @ density)
        joint = np.zeros((len(axes[0]), len(axes[1])))
        for weight, r, (sx, sy), zx, zy in zip(self.weights, rho, spreads, *standard, strict=True):
            square = (zx[:, None] ** 2 - 2 * r * zx[:, None] * zy + zy**2) / (1 - r * r)
            joint += weight * np.exp(-square / 2) / (2 * math.pi * sx * sy * math.sqrt(1 - r * r))
        some = joint > 0
        ratio = joint[some] / np.outer(*margins)[some]
        return float((joint[some] * np.log(ratio)).sum() * step * step)

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """As ``ColumnPair.sample``."""
        part = rng.choice(len(self.weights), n, p=self.weights)
        rho = np.array(self.correlations)[part]
        u, noise = rng.standard_normal((2, n))
        points = np.stack([u, rho * u + np.sqrt(1 - rho * rho) * noise], axis=1)
        points = np.array(self.means)[part] + np.array(self.spreads)[part] * points
        return points[:, 0], points[:, 1]


@dataclass(frozen=True)
class ChannelPair(ColumnPair):
    """Y = f(X) + noise; the information is the entropy of Y less that of the noise.

    Attributes:
        source: distribution of X, with a standard deviation of 1.
        function: f.
        frequency: of the sine, in radians.
        noise: distribution of the noise.
        scale: standard deviation of the noise, above 0.
    """

    source: Noise
    function: Function
    noise: Noise
    scale: float
    frequency: float = 1.0

    @property
    def smooth(self) -> bool:
        """Only where X and the noise are normal."""
        return self.source == self.noise == "normal"

    @property
    def label(self) -> str:
        """Such as ``sine 2.1 of uniform + laplace 0.3``."""
        rate = f" {self.frequency:.2g}" if self.function == "sine" else ""
        return f"{self.function}{rate} of {self.source} + {self.noise} {self.scale:.3g}"

    def true_nats(self) -> float:
        """By quadrature over a fine grid of Y."""
        shares = (np.arange(_SIGNAL_POINTS) + 0.5) / _SIGNAL_POINTS
        signal = signal_of(NOISES[self.source].ppf(shares), self.function, self.frequency)
        noise_nats = float(NOISES[self.noise].entropy()) + math.log(self.scale)
        return sum_entropy_nats(signal, self.noise, self.scale) - noise_nats

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """As ``ColumnPair.sample``."""
        x = NOISES[self.source].rvs(n, random_state=rng)
        noise = NOISES[self.noise].rvs(n, random_state=rng)
        return x, signal_of(x, self.function, self.frequency) + self.scale * noise


def signal_of(x: Floats, function: Function, frequency: float) -> Floats:
    """x, sin(frequency x), x^2 or tanh(2 x).

    Args:
        x: values.
        function: which one.
        frequency: of the sine, in radians.
    """
    if function == "sine":
        return np.asarray(np.sin(frequency * x))
    if function == "square":
        return x * x
    return np.asarray(np.tanh(2 * x)) if function == "tanh" else x


@dataclass(frozen=True)
class RoundPair(ColumnPair):
    """A point on the unit circle, or in the unit disc, in normal noise.

    Attributes:
        filled: whether the points are in the disc.
        scale: standard deviation of the noise in each coordinate; 0 only for the disc.
    """

    filled: bool
    scale: float

    @property
    def smooth(self) -> bool:
        """Not without noise: the disc has an edge."""
        return self.scale > 0

    @property
    def label(self) -> str:
        """Such as ``circle + normal 0.2``."""
        return f"{'disc' if self.filled else 'circle'} + normal {self.scale:.3g}"

    def true_nats(self) -> float:
        """2 h(X) - h(X, Y); both entropies are integrals over one variable.

        Without noise log(pi) - 1: the disc's margins have the semicircle distribution.
        """
        if self.scale == 0:
            return math.log(math.pi) - 1
        shares = (np.arange(_SIGNAL_POINTS) + 0.5) / _SIGNAL_POINTS
        # The disc's point at the angle 2 pi v has x = cos(pi t) with t of density 2 sin(pi t)^2.
        angle = math.pi * shares
        if self.filled:
            angle = np.interp(shares, shares - np.sin(2 * angle) / (2 * math.pi), angle)
        margin = sum_entropy_nats(np.cos(angle), "normal", self.scale)
        return 2 * margin - self._joint_entropy_nats()

    def _joint_entropy_nats(self) -> float:
        """-2 pi int f log f r dr with the density f at radius r."""
        variance = self.scale**2
        nodes, weights = np.polynomial.legendre.leggauss(400)
        radius = np.linspace(0, 1 + 9 * self.scale, 20_001)
        # Each circle of the disc, by its share of the area.
        circles = (nodes + 1) / 2 if self.filled else np.ones(1)
        shares = weights * circles if self.filled else np.ones(1)
        density = np.zeros_like(radius)
        for circle, share in zip(circles, shares, strict=True):
            bessel = i0e(radius * circle / variance)
            density += share * bessel * np.exp(-((radius - circle) ** 2) / (2 * variance))
        density /= 2 * math.pi * variance
        terms = density * np.log(np.where(density > 0, density, 1.0)) * radius
        return float(-2 * math.pi * np.trapezoid(terms, radius))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """As ``ColumnPair.sample``."""
        angle = rng.uniform(0, 2 * math.pi, n)
        radius = np.sqrt(rng.random(n)) if self.filled else np.ones(n)
        noise = self.scale * rng.standard_normal((2, n))
        return radius * np.cos(angle) + noise[0], radius * np.sin(angle) + noise[1]


def sum_entropy_nats(signal: Floats, noise: Noise, scale: float) -> float:
    """Entropy of a signal plus independent noise, in nats, by convolution on a fine grid.

    Args:
        signal: equally probable values of the signal, such as those at the midpoints of its
            quantiles.
        noise: distribution of the noise.
        scale: its standard deviation.
    """
    law = NOISES[noise]
    reach = -scale * float(law.ppf(_CUT))
    low, high = float(signal.min()) - 1.01 * reach, float(signal.max()) + 1.01 * reach
    step = (high - low) / _GRID_CELLS
    # Each value is shared between the two nearest grid points.
    place = (signal - low) / step
    below = np.floor(place).astype(np.int64)
    upper = place - below
    mass = np.bincount(below, 1 - upper, _GRID_CELLS)
    mass = mass + np.bincount(below + 1, upper, _GRID_CELLS)
    edges = (np.arange(-_GRID_CELLS // 2, _GRID_CELLS // 2 + 1) - 0.5) * step / scale
    kernel = np.diff(law.cdf(edges))
    # The grid holds all of the sum, so that a cyclic convolution does not wrap.
    spectrum = np.fft.rfft(mass) * np.fft.rfft(np.fft.ifftshift(kernel))
    total = np.asarray(np.fft.irfft(spectrum, _GRID_CELLS), dtype=np.float64)
    shares = total[total > 0] / total.sum()
    return float(-(shares * np.log(shares / step)).sum())
