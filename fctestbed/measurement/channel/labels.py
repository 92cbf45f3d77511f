"""Labels as channels from latent bits: H(Y | z) from the posterior of the relevant bits.

Owns p(y | relevant bits) of the label rules. May import torch, numpy and
``fctestbed.synthesis``.

Relevant bits that a representation does not depend on are fair given it. A label word has
independent slots, so a slot of such a bit is fair too. The posteriors of the other bits pass
through the channels one at a time, without a table of 2^bits x 2^slots.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from fctestbed.measurement.channel.marginals import Columns, entropy_nats, marginal, ordered
from fctestbed.synthesis import Latents, WorldSpec, bit_patterns

MAX_RELEVANT_BITS = 20


class LabelChannel(Protocol):
    """A label as a channel from its relevant bits."""

    @property
    def columns(self) -> Columns:
        """The bits that the label depends on."""
        ...

    @property
    def entropy_nats(self) -> float:
        """H(Y) in nats."""
        ...

    def entropies_nats(self, p: Float[Tensor, "n patterns"], seen: Columns) -> Float[Tensor, " n"]:
        """H(Y | z) in nats of each row.

        Args:
            p: posteriors of the relevant bits that the representation depends on.
            seen: these bits, in the order of ``columns``.
        """
        ...


@dataclass(frozen=True)
class WordChannel:
    """A word of independent binary slots, each one bit, or the XOR of two, through a binary
    symmetric channel.

    Attributes:
        columns: the bits that the slots depend on, each bit in one slot.
        slots: the bits of each slot.
        flips: flip probability of each slot.
    """

    columns: Columns
    slots: tuple[Columns, ...]
    flips: tuple[float, ...]

    @property
    def entropy_nats(self) -> float:
        """H(Y) in nats: every slot is a fair bit."""
        return len(self.slots) * math.log(2)

    def entropies_nats(self, p: Float[Tensor, "n patterns"], seen: Columns) -> Float[Tensor, " n"]:
        """As ``LabelChannel.entropies_nats``."""
        read = [
            (slot, flip)
            for slot, flip in zip(self.slots, self.flips, strict=True)
            if set(slot) <= set(seen) and flip < 0.5
        ]
        coins = (len(self.slots) - len(read)) * math.log(2)
        held = ordered(seen, (column for slot, _ in read for column in slot))
        p = marginal(p, seen, held)
        for slot, flip in read:
            if len(slot) == 2:
                p, held = _xor(p, held, slot)
            if flip > 0:
                view = p.view(len(p), 2 ** held.index(slot[0]), 2, -1)
                p = torch.lerp(view, view.flip(2), flip).reshape(len(p), -1)
        # In float64: the coins are exact.
        return entropy_nats(p).double() + coins


@dataclass(frozen=True, eq=False)
class TableChannel:
    """A label that is a function of its relevant bits.

    Attributes:
        columns: the bits that it depends on.
        classes: class of each pattern of them, [2^n], the first column slowest.
        n_classes: number of classes.
    """

    columns: Columns
    classes: Tensor
    n_classes: int
    # Tables on the device of the posteriors, by the bits that are seen.
    _given: dict[tuple[Columns, torch.device, torch.dtype], Tensor] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def entropy_nats(self) -> float:
        """H(Y) in nats."""
        share = torch.bincount(self.classes, minlength=self.n_classes).double()
        return float(entropy_nats((share / share.sum()).unsqueeze(0)))

    def entropies_nats(self, p: Float[Tensor, "n patterns"], seen: Columns) -> Float[Tensor, " n"]:
        """As ``LabelChannel.entropies_nats``."""
        key = seen, p.device, p.dtype
        if key not in self._given:
            self._given[key] = self._classes_given(seen).to(p)
        return entropy_nats(p @ self._given[key])

    def _classes_given(self, seen: Columns) -> Float[Tensor, "patterns classes"]:
        """p(class | pattern of the seen bits)."""
        # [seen patterns, unseen patterns] of classes, the axes of the table in that order.
        places = [self.columns.index(column) for column in seen]
        hidden = [place for place in range(len(self.columns)) if place not in places]
        table = self.classes.view([2] * len(self.columns)).permute(*places, *hidden)
        rows = table.reshape(2 ** len(seen), -1)
        cells = torch.arange(len(rows)).unsqueeze(1) * self.n_classes + rows
        counts = torch.bincount(cells.flatten(), minlength=len(rows) * self.n_classes)
        return counts.view(len(rows), -1).double() / rows.shape[1]


def label_channel(spec: WorldSpec) -> LabelChannel:
    """The channel of a world's label from its latent bits, columns counted over w_s, w_1, w_2.

    Raises:
        ValueError: for more than 20 relevant bits.
    """
    starts = (0, spec.block_sizes[0], spec.block_sizes[0] + spec.block_sizes[1])
    blocks = [
        tuple(range(start, start + n)) for start, n in zip(starts, spec.relevant, strict=True)
    ]
    columns = tuple(column for block in blocks for column in block)
    if len(columns) > MAX_RELEVANT_BITS:
        raise ValueError(
            f"label: expected at most {MAX_RELEVANT_BITS} relevant bits to enumerate, "
            f"got {len(columns)}"
        )
    if spec.label.slots is not None:
        slots = tuple(tuple(columns[read] for read in slot.reads) for slot in spec.label.slots)
        flips = tuple(slot.flip_probability for slot in spec.label.slots)
        return WordChannel(columns, slots, flips)
    patterns = bit_patterns(len(columns))
    cuts = np.cumsum(spec.relevant)[:-1]
    w_s, w_1, w_2 = np.split(patterns, cuts, axis=1)
    # Such a label is a deterministic function of its bits.
    classes = spec.label.draw(Latents(w_s, w_1, w_2), np.random.default_rng(0))
    return TableChannel(columns, torch.from_numpy(classes), spec.n_classes)


def _xor(p: Tensor, held: Columns, slot: Columns) -> tuple[Tensor, Columns]:
    """Posteriors with the XOR of two bits in the place of the first of them."""
    first, second = sorted(held.index(column) for column in slot)
    n = len(p)
    view = p.view(n, 2**first, 2, 2 ** (second - first - 1), 2, -1)
    same = view[:, :, 0, :, 0] + view[:, :, 1, :, 1]
    other = view[:, :, 0, :, 1] + view[:, :, 1, :, 0]
    left = tuple(column for column in held if column != held[second])
    mixed = torch.stack([same, other], 2).reshape(n, -1)
    return mixed, tuple(slot[0] if column == held[first] else column for column in left)
