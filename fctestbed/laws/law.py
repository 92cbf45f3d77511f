"""The interface of laws: distributions of (X, Y) or (X, Y, Z) whose information is known exactly.

Imports numpy only.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Kind = Literal["discrete", "continuous", "mixed"]
Normality = Literal["joint", "copula", "none"]


class Law(ABC):
    """A distribution with known information and samples without limit.

    Subclasses are frozen dataclasses of their parameters, so that they can be sent to workers.
    ``estimator.estimate(*law.sample(n, rng))`` estimates what ``true_bits`` states.
    """

    kind: ClassVar[Kind]
    """Both variables are discrete, both are continuous, or (``mixed``) X is continuous and Y is
    discrete."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name in tables; the random streams of a calibration depend on it."""

    @property
    @abstractmethod
    def true_bits(self) -> float:
        """I(X; Y) in bits, or I(X; Y | Z) for a conditional law."""

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> tuple[Array, ...]:
        """Draw n independent samples.

        Returns:
            (x, y), or (x, y, z) for a conditional law; each array is [n] or [n, columns].
        """

    @property
    def group(self) -> str:
        """The difficulty of the law for an estimator, such as ``high MI``."""
        return "other"

    @property
    def conditional(self) -> bool:
        """Whether there is a Z, and ``true_bits`` is I(X; Y | Z)."""
        return False

    @property
    def n_cells(self) -> int:
        """Number of outcomes of positive probability; 0 where there are infinitely many."""
        return 0

    @property
    def normality(self) -> Normality:
        """``joint``: all variables are jointly normal; ``copula``: they are jointly normal after a
        monotone change of each column; ``none``: neither is stated."""
        return "none"
