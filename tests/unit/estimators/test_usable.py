"""Usable information on channels that are known, and what it refuses."""

import math

import numpy as np
import pytest

from fctestbed.estimators.probes import MAX_FEATURES, ProbeSettings
from fctestbed.estimators.usable import Prequential, UsableKnn, UsableLinear, UsableMlp
from fctestbed.information import bsc_flip_probability

N = 3000
CAPACITY = 0.5
QUICK = ProbeSettings(steps=200)
HELD_OUT = (UsableLinear, UsableMlp, UsableKnn)


def standard_error(estimate):
    return (estimate.high_bits - estimate.value_bits) / 1.96


@pytest.fixture(scope="module")
def channel():
    """Two fair bits behind channels of half a bit each, beside a coordinate of noise."""
    rng = np.random.default_rng(0)
    w = rng.integers(0, 2, (N, 2))
    seen = w ^ (rng.random(w.shape) < bsc_flip_probability(CAPACITY))
    z = np.column_stack([seen + 0.01 * rng.standard_normal(w.shape), rng.standard_normal(N)])
    return z, w


@pytest.mark.parametrize("made", HELD_OUT)
@pytest.mark.parametrize("entropy_bits", [2.0, None])
def test_probes_read_what_a_channel_lets_through(channel, made, entropy_bits):
    found = made(entropy_bits=entropy_bits, probe=QUICK).estimate(*channel)
    assert found.bound == "lower"
    assert found.n_samples == 600
    assert found.value_bits < 2 * CAPACITY + 3 * standard_error(found)
    # A probe of few weights costs little; neighbours in three dimensions a little more.
    assert found.value_bits == pytest.approx(2 * CAPACITY, abs=0.1 + 3 * standard_error(found))
    # The plug-in entropy of 600 samples of 4 values is 0.004 bit low, with an error of 0.003.
    assert found.ceiling_bits == pytest.approx(2.0, abs=0.02)
    assert found.value_bits <= found.ceiling_bits


def test_a_code_length_charges_what_learning_costs(channel):
    found = Prequential(entropy_bits=2.0).estimate(*channel)
    held_out = UsableLinear(entropy_bits=2.0).estimate(*channel)
    assert found.n_samples == N
    assert found.value_bits < 2 * CAPACITY + 3 * standard_error(found)
    # 32 samples sent at 2 bits each instead of one: 0.011; then half a log n for each weight.
    assert found.value_bits == pytest.approx(2 * CAPACITY, abs=0.05 + 3 * standard_error(found))
    few = Prequential(entropy_bits=2.0).estimate(*(part[:100] for part in channel))
    assert few.value_bits < found.value_bits
    assert held_out.low_bits < found.value_bits + 0.1


def test_a_code_length_is_the_sum_of_its_blocks():
    # Nothing to learn: every block costs the prior's bits, and the first a uniform code.
    rng = np.random.default_rng(1)
    z, w = rng.standard_normal((400, 1)), rng.integers(0, 2, 400)
    found = Prequential(entropy_bits=1.0, first=200).estimate(z, w)
    halves = Prequential(entropy_bits=1.0, first=399).estimate(z, w)
    assert found.value_bits <= 0.0 + 3 * standard_error(found)
    # All but one sample uniformly coded: 1 - 1 bit each.
    assert halves.value_bits == pytest.approx(0.0, abs=2 / 400)


@pytest.mark.parametrize("made", [*HELD_OUT, Prequential])
def test_what_the_condition_reveals_is_read_with_it(made):
    rng = np.random.default_rng(2)
    shared, w = rng.integers(0, 2, (2, 1500))
    z = (shared ^ w)[:, None] + 0.05 * rng.standard_normal((1500, 1))
    estimator = made(entropy_bits=1.0, probe=QUICK)
    alone, given = estimator.estimate(z, w), estimator.estimate(z, w, shared)
    assert alone.value_bits < 3 * standard_error(alone) + 1e-3
    # The code's first 32 samples cost a bit each, and neighbours are smoothed: 0.05 bit.
    assert given.value_bits == pytest.approx(1.0, abs=0.06)


