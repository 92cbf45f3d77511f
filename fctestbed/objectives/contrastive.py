"""SimCLR and SupCon with the two modalities as views.

May import ``fctestbed.nets`` and the objectives' own base.
"""

from collections.abc import Mapping
from typing import Annotated, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from fctestbed.bounds import nt_xent_nats
from fctestbed.nets import Stack
from fctestbed.objectives.base import Batch, DataShape, Method, MethodSettings, NetSpec
from fctestbed.objectives.encoders import Encoders, HeadBank, concatenate


class ContrastiveSettings(MethodSettings):
    """Temperature of the similarities; ``normalize`` false leaves features unnormalised, as the
    official code does."""

    temperature: Annotated[float, Field(gt=0)] = 0.1
    normalize: bool = True


class _ContrastiveModule(nn.Module):
    def __init__(self, stack: Stack, shape: DataShape, nets: NetSpec) -> None:
        super().__init__()
        self.encoders = Encoders(stack, shape, nets)
        self.head1 = HeadBank(stack, ("projection",), nets)
        self.head2 = HeadBank(stack, ("projection",), nets)

    def forward(self, x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
        z1, z2 = self.encoders(x1, x2)
        return self.head1(z1)["projection"], self.head2(z2)["projection"]


class SimCLR(Method):
    """NT-Xent between the modalities: maximises a bound on I(X1; X2) and never sees the label.

    Source:
        Chen et al. 2020; the FactorCL paper's "SimCLR" row, (X1; X2) alone.
    """

    Settings = ContrastiveSettings
    relative_cost = 1.8

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders with a projection head each."""
        return _ContrastiveModule(stack, shape, nets)

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """``nt_xent``, in nats."""
        views = module(batch.x1, batch.x2)
        if self.settings.normalize:
            views = tuple(torch.nn.functional.normalize(view, dim=-1) for view in views)
        labels = batch.y if self.uses_label else None
        loss = nt_xent_nats(
            views[0], views[1], temperature=self.settings.temperature, labels=labels
        )
        return {"supcon" if self.uses_label else "nt_xent": loss}

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Encoder outputs ``z1``, ``z2`` and both, ``joint``."""
        z1, z2 = cast(_ContrastiveModule, module).encoders(x1, x2)
        return {"z1": z1, "z2": z2, "joint": concatenate((z1, z2))}

    def heads(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The two projections."""
        projection1, projection2 = module(x1, x2)
        return {"projection1": projection1, "projection2": projection2}


class SupCon(SimCLR):
    """Supervised contrastive loss with both modalities as views: positives share the label.

    Source:
        Khosla et al. 2020, Eq. 2 (L_out).
    """

    uses_label = True
