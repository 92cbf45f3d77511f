"""What an optimal augmentation keeps, by enumeration of small worlds of bits, in bits.

May import numpy, ``information`` and this package's plans and rules; no torch.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fctestbed.information import mutual_information_bits
from fctestbed.synthesis.augmentation_plan import AugmentationPlan, optimal_plan
from fctestbed.synthesis.labels import WordRule, label_rule, slots_of
from fctestbed.synthesis.latents import Latents
from fctestbed.synthesis.spec import (
    BitLatents,
    OfficialAugmentation,
    OptimalAugmentation,
    WorldSpec,
)

_MAX_CELLS = 1 << 24


@dataclass(frozen=True, kw_only=True)
class AugmentationInformation:
    """I(X1;X1'), I(X2;X2') and I(X1,X2;X1',X2'), in bits."""

    x1_bits: float
    x2_bits: float
    joint_bits: float


def augmentation_information_bits(
    world: WorldSpec, augmentation: OfficialAugmentation | OptimalAugmentation
) -> AugmentationInformation:
    """What augmented modalities hold of the originals, exactly, in bits.

    The full table p(x1, x2, x1', x2') of the augmentation's plan; observation noise is left out.

    Args:
        world: bit latents, few enough to enumerate.
        augmentation: ``optimal``; the official one gives away its original and has no table.

    Raises:
        ValueError: other latents or augmentations, or a table of more than 2^24 cells.
    """
    if not isinstance(augmentation, OptimalAugmentation):
        raise ValueError(f"augmentation: expected optimal, got {augmentation.kind}")
    if not isinstance(world.latents, BitLatents):
        raise ValueError(f"latents: expected bits to enumerate, got {world.latents.kind}")
    n_s, n_1, n_2 = world.block_sizes
    plan = optimal_plan(world)
    widest = n_s + n_1 + n_2 + max(plan.n_word, 2 * n_s + n_1 + n_2)
    if 2**widest > _MAX_CELLS:
        raise ValueError(f"latents: expected a table of at most 2^24 cells, got 2^{widest}")
    kept = _word_given_latents(world, plan)
    table = kept @ _inputs_given_word(world, plan) / 2 ** (n_s + n_1 + n_2)
    cells = table.reshape(2**n_s, 2**n_1, 2**n_2, 2 ** (n_1 + n_s), 2 ** (n_2 + n_s))
    p_1 = cells.sum(axis=(2, 4)).reshape(2 ** (n_s + n_1), -1)
    p_2 = cells.sum(axis=(1, 3)).reshape(2 ** (n_s + n_2), -1)
    return AugmentationInformation(
        x1_bits=mutual_information_bits(p_1),
        x2_bits=mutual_information_bits(p_2),
        joint_bits=mutual_information_bits(table),
    )


def _patterns(n_bits: int) -> npt.NDArray[np.uint8]:
    """All patterns of n bits, shape (2^n, n); the first bit varies slowest."""
    return slots_of(np.arange(2**n_bits), n_bits)[:, ::-1]


def _word_given_latents(world: WorldSpec, plan: AugmentationPlan) -> npt.NDArray[np.float64]:
    """p(word | latents), shape (2^n, 2^n_word), latents ordered as [w_s, w_1, w_2]."""
    n_s, n_1, n_2 = world.block_sizes
    states = _patterns(n_s + n_1 + n_2)
    rule = label_rule(world.label)
    if isinstance(rule, WordRule):
        assert plan.reads is not None
        padded = np.concatenate([states, np.zeros((len(states), 1), dtype=np.uint8)], axis=1)
        inputs = padded[:, plan.reads[:, 0]] ^ padded[:, plan.reads[:, 1]]
    else:
        latents = Latents(states[:, :n_s], states[:, n_s : n_s + n_1], states[:, n_s + n_1 :])
        inputs = slots_of(rule.draw(latents, np.random.default_rng(0)), plan.n_word)
    differs = inputs[:, None, :] != _patterns(plan.n_word)[None]
    return np.asarray(np.where(differs, plan.flips, 1 - plan.flips).prod(axis=2))


def _inputs_given_word(world: WorldSpec, plan: AugmentationPlan) -> npt.NDArray[np.float64]:
    """p(inputs of both augmented modalities | word), one row per word."""
    n_s, n_1, n_2 = world.block_sizes
    width1, width2 = n_1 + n_s, n_2 + n_s
    fresh = _patterns(width1 + width2)
    weights = 2 ** np.arange(width1 + width2 - 1, -1, -1)
    words = _patterns(plan.n_word)
    rows = []
    for word in words:
        nowhere = np.zeros((len(fresh), 1), dtype=np.uint8)
        inputs1 = np.concatenate([fresh[:, :width1], nowhere], axis=1)
        inputs2 = np.concatenate([fresh[:, width1:], nowhere], axis=1)
        pads = inputs1[:, plan.pads]
        inputs1[:, plan.places[0]] = word[plan.bits[0]]
        inputs2[:, plan.places[1]] = word[plan.bits[1]] ^ pads
        code = np.concatenate([inputs1[:, :width1], inputs2[:, :width2]], axis=1) @ weights
        rows.append(np.bincount(code, minlength=len(fresh)) / len(fresh))
    return np.stack(rows)
