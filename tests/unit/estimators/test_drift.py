"""How a change with the number of samples widens an interval, and where there is none."""

import math

import numpy as np
import pytest

from fctestbed.estimators import make_estimator
from fctestbed.estimators.drift import Change, finer_parts, mean_of_parts
from fctestbed.laws import GaussianPair


def change(moved, *, parts=4, columns=2, half_width=0.1):
    return Change(value=1.0, moved=moved, parts=parts, columns=columns, half_width=half_width)


def test_a_change_widens_the_interval_in_its_direction_only():
    still, up, down = (change(moved).reach() for moved in (0.0, 0.1, -0.1))
    assert still.low - 1 == pytest.approx(1 - still.high)
    # In two columns n^-0.425 leaves 0.1 / (4^0.425 - 1) of a change by 0.1.
    bias = 0.1 / (4**0.425 - 1)
    assert up.low == still.low
    assert up.high == pytest.approx(still.high + bias)
    assert down.high == still.high
    assert down.low == pytest.approx(still.low - bias)


def test_the_change_has_an_error_of_its_own_even_where_it_is_zero():
    # The leverage of two parts is smaller than that of ten, and that of more columns too.
    widths = [
        change(0.0, parts=parts, columns=columns).reach().high - 1
        for parts, columns in [(10, 2), (4, 2), (2, 2), (2, 4)]
    ]
    assert widths == sorted(widths)
    assert 0.11 < widths[0] < 0.13
    assert widths[-1] > 0.3


def test_a_change_that_extrapolates_far_leaves_no_interval():
    leverage = 4**0.425 - 1
    assert change(0.39 * leverage).reach().doubt == ""
    far = change(-0.41 * leverage).reach()
    assert "4.1 times the half width of its spread, over 4" in far.doubt
    assert math.isnan(far.low)
    assert math.isnan(far.high)
    assert change(-0.41 * leverage).joined([]) == far or far.doubt


def test_a_change_without_any_spread_leaves_no_interval():
    exact = change(0.0, half_width=0.0).joined([])
    assert (exact.low, exact.high, exact.doubt) == (1.0, 1.0, "")
    assert "inf times" in change(1e-3, half_width=0.0).reach().doubt


def test_estimates_in_other_coordinates_extend_the_interval():
    alone = change(0.0).joined([])
    assert change(0.0).joined([1.0, 1.02]) == alone
    above, below = change(0.0).joined([1.3]), change(0.0).joined([0.7])
    assert (above.low, above.high) == (alone.low, pytest.approx(1.4))
    assert (below.low, below.high) == (pytest.approx(0.6), alone.high)


def test_an_interval_that_would_say_little_is_none():
    useless = change(0.0).joined([2.2])
    assert "times as wide as the spread, over 6: it would say little" in useless.doubt
    assert math.isnan(useless.high)
    assert "inf times" in change(0.0, half_width=0.0).joined([2.0]).doubt


def test_the_columns_correlations_show_a_bias_that_parts_do_not():
    draw = np.random.default_rng(1)
    x, noise = draw.standard_normal((2, 1000, 3))
    y = 0.95 * x + math.sqrt(1 - 0.95**2) * noise
    # Columns that are nearly equal hide the directions in which X and Y depend on each other.
    mixing = np.ones((3, 3)) + 0.02 * draw.standard_normal((3, 3))
    estimate = make_estimator("ksg1").estimate(x @ mixing, y @ mixing)
    truth = GaussianPair((0.95,) * 3).true_bits
    assert estimate.value_bits < truth - 10 * estimate.se_bits
    assert estimate.note


def test_normal_scores_show_the_bias_of_long_margins():
    draw = np.random.default_rng(2)
    x, noise = draw.standard_normal((2, 1000))
    x, y = np.exp(x), np.exp(0.9 * x + math.sqrt(1 - 0.81) * noise)
    estimate = make_estimator("ksg1").estimate(x, y)
    normal = make_estimator("ksg1", margins="normal").estimate(x, y)
    assert estimate.note == ""
    assert estimate.low_bits < normal.value_bits < estimate.high_bits


@pytest.mark.parametrize("name", ["mixed-ksg", "mesner-shalizi"])
def test_repeated_rows_of_several_columns_stay_equal_in_other_coordinates(name):
    draw = np.random.default_rng(3)
    x = draw.integers(0, 3, (2000, 2))
    y = (x.sum(axis=1) + draw.integers(0, 2, 2000))[:, None]
    estimate = make_estimator(name).estimate(x, y)
    assert estimate.note == ""
    # Rows made different by rounding would be read as continuous, far from the value.
    assert estimate.high_bits - estimate.low_bits < 8 * estimate.se_bits


def test_columns_that_depend_on_each_other_keep_their_coordinates():
    draw = np.random.default_rng(4)
    x, noise = draw.standard_normal((2, 500))
    doubled = np.column_stack([x, 2 * x])
    one = make_estimator("ksg1").estimate(x, x + noise)
    two = make_estimator("ksg1").estimate(doubled, x + noise)
    assert two.note == ""
    assert two.value_bits == pytest.approx(one.value_bits)


def test_smaller_parts_are_taken_where_those_of_the_spread_say_too_little():
    # Halves of 300 samples are enough in three columns, not in four to six.
    assert [finer_parts(300, columns, 2) for columns in (2, 3, 4, 5, 6)] == [2, 2, 3, 4, 4]
    # None has under 75 samples; more columns than six are left as they are.
    assert finer_parts(200, 6, 2) == 2
    assert finer_parts(260, 6, 2) == 3
    assert finer_parts(300, 7, 2) == 2
    assert finer_parts(1000, 6, 4) == 4


def test_an_interval_from_smaller_parts_may_be_wider():
    usual = Change(value=1.0, moved=0.12, parts=4, columns=5, half_width=0.1)
    fine = Change(value=1.0, moved=0.12, parts=4, columns=5, half_width=0.1, fine=True)
    assert "over 4" in usual.reach().doubt
    assert fine.joined([]).doubt == ""
    assert fine.joined([]).high - 1 > 0.4


def test_the_mean_over_parts_uses_each_sample_once_a_split():
    seen = []
    assert mean_of_parts(100, lambda rows: seen.append(rows) or len(rows), 4, seed=0) == 25
    assert len(seen) == 12
    assert sorted(np.concatenate(seen[:4])) == list(range(100))
