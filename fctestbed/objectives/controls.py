"""The controls: raw inputs, an untrained encoder, and supervised training.

May import ``fctestbed.nets`` and the objectives' own modules.
"""

from collections.abc import Mapping
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fctestbed.nets import Stack, StackedLinear
from fctestbed.objectives.base import Batch, DataShape, Method, NetSpec
from fctestbed.objectives.encoders import Encoders, concatenate


class Raw(Method):
    """The inputs themselves."""

    trained = False
    uses_nets = False

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Nothing to build."""
        return nn.Identity()

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """``z1`` is x1, ``z2`` is x2."""
        return {"z1": x1, "z2": x2}


class Untrained(Method):
    """The encoders that every method has, never trained."""

    trained = False

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders at their initial values."""
        return Encoders(stack, shape, nets)

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Encoder outputs ``z1`` and ``z2``."""
        z1, z2 = module(x1, x2)
        return {"z1": z1, "z2": z2}


class _Classifier(nn.Module):
    def __init__(self, stack: Stack, shape: DataShape, nets: NetSpec) -> None:
        super().__init__()
        self.encoders = Encoders(stack, shape, nets)
        self.classifier = StackedLinear(stack, 2 * nets.embed_dim, shape.n_classes)


class Supervised(Untrained):
    """Cross-entropy of a linear classifier of the label on both encoders: training by the label
    alone."""

    trained = True
    uses_label = True

    def build(self, stack: Stack, shape: DataShape, nets: NetSpec) -> nn.Module:
        """Encoders and a linear classifier on their outputs."""
        return _Classifier(stack, shape, nets)

    def loss(self, module: nn.Module, batch: Batch) -> Mapping[str, Float[Tensor, " stack"]]:
        """``cross_entropy``, in nats."""
        parts = cast(_Classifier, module)
        logits = parts.classifier(concatenate(parts.encoders(batch.x1, batch.x2)))
        losses = cross_entropy(logits.transpose(1, 2), batch.y, reduction="none")
        return {"cross_entropy": losses.mean(1)}

    def readouts(self, module: nn.Module, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Encoder outputs ``z1`` and ``z2``."""
        return super().readouts(cast(_Classifier, module).encoders, x1, x2)
