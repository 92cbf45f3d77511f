"""The contract of estimators: arrays in, an estimate out, in bits; and checks of their settings.

May import numpy and ``fctestbed.information``.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

from fctestbed.information import nats_to_bits

Array = NDArray[Any]
Direction = Literal["lower", "upper", "exact", "none"]
Kind = Literal["discrete", "continuous", "mixed"]
Target = Literal["information", "jeffreys"]
Invariance = Literal["order", "relabelling", "scaling", "monotone", "linear"]
Fractions = tuple[float, float, float]


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
            the information, an interval of the bound. NaN where the bias is unknown, because an
            interval of the spread alone would not be about the information.
        high_bits: upper end of it.
        ceiling_bits: the largest value that this estimator could have returned on these data;
            infinite where there is no limit.
        n_samples: samples that the value is computed from (held-out ones, where the estimator was
            fitted on others).
        se_bits: standard error of the value over samples, without its bias; the half width of a
            95 % interval is 1.96 times this, also where the error itself is uncertain. NaN where
            it is unknown.
        note: why there is no interval, and what speaks against taking an argument as it was taken
            (``x_as``); empty where there is an interval and nothing to say.
        x_as: what the numbers of X were taken as, ``amounts`` or ``classes`` with their number,
            by an estimator to which this makes a difference; empty otherwise.
        y_as: likewise of Y.
        given_as: likewise of the condition.
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
    x_as: str = ""
    y_as: str = ""
    given_as: str = ""


class Estimator(ABC):
    """An estimator of mutual information with its settings.

    Subclasses are frozen dataclasses of their settings, ``seed`` among them where anything is
    random: the same estimator on the same arrays gives the same numbers.
    ``fctestbed.testing.check_estimator`` tests what a subclass claims. A subclass in any module is
    available by its import path, see ``find_estimator``.
    """

    name: ClassVar[str]
    bound: ClassVar[Direction]
    """The direction that holds for all data; a single estimate may state a narrower one."""
    target: ClassVar[Target] = "information"
    """The estimated quantity: I(X; Y), or the Jeffreys divergence KL(joint || product) +
    KL(product || joint), which is at least as large and has no chain rule."""
    conditional: ClassVar[bool] = False
    """Whether ``given`` is supported."""
    kinds: ClassVar[frozenset[Kind]] = frozenset({"discrete", "continuous", "mixed"})
    """Supported pairs: both discrete, both continuous, or a continuous X with a discrete Y."""
    symmetric: ClassVar[bool] = False
    """Whether swapping X and Y leaves the value unchanged, up to rounding."""

    @property
    def invariant_to(self) -> frozenset[Invariance]:
        """Changes of the samples that leave the value unchanged, up to rounding.

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
            y: samples of Y, (n,) or (n, dim); row i of ``x`` and ``y`` are one pair.
            given: samples of the condition, likewise.

        Raises:
            ValueError: one line naming the argument, for arrays that are not numbers, not finite,
                of other lengths or with fewer samples than the estimator needs, for constant
                columns where they have no meaning, and for ``given`` where it is not supported.
        """

    def _from_nats(
        self,
        value: float,
        interval: tuple[float, float],
        *,
        se: float,
        ceiling: float,
        n_samples: int,
        note: str = "",
        bound: Direction | None = None,
    ) -> Estimate:
        """The estimate of amounts in nats; without an interval where there is a note."""
        low, high = (math.nan, math.nan) if note else interval
        return Estimate(
            estimator=self.name,
            bound=self.bound if bound is None else bound,
            value_bits=nats_to_bits(value),
            low_bits=nats_to_bits(low),
            high_bits=nats_to_bits(high),
            ceiling_bits=nats_to_bits(ceiling),
            n_samples=n_samples,
            se_bits=nats_to_bits(se),
            note=note,
        )


def check_whole(name: str, value: object, *, least: int) -> None:
    """Refuse a setting that is no whole number of at least ``least``.

    Raises:
        ValueError: one line naming the setting.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, got {value!r}")


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a setting that is none of the choices.

    Raises:
        ValueError: one line naming the setting.
    """
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")


def check_fractions(value: object) -> None:
    """Refuse ``fractions`` that are not the shares of the three parts of a split.

    Raises:
        ValueError: one line naming the setting.
    """
    shares = value if isinstance(value, tuple | list) else ()
    if (
        len(shares) != 3
        or not all(isinstance(share, Real) for share in shares)
        or min(shares) <= 0
        or not math.isclose(sum(shares), 1.0)
    ):
        raise ValueError(f"fractions: expected three shares above 0 whose sum is 1, got {value}")
