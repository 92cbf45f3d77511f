"""Level 1: what a method's objective asks for, from free vectors in exact expectation.

Owns the searches from many starts and what they say together. May import torch,
``fctestbed.estimators``, ``fctestbed.nets``, ``fctestbed.training`` and this package.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fctestbed.estimators import local_minima
from fctestbed.faults.exact import ExactLoss
from fctestbed.faults.free import check_free, free_module, pattern_inputs
from fctestbed.faults.law import BitLaw, exact_law
from fctestbed.faults.losses import exact_loss, exact_loss_class
from fctestbed.faults.reading import Bits, module_code, read_bits
from fctestbed.measurement import ReadoutCode
from fctestbed.nets import Stack
from fctestbed.objectives import Method, NetSpec
from fctestbed.training import StackedAdam, TrainingSpec

MAX_SCORES = 1 << 21
"""Most scores of pairs of patterns that one evaluation of a loss makes for each start."""
_TOLERANCE_NATS = 1e-9
_EQUAL_NATS = 1e-5
_GAME_STEPS = 1500
_GAME_RATE = 5e-3
_GAME_TOLERANCE_NATS = 5e-3
# A faster critic is no better an answer to heads that move so slowly, and less stable.
_MOST_INNER_RATE = 0.03
_CLUB_BELOW_NATS = 0.05


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """What the starts found.

    Attributes:
        losses_nats: the loss of each start at its end, in exact expectation.
        converged: whether each start met the criterion.
        criterion: the criterion, in words.
        bits: of the start of least loss.
        lowest: the least of each quantity over starts whose loss equals the least to 1e-5 nat.
        highest: the most of each.
        n_equal: how many starts these are: among optima of equal loss the objective is indifferent.
        codes: the codes of these starts, the least loss first.
        note: a warning, or empty.
    """

    losses_nats: tuple[float, ...]
    converged: tuple[bool, ...]
    criterion: str
    bits: Bits
    lowest: Bits
    highest: Bits
    n_equal: int
    codes: tuple[ReadoutCode, ...]
    note: str = ""


def check_optimum(training: TrainingSpec) -> None:
    """Refuse trainings whose objective has no exact level.

    Raises:
        ValueError: one line that says the count and the first level that serves.
    """
    _parts(training)


def objective_optimum(
    training: TrainingSpec,
    *,
    n_starts: int = 8,
    seed: int = 0,
    max_iterations: int = 2000,
    rate: float | None = None,
    tau: float | None = None,
) -> Optimum:
    """The optima of a method's objective over free vectors, in exact expectation.

    Without an inner loop, all starts are searched at once by L-BFGS in float64. With one (FactorCL)
    the objective is a game, not a minimum: both losses take Adam's steps in exact expectation,
    ``inner_steps`` of the CLUB critics for each step of the rest.

    Args:
        training: method, settings, widths, views, and the world, whose observation map free vectors
            do not depend on.
        n_starts: starts.
        seed: of the starts.
        max_iterations: most steps of L-BFGS.
        rate: the rate of the readings in bits,
        tau: or their noise in its place (``read_bits``).

    Raises:
        ValueError: as ``check_optimum``.
    """
    law, method, nets = _parts(training)
    stack = Stack(
        generators=tuple(torch.Generator().manual_seed(seed + start) for start in range(n_starts)),
        dtype=torch.float64,
    )
    module = free_module(training.method, method, training.world, stack, nets)
    x1, x2 = pattern_inputs(training.world, n_starts)
    batch_size = 1 if training.train is None else training.train.batch_size
    exact = exact_loss(training.method, method, law, x1, x2, batch_size=batch_size)
    if method.has_inner_loop:
        losses, converged, criterion, note = _game(exact, module, method, n_starts)
    else:
        losses, converged, criterion = _search(exact, module, n_starts, max_iterations)
        note = ""
    order = torch.argsort(losses)
    equal = [int(at) for at in order if losses[at] <= losses[order[0]] + _EQUAL_NATS]
    codes = tuple(
        module_code(method, module, training.world, (x1, x2), run=at, as_scored=True)
        for at in equal
    )
    found = [read_bits(code, training.world, rate=rate, tau=tau) for code in codes]
    return Optimum(
        losses_nats=tuple(losses.tolist()),
        converged=tuple(converged.tolist()),
        criterion=criterion,
        bits=found[0],
        lowest=_extreme(found, min),
        highest=_extreme(found, max),
        n_equal=len(equal),
        codes=codes,
        note=note,
    )


def _parts(training: TrainingSpec) -> tuple[BitLaw, Method, NetSpec]:
    method = training.build_method()
    uses_copies = exact_loss_class(training.method, method).uses_copies
    law = exact_law(training.world, training.augmentation if uses_copies else None)
    check_free(training.method, training.world)
    n_1, n_2 = law.n_patterns
    # CoMM scores fused codes, FactorCL-SSL pairs of a pattern and its copy.
    squared = training.method in ("comm", "disentangled-ssl", "factorcl-ssl")
    scores = (n_1 * n_2) ** 2 if squared else (n_1 + n_2) ** 2
    if scores > MAX_SCORES:
        raise ValueError(
            f"latents: expected at most {MAX_SCORES} scores of pairs for the exact loss of "
            f"{training.method}, got {scores} (level 2 is the first that serves)"
        )
    return law, method, training.nets or NetSpec()


def _search(
    exact: ExactLoss, module: nn.Module, n_starts: int, max_iterations: int
) -> tuple[Tensor, Tensor, str]:
    """Losses and convergence of L-BFGS from all starts; the module is left at their ends."""
    parameters = list(module.parameters())
    objective = flat_objective(lambda: exact.total(module), parameters)
    start = torch.cat([part.detach().reshape(n_starts, -1) for part in parameters], 1)
    found = local_minima(objective, start, tolerance=_TOLERANCE_NATS, max_iterations=max_iterations)
    _set(parameters, found.points)
    criterion = (
        f"L-BFGS: the quadratic model promises less than {2 * _TOLERANCE_NATS:g} nat, and no "
        f"derivative is over 1e-5, within {max_iterations} steps"
    )
    return found.values, found.converged, criterion


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


@torch.no_grad()
def _set(parameters: list[nn.Parameter], points: Tensor) -> None:
    sizes = [part[0].numel() for part in parameters]
    for part, values in zip(parameters, points.split(sizes, 1), strict=True):
        part.copy_(values.view_as(part))


def _game(
    exact: ExactLoss, module: nn.Module, method: Method, n_starts: int
) -> tuple[Tensor, Tensor, str, str]:
    """Losses and convergence of alternating steps, and whether NCE-CLUB fell below 0."""
    inner = list(module.get_submodule("inner").parameters())
    own = {id(part) for part in inner}
    outer = [part for part in module.parameters() if id(part) not in own]
    adams = [StackedAdam(part, n_starts, _GAME_RATE) for part in (outer, inner)]
    history = []
    for step in range(_GAME_STEPS):
        rate = _GAME_RATE * min(1.0, 2 * (1 - step / _GAME_STEPS))
        for part in inner:
            part.requires_grad_(False)
        total = exact.total(module)
        history.append(total.detach().clone())
        adams[0].step(total, rate)
        for part in inner:
            part.requires_grad_(True)
        for _ in range(method.settings.inner_steps):
            inner_rate = min(rate * method.settings.inner_rate, _MOST_INNER_RATE)
            adams[1].step(exact.inner(module), inner_rate)
    window = _GAME_STEPS // 10
    with torch.no_grad():
        terms = exact.terms(module)
    losses = torch.stack(list(terms.values())).sum(0)
    last, before = (
        torch.stack(part).mean(0) for part in (history[-window:], history[-2 * window : -window])
    )
    converged = (last - before).abs() < _GAME_TOLERANCE_NATS
    criterion = (
        f"alternating Adam: means of the loss over the last two tenths of {_GAME_STEPS} steps "
        f"differ by less than {_GAME_TOLERANCE_NATS:g} nat"
    )
    below = min(float(value.min()) for name, value in terms.items() if name.startswith("club"))
    note = ""
    if below < -_CLUB_BELOW_NATS:
        note = (
            f"NCE-CLUB is unbounded below where its critic lags: it ended at {below:.3g} nats, "
            "below the 0 of an optimal critic"
        )
        converged = torch.zeros_like(converged)
    return losses, converged, criterion, note


def _extreme(found: list[Bits], choose: Callable[[list[float]], float]) -> Bits:
    return Bits(
        label=choose([bits.label for bits in found]),
        shared=choose([bits.shared for bits in found]),
        unique=choose([bits.unique for bits in found]),
    )
