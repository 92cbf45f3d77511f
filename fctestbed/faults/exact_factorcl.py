"""Exact losses of FactorCL and of the two unimodal losses.

May import torch, ``fctestbed.objectives``, ``fctestbed.synthesis`` and this package.

NCE-CLUB is an upper bound only at the critic that is optimal for InfoNCE, the log density ratio;
there it is a Jeffreys divergence (``optimal_club_nats``), infinite wherever two heads exclude a
pair that their marginals allow. At any fixed critic whose scores the heads can lower without end it
is unbounded below. Its critics are therefore trained by the inner loss, as in the method.
"""

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from fctestbed.faults.exact import ExactLoss
from fctestbed.faults.population import (
    population_club_nats,
    population_conditional_club_nats,
    population_conditional_infonce_nats,
    population_infonce_nats,
)
from fctestbed.objectives import Method, concatenate, label_codes
from fctestbed.synthesis import AugmentationSpec

_UNIMODAL = "unimodal"
_NCE, _CLUB = "nce_x1x2", "club_x1x2"
_NCE_COND, _CLUB_COND = "nce_x1x2_cond", "club_x1x2_cond"

Projections = tuple[dict[str, Tensor], dict[str, Tensor]]


class ExactUnimodalSup(ExactLoss):
    """The two unimodal losses with the label."""

    def terms(self, module: nn.Module) -> Mapping[str, Tensor]:
        """As ``ExactLoss.terms``."""
        parts: Any = module
        found = {}
        for m, (critics, heads) in enumerate(
            zip(parts.critics(), parts(self.x1, self.x2), strict=True), 1
        ):
            bounds = [
                _label_bound(self, critic, head, m)
                for critic, head in zip(critics, heads, strict=True)
            ]
            found[f"nce_x{m}y"] = -torch.stack(bounds).mean(0)
        return found


class ExactUnimodalSsl(ExactLoss):
    """The two unimodal losses with augmented copies."""

    uses_copies = True

    def terms(self, module: nn.Module) -> Mapping[str, Tensor]:
        """As ``ExactLoss.terms``."""
        parts: Any = module
        joints = self.law.with_copy1, self.law.with_copy2
        found = {}
        for m, (critics, heads) in enumerate(
            zip(parts.critics(), parts(self.x1, self.x2), strict=True), 1
        ):
            bounds = [
                population_infonce_nats(
                    critic(head, head), joints[m - 1], contrast=self.settings.contrast
                )
                for critic, head in zip(critics, heads, strict=True)
            ]
            found[f"nce_x{m}x{m}"] = -torch.stack(bounds).mean(0)
        return found


class _ExactFactorCL(ExactLoss):
    """The common part of both forms."""

    def terms(self, module: nn.Module) -> Mapping[str, Tensor]:
        """As ``ExactLoss.terms``."""
        parts: Any = module
        heads: Projections = parts(self.x1, self.x2)
        joint, contrast = self.law.joint, self.settings.contrast
        twice = 2.0 if self.settings.counting == "sum" else 1.0
        cross, club = (parts.critic(name)(heads[0][name], heads[1][name]) for name in (_NCE, _CLUB))
        return {
            _NCE: -population_infonce_nats(cross, joint, contrast=contrast),
            _CLUB_COND: self._conditional(parts, heads, _CLUB_COND, club=True),
            **{f"{_UNIMODAL}{m}": -self._unimodal(parts, heads, m) for m in (1, 2)},
            _CLUB: twice * population_club_nats(club, joint),
            _NCE_COND: -twice * self._conditional(parts, heads, _NCE_COND, club=False),
        }

    def inner(self, module: nn.Module) -> Tensor:
        """As ``ExactLoss.inner``: -InfoNCE of the two CLUB critics, the heads as constants."""
        parts: Any = module
        with torch.no_grad():
            heads: Projections = parts(self.x1, self.x2, (_CLUB, _CLUB_COND))
        scores = parts.critic(_CLUB)(heads[0][_CLUB], heads[1][_CLUB])
        return -(
            population_infonce_nats(scores, self.law.joint, contrast=self.settings.contrast)
            + self._conditional(parts, heads, _CLUB_COND, club=False)
        )

    @abstractmethod
    def _unimodal(self, parts: Any, heads: Projections, m: int) -> Tensor:
        """InfoNCE of one modality with what its head is to hold, in nats."""

    @abstractmethod
    def _conditional(self, parts: Any, heads: Projections, head: str, *, club: bool) -> Tensor:
        """A conditional term, InfoNCE or NCE-CLUB, in nats."""

    def _functional(self, scores: Tensor, joint: Tensor, *, club: bool) -> Tensor:
        """A conditional term of scores [stack, groups or 1, rows, columns], or an unconditional
        one where the law has no groups."""
        if joint.ndim == 2:
            if club:
                return population_club_nats(scores, joint)
            return population_infonce_nats(scores, joint, contrast=self.settings.contrast)
        if club:
            return population_conditional_club_nats(scores, joint)
        return population_conditional_infonce_nats(scores, joint, contrast=self.settings.contrast)


