"""Intervals, decisions and their error rates, by hand and by simulation."""

import numpy as np
import pytest
from scipy import stats

from fctestbed.claims import (
    PairedDifferences,
    Region,
    Verdict,
    decide,
    holm,
    simultaneous_interval,
)
from fctestbed.claims.power import seeds_to_decide

DOCKETS, CELLS, EFFECT = 2000, 6, 0.1
MOST_FALSE = 0.05 + 3 * np.sqrt(0.05 * 0.95 / DOCKETS)


def simulated(truth, n_seeds, correlation, seed, heavy=False):
    """Differences of 2,000 dockets: cells of one seed are correlated, their spreads differ, and a
    few seeds have twice the spread."""
    rng = np.random.default_rng(seed)
    shape = (DOCKETS, len(truth), n_seeds)
    common = rng.standard_normal((DOCKETS, 1, n_seeds))
    noise = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * rng.standard_normal(shape)
    spread = np.linspace(0.05, 0.2, len(truth))[:, None]
    if heavy:
        spread = spread * np.where(rng.random((DOCKETS, 1, n_seeds)) < 0.1, 2.0, 1.0)
    return np.asarray(truth)[:, None] + spread * noise


def verdicts(differences, relation):
    region = Region.of([relation] * differences.shape[1], [EFFECT] * differences.shape[1])
    decision = decide(differences, region)
    return decision.holds.all(axis=1), decision.fails.any(axis=1)


