"""Label rules: words, their channels, thresholds and planar flows."""

import numpy as np
import pytest

from fctestbed.information import bsc_flip_probability
from fctestbed.synthesis import (
    BitsLabel,
    Latents,
    NoiselessLabel,
    ParityLabel,
    PlanarLabel,
    ThresholdLabel,
    slots_of,
    threshold_labels,
    word_of,
)

N = 40_000


def fair_latents(n=N, size=6, seed=0):
    rng = np.random.default_rng(seed)
    return Latents(*[rng.integers(0, 2, (n, size), dtype=np.uint8) for _ in range(3)])


def test_slot_k_has_weight_two_to_the_k():
    assert word_of(np.array([[1, 0, 0], [0, 0, 1]], dtype=np.uint8)).tolist() == [1, 4]


def test_slots_undo_words():
    y = np.arange(64)
    np.testing.assert_array_equal(word_of(slots_of(y, 6)), y)
    assert slots_of(y, 6).dtype == np.uint8


@pytest.mark.parametrize("bad", [-1, 8])
def test_classes_outside_the_word_are_refused(bad):
    with pytest.raises(ValueError, match=r"y: expected classes in \[0, 8\) for 3 slots, got"):
        slots_of(np.array([bad]), 3)


@pytest.mark.parametrize("unique_ratio", [0.0, 0.3, 0.5, 0.8])
def test_slots_flip_as_often_as_their_channels_say(unique_ratio):
    label = BitsLabel(label_bits=4, unique_ratio=unique_ratio, balance=0.6, synergy_ratio=0.1)
    w = fair_latents()
    slots = slots_of(label.draw(w, np.random.default_rng(1)), len(label.slots))
    clean = np.concatenate(
        [w.w_s[:, :4], w.w_1[:, :2], w.w_2[:, :2], w.w_1[:, 2:3] ^ w.w_2[:, 2:3]], axis=1
    )
    capacities = [0.9 - unique_ratio] * 4 + [1.2 * unique_ratio] * 2 + [0.8 * unique_ratio] * 2
    expected = bsc_flip_probability([*capacities, 0.4])
    standard_error = np.sqrt(expected * (1 - expected) / N)
    assert np.all(np.abs((slots != clean).mean(axis=0) - expected) <= 5 * standard_error)


def test_flips_are_coupled_over_ratios():
    w = fair_latents()
    draws = {
        ratio: slots_of(BitsLabel(unique_ratio=ratio).draw(w, np.random.default_rng(1)), 4)
        for ratio in (0.4, 0.6)
    }
    wrong = {ratio: slots[:, :2] != w.w_s[:, :2] for ratio, slots in draws.items()}
    # Shared slots get noisier as the ratio grows: whatever flipped before still flips.
    assert np.all(wrong[0.6] | ~wrong[0.4])
    assert wrong[0.6].sum() > wrong[0.4].sum()


def test_noiseless_words_are_latent_bits():
    w = fair_latents(50)
    rule = NoiselessLabel(unique_ratio=0.5, synergy_ratio=0.25, balance=0.5)
    slots = slots_of(rule.draw(w, np.random.default_rng(0)), 4)
    expected = [w.w_s[:, 0], w.w_1[:, 0], w.w_2[:, 0], w.w_1[:, 1] ^ w.w_2[:, 1]]
    np.testing.assert_array_equal(slots, np.stack(expected, axis=1))


def test_gaussian_latents_are_read_by_their_sign():
    rng = np.random.default_rng(0)
    w = Latents(*[rng.standard_normal((50, 3), dtype=np.float32) for _ in range(3)])
    bits = Latents(*[(block > 0).astype(np.uint8) for block in w])
    rule = BitsLabel(unique_ratio=0.3)
    np.testing.assert_array_equal(
        rule.draw(w, np.random.default_rng(2)), rule.draw(bits, np.random.default_rng(2))
    )


def test_ties_of_a_threshold_count_as_one():
    assert threshold_labels(np.array([[1.0, -1.0], [-1.0, -1.0]])).tolist() == [1, 0]


def test_threshold_reads_only_its_relevant_bits():
    w = fair_latents(200)
    rule = ThresholdLabel(n_relevant=6, unique_ratio=2 / 3)
    y = rule.draw(w, np.random.default_rng(0))
    ones = w.w_s[:, :2].sum(1) + w.w_1[:, :2].sum(1) + w.w_2[:, :2].sum(1)
    np.testing.assert_array_equal(y, ones >= 3)
    assert rule.slots is None


def test_a_parity_is_the_xor_of_its_relevant_bits():
    w = fair_latents(200)
    y = ParityLabel(n_relevant=4, unique_ratio=0.5).draw(w, np.random.default_rng(0))
    expected = w.w_s[:, 0] ^ w.w_s[:, 1] ^ w.w_1[:, 0] ^ w.w_2[:, 0]
    np.testing.assert_array_equal(y, expected)


def test_slots_say_which_relevant_latents_they_read():
    label = NoiselessLabel(unique_ratio=0.5, synergy_ratio=0.25, balance=0.5)
    # Relevant latents: one of w_s, then two of w_1 and two of w_2.
    assert [slot.reads for slot in label.slots] == [(0,), (1,), (3,), (2, 4)]
    assert [slot.flip_probability for slot in label.slots] == [0, 0, 0, 0]


def test_planar_flows_depend_on_their_seed_alone():
    same = [PlanarLabel(flow_seed=3, unique_ratio=ratio).flow.W for ratio in (0, 1)]
    np.testing.assert_array_equal(*same)
    assert not np.array_equal(same[0], PlanarLabel(flow_seed=4).flow.W)


def test_drawing_labels_leaves_latents_as_they_were():
    w = fair_latents(100)
    before = [block.copy() for block in w]
    for label in (BitsLabel(), NoiselessLabel(), ThresholdLabel(), PlanarLabel(), ParityLabel()):
        y = label.draw(w, np.random.default_rng(0))
        assert y.dtype == np.int64
    for block, old in zip(w, before, strict=True):
        np.testing.assert_array_equal(block, old)
