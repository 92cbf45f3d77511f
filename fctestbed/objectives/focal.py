"""FOCAL: each modality's embedding has a shared and a private half, which are kept orthogonal.

May import ``fctestbed.nets`` and the objectives' own modules.
"""

import math
from collections.abc import Mapping
from typing import Annotated, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

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

_HEAD = "embedding"
Weight = Annotated[float, Field(ge=0)]


class FocalSettings(ContrastiveSettings):
    """Settings of FOCAL; the defaults are those of the released configuration.

    Attributes:
        temperature: 0.07 (0.5 with the second of its two backbones).
        shared_weight: of NT-Xent between the modalities' shared halves.
        private_weight: of NT-Xent between two augmented copies' private halves.
        orthogonality_weight: of the cosines between halves.
    """

    temperature: Annotated[float, Field(gt=0)] = 0.07
    shared_weight: Weight = 1.0
    private_weight: Weight = 1.0
    orthogonality_weight: Weight = 3.0


def _positive_cosine(a: Tensor, b: Tensor) -> Float[Tensor, " stack"]:
    """Mean of the samples' cosines, with negative ones as 0."""
    return cosine_similarity(a, b, dim=-1).clamp_min(0).mean(-1)


class _FocalModule(nn.Module):
    def __init__(
        self, stack: Stack, shape: DataShape, nets: NetSpec, settings: FocalSettings
    ) -> None:
        super().__init__()
        self.encoders = Encoders(stack, shape, nets)
        # Each half is as wide as another method's head.
        doubled = nets.model_copy(update={"head_dim": 2 * nets.head_dim})
        self.head1 = HeadBank(stack, (_HEAD,), doubled)
        self.head2 = HeadBank(stack, (_HEAD,), doubled)
        dims = nets.head_dim, nets.head_dim
        self.shared, self.private1, self.private2 = (
            build_critic(settings, stack, nets, dims, one_space=True) for _ in range(3)
        )

    def forward(self, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The halves of both embeddings, by readout."""
        z1, z2 = self.encoders(x1, x2)
        s1, u1 = self.head1(z1)[_HEAD].chunk(2, -1)
        s2, u2 = self.head2(z2)[_HEAD].chunk(2, -1)
        return {"z_s1": s1, "z_s2": s2, "z_u1": u1, "z_u2": u2}


class Focal(Method):
    """NT-Xent between modalities on shared halves and between copies on private halves, and
    orthogonality.

    The loss is computed on two augmented copies of a sample: the shared loss and the orthogonality
    (shared with private half of each modality, private with private half across modalities) are
    summed over the copies, the private loss over the modalities. Orthogonality is a hinge, as in
    the released code: a negative cosine costs nothing. FOCAL's fourth term ranks samples of one
    time sequence as closer than those of others. It does not apply here, where samples are
    independent.

    Source:
        Liu et al., FOCAL (NeurIPS 2023, arXiv 2310.20071); ``FOCALLoss`` of its code at 48246ce.
    """

    Settings = FocalSettings
    n_views = 2
    relative_cost = 5.3
    terms = (CROSS_MODAL_TERM, UNIMODAL_TERM, FACTORISED_READOUT)

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders, a head of two halves each, three critics."""
        return _FocalModule(stack, shape, nets, self.settings)

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """``shared`` and ``private``, in nats, and ``orthogonality``, each with its weight."""
        parts = cast(_FocalModule, module)
        settings = self.settings
        copies = [parts(view.x1, view.x2) for view in batch.views]
        shared = [nt_xent_of_critic_nats(parts.shared, h["z_s1"], h["z_s2"]) for h in copies]
        private = [
            nt_xent_of_critic_nats(critic, copies[0][name], copies[1][name])
            for critic, name in ((parts.private1, "z_u1"), (parts.private2, "z_u2"))
        ]
        orthogonality = [
            _positive_cosine(h[a], h[b])
            for h in copies
            for a, b in (("z_s1", "z_u1"), ("z_s2", "z_u2"), ("z_u1", "z_u2"))
        ]
        return {
            "shared": settings.shared_weight * torch.stack(shared).sum(0),
            "private": settings.private_weight * torch.stack(private).sum(0),
            "orthogonality": settings.orthogonality_weight * torch.stack(orthogonality).sum(0),
        }

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """Equal features give 2 log(2n - 1), times the term's weight."""
        constant = 2 * math.log(2 * batch_size - 1)
        return {
            "shared": LossMarks(constant=self.settings.shared_weight * constant),
            "private": LossMarks(constant=self.settings.private_weight * constant),
        }

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The halves ``z_s1``, ``z_s2`` (shared), ``z_u1``, ``z_u2`` (private)."""
        halves: dict[str, Tensor] = module(x1, x2)
        return halves

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The four halves."""
        names = {"z_s1": "shared1", "z_s2": "shared2", "z_u1": "private1", "z_u2": "private2"}
        return {names[key]: half for key, half in module(x1, x2).items()}
