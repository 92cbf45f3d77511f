"""Searches for the optimum of an exact loss, of all starts of a stack at once.

Owns the searches and their criteria. May import torch, ``fctestbed.estimators``,
``fctestbed.objectives``, ``fctestbed.training`` and this package.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fctestbed.estimators import local_minima
from fctestbed.faults.exact import ExactLoss
from fctestbed.objectives import Method
from fctestbed.training import StackedAdam

_TOLERANCE_NATS = 1e-9
_ADAM_STEPS = 1500
_ADAM_RATE = 3e-2
_ADAM_TOLERANCE_NATS = 5e-3
# A faster critic is no better an answer to free vectors at this rate, and less stable.
_MOST_INNER_RATE = 0.3
_CLUB_BELOW_NATS = 0.05


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where a search ended; the module is left there.

    Attributes:
        losses_nats: of each start.
        converged: whether each start met the criterion.
        criterion: in words.
        note: a warning, or empty.
    """

    losses_nats: Tensor
    converged: Tensor
    criterion: str
    note: str = ""


def searched(
    exact: ExactLoss, module: nn.Module, method: Method, n_starts: int, max_iterations: int
) -> Found:
    """The optimum from all starts: L-BFGS for a smooth loss; Adam for others, and for the game that
    a loss with an inner loop is.

    Args:
        exact: the loss.
        module: its networks, float64; they are left at the ends of the searches.
        method: with its settings.
        n_starts: the size of the stack.
        max_iterations: most steps of L-BFGS.
    """
    if method.has_inner_loop:
        return _by_adam(exact, module, n_starts, method)
    if not exact.smooth:
        return _by_adam(exact, module, n_starts, None)
    return _by_lbfgs(exact, module, n_starts, max_iterations)


def flat_objective(
    loss: Callable[[], Tensor], parameters: list[nn.Parameter]
) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Values and gradients of stacked losses as a function of all parameters, [stack, size].

    Args:
        loss: the losses of the parameters as they are, [stack].
        parameters: each [stack, ...]; they are set to the points that the function is called with.
    """

    def objective(points: Tensor) -> tuple[Tensor, Tensor]:
        _set(parameters, points)
        with torch.enable_grad():
            values = loss()
            gradients = torch.autograd.grad(values.sum(), parameters, allow_unused=True)
        flat = [
            torch.zeros_like(part) if gradient is None else gradient
            for part, gradient in zip(parameters, gradients, strict=True)
        ]
        return values.detach(), torch.cat([part.reshape(len(points), -1) for part in flat], 1)

    return objective


def _by_lbfgs(exact: ExactLoss, module: nn.Module, n_starts: int, max_iterations: int) -> Found:
    parameters = list(module.parameters())
    objective = flat_objective(lambda: exact.total(module), parameters)
    start = torch.cat([part.detach().reshape(n_starts, -1) for part in parameters], 1)
    found = local_minima(objective, start, tolerance=_TOLERANCE_NATS, max_iterations=max_iterations)
    _set(parameters, found.points)
    criterion = (
        f"L-BFGS: the quadratic model promises less than {2 * _TOLERANCE_NATS:g} nat, and no "
        f"derivative is over 1e-5, within {max_iterations} steps"
    )
    return Found(losses_nats=found.values, converged=found.converged, criterion=criterion)


@torch.no_grad()
def _set(parameters: list[nn.Parameter], points: Tensor) -> None:
    sizes = [part[0].numel() for part in parameters]
    for part, values in zip(parameters, points.split(sizes, 1), strict=True):
        part.copy_(values.view_as(part))


def _by_adam(exact: ExactLoss, module: nn.Module, n_starts: int, game: Method | None) -> Found:
    """Adam's steps in exact expectation, at a constant rate over the first half, which falls to 0
    over the second.

    Args:
        exact: the loss.
        module: its networks.
        n_starts: the size of the stack.
        game: the method whose critics under ``inner`` take steps of their own; None without.
    """
    inner = [] if game is None else list(module.get_submodule("inner").parameters())
    own = {id(part) for part in inner}
    outer = StackedAdam(
        [part for part in module.parameters() if id(part) not in own], n_starts, _ADAM_RATE
    )
    critics = StackedAdam(inner, n_starts, _ADAM_RATE) if inner else None
    history = []
    for step in range(_ADAM_STEPS):
        rate = _ADAM_RATE * min(1.0, 2 * (1 - step / _ADAM_STEPS))
        for part in inner:
            part.requires_grad_(False)
        total = exact.total(module)
        history.append(total.detach().clone())
        outer.step(total, rate)
        for part in inner:
            part.requires_grad_(True)
        if game is None or critics is None:
            continue
        for _ in range(game.settings.inner_steps):
            inner_rate = min(rate * game.settings.inner_rate, _MOST_INNER_RATE)
            critics.step(exact.inner(module), inner_rate)
    with torch.no_grad():
        terms = exact.terms(module)
    window = _ADAM_STEPS // 10
    last, before = (
        torch.stack(part).mean(0) for part in (history[-window:], history[-2 * window : -window])
    )
    converged = (last - before).abs() < _ADAM_TOLERANCE_NATS
    kind = "Adam" if game is None else "alternating Adam"
    criterion = (
        f"{kind}: means of the loss over the last two tenths of {_ADAM_STEPS} steps differ by less "
        f"than {_ADAM_TOLERANCE_NATS:g} nat"
    )
    losses = torch.stack(list(terms.values())).sum(0)
    note = "" if game is None else club_warning(terms)
    if note:
        converged = torch.zeros_like(converged)
    return Found(losses_nats=losses, converged=converged, criterion=criterion, note=note)


def club_warning(terms: Mapping[str, Tensor]) -> str:
    """A warning where a term NCE-CLUB is below 0, the least that an optimal critic gives; or
    empty."""
    below = min(float(value.min()) for name, value in terms.items() if name.startswith("club"))
    if below >= -_CLUB_BELOW_NATS:
        return ""
    return (
        f"NCE-CLUB is unbounded below where its critic lags: it ended at {below:.3g} nats, below "
        "the 0 of an optimal critic"
    )
