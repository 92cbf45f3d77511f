"""Every registered estimator passes its check; one broken in each way does not."""

import dataclasses
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

import numpy as np
import pytest

from fctestbed.estimators import ESTIMATORS, Estimator, make_estimator
from fctestbed.estimators.discrete import Plugin
from fctestbed.estimators.gaussian import Gaussian
from fctestbed.estimators.probes import ProbeSettings
from fctestbed.estimators.variational.base import CriticEstimator, TrainedEstimator
from fctestbed.testing import EstimatorCheckFailed, check_estimator

ALWAYS = {"bad input", "determinism", "ceiling", "independence", "data processing"}
TRAINED = [name for name, kind in ESTIMATORS.items() if issubclass(kind, TrainedEstimator)]
# They differ in what they make of scores: columns of any kind become inputs of all critics alike,
# which the others are checked on.
UNCONDITIONAL_CRITICS = [
    name
    for name, kind in ESTIMATORS.items()
    if issubclass(kind, CriticEstimator) and not kind.conditional
]
NOT_TRAINED = [name for name in ESTIMATORS if name not in TRAINED]
# A check makes some 30 estimates: small networks, trained until they find the dependence.
QUICK_TRAINING = {"steps": 50, "rate": 2e-3, "batch": 64, "hidden": (32,), "patience": 4}
QUICK_PROBES = {"usable-mlp": {"probe": ProbeSettings(steps=60, hidden=(32,))}}


def assert_passed(name, passed):
    kind = ESTIMATORS[name]
    assert passed >= ALWAYS
    assert ("symmetry" in passed) == kind.symmetric
    assert ("chain rule" in passed) == (kind.conditional and kind.target == "information")
    assert ("bound direction" in passed) == (kind.bound != "none" or name == "gaussian-copula")


@pytest.mark.parametrize("name", NOT_TRAINED)
def test_registered_estimators_pass(name):
    estimator = make_estimator(name, **QUICK_PROBES.get(name, {}))
    assert_passed(name, set(check_estimator(estimator, n_samples=300)))


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_registered_trained_estimators_pass(name):
    estimator = make_estimator(name, **QUICK_TRAINING)
    kinds = ["mixed"] if name in UNCONDITIONAL_CRITICS else None
    assert_passed(name, set(check_estimator(estimator, n_samples=300, kinds=kinds)))


@dataclass(frozen=True, kw_only=True)
class Changed(Gaussian):
    """The Gaussian estimator with its answer, or its input, changed."""

    symmetric: ClassVar[bool] = True
    kinds: ClassVar[frozenset[str]] = frozenset({"continuous"})

    @property
    def invariant_to(self):
        return frozenset({"order"})

    def change(self, estimate, x, y, given):
        return estimate

    def estimate(self, x, y, given=None):
        return self.change(super().estimate(x, y, given), x, y, given)


def add(estimate, bits):
    """As much more, interval and all."""
    names = ("value_bits", "low_bits", "high_bits")
    return dataclasses.replace(estimate, **{name: getattr(estimate, name) + bits for name in names})


class WritesToItsInput(Changed):
    def change(self, estimate, x, y, given):
        x[0] = 0
        return estimate


class SaysAnotherName(Changed):
    def change(self, estimate, x, y, given):
        return dataclasses.replace(estimate, estimator="other")


class SaysAnotherBound(Changed):
    bound = "upper"

    def change(self, estimate, x, y, given):
        return dataclasses.replace(estimate, bound="lower")


class AnswersInNumbers(Changed):
    def change(self, estimate, x, y, given):
        return estimate.value_bits


class IsOutsideItsInterval(Changed):
    def change(self, estimate, x, y, given):
        return dataclasses.replace(estimate, low_bits=estimate.high_bits)


class HasANegativeError(Changed):
    def change(self, estimate, x, y, given):
        return dataclasses.replace(estimate, se_bits=-0.1)


