"""Drawn laws: one for a seed, many over seeds, and an information that integration confirms."""

import math
import pickle

import numpy as np
import pytest
from scipy.stats import laplace, multivariate_normal, norm

from fctestbed.estimators import make_estimator
from fctestbed.information import nats_to_bits
from fctestbed.laws import drawn_law
from fctestbed.laws.pairs import ChannelPair, CopulaPair, MixturePair, RoundPair

SEEDS = range(60)
CLOSE_NATS = 5e-5
MIXTURE = MixturePair(
    weights=(0.3, 0.7),
    means=((0.0, 1.0), (1.5, -0.5)),
    spreads=((0.4, 0.8), (1.0, 0.3)),
    correlations=(0.8, -0.5),
)
PAIRS = [
    CopulaPair("gaussian", -0.6),
    CopulaPair("student", 0.5, 3),
    CopulaPair("clayton", 2.0),
    MIXTURE,
    ChannelPair("uniform", "linear", "uniform", 0.5),
    ChannelPair("normal", "sine", "normal", 0.4, frequency=2.5),
    ChannelPair("laplace", "square", "laplace", 0.6),
    ChannelPair("normal", "tanh", "uniform", 0.3),
    RoundPair(filled=False, scale=0.2),
    RoundPair(filled=True, scale=0.3),
    RoundPair(filled=True, scale=0.0),
]


@pytest.fixture(scope="module")
def laws():
    return [drawn_law(seed) for seed in SEEDS]


def test_a_seed_gives_one_law_that_worker_processes_can_have():
    for seed in (0, 7, 1003):
        law, again = drawn_law(seed), drawn_law(seed)
        assert law == again
        assert pickle.loads(pickle.dumps(law)) == law
        first, second = (part.sample(50, np.random.default_rng(1)) for part in (law, again))
        assert np.array_equal(np.hstack(first), np.hstack(second))


def test_the_family_has_all_shapes_within_its_range_of_information(laws):
    assert len({law.name for law in laws}) == len(SEEDS)
    assert all(0.02 <= law.true_bits <= 3 for law in laws)
    kinds = {type(pair) for law in laws for pair in law.pairs}
    assert kinds == {CopulaPair, MixturePair, ChannelPair, RoundPair}
    assert {len(side) for law in laws for side in law.margins} == {1, 2, 3}
    assert 0.25 < np.mean([law.smooth for law in laws]) < 0.6
    assert any(law.twist for law in laws)


def test_samples_are_finite_columns_of_the_stated_shape(laws):
    for law in laws:
        x, y = law.sample(400, np.random.default_rng(law.seed))
        assert x.shape == (400, len(law.margins[0]))
        assert y.shape == (400, len(law.margins[1]))
        assert np.isfinite(x).all()
        assert np.isfinite(y).all()
        assert len(np.unique(x[:, 0])) == 400


def test_an_edge_a_long_tail_or_a_twist_is_not_smooth(laws):
    for law in laws:
        rough = {"cube", "uniform", "sinh"} & {m for side in law.margins for m in side}
        rough |= {law.twist} - {0.0}
        rough |= {p.label for p in law.pairs if isinstance(p, ChannelPair) and "uniform" in p.label}
        assert not (law.smooth and rough), law.name


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match=r"^seed: expected at least 0, got -1$"):
        drawn_law(-1)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.label)
def test_estimates_from_many_samples_are_near_the_information(pair):
    x, y = pair.sample(20_000, np.random.default_rng(0))
    estimate = make_estimator("ksg1", margins="normal").estimate(x, y)
    truth = nats_to_bits(pair.true_nats())
    assert abs(estimate.value_bits - truth) < 4 * estimate.se_bits + 0.02


def test_claytons_information_is_the_integral_of_its_density():
    theta = 2.0
    # Over x = -log u and y = -log v, where the density has no infinite corner.
    x = np.arange(0, 25, 0.02)
    sums = np.exp(theta * x)[:, None] + np.exp(theta * x) - 1
    log_density = math.log(1 + theta) + (1 + theta) * (x[:, None] + x)
    log_density -= (2 + 1 / theta) * np.log(sums)
    weights = np.exp(log_density - x[:, None] - x)
    found = np.trapezoid(np.trapezoid(weights * log_density, x), x)
    assert CopulaPair("clayton", theta).true_nats() == pytest.approx(found, abs=2e-4)


