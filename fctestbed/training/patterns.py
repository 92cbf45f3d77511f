"""The patterns of latent bits that are encoded: their order, their number, their limits.

May import ``fctestbed.synthesis``.
"""

import numpy as np
from numpy.typing import NDArray

from fctestbed.synthesis import BitLatents, WorldSpec


def pattern_columns(spec: WorldSpec) -> dict[tuple[int, ...], tuple[int, ...]]:
    """The bits of a pattern of modalities (1,), (2,) and both, the slowest first, counted over w_s,
    w_1, w_2."""
    n_shared, n_unique1, n_unique2 = spec.block_sizes
    shared, first = range(n_shared), range(n_shared, n_shared + n_unique1)
    second = range(n_shared + n_unique1, n_shared + n_unique1 + n_unique2)
    return {
        (1,): (*shared, *first),
        (2,): (*shared, *second),
        (1, 2): (*shared, *first, *second),
    }


def n_patterns(spec: WorldSpec) -> dict[tuple[int, ...], int]:
    """The number of patterns of modalities (1,), (2,) and both."""
    return {modalities: 2 ** len(bits) for modalities, bits in pattern_columns(spec).items()}


def fused_patterns(spec: WorldSpec) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each pattern of both modalities, the number of its pattern of modality 1, and of 2."""
    every = np.arange(n_patterns(spec)[1, 2])
    n_own1, n_own2 = 2 ** spec.block_sizes[1], 2 ** spec.block_sizes[2]
    return every // n_own2, every // (n_own1 * n_own2) * n_own2 + every % n_own2


def why_no_codewords(spec: WorldSpec, modalities: tuple[int, ...], max_codewords: int) -> str:
    """Why a readout of these modalities has no codewords in a world, as ``expected ..., got ...``;
    empty if it has them.

    Args:
        spec: the world.
        modalities: (1,), (2,) or both.
        max_codewords: most codewords that are enumerated. A readout of one modality has codewords
            only if the other modality does not exceed this number either.
    """
    if not isinstance(spec.latents, BitLatents):
        return "expected bits to enumerate, got gaussian latents"
    if spec.observation.noise > 0:
        return (
            "expected noise-free observations, of which a readout is a function, "
            f"got noise {spec.observation.noise:g}"
        )
    bits = {own: len(columns) for own, columns in pattern_columns(spec).items()}
    n_bits, whose = max(bits[1,], bits[2,]), "a modality"
    if 2**n_bits <= max_codewords and modalities == (1, 2):
        n_bits, whose = bits[1, 2], "both modalities"
    if 2**n_bits <= max_codewords:
        return ""
    return f"expected at most {max_codewords} codewords of {whose}, got 2^{n_bits} = {2**n_bits}"