class CountsTooMany(Changed):
    def change(self, estimate, x, y, given):
        return dataclasses.replace(estimate, n_samples=len(x) + 1)


class IsNotANumber(Changed):
    def change(self, estimate, x, y, given):
        return dataclasses.replace(estimate, value_bits=np.nan)


class PassesItsCeiling(Changed):
    def change(self, estimate, x, y, given):
        return dataclasses.replace(estimate, ceiling_bits=2.0)


class Drifts(Changed):
    calls: ClassVar = count()

    def change(self, estimate, x, y, given):
        return add(estimate, 1e-6 * next(self.calls))


class IsLopsided(Changed):
    def change(self, estimate, x, y, given):
        return add(estimate, 0.01 * float(np.mean(x[:10])))


class MindsTheOrder(Changed):
    def change(self, estimate, x, y, given):
        return add(estimate, 0.01 * abs(float(x.flat[0] * y.flat[0])))


class MindsUnits(Changed):
    @property
    def invariant_to(self):
        return frozenset({"scaling"})

    def change(self, estimate, x, y, given):
        return add(estimate, 0.001 * float(np.std(x) * np.std(y)))


class MindsLinearMaps(Changed):
    @property
    def invariant_to(self):
        return frozenset({"linear"})

    def change(self, estimate, x, y, given):
        return add(estimate, 0.001 * float(np.std(x) * np.std(y)))


class MindsMonotoneMaps(Changed):
    @property
    def invariant_to(self):
        return frozenset({"monotone"})


class SeesWhatIsNotThere(Changed):
    def change(self, estimate, x, y, given):
        return add(estimate, 0.3)


class GainsByProcessing(Changed):
    def change(self, estimate, x, y, given):
        return add(estimate, 2.0 if np.std(x) > 1.2 else 0.0)


class CountsTheConditionTwice(Changed):
    def change(self, estimate, x, y, given):
        return estimate if given is None else add(estimate, 0.6)


class ClaimsToBeLower(Changed):
    bound = "lower"

    def change(self, estimate, x, y, given):
        strong = estimate.value_bits > 0.1
        return dataclasses.replace(add(estimate, 0.4 if strong else 0), bound="lower")


class ClaimsToBeUpper(Changed):
    bound = "upper"

    def change(self, estimate, x, y, given):
        strong = estimate.value_bits > 0.1
        return dataclasses.replace(add(estimate, -0.4 if strong else 0), bound="upper")


class ClaimsToBeExact(ClaimsToBeLower):
    bound = "exact"

    def change(self, estimate, x, y, given):
        return dataclasses.replace(super().change(estimate, x, y, given), bound="exact")


class TakesNaN(Changed):
    def estimate(self, x, y, given=None):
        if np.asarray(x).dtype == float and len(x) == len(y):
            x, y = np.nan_to_num(x), np.nan_to_num(y)
        return super().estimate(x, y, given)


class TakesOtherLengths(Changed):
    def estimate(self, x, y, given=None):
        n = min(len(x), len(y))
        return super().estimate(x[:n], y[:n], given)


class TakesObjects(Changed):
    def estimate(self, x, y, given=None):
        x, y = (np.nan_to_num(a.astype(float)) if a.dtype == object else a for a in (x, y))
        return super().estimate(x, y, given)


class RaisesSomethingElse(Changed):
    def estimate(self, x, y, given=None):
        if len(x) < 2:
            raise IndexError("too few")
        return super().estimate(x, y, given)


class SaysLittle(Changed):
    def estimate(self, x, y, given=None):
        if len(x) < 2:
            raise ValueError("no")
        return super().estimate(x, y, given)


class SwallowsTheCondition(Changed):
    conditional = False

    def estimate(self, x, y, given=None):
        return super().estimate(x, y)


class MindsLabels(Plugin):
    symmetric: ClassVar[bool] = False
    kinds: ClassVar[frozenset[str]] = frozenset({"discrete"})

    @property
    def invariant_to(self):
        return frozenset({"relabelling"})

    def estimate(self, x, y, given=None):
        return add(super().estimate(x, y, given), -0.001 * abs(float(np.mean(x))))


