"""Which methods have an exact loss, and why the others have none.

May import torch, ``fctestbed.objectives``, ``fctestbed.training`` and this package.
"""

from torch import Tensor

from fctestbed.faults.exact import ExactLoss
from fctestbed.faults.exact_contrastive import (
    ExactCoMM,
    ExactContrastive,
    ExactCrossSelf,
    ExactFocal,
    ExactSupervised,
)
from fctestbed.faults.exact_disentangled import ExactDisentangled
from fctestbed.faults.exact_factorcl import (
    ExactFactorCLSsl,
    ExactFactorCLSup,
    ExactUnimodalSsl,
    ExactUnimodalSup,
)
from fctestbed.faults.law import BitLaw, exact_law
from fctestbed.objectives import METHODS, Method
from fctestbed.synthesis import AugmentationSpec
from fctestbed.training import TrainingSpec

MAX_SCORES = 1 << 21
"""Most scores of pairs of patterns that one evaluation of a loss makes for each start."""
_MOST_OF_STARTS = 1 << 18

EXACT_LOSSES: dict[str, type[ExactLoss]] = {
    "simclr": ExactContrastive,
    "supcon": ExactContrastive,
    "cross-self": ExactCrossSelf,
    "cross-self-fact": ExactCrossSelf,
    "ourcl-sup": ExactFactorCLSup,
    "ourcl-ssl": ExactFactorCLSsl,
    "factorcl-sup": ExactFactorCLSup,
    "factorcl-ssl": ExactFactorCLSsl,
    "unimodal-sup": ExactUnimodalSup,
    "unimodal-ssl": ExactUnimodalSsl,
    "comm": ExactCoMM,
    "focal": ExactFocal,
    "disentangled-ssl": ExactDisentangled,
    "supervised": ExactSupervised,
}


def exact_loss_class(
    name: str, method: Method, augmentation: AugmentationSpec | None
) -> type[ExactLoss]:
    """The exact loss of a method.

    Args:
        name: the method's name.
        method: the method with its settings.
        augmentation: of its views; None for a method without.

    Raises:
        ValueError: one line, for a method, a setting or an augmentation without one.
    """
    if name not in EXACT_LOSSES:
        kind = "a control, which has no loss" if name in METHODS else "a method of a user's own"
        raise ValueError(
            f"method: expected one with an exact loss ({', '.join(EXACT_LOSSES)}), got {name}, "
            f"{kind} (levels from 2 on serve)"
        )
    found = EXACT_LOSSES[name]
    found.check(method, augmentation)
    return found


def law_of_loss(training: TrainingSpec) -> BitLaw:
    """The law over which a training's exact loss is an expectation.

    Raises:
        ValueError: one line, for a loss without exact expectation, or one too large to enumerate.
    """
    method = training.build_method()
    kind = exact_loss_class(training.method, method, training.augmentation)
    law = exact_law(training.world, training.augmentation if kind.uses_copies else None)
    scores = kind.n_scores(*law.n_patterns)
    if scores > MAX_SCORES:
        raise ValueError(
            f"latents: expected at most {MAX_SCORES} scores of pairs for the exact loss of "
            f"{training.method}, got {scores} (level 2 is the first that serves)"
        )
    return law


def affordable_starts(training: TrainingSpec, n_starts: int) -> int:
    """How many of some starts a search makes: those that together have 2^18 scores of pairs, but at
    least two.

    Args:
        training: one with an exact loss.
        n_starts: asked for.
    """
    kind = exact_loss_class(training.method, training.build_method(), training.augmentation)
    n_s, n_1, n_2 = training.world.block_sizes
    scores = kind.n_scores(2 ** (n_s + n_1), 2 ** (n_s + n_2))
    return min(n_starts, max(2, _MOST_OF_STARTS // scores))


def exact_loss(
    name: str, method: Method, law: BitLaw, x1: Tensor, x2: Tensor, *, batch_size: int
) -> ExactLoss:
    """The exact loss of a method over a law, as a function of its networks.

    Args:
        name: the method's name.
        method: the method with its settings.
        law: with copies if the method uses views.
        x1: every pattern of modality 1, [stack, patterns1, dim1].
        x2: every pattern of modality 2.
        batch_size: as in ``ExactLoss``.

    Raises:
        ValueError: one line, for a method or a setting without one, or a law without copies.
    """
    kind = exact_loss_class(name, method, law.augmentation)
    return kind(method, law, x1, x2, batch_size=batch_size)
