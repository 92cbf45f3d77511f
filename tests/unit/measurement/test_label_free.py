"""Scores without labels against plain loops, known values, and what they refuse."""

import math

import numpy as np
import pytest
import torch

from fctestbed.measurement import (
    alignment,
    effective_rank,
    linear_cka,
    modality_gap,
    uniformity,
)

N = 40


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    z1 = rng.standard_normal((N, 5)) + 1.0
    z2 = 0.5 * z1 + rng.standard_normal((N, 5))
    return torch.tensor(z1), torch.tensor(z2)


def unit(z):
    return [row / math.sqrt(sum(x * x for x in row)) for row in z.numpy()]


def squared(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def rotation(width):
    return torch.linalg.qr(torch.randn(width, width, generator=torch.Generator().manual_seed(0)))[
        0
    ].double()


def test_alignment_is_the_mean_squared_distance_of_normalised_pairs(pair):
    distances = [squared(a, b) for a, b in zip(*map(unit, pair), strict=True)]
    assert alignment(*pair) == pytest.approx(sum(distances) / N, rel=1e-12)


def test_alignment_is_0_of_equal_directions_and_4_of_opposite_ones(pair):
    z1, _ = pair
    assert alignment(z1, 3 * z1) == pytest.approx(0, abs=1e-15)
    assert alignment(z1, -z1) == pytest.approx(4)


def test_uniformity_is_the_log_of_the_mean_kernel_over_different_samples(pair):
    rows = unit(pair[0])
    kernels = [
        math.exp(-2 * squared(rows[i], rows[j])) for i in range(N) for j in range(N) if i < j
    ]
    expected = math.log(sum(kernels) / len(kernels))
    assert uniformity(pair[0]) == pytest.approx(expected, rel=1e-12)


def test_uniformity_of_many_samples_is_computed_in_blocks(monkeypatch, pair):
    whole = uniformity(pair[0])
    monkeypatch.setattr("fctestbed.measurement.label_free._BLOCK_PAIRS", 3 * N)
    assert uniformity(pair[0]) == pytest.approx(whole, rel=1e-13)


def test_uniformity_is_0_of_one_direction_and_that_of_two_opposite_rows_is_minus_8():
    row = torch.tensor([[1.0, 2.0]])
    assert uniformity(torch.cat([row, 2 * row, 3 * row])) == pytest.approx(0, abs=1e-14)
    assert uniformity(torch.cat([row, -row])) == pytest.approx(-8)


def test_uniformity_of_a_wide_sphere_is_near_its_expectation():
    # E exp(-4 (1 - cos)) of cosines with variance 1 / width is near exp(-4 + 8 / width).
    z = torch.randn(1500, 200, generator=torch.Generator().manual_seed(0))
    assert uniformity(z) == pytest.approx(-4 + 8 / 200, abs=0.01)


def test_effective_rank_is_exp_of_the_entropy_of_the_singular_values(pair):
    singular = np.linalg.svd(pair[0].numpy(), compute_uv=False)
    shares = singular / singular.sum()
    expected = math.exp(-sum(p * math.log(p) for p in shares))
    assert effective_rank(pair[0]) == pytest.approx(expected, rel=1e-12)


def test_effective_rank_of_equal_orthogonal_columns_is_their_number():
    assert effective_rank(7 * torch.eye(6)) == pytest.approx(6)
    assert effective_rank(torch.eye(6)[:, :2]) == pytest.approx(2)
    assert effective_rank(torch.ones(5, 3)) == pytest.approx(1, abs=1e-5)


def test_effective_rank_is_that_of_the_transpose(pair):
    z = pair[0]
    assert effective_rank(z.T) == pytest.approx(effective_rank(z), rel=1e-12)


def test_effective_rank_ignores_rotation_scale_and_padding(pair):
    z = pair[0]
    changed = torch.cat([3 * z @ rotation(5), torch.zeros(N, 4)], 1)
    assert effective_rank(changed) == pytest.approx(effective_rank(z), abs=1e-5)


def test_modality_gap_is_the_distance_of_normalised_means(pair):
    means = [sum(unit(z)) / N for z in pair]
    assert modality_gap(*pair) == pytest.approx(math.sqrt(squared(*means)), rel=1e-12)


def test_modality_gap_is_2_of_opposite_cones_and_0_of_equal_ones():
    z = torch.tensor([[1.0, 0.0], [2.0, 0.0]])
    assert modality_gap(z, -z) == pytest.approx(2)
    assert modality_gap(z, z[:1]) == 0


def test_linear_cka_is_the_kernel_formula_on_centred_gram_matrices(pair):
    # HSIC(K, L) = trace(K H L H), with the kernels K = Z1 Z1' and L = Z2 Z2'.
    centring = np.eye(N) - 1 / N
    k, other = (centring @ (z.numpy() @ z.numpy().T) @ centring for z in pair)
    expected = np.trace(k @ other) / math.sqrt(np.trace(k @ k) * np.trace(other @ other))
    assert linear_cka(*pair) == pytest.approx(expected, rel=1e-12)


def test_linear_cka_is_1_up_to_rotation_scale_and_shift_also_at_another_width(pair):
    z = pair[0]
    moved = torch.cat([2 * z @ rotation(5) + 3, torch.ones(N, 2)], 1)
    assert linear_cka(z, moved) == pytest.approx(1)


@pytest.mark.parametrize("score", [alignment, modality_gap, linear_cka])
def test_scores_of_a_pair_do_not_depend_on_its_order(pair, score):
    assert score(*pair) == pytest.approx(score(*pair[::-1]), rel=1e-12)


def test_float32_embeddings_are_computed_in_float64_and_stay_as_they_are(pair):
    single = [z.float() for z in pair]
    copies = [z.clone() for z in single]
    for score in (alignment, modality_gap, linear_cka):
        assert score(*single) == score(*(z.double() for z in single))
    for score in (uniformity, effective_rank):
        assert score(single[0]) == score(single[0].double())
    assert all(torch.equal(a, b) for a, b in zip(single, copies, strict=True))


def test_a_score_that_is_0_over_0_is_nan(pair):
    z, zeros = pair[0], torch.zeros(N, 5)
    constant = torch.full((N, 5), 0.1)
    found = [
        alignment(z, zeros),
        uniformity(zeros),
        effective_rank(zeros),
        modality_gap(zeros, z),
        linear_cka(z, constant),
    ]
    assert all(map(math.isnan, found))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda z: alignment(z, z[:, :3]), "z2: expected 5 columns as in z1, got 3"),
        (lambda z: alignment(z, z[:7]), "z2: expected 40 samples as in z1, got 7"),
        (lambda z: modality_gap(z, z[:, :3]), "z2: expected 5 columns as in z1, got 3"),
        (lambda z: linear_cka(z, z[:7]), "z2: expected 40 samples as in z1, got 7"),
        (lambda z: uniformity(z[:1]), r"z: expected shape .* at least 2 and 1, got \(1, 5\)"),
        (lambda z: effective_rank(z[:, :0]), r"z: expected shape .* got \(40, 0\)"),
        (lambda z: linear_cka(z[:, 0], z), r"z1: expected shape .* got \(40,\)"),
    ],
)
def test_arrays_of_other_shapes_are_refused(pair, call, message):
    with pytest.raises(ValueError, match=message):
        call(pair[0])
