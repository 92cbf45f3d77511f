"""The variational estimators on laws of known information, and what they refuse."""

import dataclasses
import math

import numpy as np
import pytest

from fctestbed.estimators import ESTIMATORS, TrainedEstimator
from fctestbed.estimators.variational.critics import (
    DonskerVaradhan,
    InfoNce,
    JensenShannon,
    Mine,
    NceClub,
    Nwj,
    ProbabilisticClassifier,
    Smile,
)
from fctestbed.estimators.variational.learned_densities import (
    DifferenceOfEntropies,
    LeaveOneOut,
    VClub,
)
from fctestbed.information import bsc_flip_probability

TRAINED = [made for made in ESTIMATORS.values() if issubclass(made, TrainedEstimator)]
LOWER = [InfoNce, Nwj, DonskerVaradhan, Mine, JensenShannon]
LN2 = math.log(2)
CORRELATION = 0.9
GAUSSIAN_BITS = -0.5 * math.log2(1 - CORRELATION**2)
GAUSSIAN_JEFFREYS_BITS = CORRELATION**2 / (1 - CORRELATION**2) / LN2
FLIPS = 0.05
# As far as twice the steps lead at the rate by default.
FAST = {"steps": 125, "rate": 2e-3}
BSC_BITS = 1 + FLIPS * math.log2(FLIPS) + (1 - FLIPS) * math.log2(1 - FLIPS)
BSC_JEFFREYS_BITS = (0.5 - FLIPS) * math.log2((1 - FLIPS) / FLIPS)


def gaussian(n, seed=0, correlation=CORRELATION, dim=1):
    rng = np.random.default_rng(seed)
    x, noise = rng.standard_normal((2, n, dim))
    return x, correlation * x + math.sqrt(1 - correlation**2) * noise


def bits(n, n_bits, seed=0, flips=FLIPS):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (n, n_bits))
    return x, x ^ (rng.random((n, n_bits)) < flips)


def standard_error(estimate):
    return estimate.se_bits


def on_gaussian(made):
    return made(**FAST).estimate(*gaussian(2000))


def on_bits(made):
    return made(**FAST).estimate(*bits(3000, 4))


@pytest.mark.parametrize("made", LOWER)
def test_lower_bounds_are_near_the_truth_and_not_above_it(made):
    for estimate, truth in ((on_gaussian, GAUSSIAN_BITS), (on_bits, 4 * BSC_BITS)):
        found = estimate(made)
        assert found.bound == "lower"
        assert found.value_bits < truth + 3 * standard_error(found)
        # What these steps on 1200 or 1800 samples leave unlearned, and three standard errors.
        assert found.value_bits > 0.85 * truth - 3 * standard_error(found)


@pytest.mark.parametrize(
    "made", [Smile, ProbabilisticClassifier, LeaveOneOut, DifferenceOfEntropies]
)
def test_unbounded_estimates_come_near_the_truth_here(made):
    for estimate, truth in ((on_gaussian, GAUSSIAN_BITS), (on_bits, 4 * BSC_BITS)):
        found = estimate(made)
        assert found.bound == "none"
        assert found.value_bits == pytest.approx(
            truth, abs=0.15 * truth + 3 * standard_error(found)
        )


@pytest.mark.parametrize("made", [VClub, NceClub])
def test_club_with_learned_parts_aims_at_jeffreys_not_at_the_information(made):
    cases = (
        (on_gaussian, GAUSSIAN_BITS, GAUSSIAN_JEFFREYS_BITS),
        (on_bits, 4 * BSC_BITS, 4 * BSC_JEFFREYS_BITS),
    )
    for estimate, truth, jeffreys in cases:
        found = estimate(made)
        assert found.bound == "none"
        assert found.value_bits > 1.5 * truth
        assert found.value_bits < jeffreys + 4 * standard_error(found) + 0.2 * jeffreys


@pytest.mark.parametrize("made", TRAINED)
def test_independent_variables_have_nothing_in_common(made):
    x, y = gaussian(600, correlation=0.0, dim=2)
    found = made(steps=100).estimate(x, y)
    # Held out: what was fitted to noise costs, and adds nothing.
    assert found.value_bits < 3 * standard_error(found)
    assert found.value_bits > -0.3


@pytest.mark.parametrize("made", TRAINED)
def test_estimators_are_deterministic_and_leave_their_arguments(made):
    x, y = gaussian(200)
    before = x.copy(), y.copy()
    estimator = made(steps=25)
    first = estimator.estimate(x, y)
    assert estimator.estimate(x, y) == first
    assert made(steps=25, seed=1).estimate(x, y) != first
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(y, before[1])
    assert first.estimator == made.name == estimator.name
    assert first.n_samples == 40
    assert first.se_bits > 0
    if made in LOWER:
        assert first.high_bits - first.value_bits == pytest.approx(1.96 * first.se_bits, rel=1e-4)
        assert first.note == ""
    else:
        # What was left unlearned is in no spread.
        assert math.isnan(first.low_bits)
        assert math.isnan(first.high_bits)
        assert first.note == "a trained value that is not a bound"


