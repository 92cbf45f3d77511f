"""Words of binary slots: the inputs and the channel of each slot, and words as class indices.

May import numpy and ``information``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fctestbed.information import bsc_flip_probability
from fctestbed.synthesis.latents import Counts


@dataclass(frozen=True)
class Slot:
    """One binary slot of a label word.

    Attributes:
        reads: positions along [w_s, w_1, w_2] of the relevant latents whose XOR is its input.
        flip_probability: of its binary symmetric channel.
    """

    reads: tuple[int, ...]
    flip_probability: float


@dataclass(frozen=True, kw_only=True)
class SlotLayout:
    """The slots of a word, in this order, each a channel from latent bits.

    The input of ``n_shared`` slots is one bit of w_s each, of ``n_unique1`` one bit of w_1, of
    ``n_unique2`` one bit of w_2, and of ``n_xor`` slots the XOR of one bit of w_1 and one of w_2.
    These bits are the first of each block, those of the XOR slots after those of the unique slots.
    Capacities are per slot, in bits.
    """

    n_shared: int
    n_unique1: int
    n_unique2: int
    n_xor: int
    shared_capacity_bits: float = 1.0
    unique1_capacity_bits: float = 1.0
    unique2_capacity_bits: float = 1.0
    xor_capacity_bits: float = 1.0

    @property
    def n_slots(self) -> int:
        """Number of slots of the word."""
        return self.n_shared + self.n_unique1 + self.n_unique2 + self.n_xor

    @property
    def relevant(self) -> Counts:
        """Number of input latents in (w_s, w_1, w_2)."""
        return (self.n_shared, self.n_unique1 + self.n_xor, self.n_unique2 + self.n_xor)

    @property
    def capacities_bits(self) -> tuple[float, ...]:
        """Capacity of each slot in bits, in the order of the word."""
        return (
            *[self.shared_capacity_bits] * self.n_shared,
            *[self.unique1_capacity_bits] * self.n_unique1,
            *[self.unique2_capacity_bits] * self.n_unique2,
            *[self.xor_capacity_bits] * self.n_xor,
        )

    @property
    def flip_probabilities(self) -> npt.NDArray[np.float64]:
        """Flip probability of each slot's channel, shape (n_slots,)."""
        return bsc_flip_probability(self.capacities_bits)

    @property
    def places(self) -> tuple[tuple[str, int, int], ...]:
        """The kind of each slot (shared, unique1, unique2, xor), and its input bits.

        The bits are counted in w_1 (or w_s) and in w_2 (or w_s).
        """
        return (
            *[("shared", place, place) for place in range(self.n_shared)],
            *[("unique1", place, place) for place in range(self.n_unique1)],
            *[("unique2", place, place) for place in range(self.n_unique2)],
            *[
                ("xor", self.n_unique1 + place, self.n_unique2 + place)
                for place in range(self.n_xor)
            ],
        )


def word_of(slots: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Class index of slot bits of shape (n, n_slots): slot k has weight 2^k."""
    weights = np.int64(1) << np.arange(slots.shape[1], dtype=np.int64)
    return slots.astype(np.int64) @ weights


def slots_of(y: npt.NDArray[np.integer[Any]], n_slots: int) -> npt.NDArray[np.uint8]:
    """Slot bits, uint8 of shape (n, n_slots), of class indices of shape (n,).

    Raises:
        ValueError: for a class outside [0, 2^n_slots).
    """
    y = np.asarray(y, dtype=np.int64)
    if y.size and not (y.min() >= 0 and y.max() < 2**n_slots):
        raise ValueError(
            f"y: expected classes in [0, {2**n_slots}) for {n_slots} slots, "
            f"got {y.min()} to {y.max()}"
        )
    return ((y[:, None] >> np.arange(n_slots)) & 1).astype(np.uint8)
