"""Every case's truth against an independent computation on its own samples, with its error."""

import math

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import multivariate_t

from fctestbed.calibration import CASES, GROUPS, Case
from fctestbed.calibration.continuous import bpsk_bits, gaussian, student
from fctestbed.calibration.discrete import bits_through_bec, bits_through_bsc, skewed_symbols
from fctestbed.estimators import ESTIMATORS

N = 100_000
BY_NAME = {case.name: case for case in CASES}
# Each draw's law by name: how its pointwise information is computed here, in bits.
STUDENTS = {"Student, nu 1, 1 + 1 dims": (1, 1.0), "Student, nu 2, 2 + 2 dims": (2, 2.0)}
NOISES = {"1 bit in noise 1": 1.0, "3 bits in noise 0.5": 0.5}


def codes(*columns):
    rows = np.column_stack([c.reshape(len(c), -1) for c in columns])
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)


def histogram_bits(x, y, z):
    """Plug-in information, its first-order bias taken off, and its standard error."""
    z = np.zeros(len(x)) if z is None else z
    xz, yz, xyz, z = (codes(*part) for part in ((x, z), (y, z), (x, y, z), (z,)))
    logs = [np.log2(np.bincount(code)[code]) for code in (xyz, z, xz, yz)]
    local = logs[0] + logs[1] - logs[2] - logs[3]
    sizes = [code.max() + 1 for code in (xyz, z, xz, yz)]
    freedom = sizes[0] + sizes[1] - sizes[2] - sizes[3]
    bias = freedom / (2 * len(x) * math.log(2))
    # Near independence the error is of the bias's size.
    return local.mean() - bias, local.std() / math.sqrt(len(x)) + abs(bias)


def covariance_bits(x, y, z):
    """Gaussian information of the sample's covariance, and its standard error."""
    x, y = (a.reshape(len(a), -1) for a in (x, y))
    z = np.zeros((len(x), 0)) if z is None else z.reshape(len(z), -1)

    def log_det(*parts):
        both = np.hstack(parts)
        return np.linalg.slogdet(np.cov(both.T).reshape(both.shape[1], -1))[1] if both.size else 0.0

    nats = (log_det(x, z) + log_det(y, z) - log_det(z) - log_det(x, y, z)) / 2
    dims = x.shape[1] * y.shape[1]
    bias = dims / (2 * len(x))
    # At most one for each pair; under independence that of chi squared.
    error = math.sqrt(2 * nats / len(x)) + math.sqrt(2 * dims) / (2 * len(x))
    return (nats - bias) / math.log(2), error / math.log(2)


def mean_and_error(pointwise):
    return pointwise.mean(), pointwise.std() / math.sqrt(len(pointwise))


def student_bits(x, y, dim, degrees):
    def log_density(values):
        return multivariate_t(np.zeros(values.shape[1]), df=degrees).logpdf(values)

    nats = log_density(np.hstack([x, y])) - log_density(x) - log_density(y)
    assert x.shape[1] == dim
    return mean_and_error(nats / math.log(2))


def noisy_bits(x, sent, noise):
    x, sent = (a.reshape(len(a), -1) for a in (x, sent))
    lost = np.logaddexp(0, -2 * x * (2 * sent - 1) / noise**2) / math.log(2)
    return mean_and_error((1 - lost).sum(1))