def test_what_the_condition_says_already_is_not_counted():
    rng = np.random.default_rng(3)
    w = rng.integers(0, 2, 1500)
    z = w[:, None] + 0.05 * rng.standard_normal((1500, 1))
    found = UsableLinear().estimate(z, w, w)
    assert found.value_bits == pytest.approx(0.0, abs=1e-3)
    assert found.ceiling_bits == pytest.approx(0.0, abs=1e-9)


def test_parity_is_not_linear():
    rng = np.random.default_rng(4)
    z = rng.integers(0, 2, (1500, 2))
    w = z[:, 0] ^ z[:, 1]
    linear, mlp = (made(probe=QUICK).estimate(z, w) for made in (UsableLinear, UsableMlp))
    assert linear.value_bits < 0.02
    assert mlp.value_bits > 0.95


def test_columns_of_w_are_read_apart_and_their_bits_added():
    rng = np.random.default_rng(5)
    w = rng.integers(0, 3, (1200, 2))
    z = np.concatenate([np.eye(3)[w[:, 0]], np.eye(3)[w[:, 1]]], axis=1)
    for made in HELD_OUT:
        found = made(probe=QUICK).estimate(z, w)
        assert found.value_bits == pytest.approx(2 * math.log2(3), abs=0.12)


@pytest.mark.parametrize("made", [*HELD_OUT, Prequential])
def test_columns_of_w_that_say_the_same_are_counted_once(made):
    rng = np.random.default_rng(9)
    w = rng.integers(0, 2, 1200)
    z = w[:, None] + 0.05 * rng.standard_normal((1200, 1))
    twice = np.column_stack([w, 1 - w])
    found = made(probe=QUICK).estimate(z, twice)
    # Entropy of the pair, 1 bit, not of its columns, 2.
    assert found.ceiling_bits == pytest.approx(1.0, abs=0.01)
    assert found.value_bits <= found.ceiling_bits
    # Held out, and the code's first 32 samples, which cost 2 bits each.
    assert found.value_bits == pytest.approx(1.0, abs=0.1)


def test_what_columns_of_w_hold_of_each_other_is_never_gained():
    # The second column follows the first, and Z says nothing of either.
    rng = np.random.default_rng(10)
    w = rng.integers(0, 2, 1500)
    z = rng.standard_normal((1500, 2))
    found = UsableLinear().estimate(z, np.column_stack([w, w ^ (rng.random(1500) < 0.1)]))
    assert found.value_bits < 0


def test_w_may_be_text():
    rng = np.random.default_rng(11)
    w = rng.integers(0, 2, 400)
    z = w[:, None] + 0.05 * rng.standard_normal((400, 1))
    named = UsableLinear().estimate(z, np.array(["no", "yes"])[w])
    assert named == UsableLinear().estimate(z, w)


@pytest.mark.parametrize("made", [*HELD_OUT, Prequential])
def test_estimates_are_deterministic_and_leave_their_arguments(channel, made):
    z, w = (part[:300] for part in channel)
    before = z.copy(), w.copy()
    estimator = made(probe=ProbeSettings(steps=25))
    first = estimator.estimate(z, w)
    assert estimator.estimate(z, w) == first
    assert made(probe=ProbeSettings(steps=25), seed=1).estimate(z, w) != first
    np.testing.assert_array_equal(z, before[0])
    np.testing.assert_array_equal(w, before[1])
    assert first.estimator == made.name
    assert made.conditional


