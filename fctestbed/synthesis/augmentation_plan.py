"""How an augmentation keeps what the label says. Owns the plan, draws nothing.

May import numpy and this package's specifications and rules. X_m' is rendered from fresh latents
into which the plan writes a word: what Y says of the original. For word labels that is the word of
slots, drawn again through their channels; for threshold and planar labels the class in binary.
Some latents may be left as they are. Everything else is fresh, so that for ``optimal``
I(X_m;X_m') = I(X_m;Y) and I(X1,X2;X1',X2') = I(X1,X2;Y), and for ``unique`` I(X1;X1') = I(X1;Y)
and I(X2;X2''|X1) = I(X2;Y|X1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.label_spec import PlanarLabel, SlotLayout
from fctestbed.synthesis.labels import WordRule, label_rule
from fctestbed.synthesis.spec import (
    BitLatents,
    LabelAugmentation,
    QualityAugmentation,
    UniqueAugmentation,
    WorldSpec,
)

_Index = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class AugmentationPlan:
    """Which word is kept of a sample, where it is written, and what is left alone.

    Latents are counted along [w_s, w_1, w_2], inputs of modality m along [w_m, w_s]; one past the
    end means nowhere (read as 0, written to nothing).

    Attributes:
        n_word: number of bits of the word.
        reads: shape (n_word, 2): word bit j is the XOR of these two latents through its channel;
            None where the word is the class in binary (bit j has weight 2^j).
        flips: flip probability of each word bit's channel, shape (n_word,).
        bits: per modality, which word bit each write takes, shape (n_writes,).
        places: per modality, the input that each write sets, shape (n_writes,).
        pads: the input of modality 1 whose fresh bit is XORed into each write of modality 2: a
            slot that only both modalities together hold stays unreadable in either.
        survives: chance that a word bit is written, decided once for both modalities.
        leaves: per modality, the inputs that may be left as they are; they are not written to.
        left: chance that such a latent is left, decided once for both modalities.
    """

    n_word: int
    reads: _Index | None
    flips: npt.NDArray[np.float64]
    bits: tuple[_Index, _Index]
    places: tuple[_Index, _Index]
    pads: _Index
    survives: float
    leaves: tuple[_Mask, _Mask]
    left: float


class _Word(TypedDict):
    n_word: int
    reads: _Index | None
    flips: npt.NDArray[np.float64]
    bits: tuple[_Index, _Index]
    places: tuple[_Index, _Index]
    pads: _Index


def augmentation_plan(world: WorldSpec, augmentation: LabelAugmentation) -> AugmentationPlan:
    """The plan of an augmentation of a world.

    Raises:
        ValueError: a planar label whose class needs more bits than a modality has relevant, or
            ``quality`` with a label that has no channel for each bit, or with other latents than
            bits.

    Source:
        Liang et al. 2023 (FactorCL), Definitions 3 and 4, Eqs. 17 and 18.
    """
    unique = isinstance(augmentation, UniqueAugmentation)
    quality = augmentation if isinstance(augmentation, QualityAugmentation) else None
    if quality is not None:
        _check_quality(world)
    rule = label_rule(world.label)
    word = (
        _word_writes(world, rule, unique=unique)
        if isinstance(rule, WordRule)
        else _class_writes(world, unique=unique)
    )
    return AugmentationPlan(
        **word,
        survives=1.0 if quality is None else quality.relevant,
        leaves=_leaves(world, augmentation),
        left=float(unique) if quality is None else 1 - quality.irrelevant,
    )


def _leaves(world: WorldSpec, augmentation: LabelAugmentation) -> tuple[_Mask, _Mask]:
    """The inputs of each modality that may be left as they are."""
    # Block by block: the latent from which on one may be left.
    starts1 = starts2 = world.block_sizes
    if isinstance(augmentation, UniqueAugmentation):
        starts2 = (0, *world.block_sizes[1:])
    elif isinstance(augmentation, QualityAugmentation):
        starts1 = starts2 = world.relevant
    is_left = [
        [np.arange(size) >= start for size, start in zip(world.block_sizes, starts, strict=True)]
        for starts in (starts1, starts2)
    ]
    (shared1, own1, _), (shared2, _, own2) = is_left
    return np.concatenate([own1, shared1]), np.concatenate([own2, shared2])


def _check_quality(world: WorldSpec) -> None:
    if not isinstance(label_rule(world.label), WordRule):
        raise ValueError(
            "augmentation: expected a bits or noiseless label for quality, which keeps or loses "
            f"each slot of the label on its own, got {world.label.kind}"
        )
    if not isinstance(world.latents, BitLatents):
        raise ValueError(
            "augmentation: expected bit latents for quality, whose information is finite, got "
            f"{world.latents.kind}"
        )


def _word_writes(world: WorldSpec, rule: WordRule, *, unique: bool) -> _Word:
    """The word of slots. For ``unique`` modality 2 takes no shared slot, because it has the block
    itself, and of an XOR slot the bit of w_2: given X1 that is as much as the slot."""
    n_shared, n_unique1, n_unique2 = world.block_sizes
    layout = rule.layout
    nothing = n_shared + n_unique1 + n_unique2
    nowhere1, nowhere2 = n_unique1 + n_shared, n_unique2 + n_shared
    reads, places1, places2, pads = [], [], [], []
    for kind, place in _slots(layout):
        in_1 = layout.n_unique1 + place if kind == "xor" else place
        in_2 = layout.n_unique2 + place if kind == "xor" else place
        from_s, from_1, from_2 = place, n_shared + in_1, n_shared + n_unique1 + in_2
        role = "unique2" if unique and kind == "xor" else kind
        reads.append(
            {
                "shared": (from_s, nothing),
                "unique1": (from_1, nothing),
                "unique2": (from_2, nothing),
                "xor": (from_1, from_2),
            }[role]
        )
        shared2 = nowhere2 if unique else n_unique2 + place
        places1.append({"shared": n_unique1 + place, "unique1": in_1}.get(role, nowhere1))
        places2.append({"shared": shared2, "unique2": in_2, "xor": in_2}.get(role, nowhere2))
        pads.append(in_1 if role == "xor" else nowhere1)
    every = np.arange(layout.n_slots)
    return _Word(
        n_word=layout.n_slots,
        reads=np.array(reads),
        flips=rule.flip_probabilities,
        bits=(every, every),
        places=(np.array(places1), np.array(places2)),
        pads=np.array(pads),
    )


def _slots(layout: SlotLayout) -> Sequence[tuple[str, int]]:
    """Each slot's kind and its place among the slots of that kind, in the order of the word."""
    counts = {
        "shared": layout.n_shared,
        "unique1": layout.n_unique1,
        "unique2": layout.n_unique2,
        "xor": layout.n_xor,
    }
    return [(kind, place) for kind, count in counts.items() for place in range(count)]


