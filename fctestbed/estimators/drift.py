"""How far the bias of a neighbour estimate may reach, from its change with the number of samples.

May import ``inputs``.

A bias of b n^-a changes the value by b (m^a - 1) n^-a from a part of n / m samples to all n, so
that change over m^a - 1 remains. The slowest known rate in d columns is a = 1 / d (Gao, Oh and
Viswanath 2018). The constants below were chosen by simulation on the laws ``drawn_law(0)`` to
``drawn_law(39)``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fctestbed.estimators.inputs import Floats, Margins, rescale, row_codes

# Rate of the extrapolation, times d: a little slower than the slowest known one, because strong
# dependence is far from that limit for a few hundred samples.
_RATE = 0.85
# Half of a 95 % interval of the change from small parts, in half widths of the value's own.
_NOISE = 0.9
# With more extrapolated bias than so many half widths the power law itself is in doubt.
_MOST_BIAS = 4
# So many times as wide as without widening, an interval says little.
_MOST_WIDENING = 6
# A column with a smaller independent part would turn into its rounding errors.
_LEAST_INDEPENDENT = 1e-6


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
    """

    value: float
    moved: float
    parts: int
    columns: int
    half_width: float

    def reach(self) -> Reach:
        """The interval of the value plus the remaining bias.

        It is one-sided in the bias, from none to that of the slow rate, and has the errors of the
        value and of the extrapolated change on both sides.
        """
        # There are at least one column of X and one of Y.
        leverage = self.parts ** (_RATE / max(self.columns, 2)) - 1
        bias = self.moved / leverage
        if abs(bias) > _MOST_BIAS * self.half_width:
            # Parts with equal values have no spread.
            times = abs(bias) / self.half_width if self.half_width > 0 else math.inf
            return Reach(
                math.nan,
                math.nan,
                "the value still changes with the number of samples: its bias may be "
                f"{times:.2g} times the half width of its spread, over {_MOST_BIAS}",
            )
        noise = _NOISE * math.sqrt(1 - 1 / self.parts) / leverage
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
        low = min([reach.low, *(other - self.half_width for other in equivalents)])
        high = max([reach.high, *(other + self.half_width for other in equivalents)])
        if high - low <= 2 * _MOST_WIDENING * self.half_width:
            return Reach(low, high)
        times = (high - low) / (2 * self.half_width) if self.half_width > 0 else math.inf
        return Reach(
            math.nan,
            math.nan,
            f"with its possible bias the interval would be {times:.2g} times as wide as the "
            f"spread, over {_MOST_WIDENING}: it would say little",
        )


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
