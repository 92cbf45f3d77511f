"""What the nearest-neighbour estimators share: settings, checks and the interval.

May import ``fctestbed.information``.

Each estimate is a mean of local terms, digammas of neighbour counts in the maximum norm. All of
them have the same limits: strong dependence needs some e^I samples, and from about ten dimensions
on most of the information is missed (25 pairs of columns, two of them dependent: 0.2 of 1.02 nats
at n = 5000). They are neither lower nor upper bounds, and may be negative.

The interval comes from the spread of the estimate over parts of the sample (``split_spread``). It
is widened by the bias that the same parts and other coordinates show (``drift``), and given only
where that leaves it useful and the tails and cells of discrete data do not hide more
(``bias_checks``).
"""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from fctestbed.estimators import bias_checks
from fctestbed.estimators.base import (
    Array,
    Direction,
    Estimate,
    Estimator,
    Invariance,
    check_choice,
    check_whole,
)
from fctestbed.estimators.drift import (
    Change,
    equivalent_columns,
    finer_parts,
    mean_of_parts,
)
from fctestbed.estimators.inputs import (
    MARGINS,
    Floats,
    Margins,
    numbers,
    refuse_given,
    rescale,
    row_codes,
)
from fctestbed.estimators.intervals import HALF_WIDTH, LEVEL

Rows = NDArray[np.int64] | slice

_FREEDOM = 15
_PART = 250
_MOST_PARTS = 10
_COMPARISONS = 20
# Below, starting threads takes longer than the work.
_THREADED = 2000


@dataclass(frozen=True)
class LocalTerms:
    """The local terms of an estimate, in nats, [n], and the largest mean that they could have.

    The estimate is their mean.
    """

    values: NDArray[np.floating[Any]]
    ceiling: float


@dataclass(frozen=True, kw_only=True)
class NeighbourEstimator(Estimator):
    """Base of the nearest-neighbour estimators.

    Attributes:
        k: number of neighbours. More neighbours: less spread, more bias.
        margins: scale of the columns: ``unit`` (divided by their standard deviations), ``raw``
            (unchanged), ``rank`` or ``normal`` (ranks or normal scores, for heavy tails).
        seed: seed of the splits that the interval comes from.

    Raises:
        ValueError: one line, for settings out of range.
    """

    k: int = 3
    margins: Margins = "unit"
    seed: int = 0

    bound: ClassVar[Direction] = "none"
    symmetric: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_whole("k", self.k, least=1)
        check_choice("margins", self.margins, MARGINS)
        check_whole("seed", self.seed, least=0)

    @property
    def invariant_to(self) -> frozenset[Invariance]:
        """As ``Estimator.invariant_to``."""
        claims: frozenset[Invariance] = frozenset({"order"})
        if self.margins != "raw":
            claims |= {"scaling"}
        if self.margins in {"rank", "normal"}:
            claims |= {"monotone"}
        return claims

    def _result(
        self,
        terms: Callable[[Rows], LocalTerms],
        variables: Sequence[Floats],
        equivalents: Callable[[], Sequence[float]],
        doubt: str = "",
    ) -> Estimate:
        """The estimate.

        Args:
            terms: gives the local terms of a part of the samples.
            variables: rescaled columns of each variable, [n, columns]; codes count as one.
            equivalents: gives the values from all samples in other coordinates, in nats.
            doubt: why there can be no interval, where that is known already.
        """
        whole = terms(slice(None))
        n, value = len(whole.values), float(whole.values.mean())

        def value_of(rows: NDArray[np.int64]) -> float:
            return float(terms(rows).values.mean())

        spread = split_spread(n, value_of, least=self.k + 1, seed=self.seed)
        half = np.nan if spread is None else spread.half_width
        columns = sum(v.shape[1] for v in variables)
        doubt = doubt or bias_checks.few_samples(n) or bias_checks.many_columns(columns)
        doubt = doubt or bias_checks.long_tails(variables)
        interval = np.nan, np.nan
        if spread is None:
            doubt = doubt or "parts of the sample are too small to show the spread"
        elif not doubt:
            parts = finer_parts(n, columns, spread.n_parts)
            fine = parts > spread.n_parts
            on_parts = (
                mean_of_parts(n, value_of, parts, self.seed) if fine else spread.mean_of_parts
            )
            change = Change(
                value=value,
                moved=value - on_parts,
                parts=parts,
                columns=columns,
                half_width=half,
                fine=fine,
            )
            # Other coordinates are worth their time only where there may be an interval.
            reach = change.joined([] if change.reach().doubt else equivalents())
            interval, doubt = (reach.low, reach.high), reach.doubt
        return self._from_nats(
            value,
            interval,
            se=half / HALF_WIDTH,
            ceiling=whole.ceiling,
            n_samples=n,
            note=doubt,
        )


