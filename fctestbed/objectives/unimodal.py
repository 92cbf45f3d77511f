"""The two unimodal losses: each modality with the label, or with its own augmented copy.

They are terms of FactorCL's loss and, alone, a control: with tight bounds FactorCL's loss reduces
to them. Owns the unimodal terms. May import ``fctestbed.nets`` and the objectives' own base.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.bounds import (
    Contrast,
    infonce_lower_bound_nats,
    label_first_infonce_lower_bound_nats,
    label_infonce_lower_bound_nats,
)
from fctestbed.nets import Critic, Stack
from fctestbed.objectives.base import (
    Batch,
    CriticSettings,
    DataShape,
    LossMarks,
    Method,
    NetSpec,
)
from fctestbed.objectives.critics import build_critic
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
    settings: CriticSettings,
    label_input: LabelInput,
    stack: Stack,
    shape: DataShape,
    nets: NetSpec,
) -> Critic:
    """A critic of (projection, label)."""
    width = shape.n_classes if label_input == "onehot" else 1
    return build_critic(settings, stack, nets, (nets.head_dim, width), one_space=False)


def label_term(
    critic: Critic,
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


class UnimodalSettings(CriticSettings):
    """``contrast``: which argument InfoNCE contrasts: ``second`` (the paper's Eq. 10) or ``first``
    (the official code)."""

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
    terms = ("(Xi;Xi')", "Fact")
    _loss_terms: ClassVar[tuple[str, str]]

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """InfoNCE is 0 for constant scores and at most log(n)."""
        marks = LossMarks(constant=0.0, limit=-math.log(batch_size))
        return dict.fromkeys(self._loss_terms, marks)

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
    departures: ClassVar[Mapping[str, Any]] = {"label_input": "scalar", "contrast": "first"}
    _loss_terms = ("nce_x1y", "nce_x2y")

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders, a head each, a label critic each."""
        critics = tuple(
            label_critic(self.settings, self.settings.label_input, stack, shape, nets)
            for _ in range(2)
        )
        return _UnimodalModule(stack, shape, nets, (critics[0], critics[1]))

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """-NCE(X1; Y) and -NCE(X2; Y), in nats."""
        parts = cast(_UnimodalModule, module)
        projections = parts(batch.x1, batch.x2)
        critics = (parts.critic1, parts.critic2)
        return {
            name: -label_term(
                cast(Critic, critic),
                projection,
                batch.y,
                n_classes=parts.n_classes,
                label_input=self.settings.label_input,
                contrast=self.settings.contrast,
            )
            for name, critic, projection in zip(self._loss_terms, critics, projections, strict=True)
        }


class UnimodalSsl(_Unimodal):
    """Maximises NCE(X1; X1') + NCE(X2; X2'), and no cross-modal term."""

    Settings = UnimodalSettings
    relative_cost = 2.4
    n_views = 1
    departures: ClassVar[Mapping[str, Any]] = {"contrast": "first"}
    _loss_terms = ("nce_x1x1", "nce_x2x2")

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders, a head each, a critic of two projections each."""
        dims = nets.head_dim, nets.head_dim
        critics = tuple(
            build_critic(self.settings, stack, nets, dims, one_space=True) for _ in range(2)
        )
        return _UnimodalModule(stack, shape, nets, (critics[0], critics[1]))

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """-NCE(X1; X1') and -NCE(X2; X2'), in nats."""
        parts = cast(_UnimodalModule, module)
        originals = parts(batch.x1, batch.x2)
        views = parts(batch.views[0].x1, batch.views[0].x2)
        critics = (parts.critic1, parts.critic2)
        return {
            name: -infonce_lower_bound_nats(critic(original, view), contrast=self.settings.contrast)
            for name, critic, original, view in zip(
                self._loss_terms, critics, originals, views, strict=True
            )
        }
