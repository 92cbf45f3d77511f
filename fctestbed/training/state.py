"""The whole state of a stack in training: what a training that goes on from it needs.

Owns which arrays and values these are; ``fctestbed.training.checkpoints`` puts them into files. May
import torch and numpy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.training.batches import DrawnBatches
from fctestbed.training.stack import TrainedStack
from fctestbed.training.step import TrainingStep

_LOSSES = "losses."


class Visitor(Protocol):
    """What looks at a stack in training and keeps what it saw."""

    def state(self) -> object:
        """What it has kept, JSON-able."""
        ...

    def go_on(self, state: Any) -> None:
        """Go on from what ``state`` returned.

        Raises:
            ValueError: for anything else; nothing is changed.
        """
        ...


@dataclass(frozen=True)
class StackInTraining:
    """What a training changes from step to step.

    Attributes:
        trained: parameters, logged losses, which members diverged, warnings.
        step: the optimisers' moments, and which members are alive.
        batches: the random generators.
        visitor: what looks at the stack meanwhile; None if nothing does.
    """

    trained: TrainedStack
    step: TrainingStep
    batches: DrawnBatches
    visitor: Visitor | None = None

    def arrays(self, done: int) -> dict[str, NDArray[Any]]:
        """Copies, on the CPU, of all arrays after so many steps, by name."""
        found = {name: _array(tensor) for name, tensor in self._tensors(done).items()}
        losses = self.trained.losses_nats.items()
        return {**found, **{f"{_LOSSES}{name}": np.array(values) for name, values in losses}}

    def values(self, seconds: float) -> dict[str, Any]:
        """What is no array, JSON-able.

        Args:
            seconds: wall time of the training so far.
        """
        trained = self.trained
        return {
            "seconds": seconds,
            "diverged": trained.diverged,
            "logged_steps": trained.logged_steps,
            # In the order of the terms, which names of arrays lose.
            "losses": list(trained.losses_nats),
            "warnings": trained.warnings,
            "continued_at": trained.continued_at,
            "visitor": None if self.visitor is None else self.visitor.state(),
        }

    @torch.no_grad()
    def go_on(
        self, done: int, arrays: Mapping[str, NDArray[Any]], values: Mapping[str, Any]
    ) -> None:
        """Go on from the state after so many steps; a training that has just begun has the same
        arrays but for losses.

        Args:
            done: number of steps.
            arrays: what ``arrays`` returned.
            values: what ``values`` returned.

        Raises:
            ValueError: one line, for arrays of other names, shapes or types, or other values;
                nothing is changed.
        """
        trained = self.trained
        n_points, size = len(values["logged_steps"]), len(trained.specs)
        losses = {name: arrays.get(f"{_LOSSES}{name}") for name in values["losses"]}
        for name, points in losses.items():
            if points is None or points.shape != (n_points, size):
                raise ValueError(f"expected losses {name} of {n_points} points and {size} runs")
        own = self._tensors(0)
        found = {name: array for name, array in arrays.items() if not name.startswith(_LOSSES)}
        differing = sorted(own.keys() ^ found.keys())
        if differing:
            raise ValueError(f"expected the state of this training, got another: {differing[0]}")
        for name, tensor in own.items():
            expected = _array(tensor)
            if (expected.shape, expected.dtype) != (found[name].shape, found[name].dtype):
                raise ValueError(
                    f"{name}: expected {expected.dtype} {list(expected.shape)}, got "
                    f"{found[name].dtype} {list(found[name].shape)}"
                )
        if len(values["diverged"]) != size:
            raise ValueError(f"expected {size} runs, got {len(values['diverged'])}")
        if self.visitor is not None:
            self.visitor.go_on(values["visitor"])
        tensors = {name: torch.from_numpy(array.copy()) for name, array in found.items()}
        for name, tensor in self._module_tensors().items():
            tensor.copy_(tensors[name])
        self.step.go_on(_of("step", tensors))
        self.batches.go_on(done * self.step.n_batches, _of("generators", tensors))
        trained.diverged[:] = values["diverged"]
        trained.logged_steps[:] = values["logged_steps"]
        trained.losses_nats.update(
            {name: points.tolist() for name, points in losses.items() if points is not None}
        )
        trained.warnings[:] = values["warnings"]
        trained.continued_at[:] = [*values["continued_at"], done]
        trained.earlier_seconds = values["seconds"]

    def _tensors(self, done: int) -> dict[str, Tensor]:
        """All tensors after so many steps, but for losses."""
        generators = self.batches.state(done * self.step.n_batches)
        return {
            **self._module_tensors(),
            **{f"step.{name}": tensor for name, tensor in self.step.state().items()},
            **{f"generators.{name}": tensor for name, tensor in generators.items()},
        }

    def _module_tensors(self) -> dict[str, Tensor]:
        """Parameters and buffers; those that several names share have one of these."""
        module = self.trained.module
        named = {**dict(module.named_parameters()), **dict(module.named_buffers())}
        return {f"module.{name}": tensor for name, tensor in named.items()}


def _of(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix and a dot, without it."""
    start = f"{prefix}."
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }


def _array(tensor: Tensor) -> NDArray[Any]:
    # A copy: on a CPU numpy would share the memory that the next steps change.
    return tensor.detach().cpu().clone().numpy()
