"""R90 from a curve along the rate, and medians over seeds of numbers that may be infinite."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from scipy.stats import binom
from synthetic_results import LABEL_BITS, RATES, as_results, at_world, joined, records

from fctestbed.plotting import rate_at_share, rates_at_share
from fctestbed.plotting.rates import rate_rows
from fctestbed.plotting.summarise import median_coverage, medians_note, seed_medians

INF = math.inf


@pytest.mark.parametrize(
    ("values", "rate"),
    [
        # Below the lowest rate in proportion to R.
        ([3.6, 4.0, 4.0], 1.0),
        # Halfway in bits between 2 and 8 is halfway along log R.
        ([1.6, 2.0, 2.0], 4.0),
        ([0.0, 1.8, 2.0], 8.0),
        ([0.5, 1.0, 1.7], INF),
        # A reading that falls again is Monte Carlo error: the largest so far counts.
        ([1.9, 1.7, 2.0], 2.0 * 1.8 / 1.9),
        # A missing reading is passed over.
        ([1.6, math.nan, 2.0], 8.0),
        ([math.nan] * 3, math.nan),
    ],
)
def test_r90_is_read_off_the_curve(values, rate):
    assert rate_at_share([2.0, 8.0, 32.0], values, 2.0) == pytest.approx(rate, nan_ok=True)


def test_a_label_without_bits_has_no_r90():
    assert math.isnan(rate_at_share([2.0, 4.0], [0.0, 0.0], 0.0))
    assert math.isnan(rate_at_share([2.0, 4.0], [0.1, 0.1], math.nan))


@pytest.mark.parametrize(
    ("rates", "values", "share", "message"),
    [
        ([2.0], [1.0], 0.0, "share: expected a number above 0, at most 1, got 0.0"),
        ([2.0], [1.0], 1.5, "share: expected a number above 0, at most 1, got 1.5"),
        ([0.0, 2.0], [1.0, 1.0], 0.9, "rates: expected different finite numbers above 0"),
        ([2.0, 2.0], [1.0, 1.0], 0.9, "rates: expected different finite numbers above 0"),
        ([2.0, INF], [1.0, 1.0], 0.9, "rates: expected different finite numbers above 0"),
        ([2.0, 4.0], [1.0], 0.9, "values: expected one for each of 2 rates, got 1"),
    ],
)
def test_what_is_no_curve_is_refused(rates, values, share, message):
    with pytest.raises(ValueError, match=message):
        rate_at_share(rates, values, 2.0, share)


@given(
    values=st.lists(st.floats(0.0, 2.0), min_size=5, max_size=5),
    shares=st.tuples(st.floats(0.05, 1.0), st.floats(0.05, 1.0)),
    seed=st.integers(0, 99),
)
def test_a_larger_share_needs_no_lower_rate_and_the_order_of_rates_does_not_matter(
    values, shares, seed
):
    low, high = (rate_at_share(RATES, values, 2.0, share) for share in sorted(shares))
    assert low <= high
    order = np.random.default_rng(seed).permutation(5)
    mixed = [RATES[i] for i in order], [values[i] for i in order]
    assert rate_at_share(*mixed, 2.0, min(shares)) == low


def test_every_run_has_its_own_r90():
    results = as_results(records((0.0, 1.0), ("simclr", "supcon"), (0, 1), rates=RATES))
    table = rates_at_share(results, "rate").set_index("run_id")
    assert len(table) == 8
    own = rate_rows(results, "rate").query("run_id == 'supcon-1-1'").sort_values("rate_bits")
    assert list(own["rate_bits"]) == list(RATES)
    expected = rate_at_share(own["rate_bits"].tolist(), own["value_bits"].tolist(), LABEL_BITS)
    assert table.loc["supcon-1-1", "rate_at_share_bits"] == expected
    assert 0.9 * LABEL_BITS < expected < RATES[-1]
    assert table.loc["simclr-1-0", "rate_at_share_bits"] == INF


def test_rows_of_several_worlds_are_refused():
    results = as_results(records((0.0, 1.0), ("raw",), (0,), rates=RATES))
    two = joined(*(at_world(results, train__steps=n) for n in (1, 2)))
    with pytest.raises(ValueError, match=r"expected one value of train\.steps in one mean"):
        rates_at_share(two, "rate")


def of_seeds(values):
    return pd.DataFrame({"method": "raw", "seed": range(len(values)), "r": values})


def test_the_interval_of_a_median_is_two_order_statistics():
    (point,) = seed_medians(of_seeds([3.0, INF, 1.0, 2.0, INF]), "r", ["method"]).to_dict("records")
    assert (point["median"], point["low"], point["high"]) == (3.0, 1.0, INF)
    assert point["coverage"] == pytest.approx(1 - 2 / 2**5)
    assert point["n_seeds"] == 5


def test_the_median_is_infinite_where_half_of_the_seeds_are():
    (point,) = seed_medians(of_seeds([3.0, INF, 1.0, INF]), "r", ["method"]).to_dict("records")
    assert (point["median"], point["low"], point["high"]) == (INF, 1.0, INF)


def test_a_number_that_is_not_known_is_left_out_and_one_seed_has_no_interval():
    (point,) = seed_medians(of_seeds([4.0, math.nan]), "r", ["method"]).to_dict("records")
    assert (point["median"], point["n_seeds"]) == (4.0, 1)
    assert math.isnan(point["low"])
    assert math.isnan(point["coverage"])


@pytest.mark.parametrize("n", [2, 3, 5, 6, 9, 20, 50])
def test_the_interval_of_a_median_is_the_shortest_of_enough_probability(n):
    k, coverage = median_coverage(n)
    assert coverage == pytest.approx(1 - 2 * binom.cdf(k - 1, n, 0.5))
    assert k == 1 or coverage >= 0.95
    assert 1 - 2 * binom.cdf(k, n, 0.5) < 0.95


def test_an_interval_of_nine_seeds_holds_the_median_as_often_as_it_says():
    rng = np.random.default_rng(0)
    k, coverage = median_coverage(9)
    values = np.sort(rng.exponential(size=(20_000, 9)), axis=1)
    inside = (values[:, k - 1] < np.log(2)) & (np.log(2) < values[:, 9 - k])
    # Four standard errors of a share of 20,000.
    assert inside.mean() == pytest.approx(coverage, abs=4 * math.sqrt(0.04 / 20_000))


@pytest.mark.parametrize(
    ("counts", "note"),
    [
        ([5, 5], "median and its interval (order statistics, 94 %) over 5 seeds"),
        ([3, 5], "median and its interval (order statistics, 75 to 94 %) over 3 to 5 seeds"),
        ([1], "1 seed, no interval"),
    ],
)
def test_the_note_says_how_sure_the_interval_is(counts, note):
    assert medians_note(pd.Series(counts), 0) == note


def test_two_rows_of_one_seed_in_one_median_are_refused():
    rows = pd.concat([of_seeds([1.0]), of_seeds([2.0])])
    with pytest.raises(ValueError, match="rows: expected one row per seed"):
        seed_medians(rows, "r", ["method"])
