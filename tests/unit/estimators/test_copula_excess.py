"""What neighbours find beyond a Gaussian copula, and how it widens the copula's interval."""

import numpy as np
import pytest

from fctestbed.estimators import make_estimator
from fctestbed.estimators.copula_excess import Excess, excesses, leading_pair, too_much, widened
from fctestbed.estimators.inputs import rescale


def scores(*variables):
    return tuple(
        None if v is None else rescale(np.reshape(v, (len(v), -1)), "normal") for v in variables
    )


def gaussian_nats(arrays):
    x, y, z = arrays
    return -0.5 * np.log1p(-(leading_pair(x, y, z)[2] ** 2))


def test_gaussian_samples_have_an_excess_of_some_standard_deviation():
    found = []
    for seed in range(20):
        x, noise = np.random.default_rng(seed).standard_normal((2, 300))
        (excess,) = excesses(scores(x, x + noise, None), gaussian_nats)
        found.append(excess.nats / excess.sd)
    # A mean of 20 and a simulated mean of 16, three standard errors.
    assert abs(np.mean(found)) < 1.1
    assert 0.5 < np.std(found) < 2.0


def test_dependence_beyond_correlation_is_too_much():
    draw = np.random.default_rng(0)
    x = draw.standard_normal(500)
    y = x + 0.25 * np.sign(draw.standard_normal(500))
    found = excesses(scores(x, y, None), gaussian_nats)
    assert found[0].nats > 5 * found[0].sd
    assert "nearest neighbours find information that differs by" in too_much(found)
    assert make_estimator("gaussian-copula").estimate(x, y).note


def test_of_several_columns_the_leading_pair_is_compared_too():
    draw = np.random.default_rng(1)
    x, y = draw.standard_normal((2, 300, 2))
    x[:, 1] += y[:, 0]
    assert len(excesses(scores(x, y, None), gaussian_nats)) == 2
    first, second, correlation = leading_pair(x, y, None)
    assert np.corrcoef(first[:, 0], second[:, 0])[0, 1] == pytest.approx(correlation)
    assert correlation >= abs(np.corrcoef(x[:, 1], y[:, 0])[0, 1]) - 1e-12


def test_what_a_condition_explains_is_taken_off_the_leading_pair():
    z = np.random.default_rng(2).standard_normal((400, 1))
    noise = np.random.default_rng(3).standard_normal((2, 400, 1))
    x, y = z + noise[0], z + noise[1]
    assert leading_pair(x, y, None)[2] > 0.4
    assert leading_pair(x, y, z)[2] < 0.15


def test_an_interval_reaches_over_each_excess_and_its_standard_deviation():
    assert widened(0.0, 1.0, [Excess(0.0, 0.1)]) == pytest.approx((-0.1, 1.1))
    assert widened(0.0, 1.0, [Excess(0.5, 0.1)]) == pytest.approx((0.0, 1.6))
    both = [Excess(-0.5, 0.1), Excess(0.2, 0.1)]
    assert widened(0.0, 1.0, both) == pytest.approx((-0.6, 1.3))
    assert too_much([Excess(0.3, 0.1)]) == ""
    assert "4 standard deviations" in too_much([Excess(-0.4, 0.1)])
    assert Excess(1.0, 0.0).deviations == 0.0
