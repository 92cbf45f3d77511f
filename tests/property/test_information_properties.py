"""Laws that every distribution obeys."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays

from fctestbed.information import (
    bsc_capacity_bits,
    bsc_flip_probability,
    co_information_bits,
    conditional_mutual_information_bits,
    entropy_bits,
    mutual_information_bits,
)

ROUNDING = 1e-12


@st.composite
def tables(draw, n_axes):
    """Distributions with 1 to 4 values per axis; zeros are likely."""
    shape = tuple(draw(st.integers(1, 4)) for _ in range(n_axes))
    counts = draw(arrays(np.int64, shape, elements=st.integers(0, 20)))
    counts[(0,) * n_axes] += 1
    return counts / counts.sum()


@given(tables(2))
def test_mutual_information_lies_between_zero_and_the_smaller_entropy(p):
    information = mutual_information_bits(p)
    assert -ROUNDING <= information <= min(entropy_bits(p, 0), entropy_bits(p, 1)) + ROUNDING


@given(tables(2))
def test_mutual_information_is_symmetric(p):
    assert mutual_information_bits(p) == pytest.approx(mutual_information_bits(p.T), abs=ROUNDING)


@given(tables(3))
def test_the_chain_rule_holds(p):
    x, y, z = p.shape
    joint = mutual_information_bits(p.transpose(0, 2, 1).reshape(x * z, y))
    parts = mutual_information_bits(p.sum(axis=0).T) + conditional_mutual_information_bits(p)
    assert joint == pytest.approx(parts, abs=ROUNDING)


@given(tables(3))
def test_conditional_information_is_not_negative_and_symmetric(p):
    value = conditional_mutual_information_bits(p)
    assert value >= -ROUNDING
    swapped = conditional_mutual_information_bits(p.transpose(1, 0, 2))
    assert value == pytest.approx(swapped, abs=ROUNDING)


@given(tables(3), st.permutations(range(3)))
def test_co_information_does_not_depend_on_the_order_of_the_axes(p, order):
    reordered = co_information_bits(p.transpose(order))
    assert co_information_bits(p) == pytest.approx(reordered, abs=ROUNDING)


@given(tables(3))
def test_co_information_is_information_less_conditional_information(p):
    expected = mutual_information_bits(p.sum(axis=2)) - conditional_mutual_information_bits(p)
    assert co_information_bits(p) == pytest.approx(expected, abs=ROUNDING)


@given(tables(2), st.integers(0, 2**32 - 1))
def test_processing_a_variable_loses_information(p, seed):
    channel = np.random.default_rng(seed).dirichlet(np.ones(3), size=p.shape[1])
    assert mutual_information_bits(p @ channel) <= mutual_information_bits(p) + ROUNDING


@given(st.floats(0, 1))
def test_capacity_undoes_flip_probability(capacity):
    flip = bsc_flip_probability(capacity)
    assert 0 <= flip <= 0.5
    assert float(bsc_capacity_bits(flip)) == pytest.approx(capacity, abs=1e-14)


@given(st.floats(0, 0.5))
def test_the_channel_is_symmetric_in_its_flips(flip):
    mirrored = float(bsc_capacity_bits(1 - flip))
    assert float(bsc_capacity_bits(flip)) == pytest.approx(mirrored, abs=1e-14)
