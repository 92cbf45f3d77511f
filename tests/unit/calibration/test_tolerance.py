"""Which estimators have a tolerance on which laws, and how large it is."""

import math

import numpy as np
import pytest

from fctestbed.calibration import tolerance_bits
from fctestbed.estimators import ESTIMATORS
from fctestbed.laws import LAWS, BitChannel, BitsInNoise, GaussianPair, Law

BSC = BitChannel("symmetric", 0.1, 1)


def test_a_tolerance_is_one_percent_and_a_hundredth_of_a_bit_and_grows_as_samples_shrink():
    full = 0.01 + 0.01 * BSC.true_bits
    assert tolerance_bits(BSC, "miller-madow", 1000) == pytest.approx(full)
    assert tolerance_bits(BSC, "miller-madow", 10_000) == pytest.approx(full)
    assert tolerance_bits(BSC, "miller-madow", 200) == pytest.approx(5 * full)


def test_counts_have_a_tolerance_from_ten_samples_a_cell():
    assert math.isnan(tolerance_bits(BSC, "miller-madow", 39))
    assert tolerance_bits(BSC, "chao-wang-jost", 40) > 0
    assert math.isnan(tolerance_bits(BSC, "plugin", 1000))


def test_gaussian_estimators_have_a_tolerance_where_their_model_holds():
    plain, cubed = GaussianPair(), GaussianPair(margin="cube")
    assert tolerance_bits(plain, "gaussian", 1000) > 0
    assert tolerance_bits(plain, "gaussian-copula", 1000) > 0
    assert math.isnan(tolerance_bits(cubed, "gaussian", 1000))
    assert tolerance_bits(cubed, "gaussian-copula", 1000) > 0
    assert math.isnan(tolerance_bits(BitsInNoise(), "gaussian", 1000))
    assert math.isnan(tolerance_bits(plain, "miller-madow", 1000))


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_an_estimator_with_a_tolerance_is_made_for_the_kind_of_the_law(law):
    for name, kind in ESTIMATORS.items():
        if not math.isnan(tolerance_bits(law, name, 10**7)):
            assert law.kind in kind.kinds


def test_a_law_of_ones_own_has_no_tolerance_unless_it_states_a_model():
    class Copy(Law):
        kind = "discrete"
        name = "copy"
        true_bits = 1.0

        def sample(self, n, rng):
            x = rng.integers(0, 2, n)
            return x, x

    law = Copy()
    assert (law.group, law.conditional) == ("other", False)
    assert len(law.sample(3, np.random.default_rng(0))) == 2
    assert all(math.isnan(tolerance_bits(law, name, 1000)) for name in ESTIMATORS)
