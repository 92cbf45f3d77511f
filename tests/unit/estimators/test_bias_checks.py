"""When an estimate has no interval: each check fires on what it is for, and on nothing else."""

import numpy as np
import pytest

from fctestbed.estimators import make_estimator
from fctestbed.estimators.bias_checks import (
    few_samples,
    long_tails,
    many_columns,
    not_gaussian,
    rare_cells,
    singletons,
)
from fctestbed.estimators.inputs import row_codes

TRIALS = 300


def rng(seed=0):
    return np.random.default_rng(seed)


def test_many_columns_show_no_bias_at_all():
    assert many_columns(20) == ""
    assert "21 columns, over 20" in many_columns(21)
    # A 3-bit copy among 60 columns of noise: nothing is read of it, on any part of the sample.
    draw = rng(5)
    bits = draw.integers(0, 2, (400, 3))
    x = np.hstack([bits + 0.01 * draw.standard_normal((400, 3)), draw.standard_normal((400, 60))])
    estimate = make_estimator("mixed-ksg").estimate(x, bits)
    assert estimate.value_bits < 0.5
    assert estimate.note == many_columns(66)


def test_under_a_hundred_samples_show_no_bias():
    assert few_samples(100) == ""
    assert few_samples(99) == "99 samples, under 100, do not show the bias of such an estimate"
    x, noise = rng().standard_normal((2, 99))
    assert make_estimator("ksg1").estimate(x, x + noise).note == few_samples(99)


@pytest.mark.parametrize("n", [300, 1000, 10_000])
def test_exponential_tails_are_not_long_and_those_of_powers_are(n):
    for seed in range(20):
        draw = rng(seed)
        short = [draw.standard_normal((n, 2)), draw.exponential(size=(n, 1)), draw.random((n, 1))]
        assert long_tails(short) == ""
        assert long_tails([draw.standard_normal((n, 1)), draw.standard_cauchy((n, 2))])


def test_most_log_normal_columns_have_no_long_tails():
    found = [long_tails([np.exp(rng(seed).standard_normal((1000, 1)))]) for seed in range(50)]
    assert sum(map(bool, found)) < 10


def test_names_of_classes_have_no_tails():
    labels = np.r_[np.zeros(900), np.full(100, 1e6)][:, None]
    assert long_tails([labels, rng().standard_normal((1000, 1))]) == ""


def test_margins_take_long_tails_away():
    x, noise = rng().standard_normal((2, 500))
    heavy = np.sinh(4 * x), np.sinh(4 * (x + noise))
    assert "long tails" in make_estimator("ksg1").estimate(*heavy).note
    assert make_estimator("ksg1", margins="normal").estimate(*heavy).note == ""


def test_discrete_data_in_rare_cells_are_told_from_continuous_ones():
    def codes_of(*variables):
        return [row_codes(array) for array in (*variables, np.hstack(variables))]

    few, many = rng().integers(0, 3, (2, 400, 1)), rng().integers(0, 20, (2, 400, 1))
    assert rare_cells(codes_of(*few), 3) == ""
    # 400 cells for 400 samples.
    assert "in cells of at most k = 3" in rare_cells(codes_of(*many), 3)
    assert rare_cells(codes_of(few[0], rng().standard_normal((400, 1))), 3) == ""
    assert "in cells" in make_estimator("mixed-ksg").estimate(*many).note


def test_singletons_stand_for_what_was_not_seen():
    counts = np.array([1, 1, 98])
    assert singletons(counts, 0.02) == ""
    assert singletons(counts, 0.01) == (
        "2.0% of the samples are alone in their cell, over 1%: too many unseen"
    )
    # One of a few samples may always be alone.
    assert singletons(np.array([1, 9]), 0.01) == ""
    x = np.r_[np.repeat(np.arange(4), 24), [0, 1, 2, 3]]
    y = np.r_[np.repeat(np.arange(4), 24), [1, 2, 3, 0]]
    assert "alone in their cell" in make_estimator("plugin").estimate(x, y).note
    assert make_estimator("chao-wang-jost").estimate(x, y).note == ""


@pytest.mark.parametrize(("n", "dim"), [(50, 2), (200, 10), (200, 60)])
def test_gaussian_samples_are_seldom_called_anything_else(n, dim):
    called = sum(bool(not_gaussian([rng(s).standard_normal((n, dim))])) for s in range(TRIALS))
    # 1 % at the most: skewed in small samples; and three standard errors of that.
    assert called / TRIALS < 0.01 + 3 * np.sqrt(0.01 / TRIALS)


def test_long_and_short_tails_are_told_from_gaussian_ones():
    draw = rng()
    normal = draw.standard_normal((400, 2))
    assert "above that of Gaussian" in not_gaussian([draw.standard_t(3, (400, 2))])
    assert "below that of Gaussian" in not_gaussian([draw.random((400, 2))])
    # What counts is the joint law.
    assert not_gaussian([normal, normal * draw.choice([0.3, 1.7], (400, 1))])
    x, y = draw.standard_t(1, (2, 400, 1))
    assert "not Gaussian" in make_estimator("gaussian").estimate(x, x + y).note
    assert make_estimator("gaussian").estimate(*normal.T).note == ""


def test_kurtosis_does_not_depend_on_the_columns_basis():
    points = rng().standard_t(5, (300, 3))
    mixing = rng(1).standard_normal((3, 3))
    assert not_gaussian([points]) == not_gaussian([points @ mixing + 4.0])


def test_a_table_of_almost_no_dependence_has_an_interval_of_a_size():
    # Observed shares that are independent to the last digit: no variance and no information, whose
    # ratio would be one of roundings.
    x = np.repeat([0, 1], 26)
    y = np.tile([0, 1], 26)
    for name in ("plugin", "miller-madow", "chao-wang-jost"):
        estimate = make_estimator(name).estimate(x, y)
        assert estimate.high_bits < 0.3
        assert estimate.se_bits < 0.1


def test_the_copula_has_no_interval_where_halves_cannot_be_read():
    draw = rng(4)
    wide = make_estimator("gaussian-copula").estimate(*draw.standard_normal((2, 110, 40)))
    assert wide.note == "80 columns, over 20, do not show whether their copula is Gaussian"
    assert np.isnan(wide.low_bits)
    assert wide.se_bits > 0
    # All in one half.
    x = np.r_[0.0, np.arange(119.0)][:, None]
    rare = np.where(np.arange(120) == 7, 1.0, 0.0)[:, None]
    lone = make_estimator("gaussian-copula").estimate(x, np.hstack([rare, x[::-1] + 3 * rare]))
    assert lone.note


def test_the_copula_reaches_up_to_what_ranks_take_from_a_strong_correlation():
    draw = rng(3)
    x = draw.standard_normal((300, 3))
    y = 0.99 * x + np.sqrt(1 - 0.99**2) * draw.standard_normal((300, 3))
    copula = make_estimator("gaussian-copula").estimate(x, y)
    # Neighbours find less at such a correlation, which moves the lower end alone.
    assert copula.high_bits - copula.value_bits > 1.1 * 1.96 * copula.se_bits
