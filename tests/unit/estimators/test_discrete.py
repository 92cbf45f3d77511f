import math

import numpy as np
import pytest

from fctestbed.estimators import make_estimator
from fctestbed.estimators.count_entropy import (
    chao_wang_jost_nats,
    chao_wang_jost_without_one,
    miller_madow_nats,
    plugin_nats,
)
from fctestbed.information import mutual_information_bits, nats_to_bits
from fctestbed.laws import BitChannel, JointDistribution

NAMES = ["plugin", "miller-madow", "chao-wang-jost"]
REPEATS = 200
# 95 % of 200 repeats with three standard errors of sqrt(.95 .05 / 200) = 1.5 %.
LEAST_COVERED, MOST_COVERED = 0.904, 0.996


def plain_chao_wang_jost(counts):
    """The paper's Eq. 7, sum by sum."""
    n = sum(counts)
    f1, f2 = counts.count(1), counts.count(2)
    seen = sum(c / n * sum(1 / k for k in range(c, n)) for c in counts)
    if f2:
        a = 2 * f2 / ((n - 1) * f1 + 2 * f2)
    elif f1:
        a = 2 / ((n - 1) * (f1 - 1) + 2)
    else:
        a = 1.0
    if a == 1:
        return seen
    rest = -math.log(a) - sum((1 - a) ** r / r for r in range(1, n))
    return seen + f1 / n * (1 - a) ** (1 - n) * rest


COUNTS = [
    [5, 3, 2, 1, 1],
    [1, 1, 1, 2],
    [1] * 12,
    [7, 7],
    [30],
    [20, 1],
    [3, 3, 3, 2, 2, 1],
    [9, 1, 1, 1],
    [40, 2, 2, 2, 2, 2, 1],
]


@pytest.mark.parametrize("counts", COUNTS, ids=str)
def test_chao_wang_and_josts_entropy_is_that_of_their_paper(counts):
    # The plain sum cancels: 1e-9 of what it is multiplied with.
    assert chao_wang_jost_nats(np.array(counts)) == pytest.approx(
        plain_chao_wang_jost(counts), rel=1e-6
    )


@pytest.mark.parametrize("counts", COUNTS, ids=str)
def test_taking_one_sample_away_is_the_entropy_of_the_others(counts):
    for place, value in enumerate(chao_wang_jost_without_one(np.array(counts))):
        left = list(counts)
        left[place] -= 1
        left = np.array([count for count in left if count])
        assert value == pytest.approx(chao_wang_jost_nats(left), abs=1e-10)


def test_unseen_values_of_large_samples_neither_overflow_nor_cancel():
    # All seen once and one twice: a is about 2 / n^2, and q^n about 1.
    n = 100_000
    counts = np.ones(n, dtype=np.int64)
    # sum over r >= n of q^r / r is -log(a n) - Euler's gamma for a n near 0.
    a = 2 / ((n - 1) * (n - 1) + 2)
    expected = math.log(n) + np.euler_gamma - math.log(a * n) - np.euler_gamma
    assert chao_wang_jost_nats(counts) == pytest.approx(expected, rel=1e-4)
    few_ones = np.concatenate([[n], [1], np.full(50, 2)])
    assert math.isfinite(chao_wang_jost_nats(few_ones))


def test_entropies_of_two_values_are_the_known_ones():
    counts = np.array([3, 1])
    plain = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert plugin_nats(counts) == pytest.approx(plain)
    assert miller_madow_nats(counts) == pytest.approx(plain + 1 / 8)


def test_xor_is_known_only_given_the_other_bit():
    rng = np.random.default_rng(0)
    x, z = rng.integers(0, 2, (2, 2000))
    for name in NAMES:
        estimator = make_estimator(name)
        # Under independence 2n times the information is chi-squared: 12 is its 0.9995 quantile.
        assert abs(estimator.estimate(x, x ^ z).value_bits) < nats_to_bits(12 / 4000)
        assert estimator.estimate(x, x ^ z, z).value_bits == pytest.approx(1.0, abs=0.005)


def test_columns_together_are_one_variable():
    rng = np.random.default_rng(1)
    x, y = BitChannel("symmetric", 0.1, 3).sample(4000, rng)
    word = x @ [4, 2, 1]
    for name in NAMES:
        estimator = make_estimator(name)
        assert estimator.estimate(x, y) == estimator.estimate(word, y)


def noisy_symbols(size, error):
    """A uniform symbol that becomes each of the others with probability error / (size - 1)."""
    off = error / (size - 1)
    return JointDistribution((np.full((size, size), off) + np.eye(size) * (1 - error - off)) / size)


