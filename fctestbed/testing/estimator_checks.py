"""``check_estimator``: an estimator against its own claims and the laws of information.

Owns the court: how a clause asks the estimator, and how it fails. The clauses are
``estimator_clauses``'s.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators import HALF_WIDTH, Estimate, Estimator, Kind


class EstimatorCheckFailed(AssertionError):  # noqa: N818 - it says what happened
    """An estimator broke a clause; the message names both, and the numbers.

    Attributes:
        clause: the clause's name.
        estimator: the estimator.
    """

    def __init__(self, clause: str, estimator: object, numbers: str) -> None:
        super().__init__(f"{clause}: {estimator!r}: {numbers}")
        self.clause = clause
        self.estimator = estimator


@dataclass
class Court:
    """Puts questions to an estimator, and holds every answer to the contract.

    Attributes:
        estimator: who is asked.
        kinds: the kinds of pairs that it is asked about.
        n_samples: samples in each question.
        seed: seed of the samples.
        tolerance_bits: what may be missing from equalities that hold of the truth only.
    """

    estimator: Estimator
    kinds: tuple[Kind, ...]
    n_samples: int
    seed: int
    tolerance_bits: float
    _answers: dict[bytes, Estimate] = field(default_factory=dict)

    def rng(self, clause: int = 0) -> np.random.Generator:
        """A generator; the same at each call."""
        return np.random.default_rng([self.seed, clause])

    def fail(self, clause: str, numbers: str) -> EstimatorCheckFailed:
        """The error to raise."""
        return EstimatorCheckFailed(clause, self.estimator, numbers)

    def ask(self, x: NDArray[Any], y: NDArray[Any], given: NDArray[Any] | None = None) -> Estimate:
        """The estimate, the same question asked once only."""
        key = b"|".join(_bytes(array) for array in (x, y, given))
        if key not in self._answers:
            self._answers[key] = self.ask_again(x, y, given)
        return self._answers[key]

    def ask_again(
        self, x: NDArray[Any], y: NDArray[Any], given: NDArray[Any] | None = None
    ) -> Estimate:
        """The estimate, asked anew, with the arrays and the answer looked over."""
        before = [_bytes(array) for array in (x, y, given)]
        # One that has no conditional form need not know the argument.
        answer = (
            self.estimator.estimate(x, y) if given is None else self.estimator.estimate(x, y, given)
        )
        for name, array, old in zip(("x", "y", "given"), (x, y, given), before, strict=True):
            if _bytes(array) != old:
                raise self.fail("inputs unchanged", f"{name} is not what it was before the call")
        self._look_over(answer, len(x))
        return answer

    def _look_over(self, answer: Estimate, n: int) -> None:
        if not isinstance(answer, Estimate):
            raise self.fail("contract", f"expected an Estimate, got {answer!r}")
        cls = self.estimator
        if answer.estimator != cls.name:
            raise self.fail("contract", f"estimator: expected {cls.name!r}, got {answer.estimator}")
        if cls.bound not in {"none", answer.bound}:
            raise self.fail("contract", f"bound: expected {cls.bound!r}, got {answer.bound!r}")
        if not math.isfinite(answer.value_bits):
            raise self.fail("contract", f"value_bits: expected a number, got {answer.value_bits}")
        if not 1 <= answer.n_samples <= n:
            raise self.fail("contract", f"n_samples: expected 1 to {n}, got {answer.n_samples}")
        low, high = answer.low_bits, answer.high_bits
        if not (low <= answer.value_bits <= high or (math.isnan(low) and math.isnan(high))):
            raise self.fail("contract", f"expected {answer.value_bits} bits within [{low}, {high}]")
        if answer.se_bits < 0:
            raise self.fail("contract", f"se_bits: expected 0 or more, got {answer.se_bits}")
        # A sum of logarithms may be rounded past it.
        if not answer.value_bits <= answer.ceiling_bits + 1e-9:
            raise self.fail("ceiling", f"{answer.value_bits} bits above {answer.ceiling_bits} bits")


def standard_error_bits(answer: Estimate, otherwise: float) -> float:
    """Its standard error, or the one that its interval stands for; ``otherwise`` without both."""
    if not math.isnan(answer.se_bits):
        return answer.se_bits
    width = answer.high_bits - answer.low_bits
    return otherwise if math.isnan(width) else width / (2 * HALF_WIDTH)


def check_estimator(
    estimator: Estimator,
    *,
    n_samples: int = 1000,
    seed: int = 0,
    tolerance_bits: float = 0.1,
    kinds: Collection[Kind] | None = None,
) -> tuple[str, ...]:
    """Hold an estimator to the contract, to what its class claims, and to laws of information.

    Clauses: contract, inputs unchanged, ceiling (on every call, and on strong dependence);
    determinism; symmetry and invariances where claimed (``Estimator.symmetric``,
    ``invariant_to``); independence (the interval covers 0; that of a lower bound reaches down to
    it, that of an upper bound up); data processing; chain rule, if it has a conditional form and
    aims at the information (``Estimator.target``), on the kinds of condition that it takes;
    bound direction on known truths (within three standard errors); bad input refused.

    Args:
        estimator: the one to check.
        n_samples: samples in each data set, some 20 to 40 of which are made.
        seed: seed of the data.
        tolerance_bits: by how much the chain rule may be missed beyond three standard errors, and
            what stands for a standard error where there is no interval.
        kinds: kinds of pairs to check, those of ``Estimator.kinds`` by default.

    Returns:
        Names of the clauses that were put to it, all of which it passed.

    Raises:
        EstimatorCheckFailed: at the first clause that fails.
        ValueError: for kinds that the estimator does not claim.
    """
    from fctestbed.testing.estimator_clauses import (  # noqa: PLC0415 - it needs the court
        CLAUSES,
    )

    if not isinstance(estimator, Estimator):
        raise EstimatorCheckFailed("contract", estimator, "expected an Estimator")
    for name in ("name", "bound", "target", "conditional", "kinds", "symmetric"):
        if not hasattr(estimator, name):
            raise EstimatorCheckFailed("contract", estimator, f"expected a class with {name}")
    claimed = [kind for kind in ("discrete", "continuous", "mixed") if kind in estimator.kinds]
    asked: list[Any] = claimed if kinds is None else sorted(kinds)
    if not asked or not set(asked) <= set(claimed):
        raise ValueError(f"kinds: expected some of {', '.join(claimed)}, got {kinds!r}")
    court = Court(estimator, tuple(asked), n_samples, seed, tolerance_bits)
    return tuple(name for name, clause in CLAUSES.items() if clause(court))


def same(first: Estimate, second: Estimate) -> bool:
    """Whether two estimates are equal to the last digit, NaN included."""
    pairs = ((getattr(first, f.name), getattr(second, f.name)) for f in fields(Estimate))
    return all(a == b or (a != a and b != b) for a, b in pairs)  # noqa: PLR0124 - NaN


def _bytes(array: NDArray[Any] | None) -> bytes:
    return b"" if array is None else f"{array.dtype}{array.shape}".encode() + array.tobytes()
