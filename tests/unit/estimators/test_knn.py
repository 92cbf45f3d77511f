import math
import subprocess
import sys

import numpy as np
import pytest

from fctestbed.estimators import HALF_WIDTH, make_estimator
from fctestbed.estimators.neighbours import count_shells, nearest
from fctestbed.laws import (
    BitChannel,
    BitsInNoise,
    GaussianPair,
    GaussianTriple,
    JointDistribution,
)

REPEATS = 100
# 95 % of 100 repeats with three standard errors of sqrt(.95 .05 / 100) = 2.2 %.
LEAST_COVERED, MOST_COVERED = 0.885, 1.0
# Of a standard error that is right within 10 %: 92.2 %, with three standard errors.
LEAST_NEAR = 0.842


def sampled(truth, n, seed=0):
    return truth.sample(n, np.random.default_rng(seed))


COVERED = [
    ("ksg1", GaussianPair((0.0,)), 200),
    ("ksg1", GaussianPair((0.7,)), 200),
    ("ross", BitsInNoise(0.8), 200),
    ("mixed-ksg", BitsInNoise(0.8), 200),
    ("frenzel-pompe", GaussianTriple(2.0, 1.0), 200),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "truth", "n"), COVERED, ids=lambda value: str(value)[:24])
def test_intervals_hold_the_truth_as_often_as_they_say(name, truth, n):
    rng = np.random.default_rng(5)
    estimator = make_estimator(name)
    estimates = [estimator.estimate(*truth.sample(n, rng)) for _ in range(REPEATS)]
    given = [e for e in estimates if not e.note]
    assert len(given) > 0.9 * REPEATS
    # They have room for a bias, which is small here, so that they may hold the truth always.
    assert np.mean([e.low_bits <= truth.true_bits <= e.high_bits for e in given]) >= LEAST_COVERED
    # The standard error is that of the spread about the mean, without the bias.
    values, errors = np.array([(e.value_bits, e.se_bits) for e in estimates]).T
    near = np.mean(abs(values - values.mean()) <= HALF_WIDTH * errors)
    assert LEAST_NEAR <= near <= MOST_COVERED


def test_without_ties_mesner_and_shalizi_s_estimate_is_frenzel_and_pompe_s_interval_and_all():
    arrays = sampled(GaussianTriple(2.0, 1.0), 400)
    first, second = (
        make_estimator(name).estimate(*arrays) for name in ("frenzel-pompe", "mesner-shalizi")
    )
    for field in ("value_bits", "low_bits", "high_bits", "se_bits"):
        assert getattr(first, field) == pytest.approx(getattr(second, field), abs=1e-12)


@pytest.mark.parametrize("name", ["ksg1", "ksg2", "mixed-ksg", "frenzel-pompe", "mesner-shalizi"])
@pytest.mark.parametrize(
    ("truth", "n"), [(GaussianPair((0.8, 0.8, *[0.0] * 8)), 300), (GaussianPair((0.999,) * 3), 300)]
)
def test_there_is_no_interval_where_the_value_still_moves_with_n(name, truth, n):
    estimate = make_estimator(name).estimate(*sampled(truth, n))
    # Off by far more than its spread: in many columns, and where there is much to read.
    assert estimate.value_bits < truth.true_bits - 5 * estimate.se_bits
    assert math.isnan(estimate.low_bits)
    assert math.isnan(estimate.high_bits)
    assert estimate.note.startswith("the value still changes with the number of samples")


def near(estimate, truth, bias):
    return abs(estimate.value_bits - truth.true_bits) < 4 * estimate.se_bits + bias


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.99])
@pytest.mark.parametrize("name", ["ksg1", "ksg2", "mixed-ksg", "mesner-shalizi"])
def test_gaussian_pairs_are_read_right(name, rho):
    truth = GaussianPair((rho,))
    assert near(make_estimator(name).estimate(*sampled(truth, 3000)), truth, bias=0.02)


@pytest.mark.parametrize("name", ["ross", "mixed-ksg", "mesner-shalizi"])
def test_a_bit_in_noise_is_read_right(name):
    truth = BitsInNoise(0.8)
    assert near(make_estimator(name).estimate(*sampled(truth, 3000)), truth, bias=0.01)


@pytest.mark.parametrize("name", ["mixed-ksg", "mesner-shalizi"])
def test_discrete_pairs_are_read_right(name):
    for truth in (BitChannel("symmetric", 0.1, 1), JointDistribution(np.full((3, 3), 1 / 9))):
        assert near(make_estimator(name).estimate(*sampled(truth, 1500)), truth, bias=0.01)


