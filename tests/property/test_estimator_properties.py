"""Laws that estimators obey on whatever samples they get, to the last digit or nearly."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import digamma

from fctestbed.estimators import ESTIMATORS, make_estimator
from fctestbed.estimators.inputs import pair_codes, row_codes
from fctestbed.estimators.intervals import LinearVariance
from fctestbed.estimators.neighbours import count_shells, nearest
from fctestbed.information import (
    conditional_mutual_information_bits,
    entropy_bits,
    mutual_information_bits,
)
from fctestbed.testing import bit_channels, bits_in_noise, gaussian_pairs, joint_distributions

LN2 = math.log(2)
FIXED = settings(derandomize=True, deadline=None, max_examples=40)
# Neighbours take milliseconds.
FEWER = settings(FIXED, max_examples=20)
ROUNDING = 1e-9
BY_COUNTS = st.sampled_from(["plugin", "miller-madow", "chao-wang-jost"])
BY_DISTANCE = st.sampled_from(["ksg1", "ksg2", "mixed-ksg", "frenzel-pompe", "mesner-shalizi"])
SEEDS = st.integers(0, 2**32 - 1)


def is_discrete(*columns):
    return all(len(np.unique(column)) < len(column) for column in columns)


@st.composite
def codes(draw, n_columns, most=4):
    """Columns of small whole numbers with repeats, 8 to 60 rows."""
    n = draw(st.integers(8, 60))
    return [draw(arrays(np.int64, n, elements=st.integers(0, most - 1))) for _ in range(n_columns)]


@st.composite
def floats(draw, n_columns, *, n_least=12, n_most=60, dim=2):
    """Dependent columns of continuous numbers, [n, 1 to dim] each."""
    n = draw(st.integers(n_least, n_most))
    rng = np.random.default_rng(draw(SEEDS))
    base = rng.standard_normal((n, dim))
    mix = [rng.standard_normal((dim, draw(st.integers(1, dim)))) for _ in range(n_columns)]
    return [base @ m + 0.5 * rng.standard_normal((n, m.shape[1])) for m in mix]


@st.composite
def lattices(draw, dim):
    """Points with ties and repeats, [n, dim], and reaches that lie on them."""
    n = draw(st.integers(5, 40))
    grid = arrays(np.int64, (n, dim), elements=st.integers(-3, 3))
    points = draw(grid) * draw(st.sampled_from([1.0, 0.1, 1 / 3]))
    reach = np.abs(points[:, 0] - points[draw(st.integers(0, n - 1)), 0])
    return points, reach


def value(name, *columns, **settings_of_it):
    return make_estimator(name, **settings_of_it).estimate(*columns).value_bits


def shares(*columns):
    table = np.zeros([column.max() + 1 for column in columns])
    np.add.at(table, tuple(columns), 1)
    return table / len(columns[0])


@FIXED
@given(codes(2))
def test_the_plug_in_is_the_information_of_the_observed_shares(columns):
    expected = mutual_information_bits(shares(*columns))
    assert value("plugin", *columns) == pytest.approx(expected, abs=ROUNDING)


@FIXED
@given(codes(3))
def test_the_conditional_plug_in_is_that_of_the_observed_shares(columns):
    expected = conditional_mutual_information_bits(shares(*columns))
    assert value("plugin", *columns) == pytest.approx(expected, abs=ROUNDING)


@FIXED
@given(codes(3))
def test_the_plug_in_is_never_negative(columns):
    assert value("plugin", *columns) >= -ROUNDING


@FIXED
@given(codes(2), st.integers(2, 3))
def test_repeating_the_sample_leaves_the_plug_in_as_it_is(columns, times):
    repeated = [np.tile(column, times) for column in columns]
    assert value("plugin", *repeated) == pytest.approx(value("plugin", *columns), abs=ROUNDING)


@FIXED
@given(codes(2))
def test_merging_values_never_adds_to_the_plug_in(columns):
    x, y = columns
    assert value("plugin", x, y // 2) <= value("plugin", x, y) + ROUNDING


@FIXED
@given(codes(1))
def test_the_plug_in_of_a_copy_is_the_entropy_and_the_ceiling(columns):
    (x,) = columns
    estimate = make_estimator("plugin").estimate(x, x)
    assert estimate.value_bits == pytest.approx(entropy_bits(shares(x)), abs=ROUNDING)
    assert estimate.value_bits == pytest.approx(estimate.ceiling_bits, abs=ROUNDING)


@FIXED
@given(codes(2))
def test_miller_and_madow_take_off_half_a_cell_per_sample(columns):
    x, y = columns
    cells = [
        len(np.unique(c)) for c in (x, y, pair_codes(*map(row_codes, (x[:, None], y[:, None]))))
    ]
    expected = (cells[2] - cells[0] - cells[1] + 1) / (2 * len(x) * LN2)
    found = value("plugin", x, y) - value("miller-madow", x, y)
    assert found == pytest.approx(expected, abs=ROUNDING)


@FIXED
@given(BY_COUNTS, codes(3))
def test_tables_do_not_mind_which_variable_comes_first(name, columns):
    x, y, z = columns
    assert value(name, x, y, z) == pytest.approx(value(name, y, x, z), abs=ROUNDING)


@FIXED
@given(BY_COUNTS, codes(3), st.permutations([-7, 0, 3, 50]))
def test_tables_do_not_mind_what_values_are_called(name, columns, names):
    x, y, z = columns
    renamed = value(name, np.array(names)[x], y.astype(str), z + 0.5)
    assert renamed == pytest.approx(value(name, x, y, z), abs=ROUNDING)


@FIXED
@given(BY_COUNTS, codes(2))
def test_a_condition_that_never_varies_says_nothing(name, columns):
    x, y = columns
    assert value(name, x, y, np.zeros_like(x)) == pytest.approx(value(name, x, y), abs=ROUNDING)


@FIXED
@given(st.sampled_from(["plugin", "miller-madow"]), codes(3))
def test_the_chain_rule_holds_for_tables(name, columns):
    x, y, z = columns
    both = np.stack([y, z], axis=1)
    assume(is_discrete(row_codes(both)))
    parts = value(name, x, z) + value(name, x, y, z)
    assert value(name, x, both) == pytest.approx(parts, abs=ROUNDING)


@FIXED
@given(BY_COUNTS, codes(3))
def test_intervals_of_tables_hold_the_value_and_no_value_passes_its_ceiling(name, columns):
    estimate = make_estimator(name).estimate(*columns)
    if estimate.note:
        assert math.isnan(estimate.low_bits)
        assert math.isnan(estimate.high_bits)
    else:
        assert estimate.low_bits <= estimate.value_bits <= estimate.high_bits
    assert estimate.se_bits > 0
    assert estimate.value_bits <= estimate.ceiling_bits + ROUNDING


@FIXED
@given(st.floats(-1, 5), st.floats(0, 1), st.floats(1e-9, 1))
def test_a_score_interval_holds_its_centre_and_solves_its_equation(centre, slope, floor):
    low, high = LinearVariance(slope, floor).score_interval(centre)
    assert low <= centre <= max(high, 0)
    assert high >= 0
    for end in [low, high][: 1 + (high > 0)]:
        z = abs(centre - end) / LinearVariance(slope, floor).standard_error(end)
        assert z == pytest.approx(1.959964, rel=1e-4)


@FIXED
@given(floats(3), SEEDS)
def test_the_gaussian_does_not_mind_linear_maps(columns, seed):
    rng = np.random.default_rng(seed)
    mapped = []
    for column in columns:
        dim = column.shape[1]
        # Far enough from singular for the rounding below.
        mapped.append(column @ (np.eye(dim) + 0.3 * rng.uniform(-1, 1, (dim, dim))) + 5)
    assert value("gaussian", *mapped) == pytest.approx(value("gaussian", *columns), abs=1e-7)


@FIXED
@given(st.sampled_from(["gaussian", "gaussian-copula"]), floats(3))
def test_covariances_are_symmetric_and_obey_the_chain_rule(name, columns):
    x, y, z = columns
    assert value(name, x, y, z) == pytest.approx(value(name, y, x, z), abs=1e-7)
    parts = value(name, x, z) + value(name, x, y, z)
    assert value(name, x, np.hstack([y, z])) == pytest.approx(parts, abs=1e-7)


@FIXED
@given(floats(2))
def test_normal_scores_do_not_mind_increasing_maps(columns):
    x, y = columns
    stretched = value("gaussian-copula", np.exp(x), np.arctan(y))
    assert stretched == pytest.approx(value("gaussian-copula", x, y), abs=1e-7)


@FEWER
@given(lattices(1))
def test_sorting_pairs_and_trees_count_alike(drawn):
    points, reach = drawn
    inner, outer = np.maximum(reach - 1e-9, 0.0), reach + 1e-9
    distances = np.abs(points - points.T)
    expected = [(distances <= within[:, None]).sum(axis=1) for within in (inner, outer)]
    twice = np.hstack([points, points])
    for found in (
        count_shells(points, None, inner, outer),
        count_shells(points, None, inner, outer, pairs=True),
        count_shells(twice, None, inner, outer, pairs=False),
    ):
        assert np.array_equal(found, expected)


@FEWER
@given(st.integers(1, 4), st.sampled_from([1, 2, 3, 5, 9]), SEEDS, st.data())
def test_pairs_and_trees_find_the_same_neighbours(k, dim, seed, data):
    n = data.draw(st.integers(k + 1, 300))
    points = np.random.default_rng(seed).standard_normal((n, dim))
    pairs, tree = (nearest(points, k, pairs=way) for way in (True, False))
    assert np.array_equal(pairs.radius, tree.radius)
    assert np.array_equal(np.sort(pairs.indices, axis=1), np.sort(tree.indices, axis=1))


@FEWER
@given(st.integers(1, 4), lattices(3))
def test_pairs_and_trees_find_the_same_distances_among_ties(k, drawn):
    points, _ = drawn
    pairs, tree = (nearest(points, k, pairs=way) for way in (True, False))
    assert np.array_equal(pairs.radius, tree.radius)
    for found in (pairs, tree):
        assert not (found.indices == np.arange(len(points))[:, None]).any()


@FEWER
@given(BY_DISTANCE, floats(2), st.integers(1, 5))
def test_neighbours_do_not_mind_which_variable_comes_first(name, columns, k):
    x, y = columns
    assert value(name, x, y, k=k) == pytest.approx(value(name, y, x, k=k), abs=ROUNDING)


@FEWER
@given(BY_DISTANCE, floats(2), SEEDS)
def test_neighbours_do_not_mind_the_order_of_the_samples(name, columns, seed):
    order = np.random.default_rng(seed).permutation(len(columns[0]))
    shuffled = value(name, *(column[order] for column in columns))
    assert shuffled == pytest.approx(value(name, *columns), abs=ROUNDING)


@FEWER
@given(BY_DISTANCE, floats(2), st.integers(-30, 30))
def test_unit_margins_do_not_mind_units(name, columns, power):
    x, y = columns
    # Powers of two, so that not even the last digit moves.
    assert value(name, np.ldexp(x, power), y) == pytest.approx(value(name, x, y), abs=ROUNDING)


@FEWER
@given(BY_DISTANCE, st.sampled_from(["rank", "normal"]), floats(2))
def test_rank_margins_do_not_mind_increasing_maps(name, margins, columns):
    x, y = columns
    stretched = value(name, np.exp(x), y**3, margins=margins)
    assert stretched == pytest.approx(value(name, x, y, margins=margins), abs=ROUNDING)


@FEWER
@given(BY_DISTANCE, floats(2), st.integers(1, 6))
def test_no_neighbour_estimate_passes_its_ceiling(name, columns, k):
    estimate = make_estimator(name, k=k).estimate(*columns)
    assert estimate.value_bits <= estimate.ceiling_bits + ROUNDING
    copied = make_estimator(name, k=k).estimate(columns[0], columns[0])
    assert copied.value_bits <= copied.ceiling_bits + ROUNDING


@FEWER
@given(floats(2), st.integers(1, 6))
def test_without_condition_or_atoms_the_mixed_and_conditional_forms_are_ksg_1(columns, k):
    expected = value("ksg1", *columns, k=k)
    for name in ("frenzel-pompe", "mixed-ksg", "mesner-shalizi"):
        assert value(name, *columns, k=k) == pytest.approx(expected, abs=ROUNDING)


@FEWER
@given(codes(2, most=2))
def test_mixed_ksg_on_atoms_is_the_information_of_zhangs_entropies(columns):
    x, y = (np.tile(column, 2) for column in columns)
    assume(len(np.unique(x)) > 1 and len(np.unique(y)) > 1)
    n = len(x)

    def zhang(codes_):
        counts = np.bincount(codes_)
        counts = counts[counts > 0]
        return float(digamma(n) - (counts * digamma(counts)).sum() / n)

    # Every cell is seen twice or more, so with k = 1 every neighbour is at distance 0.
    expected = zhang(x) + zhang(y) - zhang(2 * x + y)
    assert value("mixed-ksg", x, y, k=1) == pytest.approx(expected / LN2, abs=ROUNDING)


@FEWER
@given(bits_in_noise(), st.integers(20, 80), SEEDS)
def test_ross_does_not_mind_which_is_discrete_nor_what_classes_are_called(truth, n, seed):
    x, y = truth.sample(n, np.random.default_rng(seed))
    assume(0 < y.sum() < n)
    plain = make_estimator("ross").estimate(x, y)
    assert value("ross", y, x) == plain.value_bits
    assert value("ross", x, np.array(["no", "yes"])[y]) == pytest.approx(plain.value_bits)
    assert plain.value_bits <= plain.ceiling_bits + ROUNDING


@FEWER
@given(st.one_of(BY_COUNTS, BY_DISTANCE, st.sampled_from(["gaussian", "ross"])), SEEDS)
def test_estimates_repeat_to_the_last_digit_and_leave_their_inputs_alone(name, seed):
    kinds = ESTIMATORS[name].kinds
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 40))
    x = np.sign(x) if kinds == {"discrete"} else x
    y = np.sign(y) if "continuous" not in kinds else y
    before = x.tobytes(), y.tobytes()
    estimates = [make_estimator(name).estimate(x, y) for _ in range(2)]
    assert repr(estimates[0]) == repr(estimates[1])
    assert (x.tobytes(), y.tobytes()) == before


@FIXED
@given(bit_channels(max_bits=2))
def test_the_information_of_bit_channels_is_that_of_their_table(truth):
    p, n = truth.probability, truth.n_bits
    if truth.noise == "symmetric":
        channel = np.array([[1 - p, p], [p, 1 - p]])
    else:
        channel = np.array([[1 - p, 0, p], [0, 1 - p, p]])
    table = channel / 2
    for _ in range(n - 1):
        table = np.kron(table, channel / 2)
    assert truth.true_bits == pytest.approx(mutual_information_bits(table), abs=1e-9)


@FIXED
@given(joint_distributions(), SEEDS)
def test_samples_of_a_table_lie_in_its_support(truth, seed):
    x, y = truth.sample(50, np.random.default_rng(seed))
    assert (truth.p[x, y] > 0).all()
    assert truth.true_bits == pytest.approx(mutual_information_bits(truth.p), abs=1e-12)


@FIXED
@given(gaussian_pairs(max_pairs=3, max_correlation=0.9), SEEDS)
def test_the_gaussian_is_near_the_truth_of_gaussian_pairs(truth, seed):
    x, y = truth.sample(2000, np.random.default_rng(seed))
    estimate = make_estimator("gaussian").estimate(x, y)
    # 1 in 10,000 fails.
    assert abs(estimate.value_bits - truth.true_bits) <= 3.9 * estimate.se_bits
