"""The exact loss of DisentangledSSL.

May import torch, ``fctestbed.bounds``, ``fctestbed.objectives`` and this package.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from fctestbed.bounds import vmf_mean_length
from fctestbed.faults.exact import ExactLoss
from fctestbed.faults.population import population_infonce_nats
from fctestbed.objectives import concatenate


class ExactDisentangled(ExactLoss):
    """Both steps; the orthogonality is a norm of a sum over the batch, so that it is the batch size
    times the norm of the expectation."""

    uses_copies = True
    smooth = False

    @classmethod
    def n_scores(cls, n_1: int, n_2: int) -> int:
        """As ``ExactLoss.n_scores``: of all pairs of specific codes."""
        return (n_1 * n_2) ** 2

    def terms(self, module: nn.Module) -> Mapping[str, Tensor]:
        """As ``ExactLoss.terms``."""
        parts: Any = module
        settings, law = self.settings, self.law
        mu1, mu2 = parts.directions(self.x1, self.x2)
        codes = parts(self.x1, self.x2)
        length = vmf_mean_length(mu1.shape[-1], settings.kappa)
        n_1, n_2 = law.n_patterns
        pair = law.copies.sum((0, 1))
        cosines = (mu1 @ mu2.transpose(1, 2) * law.joint).sum((1, 2))
        specific = []
        for m, critic in ((1, parts.critic1), (2, parts.critic2)):
            own, other = codes[f"z_u{m}"], codes[f"z_s{3 - m}"]
            if m == 1:
                both = own.repeat_interleave(n_2, 1), other.repeat(1, n_1, 1)
            else:
                both = own.repeat(1, n_1, 1), other.repeat_interleave(n_2, 1)
            u = normalize(concatenate(both), dim=-1)
            specific.append(-_symmetric(critic(u, u), law.two_copies))
        overlaps = [
            self._overlap(codes[f"z_u{m}"], codes[f"z_s{m}"], pair.sum(2 - m)) for m in (1, 2)
        ]
        return {
            "cross": -_symmetric(parts.cross(length * mu1, length * mu2), law.joint),
            "divergence": settings.beta * settings.kappa * length * (1 - cosines),
            "specific1": specific[0],
            "specific2": specific[1],
            # The mean over two copies of the same law.
            "orthogonality": settings.orthogonality_weight * (overlaps[0] + overlaps[1]),
        }

    def _overlap(self, a: Tensor, b: Tensor, shares: Tensor) -> Tensor:
        weighted = normalize(a, dim=-1) * shares.unsqueeze(1)
        mean = weighted.transpose(1, 2) @ normalize(b, dim=-1)
        return self.batch_size * torch.linalg.vector_norm(mean.flatten(1), dim=1)


def _symmetric(scores: Tensor, joint: Tensor) -> Tensor:
    bounds = [population_infonce_nats(scores, joint, contrast=way) for way in ("second", "first")]
    return torch.stack(bounds).mean(0)