def _class_writes(world: WorldSpec, *, unique: bool) -> _Word:
    """The class in binary into relevant inputs: shared ones first, where both modalities agree.

    A modality without relevant latents holds nothing of y and is given nothing. A threshold label
    is written into all of a modality's relevant inputs. For ``unique`` modality 2 has the shared
    block itself, and takes the class into relevant inputs of w_2.
    """
    n_shared, *n_uniques = world.block_sizes
    relevant_shared, *relevant_uniques = world.relevant
    n_word = (world.n_classes - 1).bit_length()
    planar = isinstance(world.label, PlanarLabel)
    n_writes = n_word if planar else sum(world.relevant)
    bits, places = [], []
    for modality, (n_unique, relevant) in enumerate(
        zip(n_uniques, relevant_uniques, strict=True), start=1
    ):
        own_alone = unique and modality == 2
        shared = [] if own_alone else range(n_unique, n_unique + relevant_shared)
        inputs = [*shared, *range(relevant)]
        if planar and 0 < len(inputs) < n_word:
            where = "w_2" if own_alone else f"modality {modality}"
            raise ValueError(
                f"augmentation: expected at least {n_word} relevant latents in {where} to write "
                f"{world.n_classes} classes of the planar label into for "
                f"{'unique' if unique else 'optimal'} (or none; ask for fewer classes, more "
                f"relevant latents or another unique_ratio), got {len(inputs)}"
            )
        inputs = inputs[:n_writes]
        nowhere = [n_unique + n_shared] * (n_writes - len(inputs))
        places.append(np.array(inputs + nowhere, dtype=np.int64))
        bits.append(np.arange(n_writes) if planar else np.zeros(n_writes, dtype=np.int64))
    return _Word(
        n_word=n_word,
        reads=None,
        flips=np.zeros(n_word),
        bits=(bits[0], bits[1]),
        places=(places[0], places[1]),
        pads=np.full(n_writes, n_uniques[0] + n_shared),
    )
