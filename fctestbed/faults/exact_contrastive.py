"""Exact losses that are sums of NT-Xent: SimCLR, SupCon, Cross+Self, CoMM, FOCAL; and
cross-entropy.

May import torch, ``fctestbed.objectives`` and this package.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from fctestbed.faults.exact import ExactLoss
from fctestbed.faults.population import population_nt_xent_nats, population_self_nt_xent_nats
from fctestbed.objectives import concatenate


def _nt_xent(
    critic: Any, view1: Tensor, view2: Tensor, joint: Tensor, with_label: Tensor | None = None
) -> Tensor:
    if view1 is view2 and with_label is None:
        return population_self_nt_xent_nats(critic(view1, view1), joint)
    anchors = torch.cat((view1, view2), 1)
    return population_nt_xent_nats(critic(anchors, anchors), joint, with_label=with_label)


class ExactContrastive(ExactLoss):
    """SimCLR and SupCon."""

    def terms(self, module: nn.Module) -> Mapping[str, Tensor]:
        """As ``ExactLoss.terms``."""
        parts: Any = module
        h1, h2 = parts(self.x1, self.x2)
        label = self.law.with_label if self.method.uses_label else None
        return {self._term: _nt_xent(parts.critic, h1, h2, self.law.joint, label)}

    @property
    def _term(self) -> str:
        return "supcon" if self.method.uses_label else "nt_xent"

    def offsets_nats(self, batch_size: int) -> Mapping[str, float]:
        """As ``ExactLoss.offsets_nats``: log of the number of candidates."""
        return {self._term: math.log(2 * batch_size - 1)}


class ExactCrossSelf(ExactLoss):
    """Cross+Self, with shared or separate heads."""

    uses_copies = True

    def terms(self, module: nn.Module) -> Mapping[str, Tensor]:
        """As ``ExactLoss.terms``."""
        parts: Any = module
        law = self.law
        h1, h2 = parts(self.x1, self.x2)
        cross = h1["cross" if "cross" in h1 else "projection"]
        other = h2["cross" if "cross" in h2 else "projection"]
        own = "self" if "self" in h1 else "projection"
        # The views' pairs and the originals' pairs have different laws.
        joint = law.copies.sum((0, 1)) if self.settings.cross_view == "mutated" else law.joint
        return {
            "cross": _nt_xent(parts.cross, cross, other, joint),
            "self1": _nt_xent(parts.self1, h1[own], h1[own], law.with_copy1),
            "self2": _nt_xent(parts.self2, h2[own], h2[own], law.with_copy2),
        }

    def offsets_nats(self, batch_size: int) -> Mapping[str, float]:
        """As ``ExactLoss.offsets_nats``: log of the number of candidates."""
        return dict.fromkeys(("cross", "self1", "self2"), math.log(2 * batch_size - 1))


class ExactCoMM(ExactLoss):
    """CoMM: NT-Xent of fused codes of all pairs of patterns, and of each modality's patterns."""

    uses_copies = True

    @classmethod
    def n_scores(cls, n_1: int, n_2: int) -> int:
        """As ``ExactLoss.n_scores``: of all pairs of fused codes."""
        return (n_1 * n_2) ** 2

    def terms(self, module: nn.Module) -> Mapping[str, Tensor]:
        """As ``ExactLoss.terms``."""
        parts: Any = module
        z1, z2 = parts.encoders(self.x1, self.x2)
        n_1, n_2 = self.law.n_patterns
        fused = parts.head(parts.fusion(z1.repeat_interleave(n_2, 1), z2.repeat(1, n_1, 1)))
        single1, single2 = parts.head(parts.fusion(z1, None)), parts.head(parts.fusion(None, z2))
        augmented = self.settings.single_view == "augmented"
        held = self.law.two_copies if augmented else self.law.pair_with_copy
        by_pattern = held.view(n_1, n_2, -1)
        weight = 1.0 if self.settings.reduction == "sum" else 1 / 3
        return {
            "fused": weight * _nt_xent(parts.critic, fused, fused, self.law.two_copies),
            "single1": weight * _nt_xent(parts.critic, single1, fused, by_pattern.sum(1)),
            "single2": weight * _nt_xent(parts.critic, single2, fused, by_pattern.sum(0)),
        }

    def offsets_nats(self, batch_size: int) -> Mapping[str, float]:
        """As ``ExactLoss.offsets_nats``: log of the number of candidates, times the weight."""
        weight = 1.0 if self.settings.reduction == "sum" else 1 / 3
        names = ("fused", "single1", "single2")
        return dict.fromkeys(names, weight * math.log(2 * batch_size - 1))


class ExactFocal(ExactLoss):
    """FOCAL: NT-Xent of shared and of private halves, and the hinge on cosines."""

    uses_copies = True
    smooth = False

    def terms(self, module: nn.Module) -> Mapping[str, Tensor]:
        """As ``ExactLoss.terms``."""
        parts: Any = module
        halves = parts(self.x1, self.x2)
        n_1, n_2 = self.law.n_patterns
        pair = self.law.copies.sum((0, 1))
        two = self.law.two_copies.view(n_1, n_2, n_1, n_2)
        private = [
            _nt_xent(critic, halves[name], halves[name], joint)
            for critic, name, joint in (
                (parts.private1, "z_u1", two.sum((1, 3))),
                (parts.private2, "z_u2", two.sum((0, 2))),
            )
        ]
        unit = {name: normalize(half, dim=-1) for name, half in halves.items()}
        own = [
            ((unit[f"z_s{m}"] * unit[f"z_u{m}"]).sum(-1).clamp_min(0) * pair.sum(2 - m)).sum(-1)
            for m in (1, 2)
        ]
        across = ((unit["z_u1"] @ unit["z_u2"].transpose(1, 2)).clamp_min(0) * pair).sum((1, 2))
        settings = self.settings
        shared = _nt_xent(parts.shared, halves["z_s1"], halves["z_s2"], pair)
        # Both copies have the same law.
        return {
            "shared": settings.shared_weight * 2 * shared,
            "private": settings.private_weight * (private[0] + private[1]),
            "orthogonality": settings.orthogonality_weight * 2 * (own[0] + own[1] + across),
        }

    def offsets_nats(self, batch_size: int) -> Mapping[str, float]:
        """As ``ExactLoss.offsets_nats``: log of the number of candidates of two losses each."""
        two = 2 * math.log(2 * batch_size - 1)
        return {
            "shared": self.settings.shared_weight * two,
            "private": self.settings.private_weight * two,
        }


class ExactSupervised(ExactLoss):
    """Cross-entropy of the linear classifier."""

    def terms(self, module: nn.Module) -> Mapping[str, Tensor]:
        """As ``ExactLoss.terms``."""
        parts: Any = module
        z1, z2 = parts.encoders(self.x1, self.x2)
        n_1, n_2 = self.law.n_patterns
        pairs = concatenate((z1.repeat_interleave(n_2, 1), z2.repeat(1, n_1, 1)))
        logs = parts.classifier(pairs).log_softmax(-1)
        return {"cross_entropy": -(logs * self.law.with_label.flatten(0, 1)).sum((1, 2))}
