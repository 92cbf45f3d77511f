"""Level 1: what a method's objective asks for, from free vectors in exact expectation.

Owns the optima over many starts and what they say together. May import torch, ``fctestbed.nets``,
``fctestbed.training`` and this package.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fctestbed.faults.free import check_free, free_module, pattern_inputs
from fctestbed.faults.losses import exact_loss, law_of_loss
from fctestbed.faults.reading import Bits, module_codes, read_bits
from fctestbed.faults.searches import searched
from fctestbed.measurement import ReadoutCode
from fctestbed.nets import Stack, StackedTable
from fctestbed.objectives import NetSpec
from fctestbed.training import TrainingSpec

_EQUAL_NATS = 1e-5


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
        lowest_whitened: as ``lowest``, each direction of a part read at a variance of 1; None where
            the optimum is read through noise.
        highest_whitened: as ``highest``.
        n_equal: how many starts these are: among optima of equal loss the objective is indifferent.
        codes: the codes of these starts, the least loss first.
        networks: the parameters that are no free vectors (critics, classifiers) of the start of
            least loss, by their names, each without the stack's axis.
        note: a warning, or empty.
    """

    losses_nats: tuple[float, ...]
    converged: tuple[bool, ...]
    criterion: str
    bits: Bits
    lowest: Bits
    highest: Bits
    lowest_whitened: Bits | None
    highest_whitened: Bits | None
    n_equal: int
    codes: tuple[ReadoutCode, ...]
    networks: Mapping[str, Tensor]
    note: str = ""


def check_optimum(training: TrainingSpec) -> None:
    """Refuse trainings whose objective has no exact level.

    Raises:
        ValueError: one line that says the count and the first level that serves.
    """
    law_of_loss(training)
    check_free(training.method, training.world)


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

    All starts are searched at once: by L-BFGS in float64 where the loss is smooth, else by Adam in
    exact expectation. With an inner loop (FactorCL) the objective is a game, not a minimum: both
    losses take Adam's steps, ``inner_steps`` of the CLUB critics for each step of the rest.

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
    check_optimum(training)
    method = training.build_method()
    stack = Stack(
        generators=tuple(torch.Generator().manual_seed(seed + start) for start in range(n_starts)),
        dtype=torch.float64,
    )
    nets = training.nets or NetSpec()
    module = free_module(training.method, method, training.world, stack, nets)
    x1, x2 = pattern_inputs(training.world, n_starts)
    batch_size = 1 if training.train is None else training.train.batch_size
    law = law_of_loss(training)
    exact = exact_loss(training.method, method, law, x1, x2, batch_size=batch_size)
    found = searched(exact, module, method, n_starts, max_iterations)
    losses = found.losses_nats
    order = torch.argsort(losses)
    equal = [int(at) for at in order if losses[at] <= losses[order[0]] + _EQUAL_NATS]
    codes = tuple(
        module_codes(method, module, training.world, (x1, x2), runs=equal, as_scored=True)
    )
    read = [read_bits(code, training.world, rate=rate, tau=tau) for code in codes]
    white = [
        read_bits(code, training.world, rate=rate, form="whitened")
        for code in codes
        if rate is not None
    ]
    return Optimum(
        losses_nats=tuple(losses.tolist()),
        converged=tuple(found.converged.tolist()),
        criterion=found.criterion,
        bits=read[0],
        lowest=_extreme(read, min),
        highest=_extreme(read, max),
        lowest_whitened=_extreme(white, min) if white else None,
        highest_whitened=_extreme(white, max) if white else None,
        n_equal=len(equal),
        codes=codes,
        networks=_networks(module, n_starts, equal[0]),
        note=found.note,
    )


def _networks(module: nn.Module, n_starts: int, start: int) -> dict[str, Tensor]:
    """The parameters of one start that are no free vectors, by their names."""
    tables = [part for part in module.modules() if isinstance(part, StackedTable)]
    free = {id(vectors) for table in tables for vectors in table.parameters()}
    return {
        name: part.detach().reshape(n_starts, -1)[start].clone()
        for name, part in module.named_parameters()
        if id(part) not in free
    }


def _extreme(found: list[Bits], choose: Callable[[list[float]], float]) -> Bits:
    return Bits(
        label=choose([bits.label for bits in found]),
        shared=choose([bits.shared for bits in found]),
        unique=choose([bits.unique for bits in found]),
    )
