"""Certified lower bounds are below the truth as often as they say."""

import numpy as np
import pytest

from fctestbed.real_data import certified_lower_bound_bits
from fctestbed.real_data.certified import entropy_lower_bound_bits, mean_upper_bound


def binary_entropy(p: float) -> float:
    return float(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)))


@pytest.mark.parametrize("mean", [0.02, 0.3, 0.9])
def test_the_mean_s_bound_fails_no_more_often_than_it_says(mean: float) -> None:
    rng = np.random.default_rng(0)
    n, n_tried, failure = 60, 400, 0.1
    values = (rng.random((n_tried, n)) < mean).astype(float)
    fails = sum(mean_upper_bound(one, failure) < mean for one in values)
    # Four standard errors of a share of 0.1 among 400.
    assert fails / n_tried < failure + 4 * np.sqrt(failure * (1 - failure) / n_tried)


def test_the_mean_s_bound_is_near_the_mean_of_many_values() -> None:
    values = np.random.default_rng(0).random(4000) * 0.1
    assert values.mean() < mean_upper_bound(values, 0.05) < values.mean() + 0.01
    assert mean_upper_bound(np.ones(50), 0.05) == 1.0


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.9, 0.1), (0.2, 0.3, 0.5), (0.97, 0.01, 0.02)])
def test_the_entropy_s_bound_fails_no_more_often_than_it_says(shares: tuple[float, ...]) -> None:
    rng = np.random.default_rng(0)
    p, failure = np.array(shares), 0.1
    truth = float(-(p * np.log2(p)).sum())
    counts = rng.multinomial(80, p, size=300)
    bounds = [entropy_lower_bound_bits(one, failure) for one in counts]
    assert sum(bound > truth for bound in bounds) / 300 < failure + 4 * np.sqrt(0.09 / 300)
    assert np.mean(bounds) > truth - 0.35


def test_the_entropy_s_bound_of_two_classes_is_that_of_clopper_and_pearson() -> None:
    # scipy.stats.binomtest(80, 100).proportion_ci(0.95) is [0.708157, 0.873344].
    found = entropy_lower_bound_bits(np.array([80, 20]), 0.05)
    assert found == pytest.approx(binary_entropy(0.873344448), abs=1e-5)
    assert entropy_lower_bound_bits(np.array([50, 0]), 0.05) == 0.0


def test_of_a_known_channel_the_bound_is_below_the_information() -> None:
    rng = np.random.default_rng(0)
    flipped, n = 0.1, 500
    truth = 1 - binary_entropy(flipped)
    bounds = []
    for _ in range(100):
        y = rng.integers(0, 2, n)
        z = y ^ (rng.random(n) < flipped)
        q = np.where(np.arange(2) == z[:, None], 1 - flipped, flipped)
        bounds.append(certified_lower_bound_bits(np.log2(q), y))
    found = np.array(bounds, float)
    assert (found > truth).mean() <= 0.05
    assert found.mean() > truth - 0.2


def test_nothing_is_certified_of_independent_labels_nor_below_0() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    q = rng.dirichlet((1, 1), 200)
    assert certified_lower_bound_bits(np.log2(q), y) == 0.0


def test_predictions_of_probability_0_do_not_break_the_bound() -> None:
    y = np.array([0, 1] * 200)
    logs = np.where(np.arange(2) == y[:, None], 0.0, -np.inf)
    found = certified_lower_bound_bits(logs, y)
    assert found is not None
    assert 0.8 < found < 1
    logs[0] = logs[1]
    worse = certified_lower_bound_bits(logs, y)
    assert worse is not None
    assert worse < found


def test_many_classes_have_no_certified_bound() -> None:
    assert certified_lower_bound_bits(np.full((5, 11), -np.log2(11)), np.arange(5)) is None