BROKEN = [
    (WritesToItsInput, "inputs unchanged", "x is not what it was"),
    (SaysAnotherName, "contract", "estimator: expected 'gaussian', got other"),
    (SaysAnotherBound, "contract", "bound: expected 'upper', got 'lower'"),
    (AnswersInNumbers, "contract", "expected an Estimate, got"),
    (IsOutsideItsInterval, "contract", "bits within"),
    (HasANegativeError, "contract", "se_bits: expected 0 or more, got -0.1"),
    (CountsTooMany, "contract", "n_samples: expected 1 to 500, got 501"),
    (IsNotANumber, "contract", "value_bits: expected a number, got nan"),
    (PassesItsCeiling, "ceiling", "bits above 2.0 bits"),
    (Drifts, "determinism", "the second"),
    (IsLopsided, "symmetry", "bits before"),
    (MindsTheOrder, "order", "bits before"),
    (MindsUnits, "scaling", "bits before"),
    (MindsLinearMaps, "linear", "bits before"),
    (MindsMonotoneMaps, "monotone", "bits before"),
    (MindsLabels, "relabelling", "bits before"),
    (SeesWhatIsNotThere, "independence", "expected intervals that cover 0"),
    (GainsByProcessing, "data processing", "bits after processing"),
    (CountsTheConditionTwice, "chain rule", "I(X;Y|Z) ="),
    (ClaimsToBeLower, "bound direction", "lower: "),
    (ClaimsToBeUpper, "bound direction", "upper: "),
    (ClaimsToBeExact, "bound direction", "exact: "),
    (TakesNaN, "bad input", "NaN in x: expected a ValueError, got Estimate"),
    (TakesOtherLengths, "bad input", "unequal lengths: expected a ValueError, got Estimate"),
    (TakesObjects, "bad input", "objects in x: expected a ValueError, got Estimate"),
    (RaisesSomethingElse, "bad input", "one sample: expected a ValueError, got IndexError"),
    (SaysLittle, "bad input", "one sample: expected one line that begins with"),
    (SwallowsTheCondition, "bad input", "a condition without a form for it: expected a Value"),
]


@pytest.mark.parametrize(
    ("kind", "clause", "numbers"), BROKEN, ids=lambda v: getattr(v, "__name__", None)
)
def test_an_estimator_that_breaks_a_clause_fails_it(kind, clause, numbers):
    with pytest.raises(EstimatorCheckFailed) as failure:
        check_estimator(kind(), n_samples=500)
    assert failure.value.clause == clause
    assert isinstance(failure.value.estimator, kind)
    assert kind.__name__ in str(failure.value)
    assert numbers in str(failure.value)


def test_what_is_no_estimator_fails_the_contract():
    with pytest.raises(ValueError, match=r"^estimator: expected an Estimator, got "):
        check_estimator(object())

    class Nameless(Estimator):
        def estimate(self, x, y, given=None):
            raise ValueError("x: no")

    with pytest.raises(EstimatorCheckFailed, match=r"contract: .*: expected a class with name"):
        check_estimator(Nameless())


def test_kinds_that_an_estimator_does_not_claim_are_refused():
    with pytest.raises(ValueError, match="kinds: expected some of continuous, got"):
        check_estimator(Gaussian(), kinds=["discrete"])
    assert check_estimator(make_estimator("mixed-ksg"), kinds=["continuous"], n_samples=300)


def test_without_hypothesis_the_strategies_say_what_they_need():
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "from fctestbed.testing import check_estimator\n"
        "try:\n    from fctestbed.testing import gaussian_pairs\n"
        "except ModuleNotFoundError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == (
        "fctestbed.testing.strategies: expected hypothesis, got none: "
        "pip install 'fctestbed[test]'\n"
    )
