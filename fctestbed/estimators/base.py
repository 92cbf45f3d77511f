"""What an estimator is: arrays in, an estimate out, in bits, with its interval and its limits.

Owns the contract. Imports numpy only.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

Array = NDArray[Any]
Direction = Literal["lower", "upper", "exact", "none"]
Kind = Literal["discrete", "continuous", "mixed"]
Target = Literal["information", "jeffreys"]
Invariance = Literal["order", "relabelling", "scaling", "monotone", "linear"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An estimate of I(X; Y) or I(X; Y | given), in bits.

    Attributes:
        estimator: the estimator's registered name.
        bound: which way the value errs in expectation: ``lower`` (never above the truth but for
            sampling error on held-out data), ``upper``, ``exact`` (consistent with a stated model
            that holds) or ``none``.
        value_bits: the raw value; negative ones stay negative.
        low_bits: lower end of a 95 % interval of the information; of a bound, which may be far from
            the information, an interval of the bound. NaN where the samples, or what the estimator
            is, leave the bias unknown: an interval of the spread alone would be about something
            else.
        high_bits: upper end of it.
        ceiling_bits: the most that this estimator could have said on these data; infinite where
            there is no limit.
        n_samples: samples behind the value (held-out ones, where it was fitted on others).
        se_bits: the value's standard error over samples, whatever its bias; 1.96 of them are 95 %,
            also where it is uncertain itself. NaN where it is unknown.
        note: why there is no interval; empty where there is one.
    """

    estimator: str
    bound: Direction
    value_bits: float
    low_bits: float
    high_bits: float
    ceiling_bits: float
    n_samples: int
    se_bits: float = math.nan
    note: str = ""


class Estimator(ABC):
    """An estimator of mutual information with its settings.

    Subclasses are frozen dataclasses of their settings, ``seed`` among them where anything is
    random: the same estimator on the same arrays gives the same numbers.

    What a subclass claims, ``fctestbed.testing.check_estimator`` holds it to.
    """

    name: ClassVar[str]
    bound: ClassVar[Direction]
    """The direction that holds for whatever it is given; an estimate may state a narrower one."""
    target: ClassVar[Target] = "information"
    """What it aims at: I(X; Y), or KL(joint || product) + KL(product || joint), a penalty that is
    at least as large and has no chain rule."""
    conditional: ClassVar[bool] = False
    """Whether there is a form with ``given``."""
    kinds: ClassVar[frozenset[Kind]] = frozenset({"discrete", "continuous", "mixed"})
    """Pairs that it is made for: both discrete, both continuous, or a continuous X with a discrete
    Y."""
    symmetric: ClassVar[bool] = False
    """Whether swapping X and Y leaves the value as it is, but for rounding."""

    @property
    def invariant_to(self) -> frozenset[Invariance]:
        """What leaves the value as it is, but for rounding.

        ``order``: another order of the samples. ``relabelling``: a one-to-one map of an argument's
        rows. ``scaling``: a shift and a positive factor for each column. ``monotone``: an
        increasing map of each column. ``linear``: an invertible linear map of an argument's
        columns.
        """
        return frozenset()

    @abstractmethod
    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """Estimate I(X; Y), or I(X; Y | given), in bits.

        Args:
            x: samples of X, (n,) or (n, dim).
            y: samples of Y, (n,) or (n, dim), row by row those of ``x``.
            given: samples of the condition, likewise.

        Raises:
            ValueError: one line naming the argument, for arrays that are not numbers, not finite,
                of other lengths or fewer than the estimator needs, for constant columns where they
                have no meaning, and for ``given`` where there is no conditional form.
        """