def independent_value(case, x, y, z):
    if case.name in STUDENTS:
        return student_bits(x, y, *STUDENTS[case.name])
    if case.name in NOISES:
        return noisy_bits(x, y, NOISES[case.name])
    if case.name == "xor in noise 0.5 given the other bit":
        return noisy_bits(x, y ^ z, 0.5)
    if case.name == "8 bits through BSC(0.05)":
        # Its table has more cells than there are samples.
        pointwise = np.where(x == y, math.log2(2 * 0.95), math.log2(2 * 0.05)).sum(1)
        return mean_and_error(pointwise)
    if case.kind == "discrete":
        return histogram_bits(x, y, z)
    if "margins cube" in case.name:
        x, y = np.cbrt(x), np.cbrt(y)
    if "margins uniform" in case.name:
        x, y = ndtri(x), ndtri(y)
    return covariance_bits(x, y, z)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_truth_is_what_the_samples_say(case):
    value, error = independent_value(case, *case.draw(np.random.default_rng(0), N))
    assert value == pytest.approx(case.true_bits, abs=4 * error + 1e-12)
    # The check has to be able to fail.
    assert error < 0.01 + 0.01 * case.true_bits


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_draws_are_of_the_kind_and_length_that_they_say_and_follow_the_generator(case):
    x, y, z = case.draw(np.random.default_rng(3), 50)
    again = case.draw(np.random.default_rng(3), 50)
    other = case.draw(np.random.default_rng(4), 50)
    assert (z is not None) == case.conditional
    for array, same in zip((x, y, z), again, strict=True):
        assert array is None or (len(array) == 50 and array.ndim in {1, 2})
        np.testing.assert_array_equal(array, same)
    assert not np.array_equal(x, other[0])
    assert np.issubdtype(x.dtype, np.integer) == (case.kind == "discrete")
    assert np.issubdtype(y.dtype, np.integer) == (case.kind in {"discrete", "mixed"})


def test_known_values_of_students_and_channels():
    # By quadrature: 0.2242 and 0.1931 nats.
    assert student(1, 1.0).true_bits == pytest.approx(0.22417 / math.log(2), abs=1e-4)
    assert student(2, 2.0).true_bits == pytest.approx(0.19315 / math.log(2), abs=1e-4)
    assert bits_through_bsc(2, 0.11).true_bits == pytest.approx(2 * 0.5000842, abs=1e-6)
    assert bits_through_bec(4, 0.25).true_bits == 3.0
    # By 30-digit quadrature.
    assert bpsk_bits(1.0) == pytest.approx(0.485944, abs=1e-6)
    assert bpsk_bits(0.5) == pytest.approx(0.912822, abs=1e-6)
    assert gaussian((0.0,), 3).true_bits == 0.0
    assert skewed_symbols(2, 1.0).true_bits == pytest.approx(
        -(2 / 3) * math.log2(2 / 3) - (1 / 3) * math.log2(1 / 3)
    )


def test_the_grid_asks_every_question_under_names_of_their_own():
    assert len(BY_NAME) == len(CASES)
    assert set(GROUPS) == {
        "nothing", "channels", "gaussian", "bits in noise", "conditional", "synergy",
        "heavy tails", "margins", "high MI", "high dimension",
    }  # fmt: skip
    for group in ("conditional", "synergy"):
        assert any(case.conditional for case in CASES if case.group == group)
    assert {case.kind for case in CASES} == {"discrete", "continuous", "mixed"}
    assert max(case.true_bits for case in CASES) == pytest.approx(8.0)


def test_a_tolerance_is_stated_for_the_estimators_whose_law_it_is_and_grows_as_samples_shrink():
    case = bits_through_bsc(1, 0.1)
    assert case.tolerance_bits == pytest.approx(0.01 + 0.01 * case.true_bits)
    assert case.tolerance_at("miller-madow", 1000) == case.tolerance_bits
    assert case.tolerance_at("miller-madow", 10_000) == case.tolerance_bits
    assert case.tolerance_at("miller-madow", 200) == pytest.approx(5 * case.tolerance_bits)
    assert math.isnan(case.tolerance_at("miller-madow", 39))
    assert math.isnan(case.tolerance_at("ksg1", 1000))
    assert all(name in ESTIMATORS for case in CASES for name in case.exact)
    assert all(case.kind in ESTIMATORS[name].kinds for case in CASES for name in case.exact)


def test_a_case_of_ones_own_is_a_record():
    def draw(rng, n):
        x = rng.integers(0, 2, n)
        return x, x, None

    case = Case(name="copy", group="mine", kind="discrete", true_bits=1.0, draw=draw)
    assert math.isnan(case.tolerance_at("plugin", 1000))