def test_the_registry_has_every_name_with_its_true_direction():
    assert {made.name: made.bound for made in TRAINED} == {
        "infonce": "lower",
        "nwj": "lower",
        "dv": "lower",
        "mine": "lower",
        "js": "lower",
        "smile": "none",
        "classifier": "none",
        "vclub": "none",
        "l1out": "none",
        "nce-club": "none",
        "doe": "none",
    }
    assert {made.name for made in TRAINED if made.conditional} == {"infonce", "nce-club"}


def test_ceilings_are_those_of_the_evaluation_samples():
    x, y = gaussian(300)
    infonce = InfoNce(steps=25).estimate(x, y)
    assert infonce.ceiling_bits == pytest.approx(math.log2(60))
    blocks = InfoNce(steps=25, read_block=16).estimate(x, y)
    assert blocks.ceiling_bits == pytest.approx(math.log2(15))
    assert blocks.value_bits <= blocks.ceiling_bits
    classifier = ProbabilisticClassifier(steps=25, batch=64, clamp=1e-3).estimate(x, y)
    assert classifier.ceiling_bits == pytest.approx(math.log2(63 * 999))
    assert ProbabilisticClassifier(steps=25, clamp=0.0).estimate(x, y).ceiling_bits == math.inf
    assert Nwj(steps=25).estimate(x, y).ceiling_bits == math.inf


def test_lower_bounds_of_a_copy_of_many_bits_stay_under_its_entropy():
    x = np.random.default_rng(0).integers(0, 2, (800, 9))
    for made in LOWER:
        found = made(steps=50, rate=2e-3).estimate(x, x)
        assert found.value_bits < 9 + 3 * standard_error(found)
        assert found.value_bits <= found.ceiling_bits


def test_given_a_condition_xor_is_one_bit():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 2, (2, 1200))
    given = x ^ y
    found = InfoNce(steps=100, rate=2e-3).estimate(x, y, given)
    assert InfoNce(steps=100).estimate(x, y).value_bits < 0.05
    assert found.value_bits == pytest.approx(1.0, abs=0.02)
    assert found.value_bits <= found.ceiling_bits
    # Two values in 240 evaluation samples: each has about 120 to be distinguished from.
    assert found.ceiling_bits == pytest.approx(math.log2(120), abs=0.1)
    assert NceClub(steps=100, rate=2e-3).estimate(x, y, given).value_bits > 1.5


def test_negatives_share_the_condition():
    # X and Y both follow the condition and nothing else: I(X; Y) = 1 bit, I(X; Y | given) = 0.
    rng = np.random.default_rng(2)
    given = rng.integers(0, 2, 1200)
    x, y = (4.0 * given + rng.standard_normal(1200) for _ in range(2))
    assert InfoNce(steps=100, rate=2e-3).estimate(x, y).value_bits > 0.6
    for made in (InfoNce, NceClub):
        found = made(steps=100, rate=2e-3).estimate(x, y, given)
        assert abs(found.value_bits) < 0.05 + 3 * standard_error(found)


def test_a_value_of_the_condition_with_one_held_out_sample_adds_nothing():
    rng = np.random.default_rng(3)
    given = np.repeat(np.arange(15), 4)
    x, y = rng.standard_normal((2, 60))
    found = InfoNce(steps=25).estimate(x, y, given)
    assert found.n_samples == 12
    assert math.isfinite(found.value_bits)


@pytest.mark.parametrize("made", [Nwj, VClub])
def test_estimators_without_a_conditional_form_refuse_a_condition(made):
    x, y = gaussian(100)
    estimator = made()
    with pytest.raises(
        ValueError, match=r"given: expected none, because .* has no conditional form"
    ):
        estimator.estimate(x, y, np.zeros(100))


def test_a_concat_critic_learns_what_a_separable_one_does():
    x, y = gaussian(1000)
    found = InfoNce(critic="concat", hidden=(64,), batch=64, **FAST).estimate(x, y)
    assert found.value_bits == pytest.approx(
        GAUSSIAN_BITS, abs=0.15 * GAUSSIAN_BITS + 3 * standard_error(found)
    )


def test_heavy_tails_are_squashed_where_asked_or_needed():
    rng = np.random.default_rng(4)
    scale = np.sqrt(rng.chisquare(1, (1500, 1)))
    x, y = (rng.standard_normal((1500, 1)) / scale for _ in range(2))
    # Student's t with one degree of freedom: 0.2242 nats.
    for transform in ("auto", "asinh"):
        found = InfoNce(transform=transform, steps=150, rate=2e-3).estimate(x, y)
        assert found.value_bits == pytest.approx(0.2242 / LN2, abs=0.08 + 3 * standard_error(found))


