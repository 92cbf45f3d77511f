"""Drawn laws of columns and classes: an information that integration and closed forms confirm."""

import math
import pickle

import numpy as np
import pytest
from scipy.stats import laplace, norm

from fctestbed.estimators import make_estimator
from fctestbed.information import nats_to_bits
from fctestbed.laws import ROUGH, SMOOTH, BitsInNoise, drawn_class_law
from fctestbed.laws.class_pairs import PlaneClasses, ShiftedClasses, ThresholdClasses

SEEDS = range(30)
CLOSE_NATS = 5e-5


@pytest.fixture(scope="module")
def laws():
    return [drawn_class_law(seed) for seed in SEEDS]


def test_a_seed_gives_one_law_that_worker_processes_can_have(laws):
    assert drawn_class_law(7) == laws[7]
    assert pickle.loads(pickle.dumps(laws[7])) == laws[7]
    with pytest.raises(ValueError, match=r"^seed: expected at least 0, got -1$"):
        drawn_class_law(-1)


def test_the_family_has_all_shapes_within_its_range_of_information(laws):
    assert len({law.name for law in laws}) == len(SEEDS)
    assert all(0.02 <= law.true_bits <= 2 for law in laws)
    assert {type(law.pair) for law in laws} == {ShiftedClasses, PlaneClasses, ThresholdClasses}
    assert {len(law.margins) for law in laws} == {1, 2, 3}
    assert {law.group for law in laws} == {SMOOTH, ROUGH}
    for law in laws:
        x, y = law.sample(300, np.random.default_rng(law.seed))
        assert x.shape == (300, len(law.margins))
        assert np.isfinite(x).all()
        assert y.dtype == np.int64
        assert 2 <= len(np.unique(y)) <= 5


def test_two_normal_classes_are_a_bit_in_noise():
    pair = ShiftedClasses((0.5, 0.5), (-1.0, 1.0), (0.6, 0.6), "normal")
    expected = BitsInNoise(0.6).true_bits
    assert nats_to_bits(pair.true_nats()) == pytest.approx(expected, abs=CLOSE_NATS)
    # In the plane the second column, which is the same in both classes, adds nothing.
    plane = PlaneClasses((0.5, 0.5), ((-1.0, 0.3), (1.0, 0.3)), (0.6, 0.6))
    assert nats_to_bits(plane.true_nats()) == pytest.approx(expected, abs=CLOSE_NATS)


def test_uniform_classes_that_overlap_have_a_closed_form():
    # Two intervals of width w that overlap by half hold half a bit.
    width = 2 * math.sqrt(3)
    pair = ShiftedClasses((0.5, 0.5), (0.0, width / 2), (1.0, 1.0), "uniform")
    assert nats_to_bits(pair.true_nats()) == pytest.approx(0.5, abs=CLOSE_NATS)


@pytest.mark.parametrize(("source", "law"), [("normal", norm()), ("laplace", laplace(0, 0.5**0.5))])
def test_the_information_of_steps_is_a_sum_over_a_grid(source, law):
    pair = ThresholdClasses(source, "sine", (-0.4, 0.5), 0.3, frequency=2.0)
    x = np.arange(-12, 12, 1e-3)
    weights = law.pdf(x) * 1e-3
    above = norm.sf((np.array([[-0.4], [0.5]]) - np.sin(2 * x)) / 0.3)
    given = np.stack([1 - above[0], above[0] - above[1], above[1]])
    whole = given @ weights
    conditional = -np.where(given > 0, given * np.log(np.maximum(given, 1e-300)), 0).sum(axis=0)
    expected = -(whole * np.log(whole)).sum() - conditional @ weights
    assert pair.true_nats() == pytest.approx(expected, abs=CLOSE_NATS)


@pytest.mark.parametrize("kind", [ShiftedClasses, PlaneClasses, ThresholdClasses])
def test_estimates_from_many_samples_are_near_the_information(laws, kind):
    pair = next(law.pair for law in laws if isinstance(law.pair, kind))
    x, y = pair.sample(10_000, np.random.default_rng(0))
    estimate = make_estimator("ross", margins="normal").estimate(x, y)
    assert abs(estimate.value_bits - nats_to_bits(pair.true_nats())) < (4 * estimate.se_bits + 0.02)
