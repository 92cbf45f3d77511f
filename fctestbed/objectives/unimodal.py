"""The two unimodal losses: each modality with the label, or with its own augmented copy.

They are terms of FactorCL's loss and, alone, a control: with tight bounds FactorCL's loss reduces
to them. Owns the unimodal terms. May import ``fctestbed.nets`` and the objectives' own base.
"""

from collections.abc import Mapping
from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.bounds import (
    Contrast,
    infonce_lower_bound_nats,
    label_first_infonce_lower_bound_nats,
    label_infonce_lower_bound_nats,
)
from fctestbed.nets import ConcatCritic, Stack
from fctestbed.objectives.base import Batch, DataShape, Method, MethodSettings, NetSpec
from fctestbed.objectives.encoders import Encoders, HeadBank, concatenate

LabelInput = Literal["onehot", "scalar"]


def label_codes(n_classes: int, label_input: LabelInput, like: Tensor) -> Tensor:
    """What a critic sees of each class, [stack, n_classes, width]: a one-hot row, or the class's
    number."""
    if label_input == "onehot":
        codes = torch.eye(n_classes, dtype=like.dtype, device=like.device)
    else:
        codes = torch.arange(n_classes, dtype=like.dtype, device=like.device).unsqueeze(1)
    return codes.expand(like.shape[0], *codes.shape)


def label_critic(
    stack: Stack, shape: DataShape, nets: NetSpec, label_input: LabelInput
) -> ConcatCritic:
    """A concat critic on [projection, label]."""
    width = shape.n_classes if label_input == "onehot" else 1
    return ConcatCritic(stack, nets.head_dim, width, nets.critic_hidden)


def label_term(
    critic: ConcatCritic,
    projection: Float[Tensor, "stack n dim"],
    labels: Tensor,
    *,
    n_classes: int,
    label_input: LabelInput,
    contrast: Contrast,
) -> Float[Tensor, " stack"]:
    """InfoNCE lower bound on I(projection; Y), in nats: one column of scores per class."""
    scores = critic(projection, label_codes(n_classes, label_input, projection))
    if contrast == "first":
        return label_first_infonce_lower_bound_nats(scores, labels)
    return label_infonce_lower_bound_nats(scores, labels)


class UnimodalSettings(MethodSettings):
    """Which argument InfoNCE contrasts: ``second`` (the paper's Eq. 10) or ``first`` (the official
    code)."""

    contrast: Contrast = "second"


class UnimodalSupSettings(UnimodalSettings):
    """``label_input``: what the label critics see: ``onehot``, or the class's number (the official
    code)."""

    label_input: LabelInput = "onehot"


class _UnimodalModule(nn.Module):
    def __init__(
        self, stack: Stack, shape: DataShape, nets: NetSpec, critics: tuple[nn.Module, nn.Module]
    ) -> None:
        super().__init__()
        self.n_classes = shape.n_classes
        self.encoders = Encoders(stack, shape, nets)
        self.head1 = HeadBank(stack, ("unimodal",), nets)
        self.head2 = HeadBank(stack, ("unimodal",), nets)
        self.critic1, self.critic2 = critics

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        z1, z2 = self.encoders(x1, x2)
        return self.head1(z1)["unimodal"], self.head2(z2)["unimodal"]


class _Unimodal(Method):
    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The projections ``z1``, ``z2`` and both, ``joint``."""
        projection1, projection2 = module(x1, x2)
        return {
            "z1": projection1,
            "z2": projection2,
            "joint": concatenate((projection1, projection2)),
        }

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The two projections."""
        projection1, projection2 = module(x1, x2)
        return {"unimodal1": projection1, "unimodal2": projection2}


class UnimodalSup(_Unimodal):
    """Maximises NCE(X1; Y) + NCE(X2; Y), and no cross-modal term."""

    Settings = UnimodalSupSettings
    relative_cost = 1.4
    uses_label = True

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders, a head each, a label critic each."""
        critics = tuple(
            label_critic(stack, shape, nets, self.settings.label_input) for _ in range(2)
        )
        return _UnimodalModule(stack, shape, nets, (critics[0], critics[1]))

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """-NCE(X1; Y) and -NCE(X2; Y), in nats."""
        parts = cast(_UnimodalModule, module)
        projections = parts(batch.x1, batch.x2)
        critics = (parts.critic1, parts.critic2)
        return {
            f"nce_x{m}y": -label_term(
                cast(ConcatCritic, critic),
                projection,
                batch.y,
                n_classes=parts.n_classes,
                label_input=self.settings.label_input,
                contrast=self.settings.contrast,
            )
            for m, critic, projection in zip((1, 2), critics, projections, strict=True)
        }


class UnimodalSsl(_Unimodal):
    """Maximises NCE(X1; X1') + NCE(X2; X2'), and no cross-modal term."""

    Settings = UnimodalSettings
    relative_cost = 2.4
    uses_views = True

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders, a head each, a critic of two projections each."""
        critics = tuple(
            ConcatCritic(stack, nets.head_dim, nets.head_dim, nets.critic_hidden) for _ in range(2)
        )
        return _UnimodalModule(stack, shape, nets, (critics[0], critics[1]))

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """-NCE(X1; X1') and -NCE(X2; X2'), in nats."""
        parts = cast(_UnimodalModule, module)
        originals = parts(batch.x1, batch.x2)
        views = parts(batch.x1_view, batch.x2_view)
        critics = (parts.critic1, parts.critic2)
        return {
            f"nce_x{m}x{m}": -infonce_lower_bound_nats(
                critic(original, view), contrast=self.settings.contrast
            )
            for m, critic, original, view in zip((1, 2), critics, originals, views, strict=True)
        }
