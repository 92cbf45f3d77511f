"""Cross+Self: the loss between the modalities and the losses within each, with shared or separate
heads.

May import ``fctestbed.nets`` and the objectives' own modules.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, cast

from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets import Stack
from fctestbed.objectives.base import (
    CROSS_MODAL_TERM,
    FACTORISED_READOUT,
    UNIMODAL_TERM,
    Batch,
    DataShape,
    LossMarks,
    Method,
    NetSpec,
)
from fctestbed.objectives.contrastive import ContrastiveSettings
from fctestbed.objectives.critics import build_critic, nt_xent_of_critic_nats
from fctestbed.objectives.encoders import Encoders, HeadBank


class CrossSelfSettings(ContrastiveSettings):
    """Settings of Cross+Self.

    Attributes:
        cross_view: whether the cross-modal term uses the ``original`` modalities or their augmented
            copies (``mutated``): the official code's ``augment`` (June 2023) changed its batch in
            place, and its cross-modal term used the changed batch.
    """

    cross_view: Literal["original", "mutated"] = "original"


LOSS_TERMS = ("cross", "self1", "self2")


class _CrossSelfModule(nn.Module):
    """Encoders, a bank of heads on each, and one critic for each of the three terms."""

    def __init__(
        self,
        stack: Stack,
        shape: DataShape,
        nets: NetSpec,
        settings: CrossSelfSettings,
        head_names: tuple[str, ...],
    ) -> None:
        super().__init__()
        self.encoders = Encoders(stack, shape, nets)
        self.heads1 = HeadBank(stack, head_names, nets)
        self.heads2 = HeadBank(stack, head_names, nets)
        dims = nets.head_dim, nets.head_dim
        self.cross, self.self1, self.self2 = (
            build_critic(settings, stack, nets, dims, one_space=True) for _ in range(3)
        )

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The projections of both modalities, by head."""
        z1, z2 = self.encoders(x1, x2)
        return self.heads1(z1), self.heads2(z2)


class CrossSelf(Method):
    """NT-Xent between the modalities and within each: (X1; X2) + (X1; X1') + (X2; X2').

    Each modality has one head, which both kinds of term share.

    Source:
        The FactorCL paper's "Cross+Self" row (arXiv 2306.05268, section 4); ``CrossSelfModel`` of
        its code at 305bd7c, with a critic for each term.
    """

    Settings = CrossSelfSettings
    n_views = 1
    relative_cost = 3.6
    terms: ClassVar[tuple[str, ...]] = (CROSS_MODAL_TERM, UNIMODAL_TERM)
    departures: ClassVar[Mapping[str, Any]] = {
        "normalize": False,
        "temperature": 0.07,
        "cross_view": "mutated",
    }
    _cross_head: ClassVar[str] = "projection"
    _self_head: ClassVar[str] = "projection"

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders, heads and three critics."""
        names = tuple(dict.fromkeys((self._cross_head, self._self_head)))
        return _CrossSelfModule(stack, shape, nets, self.settings, names)

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """``cross``, ``self1`` and ``self2``, in nats."""
        parts = cast(_CrossSelfModule, module)
        (view,) = batch.views
        originals, views = parts(batch.x1, batch.x2), parts(view.x1, view.x2)
        h1, h2 = views if self.settings.cross_view == "mutated" else originals
        within = [
            nt_xent_of_critic_nats(critic, original[self._self_head], copy[self._self_head])
            for critic, original, copy in zip(
                (parts.self1, parts.self2), originals, views, strict=True
            )
        ]
        cross = nt_xent_of_critic_nats(parts.cross, h1[self._cross_head], h2[self._cross_head])
        return dict(zip(LOSS_TERMS, (cross, *within), strict=True))

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """Equal features give log(2n - 1)."""
        mark = LossMarks(constant=math.log(2 * batch_size - 1))
        return dict.fromkeys(LOSS_TERMS, mark)

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Encoder outputs ``z1`` and ``z2``."""
        z1, z2 = cast(_CrossSelfModule, module).encoders(x1, x2)
        return {"z1": z1, "z2": z2}

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Every projection of both modalities."""
        return {
            f"{name}{m}": projection
            for m, heads in zip((1, 2), module(x1, x2), strict=True)
            for name, projection in heads.items()
        }


class CrossSelfFact(CrossSelf):
    """Cross+Self with separate heads for the cross-modal term and for the unimodal terms.

    The official code (305bd7c, ``FactorCrossSelfModel``) has separate encoders too, and their
    outputs are its readouts. Here, as in FactorCL, the terms share the encoders, and the heads'
    outputs are the readouts.

    Source:
        The FactorCL paper's "Cross+Self+Fact" row.
    """

    terms = (CROSS_MODAL_TERM, UNIMODAL_TERM, FACTORISED_READOUT)
    _cross_head = "cross"
    _self_head = "self"

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The cross-modal heads ``z_s1``, ``z_s2``, the unimodal ones ``z_u1``, ``z_u2``."""
        h1, h2 = module(x1, x2)
        return {
            "z_s1": h1[self._cross_head],
            "z_s2": h2[self._cross_head],
            "z_u1": h1[self._self_head],
            "z_u2": h2[self._self_head],
        }