def test_with_more_cells_than_samples_chao_wang_and_jost_are_nearest():
    truth = noisy_symbols(64, 0.2)
    assert truth.true_bits == pytest.approx(nats_to_bits(2.830), abs=0.001)
    rng = np.random.default_rng(0)
    samples = [truth.sample(2000, rng) for _ in range(10)]
    means = {
        name: np.mean([make_estimator(name).estimate(x, y).value_bits for x, y in samples])
        for name in NAMES
    }
    # The sheet's values: 3.29, 3.22 and 2.85 nats; the spread of a mean of ten is about 0.01.
    assert means["plugin"] == pytest.approx(nats_to_bits(3.29), abs=0.05)
    assert means["miller-madow"] == pytest.approx(nats_to_bits(3.22), abs=0.05)
    assert means["chao-wang-jost"] == pytest.approx(nats_to_bits(2.85), abs=0.05)


CASES = {
    "independent": (JointDistribution(np.full((4, 4), 1 / 16)), 200),
    "weak": (BitChannel("symmetric", 0.4, 1), 200),
    "strong": (BitChannel("symmetric", 0.05, 1), 200),
    "erasures": (BitChannel("erasure", 0.3, 2), 300),
    "five symbols": (noisy_symbols(5, 0.3), 300),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_truth_as_often_as_they_say(name, case):
    truth, n = CASES[case]
    rng = np.random.default_rng(2)
    estimates = [make_estimator(name).estimate(*truth.sample(n, rng)) for _ in range(REPEATS)]
    covered = np.mean([e.low_bits <= truth.true_bits <= e.high_bits for e in estimates])
    assert LEAST_COVERED <= covered <= MOST_COVERED


@pytest.mark.parametrize("name", NAMES)
def test_a_condition_that_causes_both_leaves_nothing_between_them(name):
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(REPEATS):
        z = rng.integers(0, 3, 600)
        x, y = (np.where(rng.random(600) < 0.4, rng.integers(0, 3, 600), z) for _ in range(2))
        estimate = make_estimator(name).estimate(x, y, z)
        covered.append(estimate.low_bits <= 0 <= estimate.high_bits)
    assert LEAST_COVERED <= np.mean(covered) <= MOST_COVERED
    assert make_estimator(name).estimate(x, y).low_bits > 0.05


def test_the_ceiling_is_the_smaller_entropy():
    x, y = np.array([0, 1, 2, 3] * 10), np.array([0, 0, 1, 1] * 10)
    estimate = make_estimator("plugin").estimate(x, y)
    assert estimate.value_bits == pytest.approx(1.0)
    assert estimate.ceiling_bits == pytest.approx(1.0)
    assert estimate.n_samples == 40
    p = np.kron(np.eye(2), np.ones((2, 1))) / 4
    assert mutual_information_bits(p) == pytest.approx(1.0)


def uniform_function(n_x, n_y):
    def sample(rng, n):
        x = rng.integers(0, n_x, n)
        return x, x % n_y

    return sample


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("n_x", "n_y", "n"), [(64, 64, 330), (2, 2, 100), (8, 8, 200), (32, 8, 400)]
)
def test_intervals_of_functions_hold_the_entropy(name, n_x, n_y, n):
    rng, sample = np.random.default_rng(8), uniform_function(n_x, n_y)
    estimates = [make_estimator(name).estimate(*sample(rng, n)) for _ in range(40)]
    given = [e for e in estimates if not e.note]
    assert len(given) > 20
    assert np.mean([e.low_bits <= np.log2(n_y) <= e.high_bits for e in given]) >= 0.95
    assert all(e.low_bits <= e.value_bits <= e.high_bits for e in given)


@pytest.mark.parametrize("name", NAMES)
def test_intervals_of_near_functions_allow_for_deviations_not_seen(name):
    rng, covered = np.random.default_rng(9), []
    table = np.eye(8) * 0.997 / 8 + 0.003 / 64
    truth = 3 + float((table * np.log2(table * 8)).sum())
    for _ in range(60):
        cells = rng.choice(64, 1000, p=table.ravel())
        estimate = make_estimator(name).estimate(cells // 8, cells % 8)
        if not estimate.note:
            covered.append(estimate.low_bits <= truth <= estimate.high_bits)
    assert len(covered) > 40
    assert np.mean(covered) > LEAST_COVERED


@pytest.mark.parametrize("name", ["plugin", "miller-madow"])
def test_there_is_no_interval_where_unseen_cells_matter_more_than_the_spread(name):
    rng = np.random.default_rng(10)
    x = rng.integers(0, 64, 2000)
    y = np.where(rng.random(2000) < 0.01, rng.integers(0, 8, 2000), x % 8)
    estimate = make_estimator(name).estimate(x, y)
    assert "unseen" in estimate.note
    assert np.isnan(estimate.low_bits)
