"""What is kept of a training, trained stacks from what was kept, and parts of a stack.

Owns which part of a stack's parameters is one training's. May import ``fctestbed.objectives`` and
``fctestbed.results``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.objectives import Method, find_method
from fctestbed.results import KeptEncoder
from fctestbed.training.spec import TrainingSpec
from fctestbed.training.stack import TrainedStack, initial_stack

KeptArrays = Mapping[str, NDArray[Any]]
"""The kept parameters and buffers of one training, by name."""


def kept_arrays(trained: TrainedStack) -> list[dict[str, NDArray[Any]]]:
    """The kept parameters and buffers of each training of a stack, as networks of this training
    alone have them."""
    size, state = len(trained.specs), trained.module.state_dict()
    # Tells a tensor with a part for each run from a buffer that all of them share.
    alone = initial_stack(trained.specs[:1], device=torch.device("cpu"), dtype=trained.dtype)
    shapes = {name: tensor.shape for name, tensor in alone.module.state_dict().items()}
    names = _keeper(trained.method).kept_parameters(trained.module)
    return [
        {
            # A copy: several names may share memory, and a part must not keep the whole.
            name: _part(name, state[name], shapes[name], place, size).cpu().clone().numpy()
            for name in names
        }
        for place in range(size)
    ]


def kept_encoders(trained: TrainedStack) -> list[KeptEncoder]:
    """The content of the encoder file of each training of a stack."""
    return [
        KeptEncoder(
            key=spec.key,
            method=spec.method,
            training=spec.model_dump(mode="json"),
            arrays=arrays,
        )
        for spec, arrays in zip(trained.specs, kept_arrays(trained), strict=True)
    ]


def load_stack(
    specs: Sequence[TrainingSpec],
    kept: Sequence[KeptArrays | None],
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> TrainedStack:
    """A trained stack from what was kept of its trainings; its critics are at initial values.

    Args:
        specs: the trainings; their ``stack_key`` must be the same.
        kept: the kept arrays of each; None leaves a member at its initial values.
        device: where to put it.
        dtype: of parameters.

    Raises:
        ValueError: one line, for arrays of other names, shapes or types than the method's.
    """
    trained = initial_stack(specs, device=torch.device(device), dtype=dtype)
    names = _keeper(trained.method).kept_parameters(trained.module)
    state = trained.module.state_dict()
    for place, arrays in enumerate(kept):
        if arrays is None:
            continue
        differing = sorted(set(names) ^ set(arrays))
        if differing:
            whose = "without" if differing[0] in names else "with"
            raise ValueError(
                f"expected the parameters of {specs[place].method}, got some {whose} {differing[0]}"
            )
        for name, array in arrays.items():
            values = torch.from_numpy(array.copy())
            part = _part(name, state[name], values.shape, place, len(specs))
            if part.dtype != values.dtype:
                raise ValueError(f"{name}: expected {part.dtype}, got {values.dtype}")
            # The tensors of a state dictionary are the module's own.
            part.copy_(values)
    trained.module.requires_grad_(False)
    return trained


def stack_members(trained: TrainedStack, members: range) -> TrainedStack:
    """Some neighbours of a stack as a stack of their own, with copies of their parameters.

    Args:
        trained: the stack.
        members: their places in it, one after the other.
    """
    if members == range(len(trained.specs)):
        return trained
    chosen = slice(members.start, members.stop)
    own = initial_stack(trained.specs[chosen], device=trained.device, dtype=trained.dtype)
    state = trained.module.state_dict()
    for name, tensor in own.module.state_dict().items():
        whole = state[name]
        if whole.shape != tensor.shape:
            # Some tensors have several entries for each training.
            each = len(tensor) // len(members)
            whole = whole[each * members.start : each * members.stop]
        tensor.copy_(whole)
    own.module.requires_grad_(False)
    return replace(own, method=trained.method, diverged=trained.diverged[chosen])


def _keeper(method: Method) -> Method:
    """The method whose training it is: it says what is kept for all that share the training."""
    if method.trains_as is None:
        return method
    return find_method(method.trains_as)(method.settings)


def _part(name: str, tensor: Tensor, shape: Sequence[int], place: int, size: int) -> Tensor:
    """One training's part of a stack's tensor, of the shape that it has alone; all of it where the
    stack shares it."""
    own = tuple(shape)
    if tuple(tensor.shape) == own:
        return tensor
    if own and tuple(tensor.shape) == (size * own[0], *own[1:]):
        return tensor[place * own[0] : (place + 1) * own[0]]
    raise ValueError(
        f"{name}: expected shape {own}, or that of {size} runs, got {tuple(tensor.shape)}"
    )
