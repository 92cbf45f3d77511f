"""The observation that shows the latents themselves."""

import numpy as np
import torch

from fctestbed import WorldSpec
from fctestbed.synthesis import Augmenter, OptimalAugmentation, make_dataset, modality_codewords
from fctestbed.synthesis.latents import signed

SPEC = WorldSpec.model_validate(
    {
        "latents": {"n_shared": 3, "n_unique1": 2, "n_unique2": 4},
        "observation": {"kind": "bits"},
        "n_train": 64,
        "n_test": 16,
    }
)


def test_a_modality_is_its_signed_latents() -> None:
    split = make_dataset(SPEC, 0).train
    assert SPEC.dims == (5, 7)
    assert np.array_equal(split.x1, signed(np.concatenate([split.w_1, split.w_s], 1)))
    assert np.array_equal(split.x2, signed(np.concatenate([split.w_2, split.w_s], 1)))


def test_noise_is_added() -> None:
    noisy = SPEC.model_copy(
        update={"observation": SPEC.observation.model_copy(update={"noise": 0.5})}
    )
    split = make_dataset(noisy, 0).train
    residual = split.x1 - signed(np.concatenate([split.w_1, split.w_s], 1))
    assert 0.4 < residual.std() < 0.6


def test_copies_are_patterns_too() -> None:
    data = make_dataset(SPEC, 0)
    augmenter = Augmenter([data.world], OptimalAugmentation())
    x1, x2 = (torch.from_numpy(x.copy()).unsqueeze(0) for x in (data.train.x1, data.train.x2))
    blocks = data.train.latents
    w_s, w_1, w_2 = (torch.from_numpy(block.copy()).unsqueeze(0) for block in blocks)
    noise = augmenter.draw([torch.Generator().manual_seed(0)], 1, 64)
    copies = augmenter.augment(x1, x2, (w_s, w_1, w_2), augmenter.at(noise, 0))
    assert copies.x1.shape == x1.shape
    assert set(copies.x2.unique().tolist()) == {-1.0, 1.0}


def test_codewords_are_all_patterns() -> None:
    data = make_dataset(SPEC, 0)
    words = modality_codewords(data.world, 1)
    assert len(np.unique(words, axis=0)) == 2**5
