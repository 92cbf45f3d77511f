import math

import numpy as np
import pytest
from scipy.special import digamma, polygamma, xlogy
from scipy.stats import norm

from fctestbed.estimators import make_estimator
from fctestbed.estimators.neighbours import count_boxes, count_shells
from fctestbed.estimators.ties import Distinct, expected_digamma, tetragamma

MIXED = ["mixed-ksg", "mesner-shalizi"]


def rounded(values, step):
    return np.round(values / step) * step


def normal_pair(rho, n, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, rho * x + math.sqrt(1 - rho**2) * rng.normal(size=n)


def table_bits(table):
    product = table.sum(1, keepdims=True) * table.sum(0, keepdims=True)
    seen = table > 0
    return float(xlogy(table[seen], table[seen] / product[seen]).sum() / np.log(2))


def rounded_normal_bits(rho, step):
    """I of a normal pair rounded to a step: the exact sum over cells, X on a fine grid."""
    edges = (np.arange(-math.ceil(6 / step), math.ceil(6 / step) + 2) - 0.5) * step
    fine = 20
    x = (edges[0] + (np.arange((len(edges) - 1) * fine) + 0.5) * step / fine)[:, None]
    cells = np.diff(norm.cdf((edges - rho * x) / math.sqrt(1 - rho**2)), axis=1)
    table = (cells * norm.pdf(x)).reshape(len(edges) - 1, fine, -1).sum(1)
    return table_bits(table / table.sum())


def mean_bits(name, pairs, **settings):
    estimator = make_estimator(name, **settings)
    return float(np.mean([estimator.estimate(*pair).value_bits for pair in pairs]))


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize(("step", "both"), [(0.1, True), (0.5, True), (0.1, False)])
def test_independent_rounded_normals_have_no_information(name, step, both):
    pairs = [normal_pair(0.0, 400, seed) for seed in range(4)]
    found = mean_bits(name, [(rounded(x, step), rounded(y, step) if both else y) for x, y in pairs])
    # The mean of four values with a spread of 0.07 each, and three standard errors.
    assert abs(found) < 0.105


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("step", [0.1, 0.7])
def test_dependent_rounded_normals_have_the_exact_sum(name, step):
    pairs = [normal_pair(0.8, 800, seed) for seed in range(4)]
    found = mean_bits(name, [(rounded(x, step), rounded(y, step)) for x, y in pairs])
    assert abs(found - rounded_normal_bits(0.8, step)) < 0.07


def test_one_rounded_column_of_two_has_the_right_information():
    pairs = [normal_pair(0.8, 800, seed) for seed in range(8)]
    found = mean_bits("mixed-ksg", [(rounded(x, 0.1), y) for x, y in pairs])
    assert abs(found - 0.736) < 0.07


@pytest.mark.parametrize("rate", [2, 20, 100])
def test_independent_counts_have_no_information(rate):
    rng = np.random.default_rng(1)
    pairs = [rng.poisson(rate, (2, 400)) for _ in range(4)]
    assert abs(mean_bits("mixed-ksg", pairs)) < 0.105


def test_a_rounded_condition_leaves_nothing_between_its_effects():
    rng = np.random.default_rng(2)
    triples = []
    for _ in range(8):
        z = rng.normal(size=400)
        triples.append(
            [rounded(a, 0.2) for a in (z + rng.normal(size=400), z + rng.normal(size=400), z)]
        )
    # The rounded condition is not quite the cause.
    assert abs(mean_bits("mesner-shalizi", triples)) < 0.08


@pytest.mark.parametrize("name", [*MIXED, "ksg1", "ksg2", "frenzel-pompe"])
@pytest.mark.parametrize("factor", [1 / 3, 1e6])
def test_a_change_of_unit_changes_no_tie(name, factor):
    x, y = normal_pair(0.6, 300, 5)
    step = 0.1 if name in MIXED else 0.004
    x, y = rounded(x, step), rounded(y, step)
    estimator = make_estimator(name)
    before = estimator.estimate(x, y).value_bits
    assert estimator.estimate(factor * x, y).value_bits == pytest.approx(before, abs=1e-9)
    assert estimator.estimate(x, y * factor).value_bits == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize("name", MIXED)
def test_swapped_and_reordered_samples_with_ties_have_the_same_value(name):
    x, y = (rounded(a, 0.2) for a in normal_pair(0.6, 300, 6))
    order = np.random.default_rng(0).permutation(300)
    value = make_estimator(name).estimate(x, y).value_bits
    assert make_estimator(name).estimate(y, x).value_bits == pytest.approx(value, abs=1e-9)
    again = make_estimator(name).estimate(x[order], y[order]).value_bits
    assert again == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("step", [0.05, 2.0])
@pytest.mark.parametrize("rho", [0.0, 0.999])
def test_no_value_is_above_its_ceiling(name, step, rho):
    x, y = (rounded(a, step) for a in normal_pair(rho, 200, 7))
    for second in (y, x):
        estimate = make_estimator(name).estimate(x, second)
        assert estimate.value_bits <= estimate.ceiling_bits + 1e-9


@pytest.mark.parametrize(("name", "rho", "truth"), [("ksg1", 0.999, 4.483), ("ksg2", 0.8, 0.737)])
@pytest.mark.parametrize("margins", ["rank", "normal"])
def test_ranks_are_as_good_as_the_values(name, rho, truth, margins):
    pairs = [normal_pair(rho, 2048, seed) for seed in range(3)]
    assert abs(mean_bits(name, pairs, margins=margins) - truth) < 0.1


@pytest.mark.parametrize("k", [3, 5])
def test_ranks_of_a_normal_tell_nothing_of_a_coin(k):
    rng = np.random.default_rng(3)
    pairs = [(rng.normal(size=2048), rng.integers(0, 2, 2048)) for _ in range(3)]
    assert abs(mean_bits("ross", pairs, margins="rank", k=k)) < 0.03


def test_equal_samples_are_searched_once():
    rng = np.random.default_rng(4)
    x = np.where(rng.random(5000) < 0.9, 0.0, rng.normal(size=5000))[:, None]
    y = rng.integers(0, 2, 5000).astype(float)[:, None]
    data = Distinct.of(x, y)
    # Two rows hold the filled samples; every other one is a row of its own.
    assert len(data.variables[0]) == (x != 0).sum() + 2
    assert data.weights.sum() == 5000
    assert (data.radius(3)[data.inverse][x[:, 0] == 0] == 0).all()


def test_the_expected_digamma_is_that_of_random_orders():
    rng = np.random.default_rng(5)
    for inside, place, joint, shell in [(3, 1, 1, 8), (2, 2, 5, 30), (6, 3, 3, 3), (10, 1, 4, 200)]:
        marked = np.arange(shell) < joint
        orders = np.argsort(rng.random((20_000, shell)), axis=1)
        position = np.sort(np.where(marked, orders + 1, shell + 1), axis=1)[:, place - 1]
        found = expected_digamma(*(np.array([a]) for a in (inside, place, joint, shell)))
        assert found[0] == pytest.approx(digamma(inside + position).mean(), abs=0.02)


def test_the_second_derivative_of_digamma_is_scipy_s():
    x = np.geomspace(1, 1e9, 2000)
    np.testing.assert_allclose(tetragamma(x), polygamma(2, x), rtol=1e-13)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_weighted_counts_are_those_of_repeated_points(dim):
    rng = np.random.default_rng(6)
    points = rng.normal(size=(60, dim))
    weights = rng.integers(1, 5, 60)
    inner, outer = rng.random(60), rng.random(60) + 1
    distances = np.abs(points[:, None] - points).max(axis=2)
    inside, within = count_shells(points, weights, inner, outer)
    assert np.array_equal(inside, (distances <= inner[:, None]) @ weights)
    assert np.array_equal(within, (distances <= outer[:, None]) @ weights)
    rows, reach = np.array([3, 7, 20]), rng.random((3, dim)) * 2
    near = (np.abs(points[rows, None] - points) <= reach[:, None]).all(axis=2)
    assert np.array_equal(count_boxes(points, weights, rows, reach), near @ weights)
