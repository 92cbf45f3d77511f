"""The latent bits of a world: their names, and the blocks and parts that they make up.

Owns the names of quantities. May import ``fctestbed.synthesis``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fctestbed.synthesis import Split, WorldSpec, as_bits

BLOCKS = {"shared": "w_s", "unique1": "w_1", "unique2": "w_2"}
_HOLDERS = {"shared": (1, 2), "unique1": (1,), "unique2": (2,)}


@dataclass(frozen=True)
class Quantity:
    """Some latent bits under one name.

    Attributes:
        name: a block (``shared``), a part of one (``shared_relevant``) or one bit (``w_s[0]``).
        columns: their columns in ``latent_bits``.
        modalities: the modalities that hold them.
    """

    name: str
    columns: tuple[int, ...]
    modalities: tuple[int, ...]


def latent_bits(split: Split) -> NDArray[np.uint8]:
    """All latent bits of a split, [n, n_shared + n_unique1 + n_unique2]; of Gaussian latents the
    signs."""
    return np.concatenate([as_bits(block) for block in split.latents], axis=1)


def quantities(spec: WorldSpec) -> list[Quantity]:
    """Blocks, their relevant and irrelevant parts where they have any, and single bits."""
    found = []
    start = 0
    for (block, symbol), size, relevant in zip(
        BLOCKS.items(), spec.block_sizes, spec.relevant, strict=True
    ):
        columns = tuple(range(start, start + size))
        start += size
        named = {
            block: columns,
            f"{block}_relevant": columns[:relevant],
            f"{block}_irrelevant": columns[relevant:],
            **{f"{symbol}[{place}]": (column,) for place, column in enumerate(columns)},
        }
        found += [Quantity(name, part, _HOLDERS[block]) for name, part in named.items() if part]
    return found
