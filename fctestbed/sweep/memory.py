"""The memory that trainings need, and what is left of a device's.

Owns the estimate of a training's bytes and the size of stacks that it leads to. May import
``fctestbed.nets``, ``fctestbed.objectives``, ``fctestbed.training`` and torch.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import torch

from fctestbed.nets import Critic
from fctestbed.objectives import DataShape
from fctestbed.training import TrainingSpec, initial_stack

# The fields of a training that its networks depend on, besides the shape of its data.
_OF_NETWORKS = {"method", "settings", "nets"}
# Parameters, gradients, Adam's two moments, and the same once more in one array for the optimiser.
_COPIES = 7
# Values, their gradients, and what an operation needs beside them.
_PER_UNIT = 3
_PER_PAIR = 10
# Batches that are made ahead, and those that the captured step reads.
_BATCHES = 34
_FLOAT = 4
# What every stack needs, whatever its size: tiles of pairs, workspaces, readouts that are measured.
_SHARED_BYTES = 2 << 30
_USED_SHARE = 0.8
# Near sizes would change with every megabyte that other processes take, and with them the stacks of
# a sweep that goes on.
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
MOST_IN_A_STACK = _SIZES[-1]
"""Most trainings of a stack, however much memory there is: a stack's runs are stored together, so
that an interruption loses at most so many."""


@dataclass(frozen=True)
class _Networks:
    """Sizes of a training's networks.

    Attributes:
        n_parameters: numbers in all.
        n_units: outputs of all layers.
        n_critics: critics.
    """

    n_parameters: int
    n_units: int
    n_critics: int


@dataclass(frozen=True)
class _Shape:
    """A training, equal to others whose networks have the same sizes."""

    key: tuple[str, DataShape]
    training: TrainingSpec = field(compare=False)


@lru_cache(maxsize=256)
def _networks(shape: _Shape) -> _Networks:
    # Plans ask for every shape of a sweep, of which many differ in their optimisation alone.
    module = initial_stack([shape.training], device=torch.device("cpu")).module
    sizes = [parameter.shape for parameter in module.parameters()]
    return _Networks(
        n_parameters=sum(size.numel() for size in sizes),
        # A weight is [runs and parts, in, out].
        n_units=sum(size[0] * size[-1] for size in sizes if len(size) == 3),
        n_critics=sum(isinstance(part, Critic) for part in module.modules()),
    )


def training_bytes(training: TrainingSpec) -> int:
    """About the bytes that a training adds to those of its stack: an estimate from the sizes of its
    networks, batches and data, meant to be too large rather than too small."""
    networks = _networks(
        _Shape((training.model_dump_json(include=_OF_NETWORKS), training.data_shape), training)
    )
    shape, world, method = training.data_shape, training.world, training.build_method()
    row = shape.dim1 + shape.dim2 + sum(world.block_sizes) + 2
    batch = 0 if training.train is None else training.train.batch_size
    n_copies = 1 + method.n_views
    drawn = n_copies * row + method.n_negatives * shape.dim2
    floats = (
        _COPIES * networks.n_parameters
        + world.n_train * row
        + _BATCHES * batch * drawn
        + _PER_UNIT * batch * networks.n_units * (n_copies + method.n_negatives)
        + _PER_PAIR * batch**2 * networks.n_critics
    )
    return _FLOAT * floats


def free_bytes(device: str) -> int | None:
    """Bytes of a CUDA device that no process uses; None for another device."""
    if device.partition(":")[0] != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return free


def fitting_stack(training: TrainingSpec, free: int) -> int:
    """Most trainings of one shape that so many free bytes hold, by ``training_bytes``; at least 1.
    Where the estimate is too small, ``execute`` halves the stack."""
    fitting = int(_USED_SHARE * max(0, free - _SHARED_BYTES)) // training_bytes(training)
    return max((size for size in _SIZES if size <= fitting), default=1)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, a device's or the CPU's."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # torch has no type of its own for the CPU's.
    return isinstance(error, RuntimeError) and "allocate memory" in str(error)


def need_in_words(training: TrainingSpec, device: str) -> str:
    """What a training needs and what the device has, in one line."""
    train = training.train
    batches = "" if train is None else f" with batches of {train.batch_size}"
    free = free_bytes(device)
    left = "" if free is None else f", and {device} has {free:,} bytes free"
    return f"one training{batches} needs about {training_bytes(training):,} bytes{left}"


def release_memory(device: str) -> None:
    """Give back what torch keeps of a device's memory for later."""
    if device.partition(":")[0] == "cuda":
        torch.cuda.empty_cache()
