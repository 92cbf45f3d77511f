"""How an augmentation keeps the label's information, and the law of the resulting copies.

X_m' is computed from fresh latents into which the plan writes the information of Y about the
original: for word labels the slots, drawn again through their channels, for others the class in
binary. Some latents may be kept unchanged. Everything else is fresh, so that for ``optimal``
I(X_m;X_m') = I(X_m;Y) and I(X1,X2;X1',X2') = I(X1,X2;Y), and for ``unique`` I(X1;X1') = I(X1;Y)
and I(X2;X2''|X1) = I(X2;Y|X1). Draws nothing. May import numpy and this package.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fctestbed.synthesis.augmentation.spec import (
    AugmentationSpec,
    LabelAugmentation,
    OfficialAugmentation,
    QualityAugmentation,
    UniqueAugmentation,
)
from fctestbed.synthesis.labels import LABELS, LabelWrites
from fctestbed.synthesis.latents import Latents
from fctestbed.synthesis.record import alternatives
from fctestbed.synthesis.spec import WorldSpec

# 2^16 patterns of 128 stacked runs take 64 MiB.
MAX_LISTED_BITS = 16

_Mask = npt.NDArray[np.bool_]
_Table = npt.NDArray[np.float64]
_SAME = np.eye(2)


@dataclass(frozen=True, eq=False, kw_only=True)
class AugmentationPlan(LabelWrites):
    """What is written into fresh latents, and which latents are kept; see ``LabelWrites``.

    Attributes:
        survives: chance that a bit is written, decided once for both modalities.
        leaves: per modality, the inputs that may be kept unchanged; they are not written to.
        left: chance that such a latent is kept, decided once for both modalities.
    """

    survives: float
    leaves: tuple[_Mask, _Mask]
    left: float


def augmentation_plan(world: WorldSpec, augmentation: LabelAugmentation) -> AugmentationPlan:
    """The plan of an augmentation of a world.

    Raises:
        ValueError: for a label whose class needs more bits than a modality has relevant latents,
            and for ``quality`` with a label that has no channel for each bit, or with latents that
            are not bits.

    Source:
        Liang et al. 2023 (FactorCL), Definitions 3 and 4, Eqs. 17 and 18.
    """
    unique = isinstance(augmentation, UniqueAugmentation)
    quality = augmentation if isinstance(augmentation, QualityAugmentation) else None
    if quality is not None:
        _check_quality(world)
    writes = world.label.writes(world.block_sizes, unique=unique)
    return AugmentationPlan(
        **vars(writes),
        survives=1.0 if quality is None else quality.relevant,
        leaves=_leaves(world, augmentation),
        left=float(unique) if quality is None else 1 - quality.irrelevant,
    )


def _leaves(world: WorldSpec, augmentation: LabelAugmentation) -> tuple[_Mask, _Mask]:
    """The inputs of each modality that may be kept unchanged."""
    # For each block the first latent that may be kept.
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
    if not world.label.is_word:
        words = alternatives(kind for kind, rule in LABELS.items() if rule.is_word)
        raise ValueError(
            f"augmentation: expected a {words} label for quality, which keeps or loses "
            f"each slot of the label on its own, got {world.label.kind}"
        )
    if not world.latents.is_finite:
        raise ValueError(
            "augmentation: expected bit latents for quality, whose information is finite, got "
            f"{world.latents.kind}"
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class CopyTables:
    """The law of the copies' bits given the originals', for fair bits, bit by bit.

    With a word of slots the latent bits are copied independently (except for the two bits of an XOR
    slot), so a table per bit is the whole law of the copies at any size. The bits of a class are
    dependent; ``class_patterns`` lists the patterns of each class.

    Attributes:
        shared: p(v1, v2 | w) of each latent of w_s, shape (n_s, 2, 2, 2).
        unique1: p(v1 | w) of each latent of w_1, shape (n_1, 2, 2).
        unique2: p(v2 | w) of each latent of w_2, shape (n_2, 2, 2).
        xor: p(v1 ^ v2 | w1 ^ w2) of each pair of bits of an XOR slot that both copies hold
            together, shape (n_pairs, 2, 2); there each copy alone is a fair coin.
    """

    shared: _Table
    unique1: _Table
    unique2: _Table
    xor: _Table


def copy_tables(world: WorldSpec, plan: AugmentationPlan) -> CopyTables:
    """The law of the copies of each latent bit.

    For a class, ``class_patterns`` has the law of the relevant latents; their tables here are those
    of fresh bits, unless they are kept unchanged.
    """
    n_s, n_1, n_2 = world.block_sizes
    shared, own = np.full((n_s, 2, 2, 2), 0.25), np.full((n_1 + n_2, 2, 2), 0.5)
    xor = []
    for slot, (first, second) in enumerate([] if plan.reads is None else plan.reads.tolist()):
        flip = plan.flips[slot]
        channel = np.where(_SAME == 1, 1 - flip, flip)
        both = plan.survives * channel[:, :, None] * _SAME + (1 - plan.survives) / 4
        one = both.sum(axis=2)
        if second < n_s + n_1 + n_2:
            xor.append(one)
        elif first >= n_s:
            own[first - n_s] = one
        else:
            shared[first] = both
    left1, left2 = plan.leaves
    twice = plan.left * _SAME[:, :, None] * _SAME + (1 - plan.left) / 4
    once = plan.left * _SAME + (1 - plan.left) / 2
    only_2 = shared.sum(axis=3, keepdims=True) * once[None, :, None, :]
    is_left1, is_left2 = (left[n:, None, None, None] for n, left in ((n_1, left1), (n_2, left2)))
    shared = np.where(is_left2, np.where(is_left1, twice, only_2), shared)
    is_left = np.concatenate([left1[:n_1], left2[:n_2]])[:, None, None]
    own = np.where(is_left, once, own)
    return CopyTables(
        shared=shared, unique1=own[:n_1], unique2=own[n_1:], xor=np.array(xor).reshape(-1, 2, 2)
    )


def check_originals(world: WorldSpec, augmentation: AugmentationSpec) -> None:
    """Refuse worlds whose originals cannot be drawn from their exact law given the copies.

    Raises:
        ValueError: one line that begins with the field, for latents other than bits, a class of
            more than 16 bits, or a label that the augmentation cannot keep.
    """
    if isinstance(augmentation, OfficialAugmentation):
        return
    world.latents.check_finite(" to draw originals exactly given their copies (conditioning exact)")
    plan = augmentation_plan(world, augmentation)
    n_relevant = sum(world.relevant)
    if plan.reads is None and n_relevant > MAX_LISTED_BITS:
        raise ValueError(
            f"label.n_relevant: expected at most {MAX_LISTED_BITS} for a {world.label.kind} label "
            "to list the originals of each class (conditioning exact), got "
            f"{n_relevant}"
        )


def posterior_of_modality2(world: WorldSpec, plan: AugmentationPlan) -> _Table:
    """p(input of modality 2 is 1 | v1, v2), shape (n_2 + n_s, 2, 2), inputs along [w_2, w_s].

    v2 is the copy's bit of the input; v1 is the other copy's, if the input is shared. If the bits
    are a class, relevant latents are excluded unless they are kept unchanged.
    """
    tables = copy_tables(world, plan)
    own = np.repeat(tables.unique2[:, :, None, :], 2, axis=2)
    likelihood = np.concatenate([own, tables.shared])
    evidence = likelihood.sum(axis=1)
    impossible = evidence == 0
    # Impossible copies are never looked up.
    return np.where(impossible, 0.5, likelihood[:, 1] / np.where(impossible, 1, evidence))


def class_patterns(
    world: WorldSpec, plan: AugmentationPlan
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All patterns of the relevant bits, ordered by the information that the copies have of them.

    Returns:
        The keys in ascending order, each class * 2^n + the relevant bits of w_s where modality 2
        has them (n of them, else n = 0; bit p has weight 2^p), and the pattern of each; bit p of a
        pattern is relevant latent p along [w_s, w_1, w_2]. Shapes (2^n_relevant,).
    """
    n_s, n_1, n_2 = world.relevant
    patterns = np.arange(2 ** (n_s + n_1 + n_2))
    bits = ((patterns[:, None] >> np.arange(n_s + n_1 + n_2)) & 1).astype(np.uint8)
    latents = Latents(bits[:, :n_s], bits[:, n_s : n_s + n_1], bits[:, n_s + n_1 :])
    keys = world.label.draw(latents, np.random.default_rng(0))
    if knows_shared(world, plan):
        keys = keys * 2**n_s + patterns % 2**n_s
    order = np.argsort(keys, kind="stable")
    return keys[order], patterns[order]


def knows_shared(world: WorldSpec, plan: AugmentationPlan) -> bool:
    """Whether modality 2's copy has the whole shared block unchanged."""
    n_s, _, n_2 = world.block_sizes
    return plan.left == 1 and bool(plan.leaves[1][n_2 : n_2 + n_s].all())
