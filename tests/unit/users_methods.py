"""A method and an encoder as a user of the package would write them, named by import path."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from fctestbed.nets import Stack
from fctestbed.objectives import Batch, DataShape, Encoders, Method, NetSpec


class TwoEncoders(nn.Module):
    def __init__(self, stack: Stack, shape: DataShape, nets: NetSpec) -> None:
        super().__init__()
        self.encoders = Encoders(stack, shape, nets)


class Mine(Method):
    """Pulls the codes of a sample together, and each code's variance to 1."""

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        return TwoEncoders(stack, shape, nets)

    def loss(self, module: Any, batch: Batch) -> Mapping[str, Tensor]:
        z1, z2 = module.encoders(batch.x1, batch.x2)
        spread = (1 - z1.var(1)).square().mean(1) + (1 - z2.var(1)).square().mean(1)
        return {"apart": (z1 - z2).square().mean((1, 2)), "spread": spread}

    def readouts(self, module: Any, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        z1, z2 = module.encoders(x1, x2)
        return {"z1": z1, "z2": z2}


class Line(nn.Module):
    """A linear encoder of one training, without a stack's axis."""

    def __init__(self, dim: int, embed_dim: int) -> None:
        super().__init__()
        self.layer = nn.Linear(dim, embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x)
        return out
