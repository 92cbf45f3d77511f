"""``check_estimator``: an estimator against its own claims and the laws of information.

May import ``fctestbed.estimators`` and ``fctestbed.laws``.
"""

from collections.abc import Collection, Iterator
from typing import Any

from fctestbed._plugins import described
from fctestbed.estimators import Estimator
from fctestbed.laws import Kind
from fctestbed.testing.estimator_clauses import ESTIMATOR_CLAUSES
from fctestbed.testing.estimator_subject import EstimatorCheckFailed, EstimatorSubject

_FEWEST = 100
_CLASS_ATTRIBUTES = ("name", "bound", "target", "conditional", "kinds", "symmetric")


def check_estimator(
    estimator: Estimator,
    *,
    n_samples: int = 1000,
    seed: int = 0,
    tolerance_bits: float = 0.1,
    kinds: Collection[Kind] | None = None,
) -> tuple[str, ...]:
    """Check an estimator against the contract, the claims of its class, and laws of information.

    Clauses: contract, inputs unchanged and ceiling (at every call, and on strong dependence);
    determinism; symmetry and invariances where claimed (``Estimator.symmetric``,
    ``invariant_to``); independence (the interval contains 0; that of a lower bound may lie below 0,
    that of an upper bound above it); data processing; chain rule, if the estimator has a
    conditional form and its target is the information (``Estimator.target``), on the kinds of
    condition that it accepts; bound direction on known information (within three standard errors);
    bad input refused.

    Args:
        estimator: the estimator.
        n_samples: samples in each data set; there are some 20 to 40 of them.
        seed: seed of the data.
        tolerance_bits: error allowed in the chain rule beyond three standard errors, and the
            standard error of an estimate that states neither error nor interval, in bits.
        kinds: kinds of pairs to check; those of ``Estimator.kinds`` by default.

    Returns:
        The names of the clauses that apply to the estimator, which passes all of them.

    Raises:
        EstimatorCheckFailed: at the first clause that is broken.
        ValueError: for kinds that the estimator does not claim.
    """
    applied = []
    for name, applies, failure in estimator_failures(
        estimator,
        n_samples=n_samples,
        seed=seed,
        tolerance_bits=tolerance_bits,
        kinds=kinds,
    ):
        if failure is not None:
            raise failure
        if applies:
            applied.append(name)
    return tuple(applied)


def estimator_failures(
    estimator: Estimator,
    *,
    n_samples: int = 1000,
    seed: int = 0,
    tolerance_bits: float = 0.1,
    kinds: Collection[Kind] | None = None,
) -> Iterator[tuple[str, bool, EstimatorCheckFailed | None]]:
    """Check the clauses one by one, the others after a broken one too.

    Args:
        estimator: the estimator.
        n_samples: as ``check_estimator``, like the next three.
        seed: likewise.
        tolerance_bits: likewise.
        kinds: likewise.

    Returns:
        The name of each clause, whether it applies to the estimator, and its failure or None. An
        error of the estimator's own is a failure of the clause. A class that lacks an attribute
        of estimators breaks the clause ``bad input``, the first one, alone.

    Raises:
        ValueError: for what is no estimator, fewer samples than 100, or kinds that the estimator
            does not claim.
    """
    if not isinstance(estimator, Estimator):
        raise ValueError(f"estimator: expected an Estimator, got {estimator!r}")
    for name in _CLASS_ATTRIBUTES:
        if not hasattr(estimator, name):
            expected = f"expected a class with {name}, got none"
            first = next(iter(ESTIMATOR_CLAUSES))
            yield first, True, EstimatorCheckFailed("contract", estimator, expected)
            return
    if isinstance(n_samples, bool) or not isinstance(n_samples, int) or n_samples < _FEWEST:
        raise ValueError(f"n_samples: expected a whole number from {_FEWEST}, got {n_samples!r}")
    claimed = [kind for kind in ("discrete", "continuous", "mixed") if kind in estimator.kinds]
    asked: list[Any] = claimed if kinds is None else sorted(kinds)
    if not asked or not set(asked) <= set(claimed):
        raise ValueError(f"kinds: expected some of {', '.join(claimed)}, got {kinds!r}")
    subject = EstimatorSubject(estimator, tuple(asked), n_samples, seed, tolerance_bits)
    for name, clause in ESTIMATOR_CLAUSES.items():
        applies, failure = True, None
        try:
            applies = clause(subject)
        except EstimatorCheckFailed as error:
            failure = error
        except KeyboardInterrupt:
            raise
        # A user's estimator may raise anything.
        except (Exception, SystemExit) as error:
            said = f"expected an estimate, got {described(error)}"
            failure = EstimatorCheckFailed(name, estimator, said)
        yield name, applies, failure
