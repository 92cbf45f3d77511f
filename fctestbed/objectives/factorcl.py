"""FactorCL, supervised and self-supervised.

Owns the loss and the readouts. May import ``fctestbed.bounds``, ``fctestbed.nets`` and the
objectives' own modules.

The loss is that of appendix D.1, minimised:

    - NCE(X1; X2) + CLUB(X1; X2 | C) - NCE(X1; V1) - NCE(X2; V2) + CLUB(X1; X2) - NCE(X1; X2 | C)

with V1 = V2 = C = Y (supervised), or V_m = X_m' and C = (X1', X2') (self-supervised). Every term
has its own critic and its own head on each encoder. An inner loop trains the two CLUB critics by
InfoNCE.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.bounds import (
    conditional_infonce_lower_bound_nats,
    conditional_nce_club_estimate_nats,
    infonce_lower_bound_nats,
    nce_club_estimate_nats,
    own_negatives_infonce_lower_bound_nats,
    own_negatives_nce_club_estimate_nats,
)
from fctestbed.nets import Critic, Stack
from fctestbed.objectives.base import (
    CONDITIONAL_TERM,
    CROSS_MODAL_TERM,
    FACTORISED_READOUT,
    TERMS,
    UNIMODAL_TERM,
    Batch,
    DataShape,
    LossMarks,
    Method,
    NetSpec,
)
from fctestbed.objectives.critics import build_critic
from fctestbed.objectives.encoders import concatenate
from fctestbed.objectives.factorcl_networks import (
    CLUB_X1X2,
    CLUB_X1X2_COND,
    NCE_X1X2,
    NCE_X1X2_COND,
    SHARED_HEADS,
    UNIMODAL,
    UNIMODAL_CRITICS,
    UNIQUE_HEADS,
    FactorCLModule,
    ProjectedBatch,
)
from fctestbed.objectives.factorcl_settings import FactorCLSslSettings, FactorCLSupSettings
from fctestbed.objectives.unimodal import label_codes, label_critic, label_term


class _FactorCL(Method):
    """The common part of both forms; a form defines V_m and C."""

    has_inner_loop = True
    departures: ClassVar[Mapping[str, Any]] = {
        "conditioning": "batch",
        "club_diagonal": "kept",
        "contrast": "first",
        "inner_batch": "same",
    }

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Two encoders, ten heads, six critics."""
        # The order of construction determines the random numbers that each network starts from.
        first, second = (self._unimodal_critic(stack, shape, nets) for _ in range(2))
        return FactorCLModule(
            stack,
            shape,
            nets,
            settings=self.settings,
            condition_dims=self._condition_dims(shape, nets),
            unimodal_critics=(first, second),
        )

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """The six terms of the loss, in nats, signed and weighted as they are added."""
        projected = cast(FactorCLModule, module).project(batch)
        contrast = self.settings.contrast
        twice = 2.0 if self.settings.counting == "sum" else 1.0
        cross, club = projected.scores(NCE_X1X2), projected.scores(CLUB_X1X2)
        unimodal1, unimodal2 = (self._unimodal_bound(projected, m) for m in (1, 2))
        return {
            NCE_X1X2: -infonce_lower_bound_nats(cross, contrast=contrast),
            CLUB_X1X2_COND: self._conditional_club(projected),
            UNIMODAL_CRITICS[0]: -unimodal1,
            UNIMODAL_CRITICS[1]: -unimodal2,
            CLUB_X1X2: twice * nce_club_estimate_nats(club, keep_diagonal=self._keeps_diagonal),
            NCE_X1X2_COND: -twice * self._conditional_nce(NCE_X1X2_COND, projected),
        }

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """Every term is 0 for constant scores; an InfoNCE term is at most log(n) times its
        weight."""
        weights = {
            NCE_X1X2: 1.0,
            **dict.fromkeys(UNIMODAL_CRITICS, 1.0),
            NCE_X1X2_COND: 2.0 if self.settings.counting == "sum" else 1.0,
        }
        candidates = {NCE_X1X2_COND: 1 + self.n_negatives} if self.n_negatives else {}
        return {
            name: LossMarks(
                constant=0.0, limit=-weight * math.log(candidates.get(name, batch_size))
            )
            for name, weight in weights.items()
        }

    def inner_loss(self, module: nn.Module, batch: Batch) -> Float[Tensor, " stack"]:
        """-InfoNCE of the two CLUB critics, in nats; encoders and heads are constants here."""
        with torch.no_grad():
            heads = (CLUB_X1X2, CLUB_X1X2_COND)
            projected = cast(FactorCLModule, module).project(batch, heads)
        return -(
            infonce_lower_bound_nats(projected.scores(CLUB_X1X2), contrast=self.settings.contrast)
            + self._conditional_nce(CLUB_X1X2_COND, projected)
        )

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Z_S1, Z_S2, Z_U1, Z_U2 of appendix D.1 (concatenated heads)."""
        projections = module(x1, x2)
        return {
            f"z_{factor}{m}": concatenate([projections[m - 1][head] for head in heads])
            for factor, heads in (("s", SHARED_HEADS), ("u", UNIQUE_HEADS))
            for m in (1, 2)
        }

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The ten projections."""
        return {
            f"{head}.{m}": projection
            for m, projections in zip((1, 2), module(x1, x2), strict=True)
            for head, projection in projections.items()
        }

    @property
    def _keeps_diagonal(self) -> bool:
        return self.settings.club_diagonal == "kept"

    def _conditional_nce(self, head: str, projected: ProjectedBatch) -> Float[Tensor, " stack"]:
        """InfoNCE lower bound on I(X1; X2 | C), in nats, by the critic of a conditional head."""
        u, v = self._conditioned(head, projected)
        batch, contrast = projected.batch, self.settings.contrast
        if batch.x2_negatives is not None:
            return own_negatives_infonce_lower_bound_nats(*projected.scores_of_drawn(head, u, v))
        scores = projected.scores_in_groups(head, u, v)
        if batch.groups is None:
            return infonce_lower_bound_nats(scores, contrast=contrast)
        return conditional_infonce_lower_bound_nats(scores, batch.groups.same, contrast=contrast)

    def _conditional_club(self, projected: ProjectedBatch) -> Float[Tensor, " stack"]:
        """NCE-CLUB of I(X1; X2 | C), in nats."""
        head = CLUB_X1X2_COND
        u, v = self._conditioned(head, projected)
        batch, keep = projected.batch, self._keeps_diagonal
        if batch.x2_negatives is not None:
            return own_negatives_nce_club_estimate_nats(*projected.scores_of_drawn(head, u, v))
        scores = projected.scores_in_groups(head, u, v)
        if batch.groups is None:
            return nce_club_estimate_nats(scores, keep_diagonal=keep)
        return conditional_nce_club_estimate_nats(scores, batch.groups.same, keep_diagonal=keep)

    @abstractmethod
    def _unimodal_critic(self, stack: Stack, shape: DataShape, nets: NetSpec) -> Critic:
        """A critic of (projection of X_m, V_m)."""

    @abstractmethod
    def _condition_dims(self, shape: DataShape, nets: NetSpec) -> tuple[int, int]:
        """Widths of the conditions that ``_conditioned`` appends to the two projections."""

    @abstractmethod
    def _unimodal_bound(self, projected: ProjectedBatch, m: int) -> Float[Tensor, " stack"]:
        """InfoNCE lower bound on I(X_m; V_m), in nats, for m = 1 or 2."""

    @abstractmethod
    def _conditioned(self, head: str, projected: ProjectedBatch) -> tuple[Tensor, Tensor]:
        """The critic's two arguments in a conditional term: projections with the condition
        appended."""


