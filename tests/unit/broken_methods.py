"""Small methods that each break one clause of a method's contract, and a good one."""

from typing import Any, ClassVar, cast

import torch
from pydantic import ConfigDict
from torch import Tensor, nn

from fctestbed.nets import Stack, StackedLinear
from fctestbed.objectives import Method, MethodSettings, NetSpec


class Parts(nn.Module):
    """A linear encoder for each modality, and a classifier on both."""

    def __init__(self, stack, shape):
        super().__init__()
        self.n_classes = shape.n_classes
        self.first = StackedLinear(stack, shape.dim1, 16)
        self.second = StackedLinear(stack, shape.dim2, 16)


class Good(Method):
    """Pulls the two modalities' codes of a sample together."""

    def build(self, stack: Stack, shape: Any, nets: NetSpec) -> nn.Module:
        return Parts(stack, shape)

    def loss(self, module, batch):
        z1, z2 = module.first(batch.x1), module.second(batch.x2)
        return {"apart": (z1 - z2).square().mean((1, 2))}

    def readouts(self, module, x1, x2):
        z1, z2 = module.first(x1), module.second(x2)
        return {"z1": z1, "z2": z2}


class KeepsTooLittle(Good):
    def kept_parameters(self, module):
        return tuple(name for name in super().kept_parameters(module) if "first" in name)


class ReturnsTheJointItself(Good):
    """A good one too: what it returns is what would be composed."""

    def readouts(self, module, x1, x2):
        z1, z2 = module.first(x1), module.second(x2)
        return {"z1": z1, "z2": z2, "joint": torch.cat((z1, z2), 2)}


class FusesUnsaid(Good):
    def readouts(self, module, x1, x2):
        z1, z2 = module.first(x1), module.second(x2)
        return {"z1": z1, "z2": z2, "joint": z1 + z2}


class SaysAnUnknownFused(Good):
    fused = frozenset({"code"})


class JoinsAFusedReadout(Good):
    def readouts(self, module, x1, x2):
        z1, z2 = module.first(x1), module.second(x2)
        return {"z1": z1, "z2": z2, "code": z1 + z2}

    def joint_parts(self, readouts):
        return ("z1", "code")


class NoJoint(Good):
    def readouts(self, module, x1, x2):
        return {"z1": module.first(x1)}


class _WidthSettings(MethodSettings):
    width: int = 1


class JointIfWide(Good):
    Settings = _WidthSettings

    def readouts(self, module, x1, x2):
        found = super().readouts(module, x1, x2)
        return found if self.settings.width else {"z1": found["z1"]}


class FlatHead(Good):
    def heads(self, module, x1, x2):
        return {"first": module.first(x1).mean(2)}


class OneLossForAll(Good):
    def loss(self, module, batch):
        return {"apart": super().loss(module, batch)["apart"].mean()}


class InfiniteLoss(Good):
    def loss(self, module, batch):
        return {"apart": super().loss(module, batch)["apart"] / 0}


class NoTerms(Good):
    def loss(self, module, batch):
        return super().loss(module, batch)["apart"]


class _ThawedSettings(MethodSettings):
    model_config = ConfigDict(frozen=False)


class Thawed(Good):
    Settings = _ThawedSettings


class _LaxSettings(MethodSettings):
    model_config = ConfigDict(extra="ignore")


class Lax(Good):
    Settings = _LaxSettings


class _NeedySettings(MethodSettings):
    width: int


class Needy(Good):
    Settings = _NeedySettings

    def __init__(self, settings=None):
        super().__init__(settings or _NeedySettings(width=1))


class ReadsTheLabel(Good):
    """Though it says that it does not."""

    def loss(self, module, batch):
        return {"apart": super().loss(module, batch)["apart"] * (1 + batch.y[:, 0])}


class SharesNoTraining(Good):
    trains_as = "simclr"


class UnknownDeparture(Good):
    departures: ClassVar = {"temperature": 0.07}


