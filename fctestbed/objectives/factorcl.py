"""FactorCL, supervised and self-supervised: the paper's equations, and each departure of its code
as a setting.

May import ``fctestbed.nets`` and the objectives' own base.

The loss is that of appendix D.1, minimised:

    - NCE(X1; X2) + CLUB(X1; X2 | C) - NCE(X1; V1) - NCE(X2; V2) + CLUB(X1; X2) - NCE(X1; X2 | C)

with V1 = V2 = C = Y (supervised), or V_m = X_m' and C = (X1', X2') (self-supervised). Every term
has a head on each encoder and a critic of its own; the two CLUB critics learn in an inner loop, by
InfoNCE.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, cast

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from fctestbed.bounds import (
    Contrast,
    conditional_infonce_lower_bound_nats,
    conditional_nce_club_estimate_nats,
    infonce_lower_bound_nats,
    nce_club_estimate_nats,
    own_negatives_infonce_lower_bound_nats,
    own_negatives_nce_club_estimate_nats,
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
from fctestbed.objectives.unimodal import LabelInput, label_codes, label_critic, label_term

SHARED_TERMS = ("nce_x1x2", "club_x1x2_cond")
UNIQUE_TERMS = ("unimodal", "club_x1x2", "nce_x1x2_cond")


class FactorCLSettings(CriticSettings):
    """Where the paper's equations and the official code part; each default is the paper's.

    Attributes:
        counting: ``once``: six terms of weight 1 (D.1, and the official code); ``sum``: S + U1 +
            U2 of Eqs. 8 and 9, in which CLUB(X1; X2) and NCE(X1; X2 | C) count twice.
        club_diagonal: whether the CLUB mean over the product of margins leaves the true pairs out
            (``dropped``) or not (``kept``, the official code).
        contrast: which argument InfoNCE's negatives replace: ``second`` (Eq. 10) or ``first`` (the
            official code).
        inner_batch: the CLUB critics learn on a ``fresh`` batch (Algorithm 3) or on the ``same``
            one.
        inner_steps: steps of the CLUB critics for each step of the rest.
        inner_rate: learning rate of the CLUB critics over that of the rest. NCE-CLUB is unbounded
            below where its critic lags behind the heads that minimise it; critics that learn
            faster keep it near its meaning.
    """

    counting: Literal["once", "sum"] = "once"
    club_diagonal: Literal["dropped", "kept"] = "dropped"
    contrast: Contrast = "second"
    inner_batch: Literal["fresh", "same"] = "fresh"
    inner_steps: Annotated[int, Field(ge=1)] = 1
    inner_rate: Annotated[float, Field(gt=0)] = 1.0


class FactorCLSupSettings(FactorCLSettings):
    """Settings of FactorCL-SUP.

    Attributes:
        conditioning: ``within``: the negatives of conditional terms share the condition (Eqs.
            13-16); ``batch``: the whole batch, as in the official code, which then estimates
            another quantity.
        condition_on: critics of conditional terms see the label beside ``both`` projections (D.1)
            or beside the ``first`` alone (the official code).
        label_input: the label critics see a ``onehot`` row or the class's number, ``scalar`` (the
            official code).
    """

    conditioning: Literal["within", "batch"] = "within"
    condition_on: Literal["both", "first"] = "both"
    label_input: LabelInput = "onehot"


class FactorCLSslSettings(FactorCLSettings):
    """Settings of FactorCL-SSL.

    Attributes:
        conditioning: as in FactorCL-SUP; ``exact`` draws fresh negatives given the views, which
            only a world with known latents can do.
        conditional_club_views: the conditional CLUB critic sees the ``augmented`` projections
            beside the original ones (Eq. 8), or the original ones ``repeated`` (the official code).
        n_negatives: negatives of each anchor where ``conditioning`` is ``exact``.
    """

    conditioning: Literal["within", "batch", "exact"] = "within"
    conditional_club_views: Literal["augmented", "repeated"] = "augmented"
    n_negatives: Annotated[int, Field(ge=1)] = 7

    @model_validator(mode="after")
    def _exact_negatives_are_second_arguments(self) -> "FactorCLSslSettings":
        if self.conditioning != "exact":
            return self
        for name, expected in (("contrast", "second"), ("conditional_club_views", "augmented")):
            got = getattr(self, name)
            if got != expected:
                raise ValueError(
                    f"{name}: expected {expected} with conditioning exact, whose negatives are "
                    f"second arguments with views beside them, got {got}"
                )
        return self


class FactorCLModule(nn.Module):
    """Encoders, ten heads and six critics; the two CLUB critics are under ``inner``."""

    def __init__(
        self,
        stack: Stack,
        shape: DataShape,
        nets: NetSpec,
        *,
        settings: FactorCLSettings,
        condition_dims: tuple[int, int],
        unimodal_critics: tuple[Critic, Critic],
    ) -> None:
        super().__init__()
        self.n_classes = shape.n_classes
        self.encoders = Encoders(stack, shape, nets)
        terms = (*SHARED_TERMS, *UNIQUE_TERMS)
        self.heads1 = HeadBank(stack, terms, nets)
        self.heads2 = HeadBank(stack, terms, nets)

        def critic(extra_u: int = 0, extra_v: int = 0) -> Critic:
            dims = nets.head_dim + extra_u, nets.head_dim + extra_v
            return build_critic(settings, stack, nets, dims, one_space=not extra_u + extra_v)

        self.nce_x1x2 = critic()
        self.unimodal1, self.unimodal2 = unimodal_critics
        self.nce_x1x2_cond = critic(*condition_dims)
        self.inner = nn.ModuleDict(
            {"club_x1x2": critic(), "club_x1x2_cond": critic(*condition_dims)}
        )

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The projections of both modalities, by term."""
        z1, z2 = self.encoders(x1, x2)
        return self.heads1(z1), self.heads2(z2)

    def modality2(self, x2: Tensor) -> dict[str, Tensor]:
        """The projections of the second modality alone."""
        projections: dict[str, Tensor] = self.heads2(self.encoders.modality2(x2))
        return projections


