"""The tests of a Gaussian copula pass Gaussian samples and find other dependence."""

import numpy as np
import pytest

from fctestbed.estimators import make_estimator
from fctestbed.estimators.inputs import rescale
from fctestbed.estimators.normality import henze_zirkler, not_gaussian_copula

TRIALS = 120


def rng(seed=0):
    return np.random.default_rng(seed)


def scores(*columns):
    return [rescale(np.reshape(column, (len(column), -1)), "normal") for column in columns]


@pytest.mark.parametrize(("n", "dim"), [(100, 2), (300, 2), (300, 6), (400, 8)])
def test_three_of_four_gaussian_copulas_pass(n, dim):
    mixing = np.eye(dim) + 0.4 / dim * rng(9).standard_normal((dim, dim))
    passed = sum(
        not not_gaussian_copula(scores(np.exp(rng(seed).standard_normal((n, dim)) @ mixing)))
        for seed in range(TRIALS)
    )
    # Three tests at 10 % that are partly the same: 70 to 90 %, and three standard errors.
    assert 0.57 < passed / TRIALS < 0.98


def test_strongly_correlated_gaussian_copulas_pass_too():
    passed = 0
    for seed in range(TRIALS // 2):
        x, noise = rng(seed).standard_normal((2, 300))
        passed += not not_gaussian_copula(scores(x, 0.99 * x + np.sqrt(1 - 0.99**2) * noise))
    assert 0.57 < passed / (TRIALS // 2) < 0.98


def test_scores_that_differ_in_one_pair_of_samples_are_no_error():
    x = np.sort(rng(6).standard_normal(300))
    y = x.copy()
    y[[150, 151]] = x[[151, 150]]
    assert "a Gaussian copula" in not_gaussian_copula(scores(x, y))
    assert make_estimator("gaussian-copula").estimate(x, y).value_bits > 6


def test_other_dependence_is_named():
    draw = rng(1)
    signal, other = draw.random((2, 300))
    noise = draw.standard_normal((2, 300))
    angle = 2 * np.pi * signal
    found = {
        "uniform noise": scores(signal, signal + other),
        "sine": scores(noise[0], np.sin(3 * noise[0]) + 0.3 * noise[1]),
        "square": scores(noise[0], noise[0] ** 2 + 0.3 * noise[1]),
        "disc": scores(np.sqrt(other) * np.cos(angle), np.sqrt(other) * np.sin(angle)),
        "circle": scores(np.cos(angle) + 0.2 * noise[0], np.sin(angle) + 0.2 * noise[1]),
        "student": scores(*(draw.standard_t(2, 300) * noise)),
    }
    for name, columns in found.items():
        assert "not that of a Gaussian copula" in not_gaussian_copula(columns), name


def test_a_circle_among_independent_columns_is_found():
    draw = rng(2)
    angle = draw.uniform(0, 2 * np.pi, 500)
    x = np.column_stack([np.cos(angle), *draw.standard_normal((2, 500))])
    y = np.column_stack([np.sin(angle), *draw.standard_normal((1, 500))])
    assert not_gaussian_copula(scores(x, y))


def test_too_few_samples_or_too_many_columns_show_nothing():
    few = not_gaussian_copula(scores(rng().standard_normal((299, 6))))
    assert few.startswith("299 samples, under 50 for each of 6 columns")
    wide = not_gaussian_copula(scores(rng().standard_normal((2000, 21))))
    assert wide.startswith("21 columns, over 20")


def test_the_estimators_interval_depends_on_the_tests():
    signal, noise = rng(3).random((2, 1000))
    estimate = make_estimator("gaussian-copula").estimate(signal, signal + noise)
    assert "not that of a Gaussian copula" in estimate.note
    assert np.isnan(estimate.low_bits)
    assert estimate.value_bits > 0.3


def test_the_verdict_does_not_depend_on_the_order_of_many_samples():
    x = rng(4).standard_normal((5000, 2))
    shuffled = x[rng(5).permutation(5000)]
    assert not_gaussian_copula(scores(x)) == not_gaussian_copula(scores(shuffled))


def test_the_henze_zirkler_probability_is_nearly_uniform_on_normal_samples():
    shares = np.array([henze_zirkler(rng(seed).standard_normal((200, 3))) for seed in range(300)])
    for level in (0.05, 0.2, 0.5):
        error = 3 * np.sqrt(level * (1 - level) / 300)
        assert abs((shares < level).mean() - level) < error + 0.02
