"""Exact information of small tables, the binary channel, and what is refused."""

import numpy as np
import pytest
from scipy.optimize import brentq

from fctestbed.information import (
    binary_entropy_bits,
    bits_to_nats,
    bsc_capacity_bits,
    bsc_flip_probability,
    co_information_bits,
    conditional_mutual_information_bits,
    entropy_bits,
    mutual_information_bits,
    nats_to_bits,
)

XOR = np.zeros((2, 2, 2))
for first in (0, 1):
    for second in (0, 1):
        XOR[first, second, first ^ second] = 0.25


def test_a_fair_die_has_log2_six_bits():
    assert entropy_bits(np.full(6, 1 / 6)) == pytest.approx(np.log2(6), abs=1e-15)


def test_entropy_of_some_axes_is_that_of_their_marginal():
    p = np.array([[[0.5, 0.0], [0.0, 0.25]], [[0.0, 0.0], [0.25, 0.0]]])
    assert entropy_bits(p, 0) == pytest.approx(float(binary_entropy_bits(0.25)))
    assert entropy_bits(p, 0, 2) == entropy_bits(p.sum(axis=1))
    assert entropy_bits(p, -1) == entropy_bits(p, 2)


def test_a_copied_bit_shares_one_bit():
    assert mutual_information_bits(np.eye(2) / 2) == pytest.approx(1.0)


def test_xor_is_information_that_neither_part_has():
    assert mutual_information_bits(XOR.sum(axis=1)) == pytest.approx(0.0)
    assert conditional_mutual_information_bits(XOR) == pytest.approx(1.0)
    assert co_information_bits(XOR) == pytest.approx(-1.0)


def test_nats_and_bits_undo_each_other():
    assert nats_to_bits(np.log(2.0)) == pytest.approx(1.0)
    assert bits_to_nats(nats_to_bits(3.7)) == pytest.approx(3.7)
    np.testing.assert_allclose(bits_to_nats(np.array([1.0, 2.0])), np.log([2.0, 4.0]))


@pytest.mark.parametrize(
    "function", [mutual_information_bits, conditional_mutual_information_bits, co_information_bits]
)
def test_a_table_with_another_number_of_axes_is_refused(function):
    with pytest.raises(ValueError, match=r"expected a table with \d axes, got shape \(4,\)"):
        function(np.full(4, 0.25))


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan])
def test_entries_that_are_no_probabilities_are_refused(bad):
    with pytest.raises(ValueError, match=r"p: expected probabilities in \[0, 1\], got"):
        entropy_bits([0.5, bad])
    with pytest.raises(ValueError, match=r"flip: expected probabilities in \[0, 1\], got"):
        bsc_capacity_bits(bad)
    with pytest.raises(ValueError, match=r"capacity_bits: expected probabilities in \[0, 1\]"):
        bsc_flip_probability([bad])


def test_a_table_that_does_not_sum_to_one_is_refused():
    with pytest.raises(ValueError, match=r"p_xy: expected .* sum to 1, got a sum of 0\.8"):
        mutual_information_bits([[0.4, 0.4]])


def test_the_ends_of_the_channel_are_exact():
    assert bsc_flip_probability([0.0, 1.0]).tolist() == [0.5, 0.0]
    assert bsc_capacity_bits([0.5, 0.0, 1.0]).tolist() == [0.0, 1.0, 1.0]


def test_flip_probabilities_equal_a_bracketed_root():
    for capacity in (0.01, 0.2, 0.37, 0.5, 0.500001, 0.63, 0.9, 0.999):
        root = brentq(
            lambda e, c=capacity: 1 + e * np.log2(e) + (1 - e) * np.log2(1 - e) - c,
            1e-9,
            0.5,
            xtol=1e-15,
        )
        assert float(bsc_flip_probability(capacity)) == pytest.approx(root, abs=3e-15)


def test_tiny_capacities_follow_their_expansion():
    capacity = np.array([1e-8, 1e-12, 1e-16])
    tilt = 1 - 2 * bsc_flip_probability(capacity)
    # Capacity = tilt^2 / (2 ln 2) to leading order; 1 - 2 flip itself is a multiple of 2^-53.
    np.testing.assert_allclose(tilt, np.sqrt(2 * np.log(2) * capacity), rtol=1e-7)
    np.testing.assert_allclose(bsc_capacity_bits((1 - tilt) / 2), capacity, rtol=1e-7)


def test_nearly_perfect_channels_keep_their_flips():
    capacity = 1 - np.array([1e-6, 1e-10, 1e-15])
    flips = bsc_flip_probability(capacity)
    np.testing.assert_allclose(binary_entropy_bits(flips), 1 - capacity, rtol=1e-12)
