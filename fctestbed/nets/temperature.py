"""A temperature that is trained, one for each run of a stack, as in CLIP.

May import torch and the stack.
"""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fctestbed.nets.stack import Stack

LEAST_TEMPERATURE = 0.01
"""The lowest temperature that is learned: similarities are multiplied by at most 100."""


class _AtMost(torch.autograd.Function):
    """min(x, limit), with the gradient of x where it is below the limit, or where a step against
    the gradient would lower it: a parameter that went beyond can come back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, limit: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.limit = limit
        return x.clamp_max(limit)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        (gradient,) = gradients
        passes = (x <= ctx.limit) | (gradient > 0)
        return gradient * passes, None


class LearnedTemperature(nn.Module):
    """1 / temperature of every run, at most 100; the parameter is its logarithm.

    Args:
        stack: the runs.
        temperature: at the start, at least 0.01.

    Raises:
        ValueError: for a lower temperature.

    Source:
        Radford et al. 2021 (CLIP, arXiv 2103.00020), section 2.5.
    """

    def __init__(self, stack: Stack, temperature: float) -> None:
        super().__init__()
        if not temperature >= LEAST_TEMPERATURE:
            raise ValueError(
                f"temperature: expected at least {LEAST_TEMPERATURE} where it is learned, got "
                f"{temperature:g}"
            )
        start = torch.full((stack.size, 1, 1), -math.log(temperature), dtype=stack.dtype)
        self.log_scale = nn.Parameter(start)

    def forward(self) -> Float[Tensor, "stack 1 1"]:
        """The factor of the similarities."""
        most = -math.log(LEAST_TEMPERATURE)
        scale: Tensor = _AtMost.apply(self.log_scale, most)  # type: ignore[no-untyped-call]
        return scale.exp()


@torch.no_grad()
def learned_temperatures(module: nn.Module) -> dict[str, Float[Tensor, " stack"]]:
    """The temperatures that the networks of a stack have learned, by the names of their critics."""
    return {
        name.rpartition(".")[0]: 1 / part().flatten()
        for name, part in module.named_modules()
        if isinstance(part, LearnedTemperature)
    }
