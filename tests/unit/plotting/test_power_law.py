"""Power laws through means over seeds."""

import math

import numpy as np
import pytest

from fctestbed.plotting.power_law import fit_power_law

X = (64.0, 128.0, 256.0, 512.0)


def rng(seed=0):
    return np.random.default_rng(seed)


def law(exponent=0.5, n_seeds=8, noise=0.0, seed=0, scale=3.0):
    """Values of [seeds, X] with noise of this standard deviation in logarithms."""
    drawn = noise * rng(seed).standard_normal((n_seeds, len(X)))
    return scale * np.array(X) ** -exponent * np.exp(drawn)


def test_an_exact_law_is_found():
    fit = fit_power_law(X, law(0.75), rng())
    assert (fit.exponent, fit.scale, fit.n_seeds) == (pytest.approx(0.75), pytest.approx(3.0), 8)
    assert (fit.low, fit.high) == (pytest.approx(0.75), pytest.approx(0.75))
    np.testing.assert_allclose(fit.at(X), law(0.75)[0])


def test_the_exponent_is_that_of_a_least_squares_line_through_logarithms_of_means():
    y = law(0.4, noise=0.1)
    slope, intercept = np.polyfit(np.log(X), np.log(y.mean(axis=0)), 1)
    fit = fit_power_law(X, y, rng())
    assert fit.exponent == pytest.approx(-slope)
    assert fit.scale == pytest.approx(math.exp(intercept))


def test_the_interval_is_that_of_the_standard_error_over_seeds():
    # Noise that is one factor for a whole seed moves no exponent.
    factors = np.exp(0.3 * rng().standard_normal((8, 1)))
    fit = fit_power_law(X, factors * law(0.5), rng())
    assert fit.high - fit.low == pytest.approx(0.0, abs=1e-9)
    # With small noise, the exponent is the mean of those of the seeds, with Student's interval.
    y = law(0.5, noise=0.01)
    slopes = -np.polyfit(np.log(X), np.log(y).T, 1)[0]
    half = 2.3646 * slopes.std(ddof=1) / math.sqrt(8)
    fit = fit_power_law(X, y, rng())
    assert (fit.high - fit.low) / 2 == pytest.approx(half, rel=0.05)


def test_intervals_hold_the_exponent_and_true_laws_are_seldom_refused():
    fits = [fit_power_law(X, law(0.5, noise=0.2, seed=seed), rng(seed)) for seed in range(200)]
    laws = [fit for fit in fits if not fit.reason]
    assert len(laws) >= 190
    covered = np.mean([fit.low <= 0.5 <= fit.high for fit in laws])
    assert 0.9 <= covered <= 0.99


def test_a_curve_that_bends_is_no_law():
    y = law(1.0) + 0.02
    assert fit_power_law(X, y, rng()).reason == "no power law"
    # Within its noise it may be one.
    assert not fit_power_law(X, y * law(0.0, noise=0.5, scale=1.0), rng()).reason


def test_a_deviation_of_less_than_five_percent_is_a_law():
    for deviation, reason in ((1.06, ""), (1.09, "no power law")):
        # Of one mean in the middle, 70 % of which remain beside the line that it moves.
        y = law(0.5) * np.array([1, deviation, 1, 1])
        assert fit_power_law(X, y, rng()).reason == reason


def test_means_that_are_not_above_zero_have_no_law():
    y = law(0.5)
    y[:, 3] = np.linspace(-0.1, 0.11, 8)
    fit = fit_power_law(X, y, rng())
    assert fit.reason == "not clearly above 0 at 1 of 4"
    assert math.isnan(fit.exponent)
    assert math.isnan(fit.low)


def test_seeds_without_every_value_are_left_out():
    y = law(0.5)
    y[0, 1], y[0, 0] = np.nan, 1000.0
    fit = fit_power_law(X, y, rng())
    assert (fit.exponent, fit.n_seeds) == (pytest.approx(0.5), 7)
    assert fit_power_law(X, y[:1], rng()).reason == "no seed at every value"


def test_one_seed_has_no_interval_and_two_values_no_law():
    fit = fit_power_law(X, law(0.5, n_seeds=1), rng())
    assert fit.exponent == pytest.approx(0.5)
    assert math.isnan(fit.low)
    assert math.isnan(fit.high)
    assert fit_power_law(X[:2], law(0.5)[:, :2], rng()).reason == "fewer than 3 values"


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ((0.0, 1.0), np.ones((2, 2)), "x: expected different finite numbers above 0"),
        ((1.0, 1.0), np.ones((2, 2)), "x: expected different finite numbers above 0"),
        ((1.0, math.nan), np.ones((2, 2)), "x: expected different finite numbers above 0"),
        ((1.0, 2.0), np.ones((2, 3)), r"y: expected \[seeds, 2\], got \[2, 3\]"),
        ((1.0, 2.0), np.ones(2), r"y: expected \[seeds, 2\], got \[2\]"),
    ],
)
def test_what_no_law_can_be_fitted_to_is_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        fit_power_law(x, y, rng())