Projections = tuple[dict[str, Tensor], dict[str, Tensor]]


def _critic(parts: FactorCLModule, term: str) -> Critic:
    return cast(Critic, parts.inner[term] if term in parts.inner else parts.get_submodule(term))


class _FactorCL(Method):
    has_inner_loop = True
    departures: ClassVar[Mapping[str, Any]] = {
        "conditioning": "batch",
        "club_diagonal": "kept",
        "contrast": "first",
        "inner_batch": "same",
    }

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """The six terms of the loss, in nats, signed and weighted as they are added."""
        parts = cast(FactorCLModule, module)
        settings = self.settings
        h1, h2 = originals = parts(batch.x1, batch.x2)
        views = self._views(parts, batch)
        twice = 2.0 if settings.counting == "sum" else 1.0
        keep = settings.club_diagonal == "kept"
        cross = parts.nce_x1x2(h1["nce_x1x2"], h2["nce_x1x2"])
        club = parts.inner["club_x1x2"](h1["club_x1x2"], h2["club_x1x2"])
        unimodal1, unimodal2 = self._unimodal(parts, originals, views, batch)
        return {
            "nce_x1x2": -infonce_lower_bound_nats(cross, contrast=settings.contrast),
            "club_x1x2_cond": self._conditional_club(parts, originals, views, batch),
            "unimodal1": -unimodal1,
            "unimodal2": -unimodal2,
            "club_x1x2": twice * nce_club_estimate_nats(club, keep_diagonal=keep),
            "nce_x1x2_cond": -twice
            * self._conditional_nce("nce_x1x2_cond", parts, originals, views, batch),
        }

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """Every term is 0 for constant scores; an InfoNCE term is at most log(n) times its
        weight."""
        weights = {
            "nce_x1x2": 1.0,
            "unimodal1": 1.0,
            "unimodal2": 1.0,
            "nce_x1x2_cond": 2.0 if self.settings.counting == "sum" else 1.0,
        }
        negatives = {"nce_x1x2_cond": 1 + self.n_negatives} if self.n_negatives else {}
        return {
            name: LossMarks(constant=0.0, limit=-weight * math.log(negatives.get(name, batch_size)))
            for name, weight in weights.items()
        }

    def inner_loss(self, module: nn.Module, batch: Batch) -> Float[Tensor, " stack"]:
        """-InfoNCE of the two CLUB critics, in nats; encoders and heads are constants here."""
        parts = cast(FactorCLModule, module)
        with torch.no_grad():
            originals = parts(batch.x1, batch.x2)
            views = self._views(parts, batch)
        club = parts.inner["club_x1x2"](originals[0]["club_x1x2"], originals[1]["club_x1x2"])
        return -(
            infonce_lower_bound_nats(club, contrast=self.settings.contrast)
            + self._conditional_nce("club_x1x2_cond", parts, originals, views, batch)
        )

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Z_S1, Z_S2, Z_U1, Z_U2 of appendix D.1 (concatenated heads)."""
        projections = module(x1, x2)
        return {
            f"z_{factor}{m}": concatenate([projections[m - 1][term] for term in terms])
            for factor, terms in (("s", SHARED_TERMS), ("u", UNIQUE_TERMS))
            for m in (1, 2)
        }

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The ten projections."""
        projections = module(x1, x2)
        return {
            f"{term}.{m}": projection
            for m, heads in zip((1, 2), projections, strict=True)
            for term, projection in heads.items()
        }

    def _conditional_scores(
        self,
        parts: FactorCLModule,
        term: str,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
    ) -> Tensor:
        """Scores of all pairs [stack, n, n]; where pairs are dear, of those that share a group."""
        critic = _critic(parts, term)
        u, v = self._with_condition(term, originals, views, batch, parts.n_classes)
        rows, columns = critic.rows(u), critic.columns(v)
        groups = batch.groups
        if groups is None or not critic.dear_pairs:
            return critic.pairs(rows, columns)
        return critic.pairs(groups.gather(rows), groups.gather(columns), groups.spread)

    def _own_scores(
        self,
        parts: FactorCLModule,
        term: str,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
    ) -> tuple[Tensor, Tensor]:
        """Scores of the positives [stack, n] and of each anchor's own negatives [stack, n, k]."""
        assert batch.x2_negatives is not None
        stack, n, k, dim = batch.x2_negatives.shape
        critic = _critic(parts, term)
        u, v = self._with_condition(term, originals, views, batch, parts.n_classes)
        # The inner loss holds encoders and heads: what they gave it has no gradient.
        with torch.set_grad_enabled(originals[1][term].requires_grad):
            drawn = parts.modality2(batch.x2_negatives.view(stack, n * k, dim))[term]
        drawn = drawn.view(stack, n, k, -1)
        # Beside a fresh draw stands what stands beside its anchor's own second argument.
        beside = v[..., drawn.shape[-1] :].unsqueeze(2).expand(-1, -1, k, -1)
        negatives = concatenate((drawn, beside))
        columns = critic.columns(
            torch.cat([v.unsqueeze(2), negatives], 2).view(stack, n * (1 + k), -1)
        )
        scores = critic.matched(critic.rows(u), columns.view(stack, n, 1 + k, -1))
        return scores[..., 0], scores[..., 1:]

    def _conditional_nce(
        self,
        term: str,
        parts: FactorCLModule,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
    ) -> Float[Tensor, " stack"]:
        if batch.x2_negatives is not None:
            return own_negatives_infonce_lower_bound_nats(
                *self._own_scores(parts, term, originals, views, batch)
            )
        scores = self._conditional_scores(parts, term, originals, views, batch)
        contrast = self.settings.contrast
        if batch.groups is None:
            return infonce_lower_bound_nats(scores, contrast=contrast)
        return conditional_infonce_lower_bound_nats(scores, batch.groups.same, contrast=contrast)

    def _conditional_club(
        self,
        parts: FactorCLModule,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
    ) -> Float[Tensor, " stack"]:
        term = "club_x1x2_cond"
        if batch.x2_negatives is not None:
            return own_negatives_nce_club_estimate_nats(
                *self._own_scores(parts, term, originals, views, batch)
            )
        scores = self._conditional_scores(parts, term, originals, views, batch)
        keep = self.settings.club_diagonal == "kept"
        if batch.groups is None:
            return nce_club_estimate_nats(scores, keep_diagonal=keep)
        return conditional_nce_club_estimate_nats(scores, batch.groups.same, keep_diagonal=keep)

    @abstractmethod
    def _views(self, parts: FactorCLModule, batch: Batch) -> Projections | None:
        """Projections of the augmented copies, where the method has any."""

    @abstractmethod
    def _unimodal(
        self,
        parts: FactorCLModule,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
    ) -> tuple[Tensor, Tensor]:
        """Lower bounds on I(X1; V1) and I(X2; V2), in nats."""

    @abstractmethod
    def _with_condition(
        self,
        term: str,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
        n_classes: int,
    ) -> tuple[Tensor, Tensor]:
        """The critic's two arguments in a conditional term, with the condition beside them."""


