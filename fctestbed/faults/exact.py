"""A method's loss in exact expectation over the enumerated law of a world.

Owns the interface. May import torch, ``fctestbed.objectives``, ``fctestbed.synthesis`` and this
package's law.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.faults.law import BitLaw
from fctestbed.objectives import Method
from fctestbed.synthesis import AugmentationSpec

_ENUMERATED = "optimal, unique or quality"
"""Augmentations whose copies have a law (``exact_law``)."""


class ExactLoss(ABC):
    """A method's loss for infinitely many samples, as a function of its networks.

    The networks encode every pattern once, and expectations are weighted sums. The networks may be
    the method's own or tables (``fctestbed.faults.free``).

    Args:
        method: with its settings.
        law: of the world, with copies if the method uses views.
        x1: every pattern of modality 1, [stack, patterns1, dim1], in the law's order.
        x2: every pattern of modality 2.
        batch_size: of the loss that it is the limit of; only ``offsets_nats`` and terms that are
            sums over a batch depend on it.
    """

    uses_copies: ClassVar[bool] = False
    """Whether the loss depends on augmented copies."""
    smooth: ClassVar[bool] = True
    """Whether the loss has a second derivative, without which L-BFGS can stop above a minimum."""

    def __init__(
        self,
        method: Method,
        law: BitLaw,
        x1: Float[Tensor, "stack patterns1 dim1"],
        x2: Float[Tensor, "stack patterns2 dim2"],
        *,
        batch_size: int,
    ) -> None:
        self.method, self.law = method, law
        self.settings: Any = method.settings
        self.x1, self.x2 = x1, x2
        self.batch_size = batch_size

    @classmethod
    def check(cls, method: Method, augmentation: AugmentationSpec | None) -> None:
        """Refuse settings or augmentations whose loss has no exact expectation.

        Raises:
            ValueError: one line.
        """
        if method.conditions_on == "exact":
            raise ValueError(
                "settings.conditioning: expected within or batch for an exact loss, got exact, "
                "whose negatives are of a finite number (levels from 2 on serve)"
            )
        if cls.uses_copies and augmentation is None:
            # What views reveal of their originals is known of optimal ones alone.
            expected = "optimal" if method.conditions_on == "views" else _ENUMERATED
            raise ValueError(
                f"augmentation: expected {expected} for an exact loss that uses views, got none"
            )

    @classmethod
    def n_scores(cls, n_1: int, n_2: int) -> int:
        """Scores of pairs that one evaluation makes, by the patterns of the two modalities."""
        return (n_1 + n_2) ** 2

    @abstractmethod
    def terms(self, module: nn.Module) -> Mapping[str, Float[Tensor, " stack"]]:
        """The terms of the method's ``loss`` by its names, in nats, without ``offsets_nats``."""

    def inner(self, module: nn.Module) -> Float[Tensor, " stack"]:
        """The method's ``inner_loss``, in nats."""
        raise TypeError(f"{type(self).__name__} has no inner loop")

    def offsets_nats(self, batch_size: int) -> Mapping[str, float]:
        """What a batch's size adds to terms of the loss: the term of ``loss`` is near to that of
        ``terms`` plus this."""
        return {}

    def total(self, module: nn.Module) -> Float[Tensor, " stack"]:
        """The sum of the terms."""
        return torch.stack(list(self.terms(module).values())).sum(0)
