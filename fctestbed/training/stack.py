"""Networks of a stack of trainings, with the record of how they were trained.

Owns the record. May import ``fctestbed.objectives`` and ``fctestbed.nets``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from fctestbed.nets import Stack
from fctestbed.objectives import Method, NetSpec
from fctestbed.training.batches import run_generators
from fctestbed.training.spec import TrainingSpec


@dataclass
class TrainedStack:
    """Trained encoders of a stack.

    Attributes:
        specs: the trainings, in the order of the stack axis.
        method: the method that they were trained with.
        module: parameters, on the device.
        diverged: for each training, the reason if it diverged, or None.
        logged_steps: steps at which losses were logged.
        losses_nats: each term's losses at those steps, [points][runs].
        warnings: one line for each thing that the training did without.
        seconds: wall time of the training in this process.
        continued_at: numbers of steps at which it went on from a checkpoint.
        earlier_seconds: wall time of the training before that.
    """

    specs: Sequence[TrainingSpec]
    method: Method
    module: nn.Module
    device: torch.device
    dtype: torch.dtype
    diverged: list[str | None]
    logged_steps: list[int] = field(default_factory=list)
    losses_nats: dict[str, list[list[float]]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    continued_at: list[int] = field(default_factory=list)
    earlier_seconds: float = 0.0

    def warn(self, line: str) -> None:
        """Add a warning, unless the training had it before it went on."""
        if line not in self.warnings:
            self.warnings.append(line)

    def read_as(self, method: Method) -> "TrainedStack":
        """The same training with the readouts of a method that shares it."""
        return replace(self, method=method)

    @torch.no_grad()
    def readouts(self, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The method's readouts of [stack, n, dim] inputs, in evaluation mode."""
        return self.method.readouts(self.module, x1, x2)

    @torch.no_grad()
    def heads(self, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Outputs of the method's heads."""
        return self.method.heads(self.module, x1, x2)


def initial_stack(
    specs: Sequence[TrainingSpec],
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    method: Method | None = None,
) -> TrainedStack:
    """The networks of trainings of one shape at their initial values."""
    method = specs[0].build_method() if method is None else method
    stack = Stack(generators=run_generators(specs, "initialisation"), dtype=dtype)
    module = method.build(stack, specs[0].data_shape, specs[0].nets or NetSpec()).to(device)
    return TrainedStack(
        specs=specs,
        method=method,
        module=module,
        device=device,
        dtype=dtype,
        diverged=[None] * len(specs),
    )
