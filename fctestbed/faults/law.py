"""The exact law of a world of bits: p(x1, x2, y), and the law of its augmented copies.

Owns the enumeration and its limits. May import numpy, torch and ``fctestbed.synthesis``.

An input is known by its pattern: the number whose binary digits are the bits of [w_s, w_m], the
first most significant, as in ``pattern_columns``.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fctestbed.synthesis import (
    AugmentationSpec,
    Latents,
    OfficialAugmentation,
    OptimalAugmentation,
    QualityAugmentation,
    UniqueAugmentation,
    WorldSpec,
    augmentation_plan,
    bit_patterns,
    copies_given_latents,
    word_of,
)

MAX_CELLS = 1 << 24
"""Most cells of a table of probabilities: 128 MiB in float64."""

Copied = OptimalAugmentation | UniqueAugmentation | QualityAugmentation
"""Augmentations whose copies are patterns."""

_Table = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BitLaw:
    """The law of a world's inputs, label and copies, as weights over patterns, float64.

    ``exact_law`` makes it. Tables are made when they are asked for.

    Attributes:
        spec: the world.
        augmentation: of the copies; None without copies.
    """

    spec: WorldSpec
    augmentation: Copied | None = None

    @property
    def n_patterns(self) -> tuple[int, int]:
        """Patterns of the two modalities."""
        n_shared, n_unique1, n_unique2 = self.spec.block_sizes
        return 2 ** (n_shared + n_unique1), 2 ** (n_shared + n_unique2)

    @cached_property
    def joint(self) -> Tensor:
        """p(x1, x2), [patterns1, patterns2]."""
        return self.with_label.sum(2)

    @cached_property
    def with_label(self) -> Tensor:
        """p(x1, x2, y), [patterns1, patterns2, classes]."""
        n_s, n_1, n_2 = (2**size for size in self.spec.block_sizes)
        given = _label_given_latents(self.spec)
        table = np.zeros((n_s, n_1, n_s, n_2, given.shape[3]))
        every = np.arange(n_s)
        # The shared bits are the same in both modalities.
        table[every, :, every] = given / (n_s * n_1 * n_2)
        return torch.from_numpy(table.reshape(n_s * n_1, n_s * n_2, -1))

    @cached_property
    def copies(self) -> Tensor:
        """p(x1, x2, x1', x2'), [patterns1, patterns2, patterns1, patterns2]."""
        assert self.augmentation is not None, "a law without copies"
        plan = augmentation_plan(self.spec, self.augmentation)
        n_s, n_1, n_2 = (2**size for size in self.spec.block_sizes)
        given = copies_given_latents(self.spec, plan)
        # Originals along [w_s, w_1, w_2], copies along [w_1, w_s, w_2, w_s].
        given = given.reshape(n_s, n_1, n_2, n_1, n_s, n_2, n_s).transpose(0, 1, 2, 4, 3, 6, 5)
        table = np.zeros((n_s, n_1, n_s, n_2, n_s, n_1, n_s, n_2))
        every = np.arange(n_s)
        table[every, :, every] = given / (n_s * n_1 * n_2)
        p_1, p_2 = self.n_patterns
        return torch.from_numpy(table.reshape(p_1, p_2, p_1, p_2))

    @cached_property
    def with_copy1(self) -> Tensor:
        """p(x1, x1'), [patterns1, patterns1]."""
        return self.copies.sum((1, 3))

    @cached_property
    def with_copy2(self) -> Tensor:
        """p(x2, x2'), [patterns2, patterns2]."""
        return self.copies.sum((0, 2))

    @cached_property
    def pair_with_copy(self) -> Tensor:
        """p(x, x') of both modalities' patterns together, [patterns1 * patterns2] twice; a pair's
        number is that of modality 1 times patterns2 plus that of modality 2."""
        return self.copies.flatten(2).flatten(0, 1)

    @cached_property
    def two_copies(self) -> Tensor:
        """p(x', x'') of two copies that are drawn independently given their original, as
        ``pair_with_copy``."""
        table = self.pair_with_copy
        held = table.sum(1, keepdim=True)
        given = torch.where(held > 0, table / held.clamp_min(1e-300), 0.0)
        return table.T @ given

    @cached_property
    def copy_conditions(self) -> Tensor:
        """What a pair of copies reveals of its originals, a number for each (x1', x2'),
        [patterns1, patterns2]: the label's bits that were written into it.

        Raises:
            ValueError: for another augmentation than the optimal one.
        """
        if not isinstance(self.augmentation, OptimalAugmentation):
            kind = None if self.augmentation is None else self.augmentation.kind
            raise ValueError(
                f"augmentation: expected optimal, whose copies reveal the label's bits, got {kind}"
            )
        plan = augmentation_plan(self.spec, self.augmentation)
        n_s, n_1, n_2 = self.spec.block_sizes
        inputs1, inputs2 = (
            np.concatenate([patterns[:, n_s:], patterns[:, :n_s], patterns[:, :1] * 0], 1)
            for patterns in (bit_patterns(n_s + n_1), bit_patterns(n_s + n_2))
        )
        found = np.zeros((len(inputs1), len(inputs2), plan.n_bits), dtype=np.int64)
        for bit, place in zip(plan.bits[1], plan.places[1], strict=True):
            if place < n_2 + n_s:
                pad = plan.pads[np.flatnonzero(plan.bits[1] == bit)[0]]
                found[:, :, bit] = inputs2[None, :, place] ^ inputs1[:, None, pad]
        for bit, place in zip(plan.bits[0], plan.places[0], strict=True):
            written_to_2 = any(
                plan.places[1][at] < n_2 + n_s for at in np.flatnonzero(plan.bits[1] == bit)
            )
            if place < n_1 + n_s and not written_to_2:
                found[:, :, bit] = inputs1[:, None, place]
        return torch.from_numpy(found @ (1 << np.arange(plan.n_bits)))


def exact_law(spec: WorldSpec, augmentation: AugmentationSpec | None = None) -> BitLaw:
    """The law of a world of bits and of its augmented copies.

    Args:
        spec: a world of bits. Observation noise is not part of the patterns.
        augmentation: of the copies; None for a law without copies.

    Raises:
        ValueError: one line, for latents that are not bits, a table of more than 2^24 cells, or an
            augmentation without a table.
    """
    spec.latents.check_finite(", whose law can be enumerated")
    bits1, bits2 = (spec.block_sizes[0] + size for size in spec.block_sizes[1:])
    _check_cells("p(x1, x2, y)", 2 ** (bits1 + bits2) * spec.n_classes)
    if augmentation is not None:
        if isinstance(augmentation, OfficialAugmentation):
            raise ValueError(
                "augmentation: expected optimal, unique or quality, whose copies are patterns, "
                "got official"
            )
        _check_cells("p(x1, x2, x1', x2')", 2 ** (2 * (bits1 + bits2)))
    return BitLaw(spec, augmentation)


def _check_cells(what: str, cells: int) -> None:
    if cells > MAX_CELLS:
        raise ValueError(
            f"latents: expected a table {what} of at most {MAX_CELLS} cells, got {cells} (levels "
            "that draw samples, from 2 on, serve)"
        )


def _label_given_latents(spec: WorldSpec) -> _Table:
    """p(y | w_s, w_1, w_2), shape (2^n_s, 2^n_1, 2^n_2, n_classes)."""
    n_s, n_1, n_2 = spec.block_sizes
    states = bit_patterns(n_s + n_1 + n_2)
    blocks = Latents(states[:, :n_s], states[:, n_s : n_s + n_1], states[:, n_s + n_1 :])
    table = np.zeros((len(states), spec.n_classes))
    if spec.label.slots is None:
        # Such a label is a function of its latents.
        classes: npt.NDArray[Any] = spec.label.draw(blocks, np.random.default_rng(0))
        table[np.arange(len(states)), classes] = 1.0
        return table.reshape(2**n_s, 2**n_1, 2**n_2, -1)
    relevant = np.concatenate(
        [block[:, :count] for block, count in zip(blocks, spec.relevant, strict=True)], axis=1
    )
    words = bit_patterns(len(spec.label.slots))
    chances = np.ones((len(states), len(words)))
    for place, slot in enumerate(spec.label.slots):
        sent = np.bitwise_xor.reduce(relevant[:, list(slot.reads)], axis=1)
        flipped = sent[:, None] != words[None, :, place]
        chances *= np.where(flipped, slot.flip_probability, 1 - slot.flip_probability)
    table[:, word_of(words)] = chances
    return table.reshape(2**n_s, 2**n_1, 2**n_2, -1)