def test_an_independent_representation_says_nothing():
    rng = np.random.default_rng(6)
    z, w = rng.standard_normal((1000, 8)), rng.integers(0, 2, 1000)
    for made in (*HELD_OUT, Prequential):
        found = made(entropy_bits=1.0, probe=QUICK).estimate(z, w)
        assert -0.15 < found.value_bits < 3 * standard_error(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"y": np.linspace(0, 1, 100)}, "y: expected discrete values, at most 256 in a column"),
        ({"y": np.zeros(100)}, "y: expected columns that vary, got 0.0 throughout column 0"),
        ({"y": np.arange(99) % 2}, "y: expected 100 samples as in x, got 99"),
        ({"x": np.full(100, np.inf)}, "x: expected finite numbers, got infinity"),
        ({"given": np.linspace(0, 1, 100)}, "given: expected a discrete condition"),
    ],
)
def test_arrays_that_cannot_be_are_refused(arguments, message):
    rng = np.random.default_rng(7)
    usual = {"x": rng.standard_normal(100), "y": np.arange(100) % 2}
    with pytest.raises(ValueError, match=message):
        UsableLinear().estimate(**{**usual, **arguments})


def test_a_condition_of_many_values_and_wide_representations_is_refused():
    rng = np.random.default_rng(8)
    x, w = rng.standard_normal((400, 100)), rng.integers(0, 2, 400)
    given = np.arange(400) % 50
    with pytest.raises(ValueError, match=f"given: expected at most {MAX_FEATURES} features"):
        UsableLinear().estimate(x, w, given)


@pytest.mark.parametrize(
    ("made", "settings", "message"),
    [
        (UsableLinear, {"entropy_bits": -1.0}, "entropy_bits: expected a number from 0 up"),
        (UsableKnn, {"fractions": (1.0, 0.0, 0.0)}, "fractions: expected three shares above 0"),
        (UsableKnn, {"seed": 0.5}, "seed: expected a whole number of at least 0, got 0.5"),
        (Prequential, {"seed": -1}, "seed: expected a whole number of at least 0, got -1"),
        (Prequential, {"family": "tree"}, "family: expected one of linear, mlp, knn, got 'tree'"),
        (Prequential, {"first": 4}, "first: expected at least 8 samples, got 4"),
    ],
)
def test_settings_out_of_range_are_refused(made, settings, message):
    with pytest.raises(ValueError, match=message):
        made(**settings)


def test_one_sample_read_has_no_spread():
    x = np.random.default_rng(0).standard_normal(50)
    y = (x > 0).astype(int)
    lone = UsableLinear(fractions=(0.9, 0.08, 0.02)).estimate(x, y)
    assert lone.n_samples == 1
    assert np.isfinite(lone.value_bits)
    assert np.isnan([lone.low_bits, lone.high_bits, lone.se_bits]).all()
    assert lone.note == "one held-out sample, which shows no spread"


@pytest.mark.parametrize("offset", [2459000.5, 1e9, -1e12])
@pytest.mark.parametrize("kind", [UsableLinear, UsableKnn, Prequential])
def test_an_offset_of_a_column_takes_no_information(kind, offset):
    rng = np.random.default_rng(0)
    u = rng.random(1000)
    half = (u > 0.5).astype(int)
    plain = kind().estimate(u, half).value_bits
    # At 1e12 float64 has steps of 1e-4.
    assert kind().estimate(u + offset, half).value_bits == pytest.approx(plain, abs=0.01)
    assert plain > 0.9


def test_an_offset_takes_no_information_given_a_condition():
    rng = np.random.default_rng(0)
    u, b = rng.random(1000), rng.integers(0, 3, 1000)
    half = (u > 0.5).astype(int)
    plain = UsableLinear().estimate(u, half, b).value_bits
    assert UsableLinear().estimate(u + 1e9, half, b).value_bits == pytest.approx(plain, abs=0.01)
    assert plain > 0.9


@pytest.mark.parametrize("kind", [*HELD_OUT, Prequential])
def test_a_spread_below_the_resolution_of_float64_is_refused(kind):
    u = np.random.default_rng(0).random(200)
    with pytest.raises(ValueError, match=r"^x: expected columns that vary by more than float64"):
        kind().estimate(64 * u + 1e17, (u > 0.5).astype(int))
