"""How far the bias of a neighbour estimate may reach, from its change with the number of samples.

May import ``inputs``.

A bias of b n^-a changes the value by b (m^a - 1) n^-a from a part of n / m samples to all n, so
that change over m^a - 1 remains. The slowest known rate in d columns is a = 1 / d (Gao, Oh and
Viswanath 2018). The constants below were chosen by simulation on the laws ``drawn_law(0)`` to
``drawn_law(39)``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators.inputs import Floats, Margins, rescale, row_codes

# Rate of the extrapolation, times d: a little slower than the slowest known one, because strong
# dependence is far from that limit for a few hundred samples.
_RATE = 0.85
# A smaller change per unit of bias is lost in its own noise; smaller parts have a larger one.
_LEAST_LEVERAGE = 0.21
# With fewer samples, or more columns, parts do not show how the bias falls.
_LEAST_PART = 75
_MOST_COLUMNS = 6
_COMPARED_PARTS = 12
# A column with a smaller independent part would turn into its rounding errors.
_LEAST_INDEPENDENT = 1e-6


@dataclass(frozen=True)
class _Limits:
    """What an extrapolation is worth.

    Attributes:
        noise: half of a 95 % interval of the change, in half widths of the value's own.
        most_bias: with more extrapolated bias, in half widths, the power law itself is in doubt.
        most_widening: so many times as wide as without widening, an interval says little.
    """

    noise: float
    most_bias: float
    most_widening: float


_USUAL = _Limits(noise=0.9, most_bias=4, most_widening=6)
# Of smaller parts: further from the limit of many samples.
_FINE = _Limits(noise=1.2, most_bias=6, most_widening=8)


@dataclass(frozen=True)
class Reach:
    """An interval that is widened by the bias.

    Attributes:
        low: lower end.
        high: upper end.
        doubt: why there can be no interval; empty where there is one.
    """

    low: float
    high: float
    doubt: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Change of an estimate with the number of samples, in any one unit.

    Attributes:
        value: estimate from all n samples.
        moved: value less the mean of those on parts of n / m samples.
        parts: m.
        columns: d, of all variables together.
        half_width: half of the 95 % interval of the value's spread.
        fine: whether the parts are those of ``finer_parts``.
    """

    value: float
    moved: float
    parts: int
    columns: int
    half_width: float
    fine: bool = False

    @property
    def _limits(self) -> _Limits:
        return _FINE if self.fine else _USUAL

    def reach(self) -> Reach:
        """The interval of the value plus the remaining bias.

        It is one-sided in the bias, from none to that of the slow rate, and has the errors of the
        value and of the extrapolated change on both sides.
        """
        limits, leverage = self._limits, _leverage(self.parts, self.columns)
        bias = self.moved / leverage
        if abs(bias) > limits.most_bias * self.half_width:
            # Parts with equal values have no spread.
            times = abs(bias) / self.half_width if self.half_width > 0 else math.inf
            return Reach(
                math.nan,
                math.nan,
                "the value still changes with the number of samples: its bias may be "
                f"{times:.2g} times the half width of its spread, over {limits.most_bias}",
            )
        noise = limits.noise * math.sqrt(1 - 1 / self.parts) / leverage
        error = self.half_width * math.hypot(1.0, noise)
        return Reach(self.value + min(bias, 0) - error, self.value + max(bias, 0) + error)

    def joined(self, equivalents: Sequence[float]) -> Reach:
        """``reach``, extended to estimates of the same information in other coordinates.

        One-to-one maps of each variable leave its information unchanged, so a difference between
        such estimates is bias.

        Args:
            equivalents: the other estimates.
        """
        reach = self.reach()
        if reach.doubt:
            return reach
        most = self._limits.most_widening
        low = min([reach.low, *(other - self.half_width for other in equivalents)])
        high = max([reach.high, *(other + self.half_width for other in equivalents)])
        if high - low <= 2 * most * self.half_width:
            return Reach(low, high)
        times = (high - low) / (2 * self.half_width) if self.half_width > 0 else math.inf
        return Reach(
            math.nan,
            math.nan,
            f"with its possible bias the interval would be {times:.2g} times as wide as the "
            f"spread, over {most}: it would say little",
        )


def _leverage(parts: int, columns: int) -> float:
    """Change from one of so many parts to all samples, per unit of the bias that is left."""
    # There are at least one column of X and one of Y.
    return float(parts ** (_RATE / max(columns, 2)) - 1)


def finer_parts(n: int, columns: int, parts: int) -> int:
    """The number of parts whose estimates show the bias, where those of the spread do not.

    From halves of 300 samples to all of them an estimate in 5 columns changes by an eighth of its
    bias, which is lost in its noise.

    Args:
        n: number of samples.
        columns: of all variables together.
        parts: number of parts that the spread comes from.

    Returns:
        ``parts`` where they are enough, or where smaller ones would have too few samples.
    """
    if columns > _MOST_COLUMNS:
        return parts
    finer = max(parts, n // _LEAST_PART)
    return next((m for m in range(parts, finer) if _leverage(m, columns) >= _LEAST_LEVERAGE), finer)


def mean_of_parts(
    n: int, statistic: Callable[[NDArray[np.int64]], float], parts: int, seed: int
) -> float:
    """Mean of an estimate on random parts of the samples.

    Args:
        n: number of samples.
        statistic: gives the estimate on the samples of the given indices.
        parts: number of parts.
        seed: seed of the parts.
    """
    rng = np.random.default_rng([seed, parts])
    splits = [
        np.array_split(rng.permutation(n), parts) for _ in range(-(-_COMPARED_PARTS // parts))
    ]
    return float(np.mean([statistic(part) for split in splits for part in split]))


def equivalent_columns(scaled: Sequence[Floats], margins: Margins) -> list[list[Floats]]:
    """The same variables in other coordinates, which leave the information unchanged.

    Normal scores of the columns, if they are none yet; and the columns of each variable without
    their correlations, where a variable has several.

    Args:
        scaled: rescaled columns of each variable, [n, columns].
        margins: the scale that they have.
    """
    others = []
    if margins != "normal":
        others.append([rescale(array, "normal") for array in scaled])
    if any(array.shape[1] > 1 for array in scaled):
        others.append([_uncorrelated(array) for array in scaled])
    return others


def _uncorrelated(array: Floats) -> Floats:
    """Columns of equal variance without correlations.

    As they are where columns depend on each other, and where rows repeat: rounding would make equal
    rows different.
    """
    n, dim = array.shape
    if dim == 1 or n <= dim or row_codes(array).max() + 1 < n:
        return array
    basis, triangle = np.linalg.qr(array - array.mean(axis=0))
    sizes = np.abs(np.diag(triangle))
    if sizes.min() < _LEAST_INDEPENDENT * np.linalg.norm(triangle, axis=0).max():
        return array
    return np.asarray(basis * math.sqrt(n))