class ExactFactorCLSup(_ExactFactorCL):
    """FactorCL with labels."""

    def _unimodal(self, parts: Any, heads: Projections, m: int) -> Tensor:
        return _label_bound(self, parts.critic(f"{_UNIMODAL}{m}"), heads[m - 1][_UNIMODAL], m)

    def _conditional(self, parts: Any, heads: Projections, head: str, *, club: bool) -> Tensor:
        u, v = heads[0][head], heads[1][head]
        n_1, n_2, n_classes = self.law.with_label.shape
        critic = parts.critic(head)
        codes = label_codes(n_classes, "onehot", u)
        both = self.settings.condition_on == "both"
        if self.settings.conditioning == "batch":
            rows = _each_with(u, codes)
            joint = self.law.with_label.permute(0, 2, 1).reshape(n_1 * n_classes, n_2)
            if not both:
                return self._functional(critic(rows, v), joint, club=club)
            same = torch.eye(n_classes, dtype=joint.dtype)
            joint = joint.view(n_1, n_classes, n_2, 1) * same.view(1, n_classes, 1, n_classes)
            scores = critic(rows, _each_with(v, codes))
            return self._functional(scores, joint.view(scores.shape[1:]), club=club)
        # Within a class both arguments carry the same label: classes are groups of pairs.
        rows = critic.rows(_in_each_class(u, codes))
        if both:
            columns = critic.columns(_in_each_class(v, codes))
        else:
            columns = critic.columns(v).repeat(1, n_classes, 1)
        scores = critic.pairs(
            rows.view(len(u) * n_classes, n_1, -1), columns.view(len(u) * n_classes, n_2, -1)
        )
        joint = self.law.with_label.permute(2, 0, 1)
        return self._functional(scores.view(len(u), *joint.shape), joint, club=club)


class ExactFactorCLSsl(_ExactFactorCL):
    """FactorCL with augmentations; exact conditioning has negatives of a finite number and is not
    available."""

    uses_copies = True

    @classmethod
    def check(cls, method: Method, augmentation: AugmentationSpec | None) -> None:
        """As ``ExactLoss.check``: what copies reveal of their originals is known of optimal ones
        alone."""
        super().check(method, augmentation)
        if method.conditions_on != "views" or augmentation is None:
            return
        if augmentation.kind != "optimal":
            raise ValueError(
                "augmentation: expected optimal for the exact loss of conditioning = within, got "
                f"{augmentation.kind}, whose copies do not reveal the label's bits (levels from 2 "
                "on serve)"
            )

    @classmethod
    def n_scores(cls, n_1: int, n_2: int) -> int:
        """As ``ExactLoss.n_scores``: of pairs of a pattern and its copy."""
        return (n_1 * n_2) ** 2

    def _unimodal(self, parts: Any, heads: Projections, m: int) -> Tensor:
        head = heads[m - 1][_UNIMODAL]
        joint = (self.law.with_copy1, self.law.with_copy2)[m - 1]
        scores = parts.critic(f"{_UNIMODAL}{m}")(head, head)
        return population_infonce_nats(scores, joint, contrast=self.settings.contrast)

    def _conditional(self, parts: Any, heads: Projections, head: str, *, club: bool) -> Tensor:
        u, v = heads[0][head], heads[1][head]
        critic = parts.critic(head)
        grouped = self.settings.conditioning == "within"
        repeated = head == _CLUB_COND and self.settings.conditional_club_views == "repeated"
        if repeated:
            scores = critic(concatenate((u, u)), concatenate((v, v)))
            joint = self._by_condition if grouped else self.law.joint
        else:
            scores = critic(_each_with(u, u), _each_with(v, v))
            joint = self._pairs_by_condition if grouped else self._pairs
        return self._functional(scores.unsqueeze(1) if grouped else scores, joint, club=club)

    @cached_property
    def _members(self) -> Tensor:
        """Which copies have each condition, [conditions, patterns1, patterns2]."""
        conditions = self.law.copy_conditions
        found = conditions.unique().view(-1, 1, 1)
        return (conditions == found).double()

    @cached_property
    def _by_condition(self) -> Tensor:
        """p(condition, x1, x2)."""
        return torch.einsum("abcd,gcd->gab", self.law.copies, self._members)

    @cached_property
    def _pairs(self) -> Tensor:
        """p((x1, x1'), (x2, x2'))."""
        n_1, n_2 = self.law.n_patterns
        return self.law.copies.permute(0, 2, 1, 3).reshape(n_1 * n_1, n_2 * n_2)

    @cached_property
    def _pairs_by_condition(self) -> Tensor:
        """p(condition, (x1, x1'), (x2, x2'))."""
        n_1, n_2 = self.law.n_patterns
        split = self.law.copies.permute(0, 2, 1, 3).unsqueeze(0)
        split = split * self._members[:, None, :, None, :]
        return split.reshape(-1, n_1 * n_1, n_2 * n_2)


def _label_bound(loss: ExactLoss, critic: Any, head: Tensor, m: int) -> Tensor:
    codes = label_codes(loss.law.spec.n_classes, loss.settings.label_input, head)
    joint = loss.law.with_label.sum(2 - m)
    return population_infonce_nats(critic(head, codes), joint, contrast=loss.settings.contrast)


def _in_each_class(rows: Tensor, codes: Tensor) -> Tensor:
    """Every row with the code of every class, [stack, classes * rows, widths]; classes vary
    slowest."""
    n, n_classes = rows.shape[1], codes.shape[1]
    return concatenate((rows.repeat(1, n_classes, 1), codes.repeat_interleave(n, 1)))


def _each_with(first: Tensor, second: Tensor) -> Tensor:
    """Every row of one array with every row of the other, [stack, rows1 * rows2, widths]; the
    first array's rows vary slowest."""
    n_1, n_2 = first.shape[1], second.shape[1]
    return concatenate((first.repeat_interleave(n_2, 1), second.repeat(1, n_1, 1)))
