"""Training with a stop: steps up an objective, the parameters kept that a second sample likes best.

Owns the loop. May import torch only.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


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
        module: what is trained.
        objective: a training batch's objective, to go up; it is given the dropout's generator.
        stop_value: the held-out value that says which parameters are best, without gradients.
        steps: most steps.
        rate: Adam's rate.
        stop_every: steps between two looks at ``stop_value``.
        patience: looks without a better value after which training ends.
        noise: of the dropout.

    Returns:
        The step of the parameters that were kept; 0 where training never made them better, as where
        it diverged at once.
    """
    parameters = list(module.parameters())
    adam = torch.optim.Adam(parameters, lr=rate, fused=True)
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
