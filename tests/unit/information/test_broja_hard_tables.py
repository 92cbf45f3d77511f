"""Every finite table gets a certified decomposition, however different its probabilities are.

``python tests/unit/information/test_broja_hard_tables.py 1100 27`` tries 1,100 tables of each
family and compares 27 of each with the cone solver.
"""

import sys

import numpy as np
import pytest
from hard_tables import FAMILIES, draw

from fctestbed.information import broja_cone, nats_to_bits, partial_information
from fctestbed.information.broja import _parts, _reduced
from fctestbed.information.entropy import entropy_bits

GAP_BITS = 1e-6


def cone_bits(table):
    """(upper, lower) ends of the least I_Q(Y; X1, X2) in bits, by the cone solver alone."""
    a, b = table.sum(axis=1), table.sum(axis=0)
    one, two = _reduced(a, b)
    merged = entropy_bits(one.sum(axis=0))
    parts = list(_parts(one, two))
    ends = [
        (first.sum(), broja_cone.solve_cone(first / first.sum(), second / second.sum(), 200)[0])
        for first, second in parts
        if first.shape[1] > 1
    ]
    upper, lower = (
        merged + sum(float(mass) * nats_to_bits(getattr(found, end)) for mass, found in ends)
        for end in ("upper_nats", "lower_nats")
    )
    return upper, lower


def differs_from_cone(table):
    """By how much the decomposition lies outside the cone solver's bracket, in bits."""
    found = partial_information(table)
    least = found.x1_bits + found.unique2_bits
    upper, lower = cone_bits(table)
    return max(lower - least, least - found.gap_bits - upper)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_table_of_a_family_is_certified(family):
    for seed in range(12):
        assert partial_information(draw(family, seed)).gap_bits < GAP_BITS


@pytest.mark.parametrize("family", FAMILIES)
def test_the_cone_solver_brackets_the_same_optimum(family):
    for seed in range(3):
        assert differs_from_cone(draw(family, seed)) < 1e-9


def test_two_nearly_certain_sources_of_a_rare_difference():
    table = [
        [[0.095, 0.154, 0.2616], [2.2e-7, 5.5e-7, 4.9e-7]],
        [[2.2e-6, 2.6e-6, 5e-7], [0.337, 0.0051, 0.1471]],
    ]
    found = partial_information(np.array(table) / np.sum(table))
    assert found.redundancy_bits == pytest.approx(0.253389, abs=1e-6)
    assert found.synergy_bits == pytest.approx(3.06e-6, abs=2e-8)


def test_where_newtons_method_gets_nowhere_the_cone_solver_certifies(monkeypatch):
    def stalls(a, b, start, mass, **_):
        return start

    monkeypatch.setattr("fctestbed.information.broja.newton", stalls)
    for family in ("near copies", "near blocks", "Dirichlet(0.5)"):
        found = partial_information(draw(family, 0), tolerance_bits=GAP_BITS)
        assert found.gap_bits < GAP_BITS


def test_both_methods_stalling_is_an_error_that_says_the_gap(monkeypatch):
    monkeypatch.setattr("fctestbed.information.broja.newton", lambda a, b, start, mass, **_: start)
    monkeypatch.setattr("fctestbed.information.broja.MAX_ENTRIES", 0)
    with pytest.raises(ValueError, match="the certified gap is"):
        partial_information(draw("near copies", 0))


if __name__ == "__main__":
    n_tables, n_compared = int(sys.argv[1]), int(sys.argv[2])
    for name in FAMILIES:
        gaps = [partial_information(draw(name, seed)).gap_bits for seed in range(n_tables)]
        apart = max(differs_from_cone(draw(name, seed)) for seed in range(n_compared))
        print(f"{name:28} largest gap {max(gaps):.1e} bit, outside the cone's {apart:.1e}")
