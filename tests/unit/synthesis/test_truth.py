"""The exact truth of known worlds."""

import json
import math

import numpy as np
import pytest

from fctestbed.information import bsc_flip_probability, partial_information
from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    GaussianLatents,
    Latents,
    MlpObservation,
    NoiselessLabel,
    ParityLabel,
    PlanarLabel,
    ThresholdLabel,
    WorldSpec,
    make_dataset,
    world_truth,
)


@pytest.mark.parametrize("label_bits", [2, 4])
def test_a_ratio_of_37_percent_means_37_percent(label_bits):
    label = BitsLabel(unique_ratio=0.37, label_bits=label_bits)
    truth = world_truth(WorldSpec(label=label))
    assert truth.shared_bits == pytest.approx(0.63 * label_bits, abs=1e-12)
    assert truth.unique1_bits == pytest.approx(0.185 * label_bits, abs=1e-12)
    assert truth.unique2_bits == pytest.approx(0.185 * label_bits, abs=1e-12)
    assert truth.information_unique_ratio == pytest.approx(0.37, abs=1e-12)


def test_xor_slots_carry_only_synergy():
    label = NoiselessLabel(label_bits=2, unique_ratio=0, synergy_ratio=1)
    truth = world_truth(WorldSpec(label=label))
    assert (truth.pid.synergy_bits, truth.pid.redundancy_bits) == (2, 0)
    assert (truth.shared_bits, truth.unique1_bits, truth.unique2_bits) == (-2, 2, 2)
    assert (truth.x1_label_bits, truth.total_bits) == (0, 2)


@pytest.mark.parametrize("latents", [BitLatents(), GaussianLatents()])
def test_a_parity_over_both_unique_blocks_is_pure_synergy(latents):
    truth = world_truth(WorldSpec(latents=latents, label=ParityLabel()))
    assert (truth.pid.synergy_bits, truth.pid.redundancy_bits, truth.pid.gap_bits) == (1, 0, 0)
    assert (truth.shared_bits, truth.unique1_bits, truth.unique2_bits) == (-1, 1, 1)
    assert (truth.x1_label_bits, truth.x2_label_bits, truth.total_bits) == (0, 0, 1)
    assert (truth.bayes_accuracy, truth.bayes_accuracy_x1, truth.majority_accuracy) == (1, 0.5, 0.5)


def test_a_parity_of_hundreds_of_bits_needs_no_table():
    sizes = {"n_shared": 200, "n_unique1": 100, "n_unique2": 100}
    label = ParityLabel(n_relevant=400, unique_ratio=0.5)
    truth = world_truth(WorldSpec(latents=BitLatents(**sizes), label=label))
    assert truth.pid.synergy_bits == 1


def test_bayes_accuracy_is_a_product_over_slots():
    truth = world_truth(WorldSpec(label=BitsLabel(unique_ratio=0.3)))
    shared, unique = 1 - bsc_flip_probability([0.7, 0.3])
    assert truth.bayes_accuracy == pytest.approx(shared**2 * unique**2, abs=1e-12)
    assert truth.bayes_accuracy_x1 == pytest.approx(shared**2 * unique / 2, abs=1e-12)
    assert truth.majority_accuracy == 1 / 16


def test_slots_of_gaussian_signs_hold_what_bits_hold():
    bits = world_truth(WorldSpec())
    gaussian = world_truth(WorldSpec(latents=GaussianLatents()))
    assert gaussian.unique1_bits == bits.unique1_bits
    assert gaussian.x1_x2_bits == gaussian.w_1_bits == math.inf


def test_infinite_amounts_are_null_in_json_and_said_to_be():
    content = world_truth(WorldSpec(latents=GaussianLatents())).as_dict()
    assert json.loads(json.dumps(content, allow_nan=False))["x1_x2_bits"] is None
    assert "null stands for an infinite amount" in content["note"]


def test_observation_noise_is_noted():
    assert world_truth(WorldSpec()).note is None
    noisy = world_truth(WorldSpec(observation=MlpObservation(noise=0.1)))
    assert "noise-free modalities" in noisy.note