def test_a_mixtures_information_is_a_mean_over_its_samples():
    x, y = MIXTURE.sample(400_000, np.random.default_rng(2))
    joint, margin_x, margin_y = np.zeros((3, len(x)))
    for w, mean, (sx, sy), rho in zip(
        MIXTURE.weights, MIXTURE.means, MIXTURE.spreads, MIXTURE.correlations, strict=True
    ):
        cov = [[sx * sx, rho * sx * sy], [rho * sx * sy, sy * sy]]
        joint += w * multivariate_normal(mean, cov).pdf(np.column_stack([x, y]))
        margin_x += w * norm(mean[0], sx).pdf(x)
        margin_y += w * norm(mean[1], sy).pdf(y)
    local = np.log(joint / margin_x / margin_y)
    error = local.std() / math.sqrt(len(x))
    assert abs(MIXTURE.true_nats() - local.mean()) < 4 * error


def test_uniform_noise_on_a_uniform_signal_has_a_trapezoidal_sum():
    # Half widths a > b: h(Y) = log 2a + b / 2a, so that I = log(a / b) + b / 2a.
    ratio = 0.5
    expected = -math.log(ratio) + ratio / 2
    pair = ChannelPair("uniform", "linear", "uniform", ratio)
    assert pair.true_nats() == pytest.approx(expected, abs=CLOSE_NATS)


def test_normal_noise_on_a_normal_signal_has_the_closed_form():
    pair = ChannelPair("normal", "linear", "normal", 0.4)
    assert pair.true_nats() == pytest.approx(0.5 * math.log1p(1 / 0.16), abs=CLOSE_NATS)


@pytest.mark.parametrize(("noise", "law"), [("normal", norm()), ("laplace", laplace(0, 0.5**0.5))])
def test_the_information_of_a_sine_is_a_sum_over_a_grid(noise, law):
    scale, rate = 0.4, 2.5
    x, y = np.arange(-7, 7, 0.01), np.arange(-8, 8, 0.01)
    density = law.pdf((y[:, None] - np.sin(rate * x)) / scale) / scale @ norm.pdf(x) * 0.01
    expected = -(density * np.log(density)).sum() * 0.01 - float(law.entropy()) - math.log(scale)
    found = ChannelPair("normal", "sine", noise, scale, frequency=rate).true_nats()
    assert found == pytest.approx(expected, abs=CLOSE_NATS)


@pytest.mark.parametrize("filled", [False, True])
def test_the_information_of_circles_and_discs_is_a_sum_over_a_grid(filled):
    pair = RoundPair(filled=filled, scale=0.3)
    grid = np.arange(-3.2, 3.2, 0.05)
    radii = np.sqrt((np.arange(200) + 0.5) / 200) if filled else np.ones(1)
    angles = 2 * np.pi * (np.arange(128) + 0.5) / 128
    joint = np.zeros((len(grid), len(grid)))
    for radius in radii:
        x = norm.pdf((grid[:, None] - radius * np.cos(angles)) / 0.3) / 0.3
        y = norm.pdf((grid[:, None] - radius * np.sin(angles)) / 0.3) / 0.3
        joint += x @ y.T / (len(angles) * len(radii))
    area = 0.05**2
    margins = np.outer(joint.sum(axis=1), joint.sum(axis=0)) * area
    expected = float((joint * np.log(joint / margins)).sum() * area)
    assert pair.true_nats() == pytest.approx(expected, abs=CLOSE_NATS)


def test_the_disc_without_noise_has_the_closed_form_of_less_and_less_noise():
    noisy = [RoundPair(filled=True, scale=scale).true_nats() for scale in (0.1, 0.05, 0.02)]
    gaps = RoundPair(filled=True, scale=0.0).true_nats() - np.array(noisy)
    assert (gaps > 0).all()
    assert (np.diff(gaps) < 0).all()
    assert gaps[-1] < 0.03