class UnknownMark(Good):
    def loss_marks(self, batch_size):
        return {"together": None}


class ReadsTheWidths(Good):
    uses_nets = False

    def build(self, stack, shape, nets):
        module = Parts(stack, shape)
        module.second = StackedLinear(stack, shape.dim2, nets.head_dim)
        module.first = StackedLinear(stack, shape.dim1, nets.head_dim)
        return module


class HasAnUnsaidInnerLoop(Good):
    def build(self, stack, shape, nets):
        module = Parts(stack, shape)
        module.inner = StackedLinear(stack, 1, 1)
        return module


class GlobalNoise(Good):
    """One random factor for all, from torch's global generator."""

    def loss(self, module, batch):
        return {"apart": super().loss(module, batch)["apart"] * torch.rand(())}


class ChangesItsInputs(Good):
    def loss(self, module, batch):
        batch.x1.mul_(0.5)
        return super().loss(module, batch)


class Unreached(Good):
    """With a map that no loss reads."""

    def build(self, stack, shape, nets):
        module = Parts(stack, shape)
        module.unread = StackedLinear(stack, 4, 4)
        return module


class _InnerSettings(MethodSettings):
    inner_steps: int = 1
    inner_rate: float = 1.0
    inner_batch: str = "same"


class WithInnerLoop(Good):
    """A good one with an inner loop: a map from one code to the other."""

    Settings = _InnerSettings
    has_inner_loop = True

    def build(self, stack, shape, nets):
        module = Parts(stack, shape)
        module.inner = StackedLinear(stack, 16, 16)
        return module

    def inner_loss(self, module, batch):
        z1, z2 = module.first(batch.x1).detach(), module.second(batch.x2).detach()
        return (module.inner(z1) - z2).square().mean((1, 2))


class InnerLossReachesTheOuter(WithInnerLoop):
    def inner_loss(self, module, batch):
        z1, z2 = module.first(batch.x1), module.second(batch.x2).detach()
        return (module.inner(z1) - z2).square().mean((1, 2))


class MixesItsMembers(Good):
    """In what is read of them, not in their training."""

    def readouts(self, module, x1, x2):
        found = super().readouts(module, x1, x2)
        return {name: values + values.roll(1, 0) for name, values in found.items()}


class DividesByClassSizes(Good):
    """Means over the samples of each class: of none, where a class is empty."""

    uses_label = True

    def loss(self, module, batch):
        z1, z2 = module.first(batch.x1), module.second(batch.x2)
        members = nn.functional.one_hot(batch.y, cast(Parts, module).n_classes).to(z1.dtype)
        sizes = members.sum(1).unsqueeze(2)
        centres1, centres2 = (members.transpose(1, 2) @ z / sizes for z in (z1, z2))
        return {"apart": (centres1 - centres2).square().mean((1, 2))}


class Standardised(Good):
    """Readouts with the batch's mean taken off."""

    def readouts(self, module, x1, x2):
        found = super().readouts(module, x1, x2)
        return {name: z - z.mean(1, keepdim=True) for name, z in found.items()}


class ReadsTheOther(Good):
    def readouts(self, module, x1, x2):
        found = super().readouts(module, x1, x2)
        return {**found, "z_s1": found["z1"] + found["z2"]}


class OneGeneratorForAll(Good):
    """Every run starts from the first one's numbers, whoever that is."""

    def build(self, stack, shape, nets):
        first = stack.generators[0]
        own = Stack(generators=(first,), dtype=stack.dtype)
        module = Parts(own, shape)
        for layer in (module.first, module.second):
            for name, value in list(layer.named_parameters()):
                rows: Tensor = value.detach().repeat(stack.size, 1, 1)
                setattr(layer, name, nn.Parameter(rows))
        return module


def _hidden() -> type[Method]:
    class Hidden(Good):
        pass

    return Hidden


Nameless = _hidden()
"""Found by this name, but pickled by another that does not lead to it."""