def test_a_majority_of_three_shared_bits_is_the_textbook_one():
    label = ThresholdLabel(n_relevant=3, unique_ratio=1 / 3, balance=1)
    truth = world_truth(WorldSpec(label=label))
    # Given two of the three bits, the majority is open in half of the cases.
    assert truth.total_bits == pytest.approx(1.0, abs=1e-15)
    assert truth.unique1_bits == pytest.approx(0.5, abs=1e-15)
    assert truth.bayes_accuracy_x2 == pytest.approx(0.75, abs=1e-15)
    # X2 is a part of X1, so nothing is unique to it and nothing needs both.
    assert truth.pid.redundancy_bits == pytest.approx(truth.x2_label_bits, abs=1e-9)
    assert truth.pid.unique1_bits == pytest.approx(0.5, abs=1e-9)
    assert truth.pid.unique2_bits == pytest.approx(0.0, abs=1e-9)
    assert truth.pid.synergy_bits == pytest.approx(0.0, abs=1e-9)
    assert 0 <= truth.pid.gap_bits <= 1e-9
    assert truth.pid_note is None


def _table_of(spec):
    """p(x1, x2, y) of a world on bits, every latent combination a row of its own."""
    sizes = spec.label.relevant
    places = np.arange(2 ** sum(sizes))
    bits = ((places[:, None] >> np.arange(sum(sizes))) & 1).astype(np.uint8)
    w_s, w_1, w_2 = np.split(bits, np.cumsum(sizes)[:-1], axis=1)
    rng = np.random.default_rng(0)
    y = spec.label.draw(Latents(w_s, w_1, w_2), rng)
    x1, x2 = (
        np.concatenate([w_s, w], axis=1) @ (1 << np.arange(sizes[0] + w.shape[1]))
        for w in (w_1, w_2)
    )
    p = np.zeros((x1.max() + 1, x2.max() + 1, spec.n_classes))
    np.add.at(p, (x1, x2, y), 1 / len(places))
    return p


@pytest.mark.parametrize(
    "label",
    [
        ThresholdLabel(),
        ThresholdLabel(n_relevant=5, unique_ratio=0.6, balance=1 / 3),
        ThresholdLabel(n_relevant=4, unique_ratio=1),
        PlanarLabel(),
        PlanarLabel(n_relevant=4, unique_ratio=0.75, balance=2 / 3, n_classes=3, flow_seed=5),
        ParityLabel(n_relevant=5, unique_ratio=0.8),
        ParityLabel(n_relevant=5, unique_ratio=0.4, balance=1),
        ParityLabel(n_relevant=5, unique_ratio=0.4, balance=0),
        ParityLabel(n_relevant=3, unique_ratio=0),
    ],
)
def test_atoms_of_function_labels_equal_those_of_the_full_table(label):
    spec = WorldSpec(label=label)
    truth, full = world_truth(spec), partial_information(_table_of(spec))
    for field in ("redundancy_bits", "unique1_bits", "unique2_bits", "synergy_bits"):
        assert getattr(truth.pid, field) == pytest.approx(getattr(full, field), abs=2e-9), field
    assert truth.total_bits == pytest.approx(full.total_bits, abs=1e-12)


@pytest.mark.parametrize(
    ("unique_ratio", "balance", "synergy_ratio"), [(0.37, 0.5, 0), (0.5, 0.25, 0.25), (1, 0.5, 0)]
)
def test_the_closed_form_of_words_equals_the_solver_s_atoms(unique_ratio, balance, synergy_ratio):
    label = BitsLabel(unique_ratio=unique_ratio, balance=balance, synergy_ratio=synergy_ratio)
    # Word slots are independent, and so is each from the slots of the other kinds.
    table = np.ones((1, 1, 1))
    layout = label.layout
    flips = bsc_flip_probability(layout.capacities_bits)
    kinds = ["s"] * layout.n_shared + ["1"] * layout.n_unique1 + ["2"] * layout.n_unique2
    for kind, flip in zip(kinds + ["x"] * layout.n_xor, flips, strict=True):
        slot = np.zeros((2, 2, 2))
        for first in (0, 1):
            for second in (0, 1):
                read = {"s": first, "1": first, "2": second, "x": first ^ second}[kind]
                weight = float(first == second) / 2 if kind == "s" else 0.25
                slot[first, second, read] += weight * (1 - flip)
                slot[first, second, 1 - read] += weight * flip
        table = np.kron(table, slot)
    truth, found = world_truth(WorldSpec(label=label)), partial_information(table)
    for field in ("redundancy_bits", "unique1_bits", "unique2_bits", "synergy_bits"):
        assert getattr(truth.pid, field) == pytest.approx(getattr(found, field), abs=1e-9), field
    assert truth.pid.gap_bits == 0


def test_a_balanced_threshold_of_many_bits_has_nothing_unique():
    sizes = {"n_shared": 100, "n_unique1": 50, "n_unique2": 50}
    label = ThresholdLabel(n_relevant=200, unique_ratio=0.5)
    truth = world_truth(WorldSpec(latents=BitLatents(**sizes), label=label))
    assert truth.pid.redundancy_bits == pytest.approx(truth.x1_label_bits, abs=1e-9)
    assert truth.pid.unique1_bits == pytest.approx(0.0, abs=1e-9)


