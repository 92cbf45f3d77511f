"""What a case of a calibration is: a law with its truth, its samples, and what may be asked of it.

Owns the record. Imports numpy only.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators import Kind

Array = NDArray[Any]
Triple = tuple[Array, Array, Array | None]

_TOLERANCE_BITS = 0.01
_TOLERANCE_SHARE = 0.01
_TOLERANCE_SAMPLES = 1000


@dataclass(frozen=True, kw_only=True)
class Case:
    """A law of (X, Y), or of (X, Y, condition), with its exact information.

    Attributes:
        name: what it is, for tables.
        group: the question that it asks: ``channels``, ``gaussian``, ``margins``, ``high MI``, ...
        kind: which values X and Y take; ``mixed`` is a continuous X with a discrete Y.
        true_bits: I(X; Y), or I(X; Y | condition), exactly.
        draw: samples (x, y, condition or None) from a generator and a number of samples.
        conditional: whether there is a condition.
        exact: names of the estimators whose own model this law is, so that their mean error has to
            stay within ``tolerance_bits``.
        exact_from: fewest samples from which that is asked: ten for each cell of a table.
    """

    name: str
    group: str
    kind: Kind
    true_bits: float
    draw: Callable[[np.random.Generator, int], Triple]
    conditional: bool = False
    exact: tuple[str, ...] = ()
    exact_from: int = 0

    @property
    def tolerance_bits(self) -> float:
        """Mean error allowed to the ``exact`` ones at 1000 samples: 0.01 bit and 1 % of the truth.

        In proportion more for fewer, as a bias of first order is.
        """
        return _TOLERANCE_BITS + _TOLERANCE_SHARE * self.true_bits

    def tolerance_at(self, estimator: str, n: int) -> float:
        """Mean error allowed to an estimator at n samples, in bits; NaN where none is stated."""
        if estimator not in self.exact or n < self.exact_from:
            return math.nan
        return self.tolerance_bits * max(1.0, _TOLERANCE_SAMPLES / n)
