"""A method's own networks at the best known code: trained to reproduce level 1's optimum.

Owns the regression, and the adaptation of what the code does not determine. May import torch,
``fctestbed.training`` and this package.

An encoder reproduces the optimum's table: the readouts are regressed on its vectors, at length 1
where the loss scores cosines. Critics and classifiers start from the optimum's. With heads behind a
readout they are then trained by the method's loss in exact expectation, while the readouts' own
parameters stay as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fctestbed.faults.losses import exact_loss, law_of_loss
from fctestbed.faults.optimum import Optimum
from fctestbed.faults.reached import all_inputs
from fctestbed.faults.reading import joint_pieces
from fctestbed.synthesis import Dataset
from fctestbed.training import StackedAdam, TrainedStack, TrainingSpec, initial_stack

_REGRESSION_STEPS = 1500
_ADAPTATION_STEPS = 500
_RATE = 3e-3


@dataclass(frozen=True, kw_only=True)
class Distilled:
    """Networks of trainings in one world, at the code of its optimum.

    Attributes:
        stack: the networks, float64.
        error: for each training the root mean squared error of its codes, as a share of the root
            mean square of the optimum's.
    """

    stack: TrainedStack
    error: tuple[float, ...]


def distilled(
    trainings: Sequence[TrainingSpec], datasets: Sequence[Dataset], optimum: Optimum
) -> Distilled:
    """Networks that reproduce an optimum's code.

    Args:
        trainings: in one world, with different seeds.
        datasets: of each training.
        optimum: of the world.
    """
    stack = initial_stack(trainings, device=torch.device("cpu"), dtype=torch.float64)
    x1, x2 = (x.double() for x in all_inputs(datasets))
    code = optimum.codes[0]
    targets = dict(zip(code.modalities, code.pieces, strict=True))

    def errors() -> Tensor:
        pieces = joint_pieces(
            stack.method, stack.module, trainings[0].world, (x1, x2), as_scored=False
        )
        parts = [
            (array - targets[key][name]).square().mean((1, 2)) / targets[key][name].square().mean()
            for key, part in pieces.items()
            for name, array in part.items()
        ]
        return torch.stack(parts).mean(0)

    read, others = _divided(stack.module, errors)
    adam = StackedAdam(read, len(trainings), _RATE)
    for step in range(_REGRESSION_STEPS):
        adam.step(errors(), _RATE * (1 - step / _REGRESSION_STEPS))
    if others:
        for part in read:
            part.requires_grad_(False)
        _set_networks(stack, others, optimum)
        _adapt(stack, trainings[0], others, (x1, x2))
    stack.module.requires_grad_(False)
    return Distilled(stack=stack, error=tuple(errors().sqrt().tolist()))


def join_states(trained: TrainedStack, parts: Sequence[TrainedStack]) -> None:
    """Set a stack's parameters to those of smaller stacks, one after the other."""
    states = [part.module.state_dict() for part in parts]
    with torch.no_grad():
        for name, tensor in trained.module.state_dict().items():
            own = [state[name] for state in states]
            # What all runs share is the same in each part.
            joined = own[0] if own[0].shape == tensor.shape else torch.cat(own)
            tensor.copy_(joined)


def _divided(
    module: nn.Module, errors: Callable[[], Tensor]
) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The parameters that the readouts depend on, and the others."""
    parameters = list(module.parameters())
    gradients = torch.autograd.grad(errors().sum(), parameters, allow_unused=True)
    pairs = list(zip(parameters, gradients, strict=True))
    read = [part for part, gradient in pairs if gradient is not None]
    return read, [part for part, gradient in pairs if gradient is None]


@torch.no_grad()
def _set_networks(stack: TrainedStack, others: Sequence[nn.Parameter], optimum: Optimum) -> None:
    """Give critics and classifiers the optimum's parameters: those of a code that is nearly the
    optimum's are nearly its own, and drawn ones would take long to get there."""
    replaced = {id(part) for part in others}
    for name, part in stack.module.named_parameters():
        own = optimum.networks.get(name)
        if id(part) in replaced and own is not None:
            part.copy_(own.expand(len(stack.specs), -1).reshape(part.shape))


def _adapt(
    stack: TrainedStack,
    training: TrainingSpec,
    others: Sequence[nn.Parameter],
    inputs: tuple[Tensor, Tensor],
) -> None:
    """Train some parameters by the loss in exact expectation, critics of an inner loop by its."""
    method, module, size = stack.method, stack.module, len(stack.specs)
    batch_size = 1 if training.train is None else training.train.batch_size
    exact = exact_loss(
        training.method, method, law_of_loss(training), *inputs, batch_size=batch_size
    )
    inner = list(module.get_submodule("inner").parameters()) if method.has_inner_loop else []
    own = {id(part) for part in inner}
    outer = [part for part in others if id(part) not in own]
    adams = [StackedAdam(part, size, _RATE) if part else None for part in (outer, inner)]
    for step in range(_ADAPTATION_STEPS):
        rate = _RATE * (1 - step / _ADAPTATION_STEPS)
        for part in inner:
            part.requires_grad_(False)
        if adams[0] is not None:
            adams[0].step(exact.total(module), rate)
        for part in inner:
            part.requires_grad_(True)
        if adams[1] is not None:
            for _ in range(method.settings.inner_steps):
                adams[1].step(exact.inner(module), rate)
