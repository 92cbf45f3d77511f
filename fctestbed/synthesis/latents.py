"""Latent blocks as arrays. Owns how they are drawn and read as bits or signs. May import numpy."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.spec import BitLatents, GaussianLatents


class Latents(NamedTuple):
    """The blocks w_s, w_1, w_2 of n samples, each of shape (n, size of the block).

    Bits are uint8 in {0, 1}; Gaussian latents are float32.
    """

    w_s: npt.NDArray[Any]
    w_1: npt.NDArray[Any]
    w_2: npt.NDArray[Any]


def draw_latents(
    spec: BitLatents | GaussianLatents, n_samples: int, rng: np.random.Generator
) -> Latents:
    """Draw the blocks of ``n_samples`` independent samples."""
    sizes = [(n_samples, n) for n in (spec.n_shared, spec.n_unique1, spec.n_unique2)]
    if isinstance(spec, BitLatents):
        return Latents(*[rng.integers(0, 2, size, dtype=np.uint8) for size in sizes])
    scale = np.float32(spec.variance**0.5)
    return Latents(*[rng.standard_normal(size, dtype=np.float32) * scale for size in sizes])


def signed(block: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Latents as the maps and label rules see them: bits as +-1, others as they are; float32."""
    if block.dtype == np.uint8:
        return block.astype(np.float32) * np.float32(2) - np.float32(1)
    return block.astype(np.float32, copy=False)


def as_bits(block: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Latents as the slots of a label see them: bits as they are, of others the sign; uint8."""
    return (block > 0).view(np.uint8)


def relevant_latents(latents: Latents, relevant: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """The first ``relevant`` latents of (w_s, w_1, w_2), signed: shape (n, sum of the counts)."""
    parts = [signed(block[:, :n]) for block, n in zip(latents, relevant, strict=True)]
    return np.concatenate(parts, axis=1)
