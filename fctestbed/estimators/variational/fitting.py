"""Training with early stopping: the parameters with the best value on a second sample are kept.

May import torch and the fused update of Adam only.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from fctestbed._adam import FusedAdam


def fit(
    module: nn.Module,
    objective: Callable[[torch.Generator], Tensor],
    stop_value: Callable[[], float],
    *,
    steps: int,
    rate: float,
    stop_every: int,
    patience: int,
    noise: torch.Generator,
) -> int:
    """Train by Adam; leave in the module the parameters of the best stop value.

    Args:
        module: the module to train.
        objective: gives a training batch's objective, to be maximised; its argument is ``noise``.
        stop_value: gives the held-out value by which parameters are selected, without gradients.
        steps: largest number of steps.
        rate: Adam's learning rate.
        stop_every: steps between two evaluations of ``stop_value``.
        patience: evaluations without a better value after which training ends.
        noise: draws the dropout.

    Returns:
        The step of the parameters that were kept; 0 where training never improved them, as where
        it diverged at once.
    """
    parameters = list(module.parameters())
    adam = FusedAdam(parameters, rate)
    best, kept, kept_at = stop_value(), _copies(parameters), 0
    for step in range(1, steps + 1):
        adam.zero_grad()
        loss = -objective(noise)
        loss.backward()
        adam.step()
        if step % stop_every and step != steps:
            continue
        value = stop_value()
        # NaN compares false: parameters that diverged are never kept.
        if value > best or (math.isnan(best) and not math.isnan(value)):
            best, kept, kept_at = value, _copies(parameters), step
        elif step - kept_at >= patience * stop_every:
            break
    with torch.no_grad():
        for parameter, values in zip(parameters, kept, strict=True):
            parameter.copy_(values)
    return kept_at


def _copies(parameters: list[nn.Parameter]) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in parameters]