class FactorCLSup(_FactorCL):
    """FactorCL with labels: V1 = V2 = C = Y.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 94-96; official code at 0f9f740 with its settings.
    """

    Settings = FactorCLSupSettings
    relative_cost = 4.0
    uses_label = True
    terms: ClassVar[tuple[str, ...]] = ("(X1;X2)", "(Xi;Xi')", "(X1;X2|Y)", "Fact")
    departures: ClassVar[Mapping[str, Any]] = {
        **_FactorCL.departures,
        "condition_on": "first",
        "label_input": "scalar",
    }

    @property
    def conditions_on(self) -> str | None:
        """The label, unless negatives come from the whole batch."""
        return "label" if self.settings.conditioning == "within" else None

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Two encoders, ten heads, six critics."""
        both = self.settings.condition_on == "both"
        critics = [
            label_critic(self.settings, self.settings.label_input, stack, shape, nets)
            for _ in range(2)
        ]
        return FactorCLModule(
            stack,
            shape,
            nets,
            settings=self.settings,
            condition_dims=(shape.n_classes, shape.n_classes if both else 0),
            unimodal_critics=(critics[0], critics[1]),
        )

    def _views(self, parts: FactorCLModule, batch: Batch) -> Projections | None:
        return None

    def _unimodal(
        self,
        parts: FactorCLModule,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
    ) -> tuple[Tensor, Tensor]:
        bounds = [
            label_term(
                critic,
                heads["unimodal"],
                batch.y,
                n_classes=parts.n_classes,
                label_input=self.settings.label_input,
                contrast=self.settings.contrast,
            )
            for critic, heads in zip((parts.unimodal1, parts.unimodal2), originals, strict=True)
        ]
        return bounds[0], bounds[1]

    def _with_condition(
        self,
        term: str,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
        n_classes: int,
    ) -> tuple[Tensor, Tensor]:
        u, v = originals[0][term], originals[1][term]
        codes = label_codes(n_classes, "onehot", u)
        labels = codes.gather(1, batch.y.unsqueeze(2).expand(-1, -1, n_classes))
        u = concatenate((u, labels))
        return u, concatenate((v, labels)) if self.settings.condition_on == "both" else v


class FactorCLSsl(_FactorCL):
    """FactorCL with augmentations: V_m = X_m', C = (X1', X2').

    With ``conditioning = within``, negatives share all that the augmented copies say about the
    originals. An augmentation that gives its original away leaves every sample alone in its
    condition, and the two conditional terms are then exactly 0, as I(X1; X2 | X1', X2') is.

    Source:
        FactorCL (arXiv 2306.05268) Eqs. 97-99; official code at 0f9f740 with its settings.
    """

    Settings = FactorCLSslSettings
    relative_cost = 5.5
    n_views = 1
    terms: ClassVar[tuple[str, ...]] = ("(X1;X2)", "(Xi;Xi')", "(X1;X2|Y)", "(X2'')", "Fact")
    departures: ClassVar[Mapping[str, Any]] = {
        **_FactorCL.departures,
        "conditional_club_views": "repeated",
    }

    @property
    def conditions_on(self) -> str | None:
        """What the augmented copies say, unless negatives come from the whole batch."""
        return {"within": "views", "exact": "exact"}.get(self.settings.conditioning)

    @property
    def n_negatives(self) -> int:
        """Fresh draws for each anchor under exact conditioning."""
        return self.settings.n_negatives if self.settings.conditioning == "exact" else 0

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Two encoders, ten heads, six critics."""
        dims = nets.head_dim, nets.head_dim
        critics = [build_critic(self.settings, stack, nets, dims, one_space=True) for _ in range(2)]
        return FactorCLModule(
            stack,
            shape,
            nets,
            settings=self.settings,
            condition_dims=(nets.head_dim, nets.head_dim),
            unimodal_critics=(critics[0], critics[1]),
        )

    def _views(self, parts: FactorCLModule, batch: Batch) -> Projections | None:
        views: Projections = parts(batch.views[0].x1, batch.views[0].x2)
        return views

    def _unimodal(
        self,
        parts: FactorCLModule,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
    ) -> tuple[Tensor, Tensor]:
        assert views is not None
        bounds = [
            infonce_lower_bound_nats(
                critic(original["unimodal"], view["unimodal"]), contrast=self.settings.contrast
            )
            for critic, original, view in zip(
                (parts.unimodal1, parts.unimodal2), originals, views, strict=True
            )
        ]
        return bounds[0], bounds[1]

    def _with_condition(
        self,
        term: str,
        originals: Projections,
        views: Projections | None,
        batch: Batch,
        n_classes: int,
    ) -> tuple[Tensor, Tensor]:
        assert views is not None
        repeated = term == "club_x1x2_cond" and self.settings.conditional_club_views == "repeated"
        beside = originals if repeated else views
        u, v = (concatenate((originals[m][term], beside[m][term])) for m in range(2))
        return u, v
