"""The exact information of augmented copies about their originals, in bits.

A closed form for words of slots, else the full table of a plan's copies. The table does not use the
reasoning of the closed forms, and so checks them. May import numpy, ``information`` and this
package; no torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from fctestbed.information import mutual_information_bits
from fctestbed.synthesis.augmentation.plan import (
    AugmentationPlan,
    augmentation_plan,
    copy_tables,
    knows_shared,
)
from fctestbed.synthesis.augmentation.spec import AugmentationSpec, OfficialAugmentation
from fctestbed.synthesis.latents import Latents, bit_patterns
from fctestbed.synthesis.spec import WorldSpec

_MAX_CELLS = 1 << 24
_Probabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class AugmentationInformation:
    """The information of the copies about their originals, in bits.

    Attributes:
        x1_bits: I(X1;X1').
        x2_bits: I(X2;X2').
        joint_bits: I(X1,X2;X1',X2').
        x2_given_x1_bits: ``I(X2;X2'|X1)``.
    """

    x1_bits: float
    x2_bits: float
    joint_bits: float
    x2_given_x1_bits: float


def augmentation_information_bits(
    world: WorldSpec, augmentation: AugmentationSpec
) -> AugmentationInformation:
    """The exact information of augmented modalities about the originals, in bits.

    A closed form at any size for labels that are words of slots, an enumeration of the relevant
    bits for the others. Observation noise is ignored.

    Args:
        world: of bit latents; unless the label is a word of slots, few of them may be relevant.
        augmentation: any except the official one, which determines its original and has no table.

    Raises:
        ValueError: for other latents or augmentations, a label that the augmentation cannot keep,
            or a table of more than 2^24 cells.

    Source:
        Liang et al. 2023 (FactorCL), Definitions 3 and 4, Eqs. 17 and 18.
    """
    plan = _plan(world, augmentation)
    if plan.reads is None:
        return _of_a_class(world, augmentation)
    tables = copy_tables(world, plan)
    shared1, shared2, unique1, unique2, xor, shared = (
        sum((mutual_information_bits(table.reshape(2, -1) / 2) for table in part), 0.0)
        for part in (
            tables.shared.sum(axis=3),
            tables.shared.sum(axis=2),
            tables.unique1,
            tables.unique2,
            tables.xor,
            tables.shared,
        )
    )
    return AugmentationInformation(
        x1_bits=shared1 + unique1,
        x2_bits=shared2 + unique2,
        joint_bits=shared + unique1 + unique2 + xor,
        # Given X1 the shared block is known, and of an XOR slot the copy of w_2 has only the half
        # that its pad hides.
        x2_given_x1_bits=unique2,
    )


def enumerated_augmentation_information_bits(
    world: WorldSpec, augmentation: AugmentationSpec
) -> AugmentationInformation:
    """The same by the full table p(x1, x2, x1', x2') of the augmentation's plan, for any label.

    Raises:
        ValueError: as ``augmentation_information_bits``, and for a table of more than 2^24 cells.
    """
    plan = _plan(world, augmentation)
    n_s, n_1, n_2 = world.block_sizes
    table = copies_given_latents(world, plan)
    table = table * world.latents.pattern_probabilities(world.block_sizes).reshape(-1, 1)
    cells = table.reshape(2**n_s, 2**n_1, 2**n_2, 2 ** (n_1 + n_s), 2 ** (n_2 + n_s))
    p_1 = cells.sum(axis=(2, 4)).reshape(2 ** (n_s + n_1), -1)
    p_2 = cells.sum(axis=(1, 3)).reshape(2 ** (n_s + n_2), -1)
    all_2 = cells.sum(axis=3).reshape(2 ** (n_s + n_1 + n_2), -1)
    from_1 = cells.sum(axis=(2, 3)).reshape(2 ** (n_s + n_1), -1)
    return AugmentationInformation(
        x1_bits=mutual_information_bits(p_1),
        x2_bits=mutual_information_bits(p_2),
        joint_bits=mutual_information_bits(table),
        x2_given_x1_bits=mutual_information_bits(all_2) - mutual_information_bits(from_1),
    )


def _of_a_class(world: WorldSpec, augmentation: AugmentationSpec) -> AugmentationInformation:
    """Irrelevant latents add information only where the shared block is left unchanged."""
    sizes = [max(1, relevant) for relevant in world.relevant]
    names = ("n_shared", "n_unique1", "n_unique2")
    latents = world.latents.model_copy(update=dict(zip(names, sizes, strict=True)))
    smaller = world.model_copy(update={"latents": latents})
    kept = enumerated_augmentation_information_bits(smaller, augmentation)
    if not knows_shared(world, _plan(world, augmentation)):
        return kept
    more_bits = world.latents.n_shared - sizes[0]
    return replace(kept, x2_bits=kept.x2_bits + more_bits, joint_bits=kept.joint_bits + more_bits)


def _plan(world: WorldSpec, augmentation: AugmentationSpec) -> AugmentationPlan:
    if isinstance(augmentation, OfficialAugmentation):
        raise ValueError(
            f"augmentation: expected optimal, unique or quality, got {augmentation.kind}"
        )
    world.latents.check_finite(" to enumerate")
    return augmentation_plan(world, augmentation)


def copies_given_latents(world: WorldSpec, plan: AugmentationPlan) -> _Probabilities:
    """p(bits of both copies | bits of the original), one row per original.

    Originals are counted along [w_s, w_1, w_2], copies along [w_1, w_s, w_2, w_s], the first bit
    varying slowest. Shape (2^(n_s + n_1 + n_2), 2^(2 n_s + n_1 + n_2)).

    Args:
        world: bit latents.
        plan: the plan of an augmentation of this world.

    Raises:
        ValueError: for a table of more than 2^24 cells.
    """
    n_s, n_1, n_2 = world.block_sizes
    widest = n_s + n_1 + n_2 + max(plan.n_bits, 2 * n_s + n_1 + n_2)
    if 2**widest > _MAX_CELLS:
        raise ValueError(f"latents: expected a table of at most 2^24 cells, got 2^{widest}")
    width1, width2 = n_1 + n_s, n_2 + n_s
    fresh = bit_patterns(width1 + width2)
    chance_of_fresh = np.outer(
        _input_probabilities(world, (n_s, n_1, 0)), _input_probabilities(world, (n_s, 0, n_2))
    ).ravel()
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
        table += np.outer(chance, np.bincount(code, weights=chance_of_fresh, minlength=len(fresh)))
    return table


def _input_probabilities(world: WorldSpec, counts: tuple[int, int, int]) -> _Probabilities:
    """Probabilities of a modality's fresh inputs along [w_m, w_s], from those of its blocks."""
    table = world.latents.pattern_probabilities(counts)
    return table.reshape(len(table), -1).T.ravel()


@dataclass(frozen=True, eq=False, kw_only=True)
class _Item:
    """A bit that the copies may take from the original: a bit of the label, or an unchanged latent.

    ``chances`` are the probabilities that it is lost, taken as 0, and taken as 1, of each state of
    the latents, shape (n_states, 3).
    """

    chances: _Probabilities
    places: tuple[Sequence[int], Sequence[int]]
    pad: int | None = None


def _items(world: WorldSpec, plan: AugmentationPlan) -> list[_Item]:
    n_s, n_1, n_2 = world.block_sizes
    states = bit_patterns(n_s + n_1 + n_2)
    blocks = Latents(states[:, :n_s], states[:, n_s : n_s + n_1], states[:, n_s + n_1 :])
    if plan.reads is None:
        # Such a label is a deterministic function of the latents.
        classes = world.label.draw(blocks, np.random.default_rng(0))
        kept = ((classes[:, None] >> np.arange(plan.n_bits)) & 1).astype(np.uint8)
    else:
        padded = np.concatenate([states, np.zeros((len(states), 1), dtype=np.uint8)], axis=1)
        kept = padded[:, plan.reads[:, 0]] ^ padded[:, plan.reads[:, 1]]
    items = []
    for bit, flip in enumerate(plan.flips):
        writes = [np.flatnonzero(plan.bits[m] == bit) for m in (0, 1)]
        pads = plan.pads[writes[1]]
        items.append(
            _Item(
                chances=_chances(kept[:, bit], float(flip), plan.survives),
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
    """The inputs of each modality, along [w_m, w_s], of a latent along [w_s, w_1, w_2]."""
    n_s, n_1, n_2 = world.block_sizes
    if latent < n_s:
        return [n_1 + latent], [n_2 + latent]
    own = latent - n_s
    return ([own], []) if own < n_1 else ([], [own - n_1])