@dataclass(frozen=True, kw_only=True)
class ColumnEstimator(NeighbourEstimator):
    """Base of the estimators whose variables are all columns of numbers.

    Attributes:
        k: as ``NeighbourEstimator``.
        margins: likewise.
        seed: likewise.
    """

    _atoms: ClassVar[bool] = False

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; more than k samples."""
        if not self.conditional:
            refuse_given(self.name, given)
        arrays = numbers(x, y, given, least=self.k + 1)
        if not self._atoms:
            for name, array in zip(("x", "y", "given"), arrays, strict=True):
                if array is not None:
                    refuse_atoms(name, array, self.k)
        present = [array for array in arrays if array is not None]
        doubt = ""
        if self._atoms:
            codes = [row_codes(array) for array in (*present, np.hstack(present))]
            doubt = bias_checks.rare_cells(codes, self.k)
        scaled = [rescale(array, self.margins) for array in present]

        def terms_of(arrays: Sequence[Floats]) -> LocalTerms:
            x, y, *z = arrays
            return self._terms(x, y, z[0] if z else None)

        return self._result(
            lambda rows: terms_of([array[rows] for array in scaled]),
            scaled,
            lambda: [
                float(terms_of(others).values.mean())
                for others in equivalent_columns(scaled, self.margins)
            ],
            doubt,
        )

    @abstractmethod
    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        """Local terms of rescaled samples, [n, dim] each."""


def refuse_atoms(name: str, array: Floats, k: int) -> None:
    """Refuse samples that are not continuous: a value that occurs more than k times.

    Raises:
        ValueError: one line.
    """
    most = int(np.bincount(row_codes(array)).max())
    if most > k:
        raise ValueError(
            f"{name}: expected continuous values, none of them more than k = {k} times, got one "
            f"{most} times (mixed-ksg and mesner-shalizi allow that)"
        )


@dataclass(frozen=True)
class Spread:
    """Variation of an estimate between parts of the sample, in its own unit.

    Attributes:
        half_width: half of the 95 % interval of its spread.
        mean_of_parts: mean of the values on the parts.
        n_parts: number of parts of each split.
    """

    half_width: float
    mean_of_parts: float
    n_parts: int


def split_spread(
    n: int,
    statistic: Callable[[NDArray[np.int64]], float],
    *,
    least: int,
    seed: int,
) -> Spread | None:
    """The spread of an estimate on n samples from its values on random parts of them.

    A mean of local terms whose neighbourhoods overlap has not the variance of independent terms:
    their standard deviation over root n is too small by a quarter (KSG 1 on 300 to 2000 Gaussian
    pairs). Leaving groups out overestimates it by 15 to 60 %, because each removed neighbour
    changes the terms of others. Parts without common samples are independent, and the variance of
    such an estimator goes as 1/n, so the variance between parts, divided by their number, is that
    of the whole. It is right within 10 % (a little low on parts under 200) and has itself an error
    of about 18 %, which Student's t with 15 degrees of freedom accounts for.

    Args:
        n: number of samples.
        statistic: gives the estimate on the samples of the given indices.
        least: fewest samples that the statistic needs.
        seed: seed of the splits.

    Returns:
        The spread; None where halves are smaller than ``least`` or have no estimate.

    Source:
        Holmes and Nemenman 2019, section III; the numbers of parts and of splits were chosen
        by simulation.
    """
    n_parts = min(max(n // _PART, 2), _MOST_PARTS)
    if n // n_parts < least:
        return None
    rng = np.random.default_rng(seed)
    n_splits = -(-_COMPARISONS // (n_parts - 1))
    parts = [part for _ in range(n_splits) for part in np.array_split(rng.permutation(n), n_parts)]
    if n < _THREADED:
        values = [statistic(part) for part in parts]
    else:
        with ThreadPoolExecutor() as pool:
            values = list(pool.map(statistic, parts))
    if not np.isfinite(values).all():
        return None
    variances = np.reshape(values, (n_splits, n_parts)).var(axis=1, ddof=1) / n_parts
    half = float(t.ppf(0.5 + LEVEL / 2, _FREEDOM) * math.sqrt(np.mean(variances)))
    return Spread(half, float(np.mean(values)), n_parts)
