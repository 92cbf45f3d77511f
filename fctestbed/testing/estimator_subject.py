"""An estimator under test: how a clause calls it, and what holds of every estimate.

May import ``fctestbed.estimators``.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators import HALF_WIDTH, Estimate, Estimator
from fctestbed.laws import Kind

Array = NDArray[Any]


class EstimatorCheckFailed(AssertionError):  # noqa: N818 - it says what happened
    """An estimator breaks a clause; the message names both, and the numbers.

    Attributes:
        clause: name of the clause.
        estimator: the estimator.
    """

    def __init__(self, clause: str, estimator: object, numbers: str) -> None:
        super().__init__(f"{clause}: {estimator!r}: {numbers}")
        self.clause = clause
        self.estimator = estimator


@dataclass
class EstimatorSubject:
    """An estimator under test. Every estimate that it gives is checked against the contract.

    Attributes:
        estimator: the estimator.
        kinds: the kinds of pairs that it is checked on.
        n_samples: number of samples in each data set.
        seed: seed of the samples.
        tolerance_bits: error allowed in equalities that hold for the information only, not for its
            estimates, in bits.
    """

    estimator: Estimator
    kinds: tuple[Kind, ...]
    n_samples: int
    seed: int
    tolerance_bits: float
    _estimates: dict[bytes, Estimate] = field(default_factory=dict)

    def rng(self, stream: int = 0) -> np.random.Generator:
        """The generator of a stream, in its initial state."""
        return np.random.default_rng([self.seed, stream])

    def failure(self, clause: str, numbers: str) -> EstimatorCheckFailed:
        """The error to raise where a clause is broken."""
        return EstimatorCheckFailed(clause, self.estimator, numbers)

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """The estimate on these arrays, computed at the first call with them."""
        key = b"|".join(_bytes(array) for array in (x, y, given))
        if key not in self._estimates:
            self._estimates[key] = self.new_estimate(x, y, given)
        return self._estimates[key]

    def new_estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """A newly computed estimate.

        Raises:
            EstimatorCheckFailed: if the estimate breaks the contract or the arrays were changed.
        """
        arrays = {"x": x, "y": y} if given is None else {"x": x, "y": y, "given": given}
        before = {name: _bytes(array) for name, array in arrays.items()}
        # An estimator without a conditional form need not accept the third argument.
        estimate = self.estimator.estimate(*arrays.values())
        for name, array in arrays.items():
            if _bytes(array) != before[name]:
                raise self.failure("inputs unchanged", f"{name} is not what it was before the call")
        self._check(estimate, len(x))
        return estimate

    def standard_error_bits(self, estimate: Estimate) -> float:
        """The standard error of an estimate, or else that of its interval, or else the tolerance,
        in bits."""
        if not math.isnan(estimate.se_bits):
            return estimate.se_bits
        width = estimate.high_bits - estimate.low_bits
        return self.tolerance_bits if math.isnan(width) else width / (2 * HALF_WIDTH)

    def _check(self, estimate: Estimate, n: int) -> None:
        """Raise where an estimate from n samples breaks the contract or exceeds its ceiling."""
        if not isinstance(estimate, Estimate):
            raise self.failure("contract", f"expected an Estimate, got {estimate!r}")
        name, bound = self.estimator.name, self.estimator.bound
        value, low, high = estimate.value_bits, estimate.low_bits, estimate.high_bits
        within = low <= value <= high or (math.isnan(low) and math.isnan(high))
        wrong = {
            f"estimator: expected {name!r}, got {estimate.estimator}": estimate.estimator != name,
            f"bound: expected {bound!r}, got {estimate.bound!r}": (
                bound not in {"none", estimate.bound}
            ),
            f"value_bits: expected a number, got {value}": not math.isfinite(value),
            f"n_samples: expected 1 to {n}, got {estimate.n_samples}": (
                not 1 <= estimate.n_samples <= n
            ),
            f"expected {value} bits within [{low}, {high}]": not within,
            f"se_bits: expected 0 or more, got {estimate.se_bits}": estimate.se_bits < 0,
        }
        for numbers, fails in wrong.items():
            if fails:
                raise self.failure("contract", numbers)
        # A sum of logarithms may exceed it by rounding.
        if not value <= estimate.ceiling_bits + 1e-9:
            raise self.failure("ceiling", f"{value} bits above {estimate.ceiling_bits} bits")


def are_equal(first: Estimate, second: Estimate) -> bool:
    """Whether two estimates are equal to the last digit; NaN equals NaN."""
    pairs = ((getattr(first, f.name), getattr(second, f.name)) for f in fields(Estimate))
    return all(a == b or (a != a and b != b) for a, b in pairs)  # noqa: PLR0124 - NaN


def _bytes(array: Array | None) -> bytes:
    return b"" if array is None else f"{array.dtype}{array.shape}".encode() + array.tobytes()
