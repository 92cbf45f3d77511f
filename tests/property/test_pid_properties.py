"""Laws of the BROJA decomposition that hold for every table."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from fctestbed.information import (
    least_information,
    mutual_information_bits,
    partial_information,
)
from fctestbed.information.broja_certificate import with_margins

ROUNDING = 1e-12
FEW = settings(max_examples=50)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def triples(draw, largest=4):
    """p(x1, x2, y) with 1 to ``largest`` values per axis; zeros and whole empty symbols occur."""
    shape = tuple(draw(st.integers(1, largest)) for _ in range(3))
    counts = draw(arrays(np.int64, shape, elements=st.integers(0, 20)))
    counts[0, 0, 0] += 1
    return counts / counts.sum()


def atoms(found):
    return np.array(
        [found.redundancy_bits, found.unique1_bits, found.unique2_bits, found.synergy_bits]
    )


@FEW
@given(triples())
def test_the_atoms_add_up_and_none_is_negative(p):
    found = partial_information(p)
    joint = mutual_information_bits(p.reshape(-1, p.shape[2]))
    assert atoms(found).sum() == pytest.approx(joint, abs=ROUNDING)
    assert atoms(found).min() >= -ROUNDING
    assert 0 <= found.gap_bits <= 1e-7


@FEW
@given(triples())
def test_each_source_holds_redundancy_and_its_unique_part(p):
    found = partial_information(p)
    r, u1, u2, s = atoms(found)
    assert r + u1 == pytest.approx(mutual_information_bits(p.sum(axis=1)), abs=ROUNDING)
    assert r + u2 == pytest.approx(mutual_information_bits(p.sum(axis=0)), abs=ROUNDING)
    assert r == pytest.approx(found.shared_bits + s, abs=ROUNDING)


@FEW
@given(triples())
def test_swapping_the_sources_swaps_their_unique_parts(p):
    found, swapped = partial_information(p), partial_information(p.transpose(1, 0, 2))
    slack = found.gap_bits + swapped.gap_bits + ROUNDING
    assert atoms(swapped)[[0, 2, 1, 3]] == pytest.approx(atoms(found), abs=slack)


@FEW
@given(triples(), SEEDS)
def test_names_of_symbols_do_not_matter(p, seed):
    rng = np.random.default_rng(seed)
    renamed = p[np.ix_(*[rng.permutation(n) for n in p.shape])]
    found, other = partial_information(p), partial_information(renamed)
    slack = found.gap_bits + other.gap_bits + ROUNDING
    assert atoms(other) == pytest.approx(atoms(found), abs=slack)


@FEW
@given(triples(), st.integers(0, 2), st.floats(0.1, 0.9))
def test_splitting_a_symbol_at_random_changes_nothing(p, axis, share):
    split = np.concatenate([p, p.take([0], axis=axis) * (1 - share)], axis=axis)
    np.moveaxis(split, axis, 0)[0] *= share
    found, other = partial_information(p), partial_information(split)
    slack = found.gap_bits + other.gap_bits + ROUNDING
    assert atoms(other) == pytest.approx(atoms(found), abs=slack)


@FEW
@given(triples(), SEEDS)
def test_no_feasible_table_holds_less_than_the_certificate_says(p, seed):
    rng = np.random.default_rng(seed)
    a, b = p.sum(axis=1), p.sum(axis=0)
    least = least_information(a, b)
    for scale in (0.0, 0.3, 3.0):
        q = with_margins(p * np.exp(scale * rng.normal(size=p.shape)), a, b)
        other = with_margins(np.exp(scale * rng.normal(size=p.shape)), a, b)
        for feasible in (q, other):
            held = mutual_information_bits(feasible.reshape(-1, p.shape[2]))
            assert held >= least.bits - least.gap_bits - ROUNDING


@FEW
@given(triples(), SEEDS)
def test_a_degraded_source_has_nothing_unique(p, seed):
    p_x1_y = p.sum(axis=1)
    channel = np.random.default_rng(seed).dirichlet(np.full(3, 0.5), size=len(p_x1_y))
    found = partial_information(np.einsum("iy,ij->ijy", p_x1_y, channel))
    assert found.unique2_bits <= found.gap_bits + ROUNDING
    assert found.synergy_bits <= found.gap_bits + ROUNDING


@FEW
@given(triples(3))
def test_a_target_that_copies_both_sources_makes_their_information_redundant(p):
    p_x1_x2 = p.sum(axis=2)
    n1, n2 = p_x1_x2.shape
    copied = np.zeros((n1, n2, n1 * n2))
    copied.reshape(n1 * n2, -1)[np.arange(n1 * n2), np.arange(n1 * n2)] = p_x1_x2.ravel()
    found = partial_information(copied)
    slack = found.gap_bits + ROUNDING
    assert found.redundancy_bits == pytest.approx(mutual_information_bits(p_x1_x2), abs=slack)
    assert found.synergy_bits == pytest.approx(0, abs=slack)


@settings(max_examples=25)
@given(triples(2), triples(3))
def test_independent_subsystems_add(p, q):
    both = partial_information(np.kron(p, q))
    first, second = partial_information(p), partial_information(q)
    slack = both.gap_bits + first.gap_bits + second.gap_bits + ROUNDING
    assert atoms(both) == pytest.approx(atoms(first) + atoms(second), abs=slack)


@FEW
@given(triples(), SEEDS)
def test_a_third_variable_that_nobody_needs_changes_nothing(p, seed):
    # y and a coin of its own: no source sees the coin.
    coin = np.random.default_rng(seed).dirichlet(np.ones(2))
    found = partial_information(p)
    other = partial_information(np.einsum("ijy,c->ijyc", p, coin).reshape(*p.shape[:2], -1))
    slack = found.gap_bits + other.gap_bits + ROUNDING
    assert atoms(other) == pytest.approx(atoms(found), abs=slack)
