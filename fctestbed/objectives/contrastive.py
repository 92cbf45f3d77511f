"""SimCLR and SupCon with the two modalities as views.

May import ``fctestbed.nets`` and the objectives' own modules.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets import CriticKind, Stack
from fctestbed.objectives.base import (
    CONDITIONAL_TERM,
    CROSS_MODAL_TERM,
    Batch,
    CriticSettings,
    DataShape,
    LossMarks,
    Method,
    NetSpec,
)
from fctestbed.objectives.critics import build_critic, nt_xent_of_critic_nats
from fctestbed.objectives.encoders import Encoders, HeadBank

_HEAD = "projection"


class ContrastiveSettings(CriticSettings):
    """Settings of the losses over anchors of both views.

    Attributes:
        critic: cosine similarities by default.
        temperature: 0.1; the official code's is 0.07.
        normalize: false uses inner products instead of cosines, as the official code does.
    """

    critic: CriticKind = "cosine"
    normalize: bool = True


class _ContrastiveModule(nn.Module):
    def __init__(
        self, stack: Stack, shape: DataShape, nets: NetSpec, settings: ContrastiveSettings
    ) -> None:
        super().__init__()
        self.encoders = Encoders(stack, shape, nets)
        self.head1 = HeadBank(stack, (_HEAD,), nets)
        self.head2 = HeadBank(stack, (_HEAD,), nets)
        dims = nets.head_dim, nets.head_dim
        self.critic = build_critic(settings, stack, nets, dims, one_space=True)

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        z1, z2 = self.encoders(x1, x2)
        return self.head1(z1)[_HEAD], self.head2(z2)[_HEAD]


class SimCLR(Method):
    """NT-Xent between the modalities: maximises a bound on I(X1; X2) without the label.

    Source:
        Chen et al. 2020; the FactorCL paper's "SimCLR" row, (X1; X2) alone.
    """

    Settings = ContrastiveSettings
    relative_cost = 1.8
    terms = (CROSS_MODAL_TERM,)
    departures: ClassVar[Mapping[str, Any]] = {"normalize": False, "temperature": 0.07}

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders with a projection head each."""
        return _ContrastiveModule(stack, shape, nets, self.settings)

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """``nt_xent``, in nats."""
        parts = cast(_ContrastiveModule, module)
        labels = batch.y if self.uses_label else None
        projections = parts(batch.x1, batch.x2)
        return {self._term: nt_xent_of_critic_nats(parts.critic, *projections, labels=labels)}

    @property
    def _term(self) -> str:
        return "supcon" if self.uses_label else "nt_xent"

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """Equal features give log(2n - 1)."""
        return {self._term: LossMarks(constant=math.log(2 * batch_size - 1))}

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Encoder outputs ``z1`` and ``z2``."""
        z1, z2 = cast(_ContrastiveModule, module).encoders(x1, x2)
        return {"z1": z1, "z2": z2}

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The two projections."""
        projection1, projection2 = module(x1, x2)
        return {f"{_HEAD}1": projection1, f"{_HEAD}2": projection2}


class SupCon(SimCLR):
    """Supervised contrastive loss with both modalities as views: positives share the label.

    Source:
        Khosla et al. 2020, Eq. 2 (L_out).
    """

    uses_label = True
    terms = (CONDITIONAL_TERM,)