@pytest.mark.parametrize("name", ["frenzel-pompe", "mesner-shalizi"])
def test_what_a_condition_leaves_is_read_right(name):
    truth = GaussianTriple(0.5, 0.5)
    assert near(make_estimator(name).estimate(*sampled(truth, 3000)), truth, bias=0.08)


def test_a_condition_may_be_discrete():
    rng = np.random.default_rng(1)
    x, y = (column[:, 0] for column in GaussianPair((0.8,)).sample(3000, rng))
    z = rng.integers(0, 2, 3000)
    estimate = make_estimator("mesner-shalizi").estimate(x + 5 * z, y - 5 * z, z)
    assert near(estimate, GaussianPair((0.8,)), bias=0.02)
    # Globally the condition is all that shows.
    assert make_estimator("mesner-shalizi").estimate(x + 5 * z, y - 5 * z).value_bits > 0.9


def test_the_ceiling_of_a_conditional_estimate_falls_with_the_columns_of_the_condition():
    truth = GaussianPair((0.97,))
    x, y = sampled(truth, 1000)
    z = np.random.default_rng(2).standard_normal((1000, 12))
    estimator = make_estimator("frenzel-pompe")
    ceilings = [estimator.estimate(x, y, z[:, :dim]).ceiling_bits for dim in (1, 4, 12)]
    assert ceilings[0] > ceilings[1] > ceilings[2]
    assert ceilings[2] < truth.true_bits


def test_rank_margins_read_heavy_tails_that_raw_ones_do_not():
    truth = GaussianPair((0.9,))
    x, y = sampled(truth, 1000)
    heavy = np.sinh(4 * x), np.sinh(4 * y)
    rank = make_estimator("ksg1", margins="rank").estimate(*heavy)
    assert near(rank, truth, bias=0.05)
    assert make_estimator("ksg1").estimate(*heavy).value_bits < truth.true_bits - 0.2


def test_there_is_no_interval_where_halves_have_no_neighbours():
    x, y = sampled(GaussianPair((0.5,)), 7)
    estimate = make_estimator("ksg1", k=5).estimate(x, y)
    assert math.isfinite(estimate.value_bits)
    assert math.isnan(estimate.low_bits)
    assert math.isnan(estimate.high_bits)
    assert math.isnan(estimate.se_bits)
    assert estimate.note


def test_the_seed_moves_the_interval_and_nothing_else():
    x, y = sampled(GaussianPair((0.5,)), 300)
    first, second = (make_estimator("ksg1", seed=seed).estimate(x, y) for seed in (0, 1))
    assert first.value_bits == second.value_bits
    assert first.low_bits != second.low_bits


def test_single_samples_of_a_class_are_left_out():
    x, y = sampled(BitsInNoise(0.8), 200)
    y[0] = 7
    estimate = make_estimator("ross").estimate(x, y)
    assert estimate.n_samples == 199


@pytest.mark.parametrize("dim", [2, 3, 12, 30])
def test_pairs_in_threads_count_as_trees_do(dim):
    # Above 2000 points the loops run in pieces, on every core.
    points = np.random.default_rng(dim).standard_normal((2100, dim))
    pairs, tree = (nearest(points, 4, pairs=way) for way in (True, False))
    assert np.array_equal(pairs.radius, tree.radius)
    assert np.array_equal(np.sort(pairs.indices), np.sort(tree.indices))
    some = points[:, : max(dim // 2, 2)]
    inner = np.nextafter(pairs.radius, 0)
    counts = [count_shells(some, None, inner, pairs.radius, pairs=way) for way in (True, False)]
    assert np.array_equal(*counts)


def test_columns_of_zeros_and_ones_do_no_harm_where_denormals_count_as_zero():
    # In a process of its own: scipy's balanced tree fills the stack there, which ends the process.
    code = """
import numpy as np, torch
from fctestbed.estimators import make_estimator
bits = np.random.default_rng(0).integers(0, 2, (400, 2))
print([make_estimator(name).estimate(bits, bits[:, 0]).value_bits for name in NAMES])
torch.set_flush_denormal(True)
print([make_estimator(name).estimate(bits, bits[:, 0]).value_bits for name in NAMES])
"""
    code = code.replace("NAMES", '("mixed-ksg", "usable-knn")')
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    before, after = done.stdout.splitlines()
    assert before == after
