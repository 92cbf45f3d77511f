"""Every word that a modality can be made of: all patterns of its latent bits, rendered.

Owns the enumeration of finite worlds. May import numpy and this package.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.latents import signed
from fctestbed.synthesis.spec import BitLatents
from fctestbed.synthesis.world import World


def bit_patterns(n_bits: int) -> npt.NDArray[np.uint8]:
    """All patterns of some bits, uint8 [2^n_bits, n_bits], the first bit slowest."""
    index = np.arange(2**n_bits)[:, None]
    return ((index >> np.arange(n_bits - 1, -1, -1)) & 1).astype(np.uint8)


def modality_codewords(world: World, modality: int) -> npt.NDArray[np.float32]:
    """x of a modality, without noise, for every pattern of [w_s, w_m], the first bit of w_s
    slowest: [2^(n_shared + n_unique), dim].

    Args:
        world: a world of bits.
        modality: 1 or 2.

    Raises:
        ValueError: for a world of Gaussian latents, or another modality.
    """
    if not isinstance(world.spec.latents, BitLatents):
        raise ValueError("latents: expected bits, whose patterns can be enumerated, got gaussian")
    if modality not in (1, 2):
        raise ValueError(f"modality: expected 1 or 2, got {modality}")
    n_shared, n_unique = world.spec.block_sizes[0], world.spec.block_sizes[modality]
    words = bit_patterns(n_shared + n_unique)
    # The map reads [w_m, w_s].
    turned: npt.NDArray[Any] = np.concatenate([words[:, n_shared:], words[:, :n_shared]], axis=1)
    return world.maps[modality].render(signed(turned))
