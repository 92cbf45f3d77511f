"""FactorCL's networks, and a batch's projections and scores.

Owns the names of the heads and critics. May import ``fctestbed.nets`` and the objectives' own
modules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets import Critic, Stack
from fctestbed.objectives.base import Batch, CriticSettings, DataShape, NetSpec
from fctestbed.objectives.critics import build_critic
from fctestbed.objectives.encoders import Encoders, HeadBank, concatenate

NCE_X1X2 = "nce_x1x2"
CLUB_X1X2_COND = "club_x1x2_cond"
UNIMODAL = "unimodal"
CLUB_X1X2 = "club_x1x2"
NCE_X1X2_COND = "nce_x1x2_cond"

SHARED_HEADS = (NCE_X1X2, CLUB_X1X2_COND)
"""Heads whose projections are the shared factors Z_S1 and Z_S2."""
UNIQUE_HEADS = (UNIMODAL, CLUB_X1X2, NCE_X1X2_COND)
"""Heads whose projections are the unique factors Z_U1 and Z_U2."""
HEADS = (*SHARED_HEADS, *UNIQUE_HEADS)
UNIMODAL_CRITICS = (f"{UNIMODAL}1", f"{UNIMODAL}2")
"""The critics of the two unimodal terms of the loss, and the terms' own names."""

Projections = tuple[dict[str, Tensor], dict[str, Tensor]]
"""The projections of modality 1 and of modality 2, by head."""


@dataclass(frozen=True, kw_only=True)
class ProjectedBatch:
    """A batch with all its projections.

    Attributes:
        module: the networks of the projections.
        batch: the batch.
        originals: the projections of its two modalities, by the heads that were asked for.
        views: those of each augmented copy.
    """

    module: "FactorCLModule"
    batch: Batch
    originals: Projections
    views: tuple[Projections, ...]

    def pair(self, head: str) -> tuple[Tensor, Tensor]:
        """One head's projections of the two modalities."""
        first, second = self.originals
        return first[head], second[head]

    def scores(self, head: str) -> Float[Tensor, "stack n n"]:
        """Scores of all pairs of one head's projections, by the critic of the same name."""
        scores: Tensor = self.module.critic(head)(*self.pair(head))
        return scores

    def scores_in_groups(
        self, head: str, u: Float[Tensor, "stack n dim_u"], v: Float[Tensor, "stack n dim_v"]
    ) -> Float[Tensor, "stack n n"]:
        """Scores of all pairs of a conditional critic's arguments. If pairs are expensive, only
        those that share a condition are scored, and the rest mean nothing."""
        critic, groups = self.module.critic(head), self.batch.groups
        rows, columns = critic.features(u, v)
        if groups is None or not critic.expensive_pairs:
            return critic.pairs(rows, columns)
        return critic.pairs_within(rows, columns, groups)

    def scores_of_drawn(
        self, head: str, u: Float[Tensor, "stack n dim_u"], v: Float[Tensor, "stack n dim_v"]
    ) -> tuple[Float[Tensor, "stack n"], Float[Tensor, "stack n k"]]:
        """Scores by a conditional critic of the positives, and of each anchor with the k negatives
        drawn for it."""
        assert self.batch.x2_negatives is not None
        stack, n, k, dim = self.batch.x2_negatives.shape
        critic = self.module.critic(head)
        # In the inner loss, encoders and heads are constants for the negatives too.
        with torch.set_grad_enabled(self.originals[1][head].requires_grad):
            negatives = self.batch.x2_negatives.view(stack, n * k, dim)
            drawn = self.module.modality2(negatives, (head,))[head]
        drawn = drawn.view(stack, n, k, -1)
        # Each negative is paired with the same condition as its anchor's positive.
        condition = v[..., drawn.shape[-1] :].unsqueeze(2).expand(-1, -1, k, -1)
        candidates = torch.cat([v.unsqueeze(2), concatenate((drawn, condition))], 2)
        columns = critic.columns(candidates.view(stack, n * (1 + k), -1))
        scores = critic.matched(critic.rows(u), columns.view(stack, n, 1 + k, -1))
        return scores[..., 0], scores[..., 1:]


class FactorCLModule(nn.Module):
    """Encoders, five heads on each, and six critics; the two CLUB critics are under ``inner``.

    Args:
        stack: the runs.
        shape: of the data.
        nets: widths of the networks.
        settings: these select the critics.
        condition_dims: widths of the conditions that the conditional critics' two arguments carry.
        unimodal_critics: the critics of the two unimodal terms.
    """

    def __init__(
        self,
        stack: Stack,
        shape: DataShape,
        nets: NetSpec,
        *,
        settings: CriticSettings,
        condition_dims: tuple[int, int],
        unimodal_critics: tuple[Critic, Critic],
    ) -> None:
        super().__init__()
        self.n_classes = shape.n_classes
        self.encoders = Encoders(stack, shape, nets)
        self.heads1 = HeadBank(stack, HEADS, nets)
        self.heads2 = HeadBank(stack, HEADS, nets)

        def critic(extra_u: int = 0, extra_v: int = 0) -> Critic:
            dims = nets.head_dim + extra_u, nets.head_dim + extra_v
            return build_critic(settings, stack, nets, dims, one_space=not extra_u + extra_v)

        self.nce_x1x2 = critic()
        self.unimodal1, self.unimodal2 = unimodal_critics
        self.nce_x1x2_cond = critic(*condition_dims)
        self.inner = nn.ModuleDict({CLUB_X1X2: critic(), CLUB_X1X2_COND: critic(*condition_dims)})

    def forward(self, x1: Tensor, x2: Tensor, heads: Sequence[str] = HEADS) -> Projections:
        """The projections of both modalities by the named heads."""
        z1, z2 = self.encoders(x1, x2)
        return self.heads1(z1, heads), self.heads2(z2, heads)

    def modality2(self, x2: Tensor, heads: Sequence[str]) -> dict[str, Tensor]:
        """The projections of modality 2 by the named heads."""
        projections: dict[str, Tensor] = self.heads2(self.encoders.modality2(x2), heads)
        return projections

    def project(self, batch: Batch, heads: Sequence[str] = HEADS) -> ProjectedBatch:
        """A batch with the projections of its modalities, and of their augmented copies, by the
        named heads."""
        originals: Projections = self(batch.x1, batch.x2, heads)
        views: tuple[Projections, ...] = tuple(
            self(view.x1, view.x2, heads) for view in batch.views
        )
        return ProjectedBatch(module=self, batch=batch, originals=originals, views=views)

    def critic(self, name: str) -> Critic:
        """The critic of a head, or of a unimodal term."""
        own = self.inner[name] if name in self.inner else self.get_submodule(name)
        return cast(Critic, own)
