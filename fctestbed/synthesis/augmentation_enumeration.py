"""The full table of an augmentation's copies, for small worlds of bits, by brute force.

Knows plans only, not why they keep what they keep: what closed forms are checked against. May
import numpy and this package's plans and rules; no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.augmentation_plan import AugmentationPlan
from fctestbed.synthesis.labels import label_rule, slots_of
from fctestbed.synthesis.latents import Latents
from fctestbed.synthesis.spec import WorldSpec

_MAX_CELLS = 1 << 24
_Probabilities = npt.NDArray[np.float64]


def copies_given_latents(world: WorldSpec, plan: AugmentationPlan) -> _Probabilities:
    """p(bits of both copies | bits of the original), one row per original.

    Originals are counted along [w_s, w_1, w_2], copies along [w_1, w_s, w_2, w_s], the first bit
    varying slowest. Shape (2^(n_s + n_1 + n_2), 2^(2 n_s + n_1 + n_2)).

    Args:
        world: bit latents.
        plan: the plan of an augmentation of this world.

    Raises:
        ValueError: a table of more than 2^24 cells.
    """
    n_s, n_1, n_2 = world.block_sizes
    widest = n_s + n_1 + n_2 + max(plan.n_word, 2 * n_s + n_1 + n_2)
    if 2**widest > _MAX_CELLS:
        raise ValueError(f"latents: expected a table of at most 2^24 cells, got 2^{widest}")
    width1, width2 = n_1 + n_s, n_2 + n_s
    fresh = _patterns(width1 + width2)
    weights = 2 ** np.arange(width1 + width2 - 1, -1, -1)
    items = _items(world, plan)
    table = np.zeros((2 ** (n_s + n_1 + n_2), len(fresh)))
    for taken in product((0, 1, 2), repeat=len(items)):
        chance = np.prod([item.chances[:, t] for item, t in zip(items, taken, strict=True)], axis=0)
        if not chance.any():
            continue
        nowhere = np.zeros((len(fresh), 1), dtype=np.uint8)
        inputs1 = np.concatenate([fresh[:, :width1], nowhere], axis=1)
        inputs2 = np.concatenate([fresh[:, width1:], nowhere], axis=1)
        for item, t in zip(items, taken, strict=True):
            if t:
                pad = 0 if item.pad is None else inputs1[:, [item.pad]]
                inputs1[:, item.places[0]] = t - 1
                inputs2[:, item.places[1]] = (t - 1) ^ pad
        code = np.concatenate([inputs1[:, :width1], inputs2[:, :width2]], axis=1) @ weights
        table += np.outer(chance, np.bincount(code, minlength=len(fresh)) / len(fresh))
    return table


def _patterns(n_bits: int) -> npt.NDArray[np.uint8]:
    """All patterns of n bits, shape (2^n, n); the first bit varies slowest."""
    return slots_of(np.arange(2**n_bits), n_bits)[:, ::-1]


@dataclass(frozen=True, eq=False, kw_only=True)
class _Item:
    """A bit that the copies may take from the original: a word bit, or a latent left alone.

    ``chances`` are the probabilities that it is lost, taken as 0, and taken as 1, of each state of
    the latents, shape (n_states, 3).
    """

    chances: _Probabilities
    places: tuple[Sequence[int], Sequence[int]]
    pad: int | None = None


def _items(world: WorldSpec, plan: AugmentationPlan) -> list[_Item]:
    n_s, n_1, n_2 = world.block_sizes
    states = _patterns(n_s + n_1 + n_2)
    blocks = Latents(states[:, :n_s], states[:, n_s : n_s + n_1], states[:, n_s + n_1 :])
    if plan.reads is None:
        word = slots_of(label_rule(world.label).draw(blocks, np.random.default_rng(0)), plan.n_word)
    else:
        padded = np.concatenate([states, np.zeros((len(states), 1), dtype=np.uint8)], axis=1)
        word = padded[:, plan.reads[:, 0]] ^ padded[:, plan.reads[:, 1]]
    items = []
    for bit, flip in enumerate(plan.flips):
        writes = [np.flatnonzero(plan.bits[m] == bit) for m in (0, 1)]
        pads = plan.pads[writes[1]]
        items.append(
            _Item(
                chances=_chances(word[:, bit], float(flip), plan.survives),
                places=(plan.places[0][writes[0]].tolist(), plan.places[1][writes[1]].tolist()),
                pad=int(pads[0]) if len(pads) and pads[0] < n_1 + n_s else None,
            )
        )
    for latent, values in enumerate(states.T):
        in_1, in_2 = _inputs_of(latent, world)
        places = (
            [place for place in in_1 if plan.leaves[0][place]],
            [place for place in in_2 if plan.leaves[1][place]],
        )
        if any(places):
            items.append(_Item(chances=_chances(values, 0.0, plan.left), places=places))
    return items


def _chances(bits: npt.NDArray[np.uint8], flip: float, survives: float) -> _Probabilities:
    one = np.where(bits == 1, 1 - flip, flip)
    return np.stack(
        [np.full(len(bits), 1 - survives), survives * (1 - one), survives * one], axis=1
    )


def _inputs_of(latent: int, world: WorldSpec) -> tuple[list[int], list[int]]:
    """The inputs of each modality, along [w_m, w_s], that a latent along [w_s, w_1, w_2] feeds."""
    n_s, n_1, n_2 = world.block_sizes
    if latent < n_s:
        return [n_1 + latent], [n_2 + latent]
    own = latent - n_s
    return ([own], []) if own < n_1 else ([], [own - n_1])