def test_labels_beyond_the_reach_of_the_decomposition_say_why():
    gaussian = world_truth(WorldSpec(latents=GaussianLatents(), label=ThresholdLabel()))
    assert gaussian.pid is None
    assert "finite sources" in gaussian.pid_note
    sizes = {"n_shared": 10, "n_unique1": 5, "n_unique2": 5}
    label = PlanarLabel(n_relevant=20, unique_ratio=0.5)
    planar = world_truth(WorldSpec(latents=BitLatents(**sizes), label=label))
    assert planar.pid is None
    assert "up to 65536 entries; this label's has 32768 x 32768 x 20" in planar.pid_note


def test_thresholds_of_thousands_of_bits_approach_the_gaussian_limit():
    sizes = {"n_shared": 30_000, "n_unique1": 15_000, "n_unique2": 15_000}
    label = ThresholdLabel(n_relevant=60_000, unique_ratio=0.5)
    bits = world_truth(WorldSpec(latents=BitLatents(**sizes), label=label))
    limit = world_truth(
        WorldSpec(latents=GaussianLatents(), label=ThresholdLabel(n_relevant=4, unique_ratio=0.5))
    )
    # Ties and steps are of order 1 / sqrt(n).
    assert bits.x1_label_bits == pytest.approx(limit.x1_label_bits, abs=5e-3)
    assert bits.bayes_accuracy_x1 == pytest.approx(limit.bayes_accuracy_x1, abs=5e-3)


@pytest.mark.parametrize(
    ("relevant", "ratio", "balance"), [(6, 2 / 3, 0.5), (6, 1, 1 / 6), (22, 12 / 22, 0.5)]
)
def test_thresholds_of_gaussians_equal_a_fine_sum(relevant, ratio, balance):
    latents = GaussianLatents(n_shared=10, n_unique1=6, n_unique2=6)
    label = ThresholdLabel(n_relevant=relevant, unique_ratio=ratio, balance=balance)
    truth = world_truth(WorldSpec(latents=latents, label=label))
    n_s, n_1, n_2 = label.relevant
    t = np.linspace(-12, 12, 200_001)
    density = np.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
    slope = math.sqrt((n_s + n_1) / n_2)
    p = np.array([0.5 * math.erfc(-slope * value / math.sqrt(2)) for value in t])
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = np.nan_to_num(-p * np.log2(p) - (1 - p) * np.log2(1 - p))
    assert truth.unique2_bits == pytest.approx(np.trapezoid(density * entropy, t), abs=1e-9)
    accuracy = np.trapezoid(density * np.maximum(p, 1 - p), t)
    assert truth.bayes_accuracy_x1 == pytest.approx(accuracy, abs=1e-7)


def test_a_threshold_on_what_one_modality_sees_is_its_own():
    label = ThresholdLabel(n_relevant=6, unique_ratio=1, balance=1)
    for latents in (BitLatents(), GaussianLatents()):
        truth = world_truth(WorldSpec(latents=latents, label=label))
        assert truth.unique1_bits == pytest.approx(truth.total_bits, abs=1e-12)
        assert truth.x2_label_bits == pytest.approx(0.0, abs=1e-12)
        assert truth.bayes_accuracy_x1 == pytest.approx(1.0, abs=1e-12)
        assert truth.bayes_accuracy_x2 == pytest.approx(truth.majority_accuracy, abs=1e-12)


@pytest.mark.parametrize(
    "label", [BitsLabel(unique_ratio=0.4), PlanarLabel(), ThresholdLabel(), ParityLabel()]
)
def test_drawn_labels_are_as_frequent_as_the_truth_says(label):
    spec = WorldSpec(label=label, n_train=20_000)
    truth, y = world_truth(spec), make_dataset(spec, 0).train.y
    top = np.bincount(y, minlength=truth.n_classes).max() / len(y)
    error = math.sqrt(truth.majority_accuracy * (1 - truth.majority_accuracy) / len(y))
    assert abs(top - truth.majority_accuracy) < 5 * error


def test_the_parts_of_twenty_enumerated_bits_add_up():
    latents = BitLatents(n_shared=10, n_unique1=5, n_unique2=5)
    label = PlanarLabel(n_relevant=20, unique_ratio=0.5)
    truth = world_truth(WorldSpec(latents=latents, label=label))
    parts = truth.shared_bits + truth.unique1_bits + truth.unique2_bits
    assert parts == pytest.approx(truth.total_bits, abs=1e-12)
