"""The quantities of the rows: the label, blocks of latent bits, their parts, single bits.

Owns the bits of each quantity, and how much of it a modality holds. May import
``fctestbed.results`` and ``fctestbed.synthesis``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fctestbed.results import BLOCKS
from fctestbed.synthesis import Split, Truth, WorldSpec, as_bits

_SYMBOLS = dict(zip(BLOCKS, ("w_s", "w_1", "w_2"), strict=True))
_HOLDERS = dict(zip(BLOCKS, ((1, 2), (1,), (2,)), strict=True))


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

    def bits_in(self, modalities: tuple[int, ...]) -> float:
        """How many of the bits the given modalities hold: all or none."""
        return float(len(self.columns)) if set(modalities) & set(self.modalities) else 0.0


def latent_bits(split: Split) -> NDArray[np.uint8]:
    """All latent bits of a split, [n, n_shared + n_unique1 + n_unique2]; the signs of Gaussian
    latents."""
    return np.concatenate([as_bits(block) for block in split.latents], axis=1)


def quantities(spec: WorldSpec) -> list[Quantity]:
    """Blocks, their non-empty relevant and irrelevant parts, and single bits."""
    found = []
    start = 0
    for block, size, relevant in zip(BLOCKS, spec.block_sizes, spec.relevant, strict=True):
        columns = tuple(range(start, start + size))
        start += size
        named = {
            block: columns,
            f"{block}_relevant": columns[:relevant],
            f"{block}_irrelevant": columns[relevant:],
            **{f"{_SYMBOLS[block]}[{place}]": (bit,) for place, bit in enumerate(columns)},
        }
        found += [Quantity(name, part, _HOLDERS[block]) for name, part in named.items() if part]
    return found


def label_bits(truth: Truth, modalities: tuple[int, ...]) -> float:
    """The information of the given modalities about the label, in bits."""
    bits = {(1,): truth.x1_label_bits, (2,): truth.x2_label_bits, (1, 2): truth.total_bits}
    return bits[modalities]


def bayes_accuracy(truth: Truth, modalities: tuple[int, ...]) -> float:
    """The best accuracy of a classifier of the label from the given modalities."""
    accuracies = {
        (1,): truth.bayes_accuracy_x1,
        (2,): truth.bayes_accuracy_x2,
        (1, 2): truth.bayes_accuracy,
    }
    return accuracies[modalities]