class FactorCLSup(_FactorCL):
    """FactorCL with labels: V1 = V2 = C = Y.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 94-96; official code at 0f9f740 with its settings.
    """

    Settings = FactorCLSupSettings
    relative_cost = 4.0
    uses_label = True
    terms: ClassVar[tuple[str, ...]] = (
        CROSS_MODAL_TERM,
        UNIMODAL_TERM,
        CONDITIONAL_TERM,
        FACTORISED_READOUT,
    )
    departures: ClassVar[Mapping[str, Any]] = {
        **_FactorCL.departures,
        "condition_on": "first",
        "label_input": "scalar",
    }

    @property
    def conditions_on(self) -> str | None:
        """The label, unless negatives come from the whole batch."""
        return "label" if self.settings.conditioning == "within" else None

    def _unimodal_critic(self, stack: Stack, shape: DataShape, nets: NetSpec) -> Critic:
        return label_critic(self.settings, self.settings.label_input, stack, shape, nets)

    def _condition_dims(self, shape: DataShape, nets: NetSpec) -> tuple[int, int]:
        return shape.n_classes, shape.n_classes if self.settings.condition_on == "both" else 0

    def _unimodal_bound(self, projected: ProjectedBatch, m: int) -> Float[Tensor, " stack"]:
        return label_term(
            projected.module.critic(UNIMODAL_CRITICS[m - 1]),
            projected.originals[m - 1][UNIMODAL],
            projected.batch.y,
            n_classes=projected.module.n_classes,
            label_input=self.settings.label_input,
            contrast=self.settings.contrast,
        )

    def _conditioned(self, head: str, projected: ProjectedBatch) -> tuple[Tensor, Tensor]:
        u, v = projected.pair(head)
        n_classes = projected.module.n_classes
        codes = label_codes(n_classes, "onehot", u)
        labels = codes.gather(1, projected.batch.y.unsqueeze(2).expand(-1, -1, n_classes))
        u = concatenate((u, labels))
        return u, concatenate((v, labels)) if self.settings.condition_on == "both" else v