def test_categories_are_names_not_amounts():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 8, 1500)
    y = rng.permutation(8)[x]
    for made in (InfoNce, LeaveOneOut, DifferenceOfEntropies):
        found = made(steps=100, rate=2e-3).estimate(x, y)
        assert found.value_bits == pytest.approx(3.0, abs=0.15)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([0.0, np.nan] * 50), "x: expected finite numbers, got NaN"),
        (np.zeros(100), "x: expected columns that vary, got 0.0 throughout column 0"),
        (np.zeros((100, 2, 2)), r"x: expected shape \(n,\) or \(n, dim\), got \(100, 2, 2\)"),
        (np.array([None] * 100), "x: expected a value in each row, got None in row 0"),
        (3.0, r"x: expected shape \(n,\) or \(n, dim\), got \(\)"),
        (np.arange(99.0), "y: expected 99 samples as in x, got 100"),
    ],
)
def test_arrays_that_cannot_be_are_refused(x, message):
    y = np.arange(100.0)
    with pytest.raises(ValueError, match=message):
        InfoNce().estimate(x, y)


def test_few_samples_and_continuous_conditions_are_refused():
    x, y = gaussian(30)
    with pytest.raises(ValueError, match="x: expected at least 40 samples, got 30"):
        InfoNce().estimate(x, y)
    x, y = gaussian(100)
    with pytest.raises(ValueError, match=r"given: expected a discrete condition .* 100 values in"):
        InfoNce().estimate(x, y, x)


def test_a_value_that_overflows_is_an_error():
    x, y = gaussian(200)
    x = np.exp(20 * x)
    with pytest.raises(ValueError, match=r"x, y: expected samples on which nwj can be evaluated"):
        Nwj(transform="none", steps=25).estimate(x, y)


@pytest.mark.parametrize(
    ("made", "settings", "message"),
    [
        (InfoNce, {"batch": 1}, "batch: expected a whole number of at least 2, got 1"),
        (InfoNce, {"steps": 0}, "steps: expected a whole number of at least 1, got 0"),
        (InfoNce, {"fractions": (0.5, 0.5, 0.0)}, "fractions: expected three shares above 0"),
        (InfoNce, {"fractions": (0.5, 0.5)}, "fractions: expected three shares above 0"),
        (InfoNce, {"batch": "many"}, "batch: expected a whole number of at least 2, got 'many'"),
        (InfoNce, {"seed": -1}, "seed: expected a whole number of at least 0, got -1"),
        (InfoNce, {"transform": "log"}, "transform: expected one of auto, standard, asinh, none"),
        (InfoNce, {"dtype": "int8"}, "dtype: expected one of float32, float64, got 'int8'"),
        (InfoNce, {"critic": "deep"}, "critic: expected one of separable, concat, got 'deep'"),
        (InfoNce, {"embed_dim": 0}, "embed_dim: expected a whole number of at least 1, got 0"),
        (InfoNce, {"dropout": 1.0}, "dropout: expected a share from 0 to under 1, got 1.0"),
        (InfoNce, {"rate": 0.0}, "rate: expected a number above 0, got 0.0"),
        (InfoNce, {"hidden": ()}, r"hidden: expected widths of at least 1, got \(\)"),
        (Mine, {"decay": 1.0}, "decay: expected a number from 0 to under 1, got 1.0"),
        (Smile, {"clip": 0.0}, "clip: expected a number above 0, got 0.0"),
        (ProbabilisticClassifier, {"clamp": 0.5}, "clamp: expected a number from 0 to under 0.5"),
        (
            DifferenceOfEntropies,
            {"components": 0},
            "components: expected a whole number of at least 1, got 0",
        ),
    ],
)
def test_settings_out_of_range_are_refused(made, settings, message):
    with pytest.raises(ValueError, match=message):
        made(**settings)


def test_estimators_are_frozen_records_of_their_settings():
    with pytest.raises(dataclasses.FrozenInstanceError):
        InfoNce().seed = 1
    assert InfoNce(seed=3) == InfoNce(seed=3) != InfoNce(seed=4)


def test_the_evaluation_part_is_not_trained_on():
    # Labels of noise: a critic that saw them all would remember them.
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((2, 250, 30))
    found = Nwj(steps=300, patience=100, dropout=0.0).estimate(x, y)
    assert found.value_bits < 3 * standard_error(found)


def test_a_channel_of_half_a_bit_is_half_a_bit():
    x, y = bits(3000, 1, flips=bsc_flip_probability(0.5))
    found = InfoNce(steps=150).estimate(x, y)
    assert found.value_bits == pytest.approx(0.5, abs=3 * standard_error(found))


@pytest.mark.parametrize("made", [InfoNce, Nwj, DifferenceOfEntropies])
def test_a_held_out_sample_without_the_rare_losses_is_not_taken_for_exact(made):
    n = 1000
    flipped = np.zeros(n, dtype=bool)
    # A tenth of those that are not held out.
    flipped[np.random.default_rng(0).permutation(n)[:800:10]] = True
    x = np.random.default_rng(1).integers(0, 2, n)
    found = made(steps=200).estimate(x, x ^ flipped)
    # Every held-out sample has the same loss: 1 + log2(0.9) bits are left, without any spread.
    assert found.value_bits == pytest.approx(0.848, abs=0.05)
    # The stop sample has them: -3.17 bits in every tenth.
    assert found.se_bits > 0.04
