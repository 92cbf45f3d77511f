"""Samples and augmented copies of a world, drawn step by step from their definitions.

The random numbers are others than the package's, the laws are the same: worlds of bits with tanh
networks and a word label, or of Gaussian latents with linear maps and a threshold label.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.synthesis import (
    Dataset,
    LinearObservation,
    MlpMap,
    MlpObservation,
    OfficialAugmentation,
    OptimalAugmentation,
    WorldSpec,
    augmentation_plan,
)

Array = NDArray[np.float64]


def plain_samples(spec: WorldSpec, seed: int) -> tuple[Array, Array, NDArray[np.int64]]:
    """x1, x2 and y of all samples."""
    rng = np.random.default_rng(seed)
    n = spec.n_train + spec.n_test
    bits = spec.latents.kind == "bits"
    w_s, w_1, w_2 = (
        2.0 * rng.integers(0, 2, (n, size)) - 1 if bits else rng.standard_normal((n, size))
        for size in spec.block_sizes
    )
    observation = spec.observation
    x1 = _observed(np.concatenate([w_1, w_s], 1), observation.dim1, observation, rng)
    x2 = _observed(np.concatenate([w_2, w_s], 1), observation.dim2, observation, rng)
    if spec.label.kind == "threshold":
        blocks = zip((w_s, w_1, w_2), spec.relevant, strict=True)
        relevant = np.concatenate([block[:, :count] for block, count in blocks], 1)
        return x1, x2, (relevant.mean(1) >= 0).astype(np.int64)
    slots = spec.label.slots
    assert slots is not None
    relevant = np.concatenate(
        [w[:, :k] > 0 for w, k in zip((w_s, w_1, w_2), spec.relevant, strict=True)], 1
    )
    y = np.zeros(n, dtype=np.int64)
    for weight, slot in enumerate(slots):
        bit = np.logical_xor.reduce(relevant[:, list(slot.reads)], axis=1)
        y += (bit ^ (rng.random(n) < slot.flip_probability)).astype(np.int64) << weight
    return x1, x2, y


def _observed(
    z: Array, dim: int, observation: MlpObservation | LinearObservation, rng: np.random.Generator
) -> Array:
    n_inputs = z.shape[1]
    if isinstance(observation, LinearObservation):
        return z @ rng.random((n_inputs, dim))
    width = observation.hidden_dim
    first = rng.standard_normal((n_inputs, width)) / np.sqrt(n_inputs)
    hidden = np.tanh(observation.gain * z @ first + rng.standard_normal(width))
    return hidden @ rng.standard_normal((width, dim)) / np.sqrt(width)


def official_copy(x: Tensor, spec: OfficialAugmentation, generator: torch.Generator) -> Tensor:
    """One of four changes to each sample: halves swapped, noise, zeroed coordinates, none."""
    change = torch.randint(4, (len(x), 1), generator=generator)
    half = x.shape[1] // 2
    swapped = torch.cat([x[:, half:], x[:, :half]], 1)
    noisy = x + spec.noise * torch.randn(x.shape, generator=generator)
    dropped = x * (torch.rand(x.shape, generator=generator) >= spec.drop)
    return torch.where(
        change == 0, swapped, torch.where(change == 1, noisy, torch.where(change == 2, dropped, x))
    )


class OptimalCopies:
    """Fresh latents, into which each slot of a word label is written through its channel."""

    def __init__(self, dataset: Dataset, dtype: torch.dtype = torch.float32) -> None:
        self.blocks = dataset.spec.block_sizes
        self.spec = OptimalAugmentation()
        self.plan = augmentation_plan(dataset.spec, self.spec)
        self.maps = []
        for m in (1, 2):
            own = dataset.world.maps[m]
            assert isinstance(own, MlpMap)
            arrays = [torch.tensor(array).to(dtype) for array in (own.A, own.a, own.B)]
            self.maps.append((*arrays, own.gain))

    def __call__(
        self, latents: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Copies of both modalities, and what they say of their originals as a number.

        Args:
            latents: bits along [w_s, w_1, w_2], [n, bits].
            generator: of the copies' random numbers.
        """
        plan, n = self.plan, len(latents)
        assert plan.reads is not None
        written = []
        for (read, _), flip in zip(plan.reads, plan.flips, strict=True):
            flipped = torch.rand(n, generator=generator) < flip
            written.append((latents[:, read] > 0) ^ flipped)
        n_s, n_1, n_2 = self.blocks
        copies = []
        for m, n_inputs in enumerate((n_1 + n_s, n_2 + n_s)):
            z = torch.randint(2, (n, n_inputs), generator=generator) * 2.0 - 1
            for bit, place in zip(plan.bits[m], plan.places[m], strict=True):
                if place < n_inputs:
                    z[:, place] = written[bit] * 2.0 - 1
            first, shift, last, gain = self.maps[m]
            copies.append(torch.tanh(gain * z.to(first) @ first + shift) @ last)
        word = sum(bit.long() << place for place, bit in enumerate(written))
        assert isinstance(word, Tensor)
        return copies[0], copies[1], word
