"""What augmented copies hold of their originals, exactly, in bits.

May import ``information`` and this package's plans and rules; no torch.
"""

from dataclasses import dataclass, replace

from fctestbed.information import mutual_information_bits
from fctestbed.synthesis.augmentation_enumeration import copies_given_latents
from fctestbed.synthesis.augmentation_plan import AugmentationPlan, augmentation_plan
from fctestbed.synthesis.augmentation_tables import copy_tables, knows_shared
from fctestbed.synthesis.spec import (
    AugmentationSpec,
    BitLatents,
    OfficialAugmentation,
    WorldSpec,
)


@dataclass(frozen=True, kw_only=True)
class AugmentationInformation:
    """What the copies hold of their originals, in bits.

    Attributes:
        x1_bits: I(X1;X1').
        x2_bits: I(X2;X2').
        joint_bits: I(X1,X2;X1',X2').
        x2_given_x1_bits: I(X2;X2'|X1).
    """

    x1_bits: float
    x2_bits: float
    joint_bits: float
    x2_given_x1_bits: float


def augmentation_information_bits(
    world: WorldSpec, augmentation: AugmentationSpec
) -> AugmentationInformation:
    """What augmented modalities hold of the originals, exactly, in bits.

    A closed form at any size for labels that are words of slots, by enumeration of the relevant
    bits for the others; observation noise is left out.

    Args:
        world: bit latents, of which few enough are relevant unless the label is a word of slots.
        augmentation: any but the official one, which gives away its original and has no table.

    Raises:
        ValueError: other latents or augmentations, a label that the augmentation cannot keep, or a
            table of more than 2^24 cells.

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
        ValueError: as ``augmentation_information_bits``; a table of more than 2^24 cells.
    """
    plan = _plan(world, augmentation)
    n_s, n_1, n_2 = world.block_sizes
    table = copies_given_latents(world, plan) / 2 ** (n_s + n_1 + n_2)
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
    """Of the irrelevant latents only those of a shared block left alone say anything."""
    sizes = [max(1, relevant) for relevant in world.relevant]
    latents = BitLatents(n_shared=sizes[0], n_unique1=sizes[1], n_unique2=sizes[2])
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
    if not isinstance(world.latents, BitLatents):
        raise ValueError(f"latents: expected bits to enumerate, got {world.latents.kind}")
    return augmentation_plan(world, augmentation)