class FactorCLSsl(_FactorCL):
    """FactorCL with augmentations: V_m = X_m', C = (X1', X2').

    With ``conditioning = within``, negatives share all that the augmented copies reveal of the
    originals. If an augmentation reveals its original, every sample is alone in its condition, and
    the two conditional terms are then exactly 0, as I(X1; X2 | X1', X2') is.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 97-99; official code at 0f9f740 with its settings.
    """

    Settings = FactorCLSslSettings
    relative_cost = 5.5
    n_views = 1
    terms: ClassVar[tuple[str, ...]] = TERMS
    departures: ClassVar[Mapping[str, Any]] = {
        **_FactorCL.departures,
        "conditional_club_views": "repeated",
    }

    @property
    def conditions_on(self) -> str | None:
        """What the augmented copies reveal, unless negatives come from the whole batch."""
        return {"within": "views", "exact": "exact"}.get(self.settings.conditioning)

    @property
    def n_negatives(self) -> int:
        """Fresh draws for each anchor under exact conditioning."""
        return self.settings.n_negatives if self.settings.conditioning == "exact" else 0

    def _unimodal_critic(self, stack: Stack, shape: DataShape, nets: NetSpec) -> Critic:
        dims = nets.head_dim, nets.head_dim
        return build_critic(self.settings, stack, nets, dims, one_space=True)

    def _condition_dims(self, shape: DataShape, nets: NetSpec) -> tuple[int, int]:
        return nets.head_dim, nets.head_dim

    def _unimodal_bound(self, projected: ProjectedBatch, m: int) -> Float[Tensor, " stack"]:
        (views,) = projected.views
        scores = projected.module.critic(UNIMODAL_CRITICS[m - 1])(
            projected.originals[m - 1][UNIMODAL], views[m - 1][UNIMODAL]
        )
        return infonce_lower_bound_nats(scores, contrast=self.settings.contrast)

    def _conditioned(self, head: str, projected: ProjectedBatch) -> tuple[Tensor, Tensor]:
        originals, (views,) = projected.originals, projected.views
        repeated = head == CLUB_X1X2_COND and self.settings.conditional_club_views == "repeated"
        conditions = originals if repeated else views
        u, v = (concatenate((originals[m][head], conditions[m][head])) for m in range(2))
        return u, v
