"""What the nearest-neighbour estimators share: settings, checks, the interval.

Owns their base. May import ``fctestbed.information``.

Each is an average of local terms, digammas of neighbour counts, in the maximum norm. All of them
fail alike: they need samples in number like e^I for strong dependence, and lose most of the
information from about ten dimensions on (25 pairs of columns, two of them dependent: 0.2 of
1.02 nats at n = 5000). They are neither lower nor upper bounds, and may be negative. Their
intervals come from their spread over parts of the sample (``subsampling``), and are given where
the same parts, the tails and the cells of discrete data show no bias beyond it (``bias_checks``).
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators import bias_checks
from fctestbed.estimators.base import Array, Direction, Estimate, Estimator, Invariance
from fctestbed.estimators.inputs import Floats, numbers, refuse_given, row_codes
from fctestbed.estimators.intervals import HALF_WIDTH
from fctestbed.estimators.margins import MARGINS, Margins, rescale
from fctestbed.estimators.settings import check_choice, check_whole
from fctestbed.estimators.subsampling import split_spread
from fctestbed.information.units import nats_to_bits

Rows = NDArray[np.int64] | slice


@dataclass(frozen=True)
class LocalTerms:
    """The local terms of an estimate, in nats, [n], and the most that their mean could have been.

    The estimate is their mean.
    """

    values: NDArray[np.floating[Any]]
    ceiling: float


@dataclass(frozen=True, kw_only=True)
class NeighbourEstimator(Estimator):
    """Base of the nearest-neighbour estimators.

    Attributes:
        k: how many neighbours. More: less spread, more bias.
        margins: what columns are rescaled to: ``unit`` (by their standard deviations), ``raw``
            (not at all), ``rank`` or ``normal`` (ranks or normal scores, which heavy tails need).
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
        self, terms: Callable[[Rows], LocalTerms], variables: Sequence[Floats], doubt: str = ""
    ) -> Estimate:
        """The estimate.

        Args:
            terms: the local terms of some of the samples.
            variables: rescaled columns of each variable, [n, columns]; codes count as one.
            doubt: why there can be no interval, where that is known beforehand.
        """
        whole = terms(slice(None))
        n, value = len(whole.values), float(whole.values.mean())
        spread = split_spread(
            n, lambda rows: float(terms(rows).values.mean()), least=self.k + 1, seed=self.seed
        )
        half = np.nan if spread is None else spread.half_width
        columns = sum(v.shape[1] for v in variables)
        doubt = doubt or bias_checks.few_samples(n) or bias_checks.many_columns(columns)
        doubt = doubt or bias_checks.long_tails(variables)
        if spread is None:
            doubt = doubt or "parts of the sample are too small to show the spread"
        elif not doubt:
            moved = value - spread.mean_of_parts
            doubt = bias_checks.drift(moved, spread.n_parts, columns, half)
        low, high = (np.nan, np.nan) if doubt else (value - half, value + half)
        return Estimate(
            estimator=self.name,
            bound=self.bound,
            value_bits=nats_to_bits(value),
            low_bits=nats_to_bits(low),
            high_bits=nats_to_bits(high),
            ceiling_bits=nats_to_bits(whole.ceiling),
            n_samples=n,
            se_bits=nats_to_bits(half / HALF_WIDTH),
            note=doubt,
        )


@dataclass(frozen=True, kw_only=True)
class ColumnEstimator(NeighbourEstimator):
    """Base of those whose variables are all columns of numbers.

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
        there = [array for array in arrays if array is not None]
        doubt = ""
        if self._atoms:
            codes = [row_codes(array) for array in (*there, np.hstack(there))]
            doubt = bias_checks.rare_cells(codes, self.k)
        scaled = [rescale(array, self.margins) for array in there]

        def terms(rows: Rows) -> LocalTerms:
            x, y, *z = (array[rows] for array in scaled)
            return self._terms(x, y, z[0] if z else None)

        return self._result(terms, scaled, doubt)

    @abstractmethod
    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        """Local terms of rescaled samples."""


def refuse_atoms(name: str, array: Floats, k: int) -> None:
    """Refuse samples that are not continuous: a value that comes more than k times.

    Raises:
        ValueError: one line.
    """
    most = int(np.bincount(row_codes(array)).max())
    if most > k:
        raise ValueError(
            f"{name}: expected continuous values, none of them more than k = {k} times, got one "
            f"{most} times (mixed-ksg and mesner-shalizi allow that)"
        )
