import numpy as np
import pytest

from fctestbed.estimators import mean_interval, share_interval, sum_intervals
from fctestbed.estimators.intervals import held_out_interval

TRIALS = 1000
# 95 % of 1000 trials, with three standard errors of sqrt(0.95 * 0.05 / 1000) = 0.7 %.
LEAST_COVERED = 0.95 - 3 * 0.007


def test_mean_intervals_hold_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = 0
    for values in rng.exponential(size=(TRIALS, 2000)):
        _, low, high = mean_interval(values)
        held += low <= 1.0 <= high
    assert held / TRIALS > LEAST_COVERED


def test_a_mean_interval_is_that_of_the_normal_distribution():
    values = np.array([1.0, 2.0, 3.0, 4.0])
    mean, low, high = mean_interval(values)
    assert mean == 2.5
    half = 1.959963984540054 * np.sqrt(5 / 3 / 4)
    assert (low, high) == pytest.approx((2.5 - half, 2.5 + half))


def test_one_value_has_a_mean_and_no_interval():
    mean, low, high = mean_interval(np.array([0.7]))
    assert mean == 0.7
    assert np.isnan(low)
    assert np.isnan(high)


def test_no_values_are_refused():
    with pytest.raises(ValueError, match=r"values: expected shape \(n,\) with n above 0, got"):
        mean_interval(np.array([]))


@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_share_intervals_hold_the_share_about_as_often_as_they_say(share):
    hits = np.random.default_rng(0).binomial(400, share, size=TRIALS)
    intervals = [share_interval(int(count), 400) for count in hits]
    covered = np.mean([low <= share <= high for _, low, high in intervals])
    # Wilson's coverage swings by some 1.5 % about its level at n = 400.
    assert covered > LEAST_COVERED - 0.015


@pytest.mark.parametrize("hits", [0, 1, 3, 4])
def test_share_intervals_stay_inside_zero_and_one_and_around_the_share(hits):
    share, low, high = share_interval(hits, 4)
    assert 0.0 <= low <= share <= high <= 1.0
    assert low < high


@pytest.mark.parametrize(("hits", "n"), [(5, 4), (-1, 4), (0, 0)])
def test_impossible_counts_are_refused(hits, n):
    with pytest.raises(ValueError, match="hits: expected 0 to n"):
        share_interval(hits, n)


def test_held_out_intervals_hold_the_mean_of_rare_losses_as_often_as_they_say():
    rng = np.random.default_rng(1)
    held = plain = past = 0
    for losses in np.where(rng.random((TRIALS, 200)) < 0.05, 4.0, 0.1):
        value, low, high = held_out_interval(losses[:40], losses[40:])
        held += low <= 0.295 <= high
        past += value < 0.295 - 3 * (high - value) / 1.96
        _, low, high = mean_interval(losses[:40])
        plain += low <= 0.295 <= high
    assert held / TRIALS > LEAST_COVERED
    # One sample of eight holds no rare loss, and seems exact by itself.
    assert plain / TRIALS < 0.9
    # 0.135 % of a thousand, and three times its root.
    assert past <= 5


def test_a_held_out_interval_has_the_larger_variance_and_students_factor():
    values = np.array([1.0, 2.0, 3.0])
    calm, wild = np.full(5, 2.0), np.array([-50.0, 60.0])
    # Tables give t(0.975, 2) = 4.302653; s = 1 here.
    mean, low, high = held_out_interval(values, calm)
    assert mean == 2.0
    assert high - mean == pytest.approx(4.302653 / np.sqrt(3), abs=1e-6)
    assert mean - low == pytest.approx(high - mean)
    spread = np.concatenate([values, wild]).std(ddof=1)
    _, _, wide = held_out_interval(values, wild)
    assert wide - mean == pytest.approx(4.302653 * spread / np.sqrt(3), abs=1e-5)
    assert np.isnan(held_out_interval(values[:1], wild)[1])


@pytest.mark.parametrize("n", [1, 2, 50])
def test_intervals_of_sums_of_columns_are_those_of_each_sum(n):
    values = np.random.default_rng(0).standard_normal((n, 4)) @ np.triu(np.ones((4, 4)))
    groups = [(0,), (1, 3), (0, 1, 2, 3)]
    for found, group in zip(sum_intervals(values, groups), groups, strict=True):
        expected = mean_interval(values[:, list(group)].sum(1))
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)
