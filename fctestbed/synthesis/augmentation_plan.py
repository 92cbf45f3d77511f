"""How an optimal augmentation keeps the label's information. Owns the plan, draws nothing.

May import numpy and this package's specifications and rules. X_m' is rendered from fresh latents
into which the plan writes a word: what Y says of the original. For word labels that is the word of
slots, drawn again through their channels; for threshold and planar labels the class in binary.
Everything else is fresh, so I(X_m;X_m') = I(X_m;Y) and I(X1,X2;X1',X2') = I(X1,X2;Y).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.label_spec import PlanarLabel, SlotLayout
from fctestbed.synthesis.labels import WordRule, label_rule
from fctestbed.synthesis.spec import WorldSpec

_Index = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class AugmentationPlan:
    """Which word is kept of a sample and where it is written.

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
    """

    n_word: int
    reads: _Index | None
    flips: npt.NDArray[np.float64]
    bits: tuple[_Index, _Index]
    places: tuple[_Index, _Index]
    pads: _Index


def optimal_plan(spec: WorldSpec) -> AugmentationPlan:
    """The plan of the optimal augmentation of a world.

    Raises:
        ValueError: a planar label whose class needs more bits than a modality has relevant.

    Source:
        Liang et al. 2023 (FactorCL), Definitions 3 and 4.
    """
    rule = label_rule(spec.label)
    if isinstance(rule, WordRule):
        return _word_plan(spec, rule)
    return _class_plan(spec)


def _word_plan(spec: WorldSpec, rule: WordRule) -> AugmentationPlan:
    n_shared, n_unique1, n_unique2 = spec.block_sizes
    layout = rule.layout
    nothing = n_shared + n_unique1 + n_unique2
    nowhere1, nowhere2 = n_unique1 + n_shared, n_unique2 + n_shared
    reads, places1, places2, pads = [], [], [], []
    for kind, place in _slots(layout):
        in_1 = layout.n_unique1 + place if kind == "xor" else place
        in_2 = layout.n_unique2 + place if kind == "xor" else place
        from_s, from_1, from_2 = place, n_shared + in_1, n_shared + n_unique1 + in_2
        reads.append(
            {
                "shared": (from_s, nothing),
                "unique1": (from_1, nothing),
                "unique2": (from_2, nothing),
                "xor": (from_1, from_2),
            }[kind]
        )
        places1.append({"shared": n_unique1 + place, "unique1": in_1}.get(kind, nowhere1))
        places2.append(
            {"shared": n_unique2 + place, "unique2": in_2, "xor": in_2}.get(kind, nowhere2)
        )
        pads.append(in_1 if kind == "xor" else nowhere1)
    every = np.arange(layout.n_slots)
    return AugmentationPlan(
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


def _class_plan(spec: WorldSpec) -> AugmentationPlan:
    """The class in binary into relevant inputs: shared ones first, where both modalities agree.

    A modality without relevant latents holds nothing of y and is given nothing. A threshold label
    is written into all of a modality's relevant inputs.
    """
    n_shared, *n_uniques = spec.block_sizes
    relevant_shared, *relevant_uniques = spec.relevant
    n_word = (spec.n_classes - 1).bit_length()
    planar = isinstance(spec.label, PlanarLabel)
    n_writes = n_word if planar else sum(spec.relevant)
    bits, places = [], []
    for modality, (n_unique, relevant) in enumerate(
        zip(n_uniques, relevant_uniques, strict=True), start=1
    ):
        inputs = [*range(n_unique, n_unique + relevant_shared), *range(relevant)]
        if planar and 0 < len(inputs) < n_word:
            raise ValueError(
                f"augmentation: expected at least {n_word} relevant latents in modality {modality} "
                f"to write {spec.n_classes} classes into (or none; ask for fewer classes, more "
                f"relevant latents or another unique_ratio), got {len(inputs)}"
            )
        inputs = inputs[:n_writes]
        nowhere = [n_unique + n_shared] * (n_writes - len(inputs))
        places.append(np.array(inputs + nowhere, dtype=np.int64))
        bits.append(np.arange(n_writes) if planar else np.zeros(n_writes, dtype=np.int64))
    return AugmentationPlan(
        n_word=n_word,
        reads=None,
        flips=np.zeros(n_word),
        bits=(bits[0], bits[1]),
        places=(places[0], places[1]),
        pads=np.full(n_writes, n_uniques[0] + n_shared),
    )
