"""Which methods have an exact loss, and why the others have none.

May import torch, ``fctestbed.objectives`` and this package.
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
from fctestbed.faults.law import BitLaw
from fctestbed.objectives import METHODS, Method

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


def exact_loss_class(name: str, method: Method) -> type[ExactLoss]:
    """The exact loss of a method.

    Args:
        name: the method's name.
        method: the method with its settings.

    Raises:
        ValueError: one line, for a method or a setting without one.
    """
    if name not in EXACT_LOSSES:
        kind = "a control, which has no loss" if name in METHODS else "a method of a user's own"
        raise ValueError(
            f"method: expected one with an exact loss ({', '.join(EXACT_LOSSES)}), got {name}, "
            f"{kind} (levels from 2 on serve)"
        )
    if method.conditions_on == "exact":
        raise ValueError(
            f"settings.conditioning: expected within or batch for an exact loss of {name}, got "
            "exact, whose negatives are of a finite number (levels from 2 on serve)"
        )
    return EXACT_LOSSES[name]


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
    kind = exact_loss_class(name, method)
    if kind.uses_copies and law.augmentation is None:
        raise ValueError(f"augmentation: expected one for {name}, which uses views, got none")
    return kind(method, law, x1, x2, batch_size=batch_size)
