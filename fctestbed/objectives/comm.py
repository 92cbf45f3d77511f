"""CoMM: one fused code of both modalities, aligned over two augmented views and with the codes of
each modality alone.

May import ``fctestbed.nets`` and the objectives' own modules.
"""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.bounds import comm_terms_nats
from fctestbed.nets import Critic, FusionKind, MlpFusion, Stack, StackedMLP, TransformerFusion
from fctestbed.objectives.base import (
    JOINT,
    Batch,
    DataShape,
    LossMarks,
    Method,
    NetSpec,
    Views,
)
from fctestbed.objectives.contrastive import ContrastiveSettings
from fctestbed.objectives.critics import build_critic, nt_xent_of_critic_nats
from fctestbed.objectives.encoders import Encoders

LOSS_TERMS = ("fused", "single1", "single2")


class CoMMSettings(ContrastiveSettings):
    """Settings of CoMM.

    Attributes:
        fusion: ``mlp`` is an MLP on both encoder outputs, with zeros for an absent modality;
            ``transformer`` (the paper's) is one layer over a class token and the tokens of the
            modalities that are present.
        single_view: a single modality's code comes from the ``original`` (the paper), or from its
            ``augmented`` copies, each compared with the other view's fused code (the official
            code).
        reduction: the loss is the terms' ``sum`` (the paper) or their ``mean`` (the official code).
    """

    fusion: FusionKind = "mlp"
    single_view: Literal["original", "augmented"] = "original"
    reduction: Literal["sum", "mean"] = "sum"


class _CoMMModule(nn.Module):
    """Encoders, a fusion, one head on its code, and one critic: all embeddings are in one space."""

    def __init__(
        self, stack: Stack, shape: DataShape, nets: NetSpec, settings: CoMMSettings
    ) -> None:
        super().__init__()
        width = 2 * nets.embed_dim
        self.encoders = Encoders(stack, shape, nets)
        self.fusion = (
            MlpFusion(stack, nets.embed_dim, nets.head_hidden, width)
            if settings.fusion == "mlp"
            else TransformerFusion(stack, nets.embed_dim, width)
        )
        self.head = StackedMLP(stack, (width, *nets.head_hidden, nets.head_dim))
        dims = nets.head_dim, nets.head_dim
        self.critic: Critic = build_critic(settings, stack, nets, dims, one_space=True)

    def codes(self, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The codes of each modality alone, ``z1`` and ``z2``, and of both, ``joint``."""
        z1, z2 = self.encoders(x1, x2)
        return {
            "z1": self.fusion(z1, None),
            "z2": self.fusion(None, z2),
            JOINT: self.fusion(z1, z2),
        }


class CoMM(Method):
    """L(Z', Z'') + sum_i 1/2 [L(Z_i, Z') + L(Z_i, Z'')], L being NT-Xent.

    Z' and Z'' are fused codes of two augmented copies of both modalities, Z_i the code of modality
    i alone. The loss is computed on a head's outputs; all codes share the head. The code is as wide
    as two encoder outputs.

    Source:
        Dufumier, Castillo-Navarro et al., CoMM (ICLR 2025, arXiv 2409.07402), section 3.
    """

    Settings = CoMMSettings
    n_views = 2
    relative_cost = 6.0
    fused = frozenset({JOINT})
    departures: ClassVar[Mapping[str, Any]] = {"single_view": "augmented", "reduction": "mean"}

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders, fusion, head and critic."""
        return _CoMMModule(stack, shape, nets, self.settings)

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """``fused``, ``single1`` and ``single2``, in nats."""
        parts = cast(_CoMMModule, module)
        first, second = batch.views
        augmented = self.settings.single_view == "augmented"
        n = batch.x1.shape[1]
        sources: list[Views | Batch] = [first, second]
        if not augmented:
            sources.append(batch)
        z1, z2 = parts.encoders(
            torch.cat([source.x1 for source in sources], 1),
            torch.cat([source.x2 for source in sources], 1),
        )
        alone = slice(0, 2 * n) if augmented else slice(2 * n, 3 * n)
        # One pass of the head over all codes.
        embeddings = parts.head(
            torch.cat(
                [
                    parts.fusion(z1[:, : 2 * n], z2[:, : 2 * n]),
                    parts.fusion(z1[:, alone], None),
                    parts.fusion(None, z2[:, alone]),
                ],
                1,
            )
        ).split(n, 1)
        if augmented:
            one1, two1, one2, two2 = embeddings[2:]
            singles = [(two1, one1), (two2, one2)]
        else:
            singles = [(single, single) for single in embeddings[2:]]
        terms = comm_terms_nats(
            (embeddings[0], embeddings[1]),
            singles,
            pair_loss=partial(nt_xent_of_critic_nats, parts.critic),
        )
        return dict(zip(LOSS_TERMS, (self._weight * term for term in terms), strict=True))

    @property
    def _weight(self) -> float:
        return 1.0 if self.settings.reduction == "sum" else 1 / len(LOSS_TERMS)

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """Equal features give log(2n - 1), times the term's weight."""
        mark = LossMarks(constant=self._weight * math.log(2 * batch_size - 1))
        return dict.fromkeys(LOSS_TERMS, mark)

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The codes of each modality alone, ``z1`` and ``z2``, and the fused code, ``joint``."""
        return cast(_CoMMModule, module).codes(x1, x2)

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The head's outputs on the three codes."""
        parts = cast(_CoMMModule, module)
        fused, single1, single2 = LOSS_TERMS
        names = {"z1": single1, "z2": single2, JOINT: fused}
        return {names[key]: parts.head(code) for key, code in parts.codes(x1, x2).items()}
