"""Local minima of many smooth functions at once, convex or not, by L-BFGS with a Wolfe search.

Owns the search. May import torch and ``convex``'s recursion.

``convex.minimisers`` serves strictly convex functions, whose curvature along any step is positive.
Here a step must also lessen the slope (the weak Wolfe conditions), which makes the curvature along
it positive where the function is not convex. Every problem has its own step, memory and
convergence.

Source:
    Nocedal and Wright, Numerical Optimization (2006), Algorithms 7.4 and 7.5; the bisection of
    Lewis and Overton, Nonsmooth optimization via quasi-Newton methods (2013), Algorithm 2.6.
"""

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from fctestbed.estimators.convex import Objective, inverse_hessian_product

_MEMORY = 20
_SUFFICIENT = 1e-4
_FLATTER = 0.9
_MOST_TRIALS = 40


@dataclass(frozen=True, eq=False)
class LocalMinima:
    """The ends of many searches.

    Attributes:
        points: [problems, size].
        values: of the functions there, [problems].
        promised: half the decrease that each quadratic model still promises, [problems].
        converged: whether that and the gradient are within their tolerances, [problems].
        iterations: steps of the longest search.
    """

    points: Tensor
    values: Tensor
    promised: Tensor
    converged: Tensor
    iterations: int


@torch.no_grad()
def local_minima(
    objective: Objective,
    start: Tensor,
    *,
    tolerance: float,
    gradient_tolerance: float = 1e-5,
    max_iterations: int,
) -> LocalMinima:
    """Points of locally least value of smooth functions that are bounded below along each search.

    Args:
        objective: values and gradients of all functions at points [problems, size].
        start: first points, [problems, size], float64.
        tolerance: a search is done when half the decrease that its quadratic model promises is
            within this,
        gradient_tolerance: and no derivative is larger than this: where the function curved
            strongly on the way, the model promises too little.
        max_iterations: all searches end after so many steps.
    """
    points = start.clone()
    values, gradients = objective(points)
    pairs: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=_MEMORY)
    scale = _first_scale(gradients)
    # Searches without memory, and those that found nothing lower even along the gradient.
    fresh = torch.ones(len(points), dtype=torch.bool)
    ended = torch.zeros_like(fresh)
    iterations = 0
    while True:
        directions = -inverse_hessian_product(gradients, pairs, scale)
        promised = -0.5 * (gradients * directions).sum(1)
        steep = gradients.abs().amax(1) > gradient_tolerance
        misled = steep & (promised <= tolerance) & ~fresh & ~ended
        if misled.any():
            pairs, scale = _without_memory(misled, pairs, scale, gradients)
            fresh = fresh | misled
            continue
        converged = (promised <= tolerance) & ~steep
        searching = ~converged & ~ended
        if iterations == max_iterations or not searching.any():
            return LocalMinima(points, values, promised, converged, iterations)
        iterations += 1
        steps, new_values, new_gradients = _wolfe_steps(
            objective, (points, values), directions, -2 * promised, searching
        )
        trials = points + steps.unsqueeze(1) * directions
        moved, turned = trials - points, new_gradients - gradients
        products = (moved * turned).sum(1, keepdim=True)
        curved = products > 0
        inverse = torch.where(curved, 1 / products, torch.zeros_like(products))
        pairs.append((moved, turned, inverse))
        squares = turned.square().sum(1, keepdim=True)
        scale = torch.where(curved, products / squares, scale)
        # A search that failed starts again along the gradient, and ends if that fails too.
        stuck = searching & (steps == 0)
        ended = ended | (stuck & fresh)
        fresh = torch.where(searching, stuck, fresh)
        points, values, gradients = trials, new_values, new_gradients
        if stuck.any():
            pairs, scale = _without_memory(stuck, pairs, scale, gradients)


def _without_memory(
    which: Tensor, pairs: deque[tuple[Tensor, Tensor, Tensor]], scale: Tensor, gradients: Tensor
) -> tuple[deque[tuple[Tensor, Tensor, Tensor]], Tensor]:
    """Memory and first scale where some searches begin again."""
    kept = (~which).to(gradients).unsqueeze(1)
    forgotten = deque(
        ((moved, turned, inverse * kept) for moved, turned, inverse in pairs), _MEMORY
    )
    return forgotten, torch.where(which.unsqueeze(1), _first_scale(gradients), scale)


def _first_scale(gradients: Tensor) -> Tensor:
    """Scales with which the first step has at most length 1, [problems, 1]."""
    lengths = gradients.norm(dim=1, keepdim=True)
    return 1 / lengths.clamp_min(1.0)


def _wolfe_steps(
    objective: Objective,
    here: tuple[Tensor, Tensor],
    directions: Tensor,
    slopes: Tensor,
    searching: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Steps that meet the weak Wolfe conditions, with values and gradients there; 0 where nothing
    lower was found, and for problems that do not search.

    Args:
        objective: values and gradients.
        here: the points and their values.
        directions: of the steps.
        slopes: along them.
        searching: which problems search.
    """
    points, values = here
    low = torch.zeros_like(values)
    high = torch.full_like(values, torch.inf)
    steps = searching.to(values)
    for _ in range(_MOST_TRIALS):
        trials = points + steps.unsqueeze(1) * directions
        new_values, new_gradients = objective(trials)
        # Comparisons that NaN fails: a step too far may overflow.
        lower = new_values <= values + _SUFFICIENT * steps * slopes
        flatter = (new_gradients * directions).sum(1) >= _FLATTER * slopes
        open_ = searching & ~(lower & flatter)
        if not open_.any():
            return steps, new_values, new_gradients
        high = torch.where(open_ & ~lower, steps, high)
        low = torch.where(open_ & lower, steps, low)
        further = torch.where(high.isinf(), 2 * steps, 0.5 * (low + high))
        steps = torch.where(open_, further, steps)
    # The best that is known: the longest step that was low enough.
    steps = torch.where(open_, low, steps)
    trials = points + steps.unsqueeze(1) * directions
    return steps, *objective(trials)
