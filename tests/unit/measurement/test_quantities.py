"""The quantities that rows are about."""

import numpy as np
import pytest

from fctestbed.measurement import quantities
from fctestbed.measurement.quantity import bayes_accuracy, label_bits, latent_bits
from fctestbed.synthesis import WorldSpec, make_dataset, world_truth

LATENTS = {"n_shared": 3, "n_unique1": 2, "n_unique2": 2}
WORLD = WorldSpec.model_validate({"latents": LATENTS, "n_train": 50, "n_test": 40})


def test_blocks_their_parts_and_their_bits_are_named_in_order():
    found = {q.name: (q.columns, q.modalities) for q in quantities(WORLD)}
    assert list(found) == [
        "shared", "shared_relevant", "shared_irrelevant", "w_s[0]", "w_s[1]", "w_s[2]",
        "unique1", "unique1_relevant", "unique1_irrelevant", "w_1[0]", "w_1[1]",
        "unique2", "unique2_relevant", "unique2_irrelevant", "w_2[0]", "w_2[1]",
    ]  # fmt: skip
    assert found["shared"] == ((0, 1, 2), (1, 2))
    assert found["shared_irrelevant"] == ((2,), (1, 2))
    assert found["unique1_relevant"] == ((3,), (1,))
    assert found["w_2[1]"] == ((6,), (2,))


def test_a_block_without_irrelevant_bits_has_no_such_part():
    spec = WorldSpec.model_validate({"latents": {"n_shared": 2, "n_unique1": 1, "n_unique2": 1}})
    assert not [q.name for q in quantities(spec) if "irrelevant" in q.name]


def test_latent_bits_are_the_blocks_side_by_side():
    split = make_dataset(WORLD, 0).test
    assert (latent_bits(split) == np.concatenate([split.w_s, split.w_1, split.w_2], 1)).all()


def test_of_gaussian_latents_the_signs_are_read():
    dataset = make_dataset(WorldSpec.model_validate({"latents": {"kind": "gaussian"}}), 0)
    found = latent_bits(dataset.test)
    assert (found[:, :6] == (dataset.test.w_s > 0)).all()


def test_a_modality_holds_all_or_nothing_of_a_block():
    held = {q.name: [q.bits_in(m) for m in ((1,), (2,), (1, 2))] for q in quantities(WORLD)}
    assert held["shared"] == [3, 3, 3]
    assert held["unique1"] == [2, 0, 2]
    assert held["unique2_relevant"] == [0, 1, 1]


@pytest.mark.parametrize(("modalities", "ending"), [((1,), "x1"), ((2,), "x2")])
def test_what_a_modality_holds_of_the_label_is_the_truth_of_that_modality(modalities, ending):
    truth = world_truth(WORLD.with_ratio(0.7))
    assert label_bits(truth, modalities) == getattr(truth, f"{ending}_label_bits")
    assert bayes_accuracy(truth, modalities) == getattr(truth, f"bayes_accuracy_{ending}")
    assert label_bits(truth, (1, 2)) == truth.total_bits > label_bits(truth, modalities)
    assert bayes_accuracy(truth, (1, 2)) == truth.bayes_accuracy
