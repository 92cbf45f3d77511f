"""Exact partial information: textbook cases, independent values, and what is refused."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from fctestbed.information import (
    binary_entropy_bits,
    co_information_bits,
    conditional_mutual_information_bits,
    least_information,
    mutual_information_bits,
    partial_information,
)
from fctestbed.information.broja_certificate import dual_nats, objective_nats, with_margins

CONE = json.loads((Path(__file__).parents[2] / "data" / "pid_dit_cone.json").read_text())
BIT = (0, 1)


def table(outcomes):
    """p(x1, x2, y) of equally likely (x1, x2, y), which may be any values."""
    return weighted([(outcome, 1 / len(outcomes)) for outcome in outcomes])


def weighted(outcomes):
    places = [{} for _ in range(3)]
    cells = [
        tuple(
            place.setdefault(value, len(place)) for place, value in zip(places, cell, strict=True)
        )
        for cell, _ in outcomes
    ]
    p = np.zeros([len(place) for place in places])
    for cell, (_, weight) in zip(cells, outcomes, strict=True):
        p[cell] += weight
    return p


def seen_through(first, second):
    """A fair bit y seen through two channels, rows p(x | y), independently given y."""
    return np.einsum("yi,yj->ijy", first, second) / 2


def bsc(flip):
    return np.array([[1 - flip, flip], [flip, 1 - flip]])


def bec(erased):
    return np.array([[1 - erased, 0, erased], [0, 1 - erased, erased]])


def noisy_bits(k):
    """k independent fair bits, each seen through BSC(.1) and BSC(.2)."""
    one, p = seen_through(bsc(0.1), bsc(0.2)), np.ones((1, 1, 1))
    for _ in range(k):
        p = np.kron(p, one)
    return p


def h(p):
    return float(binary_entropy_bits(p))


def two_views(y):
    """Two shared bits s, one bit a of the first view and three bits b of the second."""
    latents = product(product(BIT, repeat=2), BIT, product(BIT, repeat=3))
    return table([((s, a), (s, b), y(s, a, b)) for s, a, b in latents])


BSC_JOINT = mutual_information_bits(seen_through(bsc(0.1), bsc(0.2)).reshape(4, 2))
NOISY_JOINT = mutual_information_bits(seen_through(bsc(0.05), bsc(0.05)).reshape(4, 2))
THREE = list(product(BIT, repeat=3))
KNOWN = {
    "RDN": (table([(0, 0, 0), (1, 1, 1)]), (1, 0, 0, 0)),
    "UNQ": (table([(a, b, (a, b)) for a, b in product(BIT, BIT)]), (0, 1, 1, 0)),
    "XOR": (table([(a, b, a ^ b) for a, b in product(BIT, BIT)]), (0, 0, 0, 1)),
    "AND": (table([(a, b, a & b) for a, b in product(BIT, BIT)]), (h(0.25) - 0.5, 0, 0, 0.5)),
    "SUM": (table([(a, b, a + b) for a, b in product(BIT, BIT)]), (0.5, 0, 0, 1)),
    "RDNXOR": (table([((a, r), (b, r), (a ^ b, r)) for a, b, r in THREE]), (1, 0, 0, 1)),
    "RDNUNQXOR": (
        table(
            [((r, u, a), (r, v, b), (r, u, v, a ^ b)) for r, u, v, a, b in product(BIT, repeat=5)]
        ),
        (1, 1, 1, 1),
    ),
    "COPY": (
        weighted([((a, b, (a, b)), 0.45 if a == b else 0.05) for a, b in product(BIT, BIT)]),
        (1 - h(0.1), h(0.1), h(0.1), 0),
    ),
    "RDNERR": (seen_through(bsc(0), bsc(0.25)), (1 - h(0.25), h(0.25), 0, 0)),
    "PNTUNQ": (table([(0, 1, 1), (1, 0, 1), (0, 2, 2), (2, 0, 2)]), (0.5, 0, 0, 0.5)),
    "BSC/BSC": (
        seen_through(bsc(0.1), bsc(0.2)),
        (1 - h(0.2), h(0.2) - h(0.1), 0, BSC_JOINT - 1 + h(0.1)),
    ),
    "BEC/BEC": (seen_through(bec(0.3), bec(0.5)), (0.5, 0.2, 0, 0.15)),
    "two views, y = (s, a, b)": (two_views(lambda s, a, b: (s, a, b)), (2, 1, 3, 0)),
    "two views, y = (s, a xor b)": (two_views(lambda s, a, b: (s, a ^ b[0])), (2, 0, 0, 1)),
    "shared noisy bit": (
        seen_through(bsc(0.05), bsc(0.05)),
        (1 - h(0.05), 0, 0, NOISY_JOINT - 1 + h(0.05)),
    ),
    "4 bits": (
        noisy_bits(4),
        tuple(4 * v for v in (1 - h(0.2), h(0.2) - h(0.1), 0, BSC_JOINT - 1 + h(0.1))),
    ),
}


def atoms(found):
    return (
        found.redundancy_bits,
        found.unique1_bits,
        found.unique2_bits,
        found.synergy_bits,
    )


@pytest.mark.parametrize("name", KNOWN)
def test_textbook_cases_are_exact_to_a_billionth(name):
    p, expected = KNOWN[name]
    found = partial_information(p)
    assert atoms(found) == pytest.approx(expected, abs=1e-9)
    assert 0 <= found.gap_bits <= 1e-9


def test_channels_that_are_not_ordered_have_both_unique_parts():
    found = partial_information(seen_through(bsc(0.1), bec(0.5)))
    # Six digits, by alternating projections to a certified gap of 3e-13.
    assert atoms(found) == pytest.approx((0.391968, 0.139036, 0.108032, 0.126466), abs=1e-6)
    assert found.gap_bits <= 1e-9


@pytest.mark.parametrize("case", CONE["tables"])
def test_small_tables_equal_a_cone_solver(case):
    found = partial_information(np.array(case["counts"]) / 10_000)
    expected = [case[f"{name}_bits"] for name in ("redundancy", "unique1", "unique2", "synergy")]
    assert atoms(found) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_tables_of_bits_equal_a_search_over_their_two_parameters(seed):
    p = np.random.default_rng(seed).dirichlet(np.ones(8)).reshape(2, 2, 2)
    cross = np.array([[1.0, -1.0], [-1.0, 1.0]])[:, :, None]

    def information(t):
        return mutual_information_bits(np.maximum(p + cross * t, 0).reshape(4, 2))

    low = -np.minimum(p[0, 0], p[1, 1])
    high = np.minimum(p[0, 1], p[1, 0])
    search = minimize(
        information,
        (low + high) / 2,
        bounds=list(zip(low, high, strict=True)),
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 4000},
    )
    least = least_information(p.sum(axis=1), p.sum(axis=0))
    assert least.bits == pytest.approx(search.fun, abs=1e-7)


@pytest.mark.parametrize("shape", [(6, 6, 6), (3, 9, 4), (9, 2, 5), (4, 4, 12)])
def test_random_tables_are_solved_to_the_goal(shape):
    p = np.random.default_rng(7).dirichlet(np.full(np.prod(shape), 0.5)).reshape(shape)
    found = partial_information(p)
    assert found.gap_bits <= 5e-10
    assert found == partial_information(p)


def test_the_paper_s_quantities_stand_beside_the_atoms():
    p = np.random.default_rng(3).dirichlet(np.ones(24)).reshape(2, 3, 4)
    found = partial_information(p)
    assert found.shared_bits == pytest.approx(co_information_bits(p), abs=1e-12)
    given_x2 = conditional_mutual_information_bits(p.transpose(0, 2, 1))
    given_x1 = conditional_mutual_information_bits(p.transpose(1, 2, 0))
    assert found.x1_given_x2_bits == pytest.approx(given_x2, abs=1e-12)
    assert found.x2_given_x1_bits == pytest.approx(given_x1, abs=1e-12)
    assert found.total_bits == pytest.approx(mutual_information_bits(p.reshape(6, 4)), abs=1e-12)
    assert found.x1_bits == pytest.approx(mutual_information_bits(p.sum(axis=1)), abs=1e-12)
    assert found.x2_bits == pytest.approx(mutual_information_bits(p.sum(axis=0)), abs=1e-12)


def test_symbols_without_probability_change_nothing():
    p = np.random.default_rng(5).dirichlet(np.ones(27)).reshape(3, 3, 3)
    padded = np.zeros((5, 4, 6))
    padded[np.ix_([0, 2, 4], [0, 1, 3], [1, 2, 5])] = p
    assert atoms(partial_information(padded)) == pytest.approx(
        atoms(partial_information(p)), abs=1e-9
    )


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 3, 2), (3, 1, 2), (3, 2, 1)])
def test_alphabets_of_one_symbol_have_no_redundancy_or_synergy(shape):
    p = np.random.default_rng(0).dirichlet(np.ones(np.prod(shape))).reshape(shape)
    found = partial_information(p)
    assert found.redundancy_bits == pytest.approx(0, abs=1e-9)
    assert found.synergy_bits == pytest.approx(0, abs=1e-9)
    assert found.total_bits == pytest.approx(found.unique1_bits + found.unique2_bits, abs=1e-9)


@pytest.mark.parametrize("noise", [1e-3, 1e-6, 1e-9, 1e-13, 1e-20, 1e-300])
def test_rare_events_keep_the_certificate(noise):
    p = KNOWN["AND"][0] + noise * np.random.default_rng(1).random((2, 2, 2))
    found = partial_information(p / p.sum())
    assert found.gap_bits <= 1e-9
    # The atoms are continuous: noise e moves them by the order of e log(1 / e).
    moved = 50 * noise * np.log2(1 / noise) + 1e-9
    assert atoms(found) == pytest.approx(KNOWN["AND"][1], abs=moved)


def test_the_callers_table_is_left_alone():
    p = KNOWN["SUM"][0].copy()
    p.setflags(write=False)
    partial_information(p)
    assert np.array_equal(p, KNOWN["SUM"][0])


def test_a_feasible_table_meets_its_margins_to_rounding():
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(60)).reshape(3, 4, 5)
    a, b = p.sum(axis=1), p.sum(axis=0)
    q = with_margins(p * rng.random(p.shape) * 3, a, b)
    assert q.min() >= 0
    np.testing.assert_allclose(q.sum(axis=1), a, atol=1e-16)
    np.testing.assert_allclose(q.sum(axis=0), b, atol=1e-16)


def test_any_potentials_bound_every_feasible_table_from_below():
    rng = np.random.default_rng(4)
    p = rng.dirichlet(np.ones(60)).reshape(3, 4, 5)
    a, b = p.sum(axis=1), p.sum(axis=0)
    for _ in range(50):
        alpha, beta = rng.normal(size=a.shape), rng.normal(size=b.shape)
        scores = alpha[:, None, :] + beta[None, :, :]
        worst = float(np.log(np.exp(scores).sum(axis=2)).max())
        q = with_margins(rng.random(p.shape), a, b)
        assert dual_nats(a, b, alpha, beta, worst) <= objective_nats(q)


def test_potentials_of_the_optimum_close_the_gap():
    # y = x1 xor x2: p(y | x1) = 1/2 everywhere, and -log 2 is the optimum.
    a = b = np.full((2, 2), 0.25)
    alpha, beta = np.full((2, 2), np.log(0.5)), np.zeros((2, 2))
    assert dual_nats(a, b, alpha, beta, 0.0) == pytest.approx(-np.log(2))
    assert objective_nats(np.full((2, 2, 2), 0.125)) == pytest.approx(-np.log(2))


def test_a_table_without_three_axes_is_refused():
    with pytest.raises(
        ValueError, match=r"table: expected a table with 3 axes, got shape \(2, 2\)"
    ):
        partial_information(np.full((2, 2), 0.25))


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf, 1.5])
def test_a_table_with_an_entry_that_is_no_probability_is_refused(bad):
    p = np.full((2, 2, 2), 0.125)
    p[0, 1, 0] = bad
    with pytest.raises(ValueError, match=r"table: expected probabilities in \[0, 1\], got"):
        partial_information(p)


def test_a_table_that_does_not_sum_to_one_is_refused():
    with pytest.raises(ValueError, match=r"table: expected .* sum to 1, got a sum of 0\.8"):
        partial_information(np.full((2, 2, 2), 0.1))


def test_alphabets_too_large_for_exactness_are_refused():
    # A view, so that the test needs no memory.
    p = np.broadcast_to(1 / (300 * 300 * 200), (300, 300, 200))
    with pytest.raises(ValueError, match=r"table: expected at most 16777216 .* 300 x 300 x 200"):
        partial_information(p)
    a = np.full((5000, 2), 1e-4)
    with pytest.raises(ValueError, match=r"p_x2_y: expected at most .* 5000 x 5000 x 2"):
        least_information(a, a)


def test_margins_of_different_targets_are_refused():
    a, b = np.array([[0.5, 0.0], [0.0, 0.5]]), np.array([[0.25, 0.0], [0.0, 0.75]])
    for other in (b, np.full((2, 3), 1 / 6)):
        with pytest.raises(ValueError, match=r"p_x2_y: expected the same p\(y\) as that of p_x1_y"):
            least_information(a, other)


def test_too_few_iterations_are_refused_with_the_gap_they_leave():
    p = np.random.default_rng(0).dirichlet(np.full(64, 0.5)).reshape(4, 4, 4)
    with pytest.raises(ValueError, match="tolerance_bits: expected a gap that max_iterations"):
        partial_information(p, max_iterations=3)
    loose = partial_information(p, max_iterations=3, tolerance_bits=1.0)
    exact = partial_information(p)
    assert loose.gap_bits > 1e-7
    assert abs(loose.synergy_bits - exact.synergy_bits) <= loose.gap_bits


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan])
def test_a_tolerance_that_is_not_positive_is_refused(bad):
    with pytest.raises(ValueError, match="tolerance_bits: expected a positive number"):
        partial_information(KNOWN["XOR"][0], tolerance_bits=bad)


def test_no_iterations_are_refused():
    with pytest.raises(ValueError, match="max_iterations: expected at least 1, got 0"):
        partial_information(KNOWN["XOR"][0], max_iterations=0)
