"""Minima of many smooth convex functions at once, by L-BFGS.

Owns the search. May import torch.

A batch of small problems whose values and gradients are cheapest together (the same matrix products
serve all of them) is minimised with memory, step lengths and convergence of each problem's own, so
that a problem's result depends on the others by rounding only.

Source:
    Nocedal and Wright, Numerical Optimization (2006), Algorithms 3.1, 7.4 and 7.5.
"""

from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

Objective = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Values, float64 [problems], and gradients [problems, size] at points [problems, size]."""

_MEMORY = 10
# Share of the decrease that the slope promises which a step must bring.
_SUFFICIENT = 1e-4
_SHORTEST_STEP = 1e-6


def minimisers(
    objective: Objective,
    start: Tensor,
    *,
    inverse_curvature: Tensor,
    tolerance: float,
    max_iterations: int,
) -> tuple[Tensor, Tensor]:
    """Points of least value of strictly convex functions, [problems, size], and which of them are
    known to be within the tolerance, [problems].

    Args:
        objective: values and gradients of all functions.
        start: first points, [problems, size].
        inverse_curvature: for each function one over its curvature near the start, [problems]: the
            first step is this times the gradient.
        tolerance: a function is done when half the decrease that its quadratic model promises, an
            estimate of how far its value is above the minimum, is under this.
        max_iterations: the search ends after so many steps.
    """
    points = start
    values, gradients = objective(points)
    pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=_MEMORY)
    scale = inverse_curvature.unsqueeze(1)
    searching = torch.ones_like(values, dtype=torch.bool)
    for _ in range(max_iterations):
        directions = -inverse_hessian_product(gradients, pairs, scale)
        slopes = (gradients * directions).sum(1).double()
        # One that is done stays so, whatever the others' steps leave of its memory.
        searching = searching & (-0.5 * slopes > tolerance)
        if not searching.any():
            break
        steps = searching.double()
        while True:
            trials = points + steps.to(points).unsqueeze(1) * directions
            new_values, new_gradients = objective(trials)
            # A comparison that NaN fails: a step too far may overflow.
            enough = new_values <= values + _SUFFICIENT * steps * slopes
            too_long = searching & ~enough & (steps > _SHORTEST_STEP)
            if not too_long.any():
                break
            steps = torch.where(too_long, 0.5 * steps, steps)
        moved, turned = trials - points, new_gradients - gradients
        products = (moved * turned).sum(1, keepdim=True)
        # A problem that does not move adds nothing to its memory.
        curved = products > 0
        inverse = torch.where(curved, 1 / products, torch.zeros_like(products))
        pairs.append((moved, turned, inverse))
        squares = turned.square().sum(1, keepdim=True)
        scale = torch.where(curved, products / squares, scale)
        points, values, gradients = trials, new_values, new_gradients
    return points, ~searching


def inverse_hessian_product(
    gradients: Tensor, pairs: deque[tuple[Tensor, Tensor, Tensor]], scale: Tensor
) -> Tensor:
    """The two-loop recursion of every problem: its approximate inverse Hessian times its gradient.

    Args:
        gradients: [problems, size].
        pairs: steps, changes of the gradient, and one over their products, [problems, 1]: 0 leaves
            a pair out.
        scale: the inverse Hessian before any pair, [problems, 1].
    """
    product = gradients.clone()
    shares = []
    for moved, turned, inverse in reversed(pairs):
        share = inverse * (moved * product).sum(1, keepdim=True)
        product -= share * turned
        shares.append(share)
    product *= scale
    for (moved, turned, inverse), share in zip(pairs, reversed(shares), strict=True):
        product += moved * (share - inverse * (turned * product).sum(1, keepdim=True))
    return product
