"""DisentangledSSL: a shared code on the sphere, then a specific code of each modality.

May import ``fctestbed.bounds``, ``fctestbed.nets`` and the objectives' own modules.
"""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize

from fctestbed.bounds import infonce_lower_bound_nats, vmf_divergence_nats, vmf_mean_length
from fctestbed.nets import Critic, CriticKind, Stack
from fctestbed.objectives.base import (
    CROSS_MODAL_TERM,
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
from fctestbed.objectives.encoders import Encoders, build_encoder, concatenate

_CROSS = "cross"
_SPECIFIC = ("specific1", "specific2")


class DisentangledSettings(CriticSettings):
    """Settings of DisentangledSSL.

    Attributes:
        critic: cosine similarities by default.
        temperature: the released code's 0.07.
        kappa: concentration of the shared codes' posteriors.
        beta: weight of their divergence in nats. The released code weights minus the cosine of the
            directions; its beta is this one times kappa A_d(kappa), so that the default corresponds
            to 0.1, the default of its second step.
        orthogonality_weight: the paper's lambda.
    """

    critic: CriticKind = "cosine"
    temperature: Annotated[float, Field(gt=0)] = 0.07
    kappa: Annotated[float, Field(gt=0, le=1e6)] = 1000.0
    beta: Annotated[float, Field(ge=0)] = 1e-4
    orthogonality_weight: Annotated[float, Field(ge=0)] = 1.0
    # The length of the critics' arguments is part of the method: inner products, not cosines.
    normalize: ClassVar[bool] = False


class _DisentangledModule(nn.Module):
    """Step 1: shared encoders and a critic. Step 2: specific encoders and two critics."""

    def __init__(
        self, stack: Stack, shape: DataShape, nets: NetSpec, settings: DisentangledSettings
    ) -> None:
        super().__init__()
        self.shared = Encoders(stack, shape, nets)
        self.specific1, self.specific2 = (
            build_encoder(stack, nets, dim, nets.embed_dim, maker=maker)
            for dim, maker in shape.modalities
        )

        def critic(width: int) -> Critic:
            return build_critic(settings, stack, nets, (width, width), one_space=True)

        self.cross = critic(nets.embed_dim)
        self.critic1, self.critic2 = critic(2 * nets.embed_dim), critic(2 * nets.embed_dim)

    def directions(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        """Mean directions of the shared codes' posteriors."""
        c1, c2 = self.shared(x1, x2)
        return normalize(c1, dim=-1), normalize(c2, dim=-1)

    def forward(self, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """All codes by readout; the shared codes are detached, as constants of step 2."""
        c1, c2 = (direction.detach() for direction in self.directions(x1, x2))
        return {
            "z_s1": c1,
            "z_s2": c2,
            "z_u1": self.specific1(concatenate((x1, c1))),
            "z_u2": self.specific2(concatenate((x2, c2))),
        }


def _symmetric_infonce_nats(critic: Critic, u: Tensor, v: Tensor) -> Float[Tensor, " stack"]:
    scores = critic(u, v)
    bounds = [infonce_lower_bound_nats(scores, contrast=way) for way in ("second", "first")]
    return torch.stack(bounds).mean(0)


def _overlap(a: Tensor, b: Tensor) -> Float[Tensor, " stack"]:
    """Frobenius norm of A^T B, rows of both of length 1."""
    product = normalize(a, dim=-1).transpose(1, 2) @ normalize(b, dim=-1)
    return torch.linalg.vector_norm(product.flatten(1), dim=1)


class DisentangledSSL(Method):
    """Step 1: shared codes, max I(Z_c; X2) - beta I(Z_c; X1 | X2). Step 2: specific codes, max
    I(Z_s, X2; X1) - lambda I(Z_s; Z_c).

    Step 1 is symmetric InfoNCE between the modalities' codes plus beta times the divergence of
    their von Mises-Fisher posteriors. Step 2 is, for each modality, symmetric InfoNCE between two
    augmented copies of [Z_s, Z_c of the other modality], scaled to length 1, plus lambda times
    ||Z_s^T Z_c||, the mean over the copies. The encoder of Z_s takes its modality and its own Z_c.

    Both steps are trained together; the paper trains one after the other. Step 2 has separate
    encoders and critics and treats shared codes as constants, and Adam scales each parameter
    separately, so the shared codes are exactly those of step 1 alone. Two things differ from the
    paper: step 2 starts on shared codes that still change, and both steps have the same number of
    updates.

    InfoNCE scores the posteriors' means, E[Z_c] = A_d(kappa) mu, instead of samples: the inner
    product of the means is the expected inner product of samples. As log-sum-exp is convex, the
    loss is at most the expected loss of samples; at kappa = 1000 and d = 8 they differ little, as
    A_d is 0.9965. The shared code is mu everywhere; the released code measures and appends it
    before normalisation.

    Source:
        Wang et al., DisentangledSSL (ICLR 2025, arXiv 2410.23996); its code at 74c2994,
        synthetic_task.
    """

    Settings = DisentangledSettings
    n_views = 2
    relative_cost = 4.1
    terms = (CROSS_MODAL_TERM, UNIMODAL_TERM, FACTORISED_READOUT)

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Two encoders of shared codes, two of specific ones, three critics."""
        return _DisentangledModule(stack, shape, nets, self.settings)

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """Step 1: ``cross`` and ``divergence``, in nats; step 2: ``specific1``, ``specific2``, in
        nats, and ``orthogonality``."""
        parts = cast(_DisentangledModule, module)
        settings = self.settings
        mu1, mu2 = parts.directions(batch.x1, batch.x2)
        length = vmf_mean_length(mu1.shape[-1], settings.kappa)
        first, second = (parts(view.x1, view.x2) for view in batch.views)

        def specific(critic: Critic, own: str, other: str) -> Float[Tensor, " stack"]:
            u, v = (
                normalize(concatenate((codes[own], codes[other])), dim=-1)
                for codes in (first, second)
            )
            return -_symmetric_infonce_nats(critic, u, v)

        overlaps = [
            _overlap(codes[f"z_u{m}"], codes[f"z_s{m}"]) for codes in (first, second) for m in "12"
        ]
        divergence = vmf_divergence_nats(mu1, mu2, kappa=settings.kappa)
        return {
            _CROSS: -_symmetric_infonce_nats(parts.cross, length * mu1, length * mu2),
            "divergence": settings.beta * divergence,
            _SPECIFIC[0]: specific(parts.critic1, "z_u1", "z_s2"),
            _SPECIFIC[1]: specific(parts.critic2, "z_u2", "z_s1"),
            "orthogonality": settings.orthogonality_weight * 0.5 * torch.stack(overlaps).sum(0),
        }

    def loss_marks(self, batch_size: int) -> Mapping[str, LossMarks]:
        """InfoNCE is 0 for constant scores and at most log(n)."""
        mark = LossMarks(constant=0.0, limit=-math.log(batch_size))
        return dict.fromkeys((_CROSS, *_SPECIFIC), mark)

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Shared codes ``z_s1``, ``z_s2`` and specific ones ``z_u1``, ``z_u2``."""
        codes: dict[str, Tensor] = module(x1, x2)
        return codes

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The four codes."""
        names = {"z_s1": "shared1", "z_s2": "shared2", "z_u1": "specific1", "z_u2": "specific2"}
        return {names[key]: code for key, code in module(x1, x2).items()}
