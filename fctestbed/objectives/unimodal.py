"""The two unimodal losses: each modality with the label, or with its own augmented copy.

They are terms of FactorCL's loss. Alone they are a control: with tight bounds FactorCL's loss
reduces to them. Owns the bound of a projection and the label. May import ``fctestbed.bounds``,
``fctestbed.nets`` and the objectives' own modules.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from fctestbed.bounds import (
    Contrast,
    infonce_lower_bound_nats,
    label_first_infonce_lower_bound_nats,
    label_infonce_lower_bound_nats,
)
from fctestbed.nets import Critic, Stack
from fctestbed.objectives.base import (
    FACTORISED_READOUT,
    UNIMODAL_TERM,
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
    """The critic's input for each class, [stack, n_classes, width]: a one-hot row, or the class's
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
    """InfoNCE lower bound on I(projection; Y), in nats, from one column of scores per class."""
    scores = critic(projection, label_codes(n_classes, label_input, projection))
    if contrast == "first":
        return label_first_infonce_lower_bound_nats(scores, labels)
    return label_infonce_lower_bound_nats(scores, labels)


class UnimodalSettings(CriticSettings):
    """Settings of the two unimodal losses.

    Attributes:
        contrast: which argument InfoNCE contrasts: ``second`` (the paper's Eq. 10) or ``first``
            (the official code).
        n_heads: heads on each encoder. Each has its own critic and the whole loss; the losses are
            averaged. With five, the heads and the readout's width are those of FactorCL.
    """

    contrast: Contrast = "second"
    n_heads: Annotated[int, Field(ge=1)] = 1


class UnimodalSupSettings(UnimodalSettings):
    """Settings of the two losses with the label.

    Attributes:
        label_input: the label critics receive a one-hot row (``onehot``) or the class's number
            (``scalar``, the official code).
    """

    label_input: LabelInput = "onehot"


class _UnimodalModule(nn.Module):
    def __init__(
        self, stack: Stack, shape: DataShape, nets: NetSpec, critics: Sequence[Sequence[Critic]]
    ) -> None:
        super().__init__()
        self.n_classes = shape.n_classes
        self.encoders = Encoders(stack, shape, nets)
        self.head_names = [f"unimodal{place}" for place in range(len(critics[0]))]
        self.heads1 = HeadBank(stack, self.head_names, nets)
        self.heads2 = HeadBank(stack, self.head_names, nets)
        self.critics1, self.critics2 = (nn.ModuleList(own) for own in critics)

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        z1, z2 = self.encoders(x1, x2)
        return list(self.heads1(z1).values()), list(self.heads2(z2).values())

    def critics(self) -> tuple[list[Critic], list[Critic]]:
        """The critics of each modality's heads."""
        own = [[cast(Critic, critic) for critic in c] for c in (self.critics1, self.critics2)]
        return own[0], own[1]


class _Unimodal(Method):
    terms = (UNIMODAL_TERM, FACTORISED_READOUT)
    _loss_terms: ClassVar[tuple[str, str]]

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders with their heads, and a critic for each head."""
        critics = [
            [self._critic(stack, shape, nets) for _ in range(self.settings.n_heads)]
            for _ in range(2)
        ]
        return _UnimodalModule(stack, shape, nets, critics)

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """Minus the bound of each modality, in nats, the mean over its heads."""
        bounds = self._bounds(cast(_UnimodalModule, module), batch)
        return {
            name: -torch.stack(own).mean(0)
            for name, own in zip(self._loss_terms, bounds, strict=True)
        }

    @abstractmethod
    def _critic(self, stack: Stack, shape: DataShape, nets: NetSpec) -> Critic:
        """A head's critic."""

    @abstractmethod
    def _bounds(self, parts: _UnimodalModule, batch: Batch) -> Iterator[list[Tensor]]:
        """For each modality, the bound of each of its heads, in nats."""

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """InfoNCE is 0 for constant scores and at most log(n)."""
        marks = LossMarks(constant=0.0, limit=-math.log(batch_size))
        return dict.fromkeys(self._loss_terms, marks)

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The projections of each modality's heads, ``z1`` and ``z2``."""
        z1, z2 = (concatenate(projections) for projections in module(x1, x2))
        return {"z1": z1, "z2": z2}

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Every projection."""
        names = cast(_UnimodalModule, module).head_names
        return {
            f"{name}.{m}": projection
            for m, projections in zip((1, 2), module(x1, x2), strict=True)
            for name, projection in zip(names, projections, strict=True)
        }


class UnimodalSup(_Unimodal):
    """Maximises NCE(X1; Y) + NCE(X2; Y), and no cross-modal term."""

    Settings = UnimodalSupSettings
    relative_cost = 1.4
    uses_label = True
    departures: ClassVar[Mapping[str, Any]] = {"label_input": "scalar", "contrast": "first"}
    _loss_terms = ("nce_x1y", "nce_x2y")

    def _critic(self, stack: Stack, shape: DataShape, nets: NetSpec) -> Critic:
        return label_critic(self.settings, self.settings.label_input, stack, shape, nets)

    def _bounds(self, parts: _UnimodalModule, batch: Batch) -> Iterator[list[Tensor]]:
        for critics, projections in zip(parts.critics(), parts(batch.x1, batch.x2), strict=True):
            yield [
                label_term(
                    critic,
                    projection,
                    batch.y,
                    n_classes=parts.n_classes,
                    label_input=self.settings.label_input,
                    contrast=self.settings.contrast,
                )
                for critic, projection in zip(critics, projections, strict=True)
            ]


class UnimodalSsl(_Unimodal):
    """Maximises NCE(X1; X1') + NCE(X2; X2'), and no cross-modal term."""

    Settings = UnimodalSettings
    relative_cost = 2.4
    n_views = 1
    departures: ClassVar[Mapping[str, Any]] = {"contrast": "first"}
    _loss_terms = ("nce_x1x1", "nce_x2x2")

    def _critic(self, stack: Stack, shape: DataShape, nets: NetSpec) -> Critic:
        dims = nets.head_dim, nets.head_dim
        return build_critic(self.settings, stack, nets, dims, one_space=True)

    def _bounds(self, parts: _UnimodalModule, batch: Batch) -> Iterator[list[Tensor]]:
        (view,) = batch.views
        views = parts(view.x1, view.x2)
        for critics, originals, copies in zip(
            parts.critics(), parts(batch.x1, batch.x2), views, strict=True
        ):
            yield [
                infonce_lower_bound_nats(critic(original, copy), contrast=self.settings.contrast)
                for critic, original, copy in zip(critics, originals, copies, strict=True)
            ]
