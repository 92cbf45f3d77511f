import numpy as np
import pytest

from fctestbed.estimators import make_estimator
from fctestbed.information import nats_to_bits
from fctestbed.laws import GaussianPair, GaussianTriple

REPEATS = 200
# 95 % of 200 repeats with three standard errors of sqrt(.95 .05 / 200) = 1.5 %.
LEAST_COVERED, MOST_COVERED = 0.904, 0.996


def estimates(name, truth, n, repeats=REPEATS, seed=0):
    rng = np.random.default_rng(seed)
    return [make_estimator(name).estimate(*truth.sample(n, rng)) for _ in range(repeats)]


CASES = {
    "independent": (GaussianPair((0.0,)), 50),
    "one pair": (GaussianPair((0.9,)), 50),
    "three weak pairs": (GaussianPair((0.2, 0.1, 0.3)), 100),
    "ten columns": (GaussianPair((0.7, *[0.0] * 9)), 100),
    "conditional": (GaussianTriple(0.7, 0.5), 60),
}


@pytest.mark.parametrize("case", CASES)
def test_the_gaussian_is_unbiased_and_its_intervals_cover(case):
    truth, n = CASES[case]
    found = estimates("gaussian", truth, n)
    values = np.array([e.value_bits for e in found])
    standard_error = values.std(ddof=1) / np.sqrt(REPEATS)
    assert abs(values.mean() - truth.true_bits) < 4 * standard_error
    covered = np.mean([e.low_bits <= truth.true_bits <= e.high_bits for e in found])
    assert LEAST_COVERED <= covered <= MOST_COVERED


def test_the_bias_of_many_columns_is_taken_off():
    # 25 x 25 columns at n = 2000: the maximum-likelihood value is 1.169 nats for 1.022.
    truth = GaussianPair((0.8, 0.8, *[0.0] * 23))
    found = [e.value_bits for e in estimates("gaussian", truth, 2000, repeats=10)]
    standard_error = np.std(found, ddof=1) / np.sqrt(10)
    assert abs(np.mean(found) - truth.true_bits) < 4 * standard_error
    assert truth.true_bits == pytest.approx(nats_to_bits(1.0217), abs=1e-3)


def test_without_bias_the_value_is_that_of_the_sample_correlation():
    rng = np.random.default_rng(0)
    x, y = GaussianPair((0.6,)).sample(100_000, rng)
    rho = np.corrcoef(x[:, 0], y[:, 0])[0, 1]
    found = make_estimator("gaussian").estimate(x, y).value_bits
    # The bias of one pair is 1/2n.
    assert found == pytest.approx(nats_to_bits(-0.5 * np.log1p(-(rho**2)) - 5e-6), abs=1e-6)


def test_the_copula_does_not_mind_margins_and_says_lower_for_one_column_each():
    x, y = GaussianPair((0.8,)).sample(1000, np.random.default_rng(1))
    copula = make_estimator("gaussian-copula")
    plain, stretched = copula.estimate(x, y), copula.estimate(np.exp(3 * x), y**3)
    assert plain.value_bits == pytest.approx(stretched.value_bits)
    assert plain.bound == "lower"
    assert copula.estimate(np.hstack([x, x**2]), y).bound == "none"
    assert copula.estimate(x, y, x + y + x**2).bound == "none"


@pytest.mark.parametrize("case", ["square", "gaussian"])
def test_the_copula_is_a_lower_bound_for_one_column_each(case):
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(50):
        x, noise = rng.standard_normal((2, 500))
        if case == "square":
            # X is uniform on a circle's first coordinate: far more information than correlation.
            y, truth = np.abs(x) + 0.1 * noise, 1.5
        else:
            y, truth = 0.8 * x + 0.6 * noise, GaussianPair((0.8,)).true_bits
        estimate = make_estimator("gaussian-copula").estimate(x, y)
        covered.append(estimate.value_bits <= truth + 3 * estimate.se_bits)
    assert all(covered)


def test_correlation_sees_nothing_of_an_even_function():
    x = np.random.default_rng(3).standard_normal(2000)
    estimate = make_estimator("gaussian").estimate(x, np.cos(x))
    assert abs(estimate.value_bits) < 0.05
    assert make_estimator("ksg1").estimate(x, np.cos(x)).value_bits > 2


def test_bound_none_is_said_because_nobody_knows_that_data_are_gaussian():
    x, y = GaussianPair((0.8,)).sample(100, np.random.default_rng(4))
    estimate = make_estimator("gaussian").estimate(x, y)
    assert estimate.bound == "none"
    assert estimate.ceiling_bits == np.inf


def noisy_copies():
    rng = np.random.default_rng(4)
    bit = rng.integers(0, 2, 2000)
    yield bit, bit ^ (rng.random(2000) < 0.1)
    rating = rng.integers(1, 6, 2000)
    yield rating, np.minimum(rating + (rng.random(2000) < 0.1), 5)
    count = rng.poisson(2, 2000)
    yield count, count + rng.poisson(1, 2000)
    filled = np.where(rng.random(2000) < 0.3, 0.0, rng.normal(size=2000))
    yield filled, filled + 0.1 * rng.normal(size=2000)


@pytest.mark.parametrize("name", ["gaussian", "gaussian-copula"])
def test_values_that_repeat_bound_nothing_and_have_no_interval(name):
    for x, y in noisy_copies():
        estimate = make_estimator(name).estimate(x, y)
        assert estimate.bound == "none"
        assert "share one value" in estimate.note
        assert np.isnan(estimate.high_bits)


def test_a_few_equal_values_leave_the_copula_a_lower_bound():
    rng = np.random.default_rng(5)
    x = rng.normal(size=500)
    x[:4] = x[4:8]
    estimate = make_estimator("gaussian-copula").estimate(x, x + rng.normal(size=500))
    assert estimate.bound == "lower"
    assert not estimate.note
