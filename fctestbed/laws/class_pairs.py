"""Columns of X with a class Y whose information is a quadrature: the parts of a drawn mixed law.

May import ``pairs``.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, xlogy

from fctestbed.laws.pairs import NOISES, Floats, Function, Noise, signal_of

Classes = NDArray[np.int64]

_POINTS = 2**18
# Values are cut off at this probability on each side.
_CUT = 1e-12
# Of the plane's grid, in standard deviations of a class: the trapezoidal rule's error is far less
# than the digits that tables have.
_STEP, _REACH = 0.3, 8.0


class ClassPair(ABC):
    """A distribution of one or two columns of X, of a scale of about 1, and a class Y."""

    n_columns: ClassVar[int] = 1

    @property
    @abstractmethod
    def smooth(self) -> bool:
        """Whether the density of X has derivatives everywhere, in each class too, and tails no
        longer than exponential."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Short name with the parameters."""

    @abstractmethod
    def true_nats(self) -> float:
        """Mutual information of X and Y, in nats."""

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> tuple[Floats, Classes]:
        """x, [n, n_columns], and y, [n]."""


@dataclass(frozen=True)
class ShiftedClasses(ClassPair):
    """One column, in each class noise of a location and a scale of its own.

    Attributes:
        weights: probability of each class.
        means: mean of X in each class.
        spreads: standard deviation of X in each class.
        noise: distribution of X in a class.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    noise: Noise

    @property
    def smooth(self) -> bool:
        """Only normal classes have no edge."""
        return self.noise == "normal"

    @property
    def label(self) -> str:
        """Such as ``3 classes in laplace``."""
        return f"{len(self.weights)} classes in {self.noise}"

    def true_nats(self) -> float:
        """Entropy of X from its probabilities of small intervals, less those of the classes."""
        law = NOISES[self.noise]
        means, spreads = np.array(self.means), np.array(self.spreads)
        reach = -1.01 * float(law.ppf(_CUT)) * spreads
        edges = np.linspace((means - reach).min(), (means + reach).max(), _POINTS + 1)
        shares = np.zeros(_POINTS)
        for weight, mean, spread in zip(self.weights, means, spreads, strict=True):
            shares += weight * np.diff(law.cdf((edges - mean) / spread))
        step = edges[1] - edges[0]
        in_class = float(law.entropy()) + float(np.dot(self.weights, np.log(spreads)))
        return float(-xlogy(shares, shares / step).sum()) - in_class

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Floats, Classes]:
        """As ``ClassPair.sample``."""
        y = rng.choice(len(self.weights), n, p=self.weights)
        noise = NOISES[self.noise].rvs(n, random_state=rng)
        x = np.array(self.means)[y] + np.array(self.spreads)[y] * noise
        return x[:, None], y


@dataclass(frozen=True)
class PlaneClasses(ClassPair):
    """Two columns, in each class independent normal noise around a point.

    Attributes:
        weights: probability of each class.
        means: point of each class, (first, second column).
        spreads: standard deviation of both columns in each class.
    """

    weights: tuple[float, ...]
    means: tuple[tuple[float, float], ...]
    spreads: tuple[float, ...]
    n_columns: ClassVar[int] = 2

    @property
    def smooth(self) -> bool:
        """Always."""
        return True

    @property
    def label(self) -> str:
        """Such as ``4 classes in the plane``."""
        return f"{len(self.weights)} classes in the plane"

    def true_nats(self) -> float:
        """By the trapezoidal rule, whose error on normal densities falls exponentially."""
        means, spreads = np.array(self.means), np.array(self.spreads)
        step = _STEP * float(spreads.min())
        sides = []
        for column in means.T:
            low, high = (column - _REACH * spreads).min(), (column + _REACH * spreads).max()
            z = (np.arange(low, high, step) - column[:, None]) / spreads[:, None]
            sides.append(np.exp(-z * z / 2) / (math.sqrt(2 * math.pi) * spreads[:, None]))
        density = np.einsum("c,ci,cj->ij", np.array(self.weights), *sides)
        entropy = float(-xlogy(density, density).sum()) * step * step
        return entropy - float(np.dot(self.weights, 1 + np.log(2 * math.pi * spreads**2)))

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Floats, Classes]:
        """As ``ClassPair.sample``."""
        y = rng.choice(len(self.weights), n, p=self.weights)
        noise = rng.standard_normal((n, 2))
        return np.array(self.means)[y] + np.array(self.spreads)[y, None] * noise, y


@dataclass(frozen=True)
class ThresholdClasses(ClassPair):
    """Y is the number of thresholds below f(X) + normal noise: an ordered probit.

    Attributes:
        source: distribution of X, with a standard deviation of 1.
        function: f.
        thresholds: in ascending order.
        scale: standard deviation of the noise, above 0.
        frequency: of the sine, in radians.
    """

    source: Noise
    function: Function
    thresholds: tuple[float, ...]
    scale: float
    frequency: float = 1.0

    @property
    def smooth(self) -> bool:
        """Only where X is normal."""
        return self.source == "normal"

    @property
    def label(self) -> str:
        """Such as ``3 steps of sine 2.1 of uniform``."""
        rate = f" {self.frequency:.2g}" if self.function == "sine" else ""
        return f"{len(self.thresholds) + 1} steps of {self.function}{rate} of {self.source}"

    def _probabilities(self, x: Floats) -> Floats:
        """Of each class given x, [n, classes]."""
        above = (signal_of(x, self.function, self.frequency)[:, None] - self.thresholds) / (
            self.scale
        )
        ones, zeros = np.ones((len(x), 1)), np.zeros((len(x), 1))
        return np.asarray(-np.diff(np.hstack([ones, ndtr(above), zeros]), axis=1))

    def true_nats(self) -> float:
        """H(Y) - H(Y | X), the mean over the midpoints of X's quantiles."""
        shares = (np.arange(_POINTS) + 0.5) / _POINTS
        given = self._probabilities(NOISES[self.source].ppf(shares))
        whole = given.mean(axis=0)
        return float(xlogy(given, given).sum(axis=1).mean() - xlogy(whole, whole).sum())

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Floats, Classes]:
        """As ``ClassPair.sample``."""
        x = NOISES[self.source].rvs(n, random_state=rng)
        sums = signal_of(x, self.function, self.frequency) + self.scale * rng.standard_normal(n)
        y: NDArray[Any] = (sums[:, None] > np.array(self.thresholds)).sum(axis=1)
        return x[:, None], y.astype(np.int64)