# Truths at the end of the region: the worst that can be. The last cell, or all of them, is there.
FALSE_HOLDS = [
    (">", [9.0] * (CELLS - 1) + [EFFECT]),
    (">", [EFFECT] * CELLS),
    (">=", [9.0] * (CELLS - 1) + [-EFFECT]),
    ("<=", [-9.0] * (CELLS - 1) + [EFFECT]),
    ("<", [-EFFECT] * CELLS),
    ("=", [0.0] * (CELLS - 1) + [EFFECT]),
    ("=", [EFFECT, -EFFECT] * (CELLS // 2)),
]
FALSE_FAILS = [
    (">", [EFFECT] * CELLS),
    (">=", [-EFFECT] * CELLS),
    ("=", [EFFECT] * CELLS),
    ("=", [EFFECT, -EFFECT] * (CELLS // 2)),
    ("<", [-EFFECT] * CELLS),
]


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("n_seeds", [3, 5])
def test_false_verdicts_are_at_most_five_in_a_hundred(n_seeds, correlation, heavy):
    for place, (relation, truth) in enumerate(FALSE_HOLDS):
        holds, _ = verdicts(simulated(truth, n_seeds, correlation, place, heavy), relation)
        assert holds.mean() <= MOST_FALSE, (relation, truth)
    for place, (relation, truth) in enumerate(FALSE_FAILS):
        _, fails = verdicts(simulated(truth, n_seeds, correlation, 50 + place, heavy), relation)
        assert fails.mean() <= MOST_FALSE, (relation, truth)


@pytest.mark.parametrize("n_seeds", [3, 5])
def test_the_rate_of_false_verdicts_is_not_far_below_where_one_cell_decides(n_seeds):
    holds, fails = verdicts(simulated([EFFECT], n_seeds, 0.0, 7), ">")
    assert 0.035 < holds.mean() < MOST_FALSE
    assert 0.015 < fails.mean() < MOST_FALSE


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_simultaneous_intervals_hold_all_means(correlation):
    differences = simulated([0.3] * CELLS, 4, correlation, 3)
    low, high = simultaneous_interval(PairedDifferences.of(differences))
    held = ((low <= 0.3) & (high >= 0.3)).all(axis=1)
    assert held.mean() >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / DOCKETS)


def test_one_cell_is_the_paired_t_test_that_scipy_has():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=5), rng.normal(0.4, size=5)
    summary = PairedDifferences.of((b - a)[None])
    by_hand = stats.ttest_rel(b, a)
    assert summary.p_value[0] == pytest.approx(by_hand.pvalue, abs=1e-6)
    low, high = summary.interval(0.025)
    interval = by_hand.confidence_interval(0.95)
    assert (low[0], high[0]) == pytest.approx((interval.low, interval.high), abs=1e-6)


def test_equivalence_is_the_two_one_sided_t_tests():
    rng = np.random.default_rng(1)
    region = Region.of(["="], [EFFECT])
    for scale in (0.02, 0.05, 0.1, 0.2):
        differences = rng.normal(0.02, scale, size=6)
        above = stats.ttest_1samp(differences, -EFFECT, alternative="greater").pvalue
        below = stats.ttest_1samp(differences, EFFECT, alternative="less").pvalue
        found = decide(differences[None], region).holds[0]
        assert found == (max(above, below) < 0.05)


def test_missing_seeds_are_left_out():
    differences = np.array([[1.0, np.nan, 3.0, 2.0], [np.nan, np.nan, np.nan, 5.0]])
    summary = PairedDifferences.of(differences)
    assert summary.n.tolist() == [3, 1]
    assert summary.mean.tolist() == [2.0, 5.0]
    assert summary.sd[0] == pytest.approx(1.0)
    low, high = summary.interval(0.025)
    assert (low[1], high[1]) == (-np.inf, np.inf)
    assert np.isnan(summary.p_value[1])


def test_one_seed_decides_nothing():
    decision = decide(np.array([[5.0], [0.0]]), Region.of([">", "="], [0.1, 0.1]))
    assert decision.verdict == Verdict.UNDECIDED
    assert decision.cell_verdicts == [Verdict.UNDECIDED] * 2


def test_equal_values_are_equal_and_rounding_establishes_nothing():
    tiny = np.array([[1e-15, 2e-15, 1.5e-15], [0.0, 0.0, 0.0], [0.3, 0.3, 0.3]])
    summary = PairedDifferences.of(tiny)
    assert summary.p_value.tolist() == [1.0, 1.0, 0.0]
    assert decide(tiny, Region.of(["=", "=", ">"], [0.01] * 3)).verdict == Verdict.HOLDS


def test_one_cell_outside_fails_the_claim_and_one_open_leaves_it_open():
    good, bad, open_ = [0.5, 0.51, 0.49], [-0.5, -0.51, -0.49], [0.0, 0.6, -0.2]

    def verdict(*cells):
        return decide(np.array(cells), Region.of([">"] * len(cells), [0.1] * len(cells))).verdict

    assert verdict(good, good) == Verdict.HOLDS
    assert verdict(good, open_) == Verdict.UNDECIDED
    assert verdict(good, open_, bad) == Verdict.FAILS


@pytest.mark.parametrize(
    ("relation", "inside", "outside"),
    [(">", 0.2, 0.05), (">=", -0.05, -0.2), ("=", 0.05, -0.2), ("<=", 0.05, 0.2), ("<", -0.2, 0)],
)
def test_regions_end_at_the_smallest_effect_that_matters(relation, inside, outside):
    region = Region.of([relation], [0.1])
    assert decide(np.array([[inside] * 3]), region).verdict == Verdict.HOLDS
    assert decide(np.array([[outside] * 3]), region).verdict == Verdict.FAILS


def test_holm_steps_down():
    found = holm(np.array([0.01, np.nan, 0.04, 0.03, 0.005]))
    assert found[[0, 2, 3, 4]].tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert np.isnan(found[1])
    assert holm(np.array([0.6, 0.9])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("relation", [">", "="])
def test_the_number_of_seeds_that_would_decide_decides_nine_times_in_ten(relation):
    truth = [0.2, 0.22, 0.25] if relation == ">" else [0.0, 0.02, -0.03]
    region = Region.of([relation] * 3, [EFFECT] * 3)
    spread, unit = 0.12, np.array([-1.0, 0.0, 1.0])
    # Three seeds whose mean and spread are exactly those that the power is computed from.
    pilot = np.asarray(truth)[:, None] + spread * unit
    needed = seeds_to_decide(decide(pilot, region), region)
    rng = np.random.default_rng(5)

    def power(n_seeds):
        noise = rng.standard_normal((DOCKETS, 3, n_seeds))
        differences = np.asarray(truth)[:, None] + spread * noise
        return decide(differences, region).holds.all(axis=1).mean()

    assert needed is not None
    assert power(needed) >= 0.9 - 3 * np.sqrt(0.09 / DOCKETS)
    assert power(max(needed // 2, 2)) < 0.9


def test_a_mean_outside_asks_for_the_seeds_of_a_failure():
    region = Region.of([">", ">"], [EFFECT] * 2)
    pilot = np.array([[0.3, 0.31, 0.32], [-0.4, 0.0, 0.4]])
    needed = seeds_to_decide(decide(pilot, region), region)
    rng = np.random.default_rng(6)
    noise = 0.4 * rng.standard_normal((DOCKETS, needed))
    differences = np.stack([np.full_like(noise, 0.3), noise], axis=1)
    fails = decide(differences, region).fails.any(axis=1)
    assert fails.mean() >= 0.9 - 3 * np.sqrt(0.09 / DOCKETS)


def test_no_number_of_seeds_is_named_where_none_would_do():
    region = Region.of([">"], [EFFECT])
    at_the_end = np.array([[EFFECT - 0.5, EFFECT, EFFECT + 0.5]])
    assert seeds_to_decide(decide(at_the_end, region), region) is None
    assert seeds_to_decide(decide(np.array([[0.5]]), region), region) is None
    exact = np.array([[0.5, 0.5]])
    assert seeds_to_decide(decide(exact, region), region) == 2
