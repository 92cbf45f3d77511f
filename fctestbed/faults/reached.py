"""What a level's trainings reached: who shares one, their exact losses, and whether they settled.

May import torch, ``fctestbed.synthesis``, ``fctestbed.training`` and this package.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fctestbed.faults.losses import exact_loss, law_of_loss
from fctestbed.objectives import Method
from fctestbed.synthesis import Dataset, make_dataset, modality_codewords
from fctestbed.training import TrainedStack, TrainingSpec

SETTLED_NATS = 0.02
"""A loss that falls by no more has settled."""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Trainings, of which some share one: a loss that the label does not reach is trained once for
    all unique ratios.

    Attributes:
        trainings: all of them.
        own: those that differ, in the order of the stack.
        places: for each of all its place among these.
        datasets: the data of those that differ.
    """

    trainings: Sequence[TrainingSpec]
    own: Sequence[TrainingSpec]
    places: Sequence[int]
    datasets: Sequence[Dataset]


def shared_trainings(trainings: Sequence[TrainingSpec]) -> Shared:
    """The trainings that differ, and their data."""
    places: dict[str, int] = {}
    own: list[TrainingSpec] = []
    for one in trainings:
        if one.key not in places:
            places[one.key] = len(own)
            own.append(one)
    return Shared(
        trainings=trainings,
        own=own,
        places=[places[one.key] for one in trainings],
        datasets=_datasets(own),
    )


def _datasets(trainings: Sequence[TrainingSpec]) -> list[Dataset]:
    """The data of each training; worlds that differ in the label alone share their inputs."""
    drawn: dict[tuple[str, int], Dataset] = {}
    found = []
    for one in trainings:
        key = one.world.without_label_digest(), one.seed
        if key not in drawn:
            drawn[key] = make_dataset(one.world, one.seed)
        found.append(drawn[key].with_label(one.world.label))
    return found


def all_inputs(datasets: Sequence[Dataset]) -> tuple[Tensor, Tensor]:
    """Every pattern of each modality as its world observes it, [stack, patterns, dim], float32."""
    first, second = (
        torch.from_numpy(np.stack([modality_codewords(data.world, m) for data in datasets]))
        for m in (1, 2)
    )
    return first, second


def exact_losses(shared: Shared, method: Method, module: nn.Module) -> list[float]:
    """Each training's loss in exact expectation, in nats; NaN where it has none.

    Args:
        shared: the trainings, and their places in the stack.
        method: of the module.
        module: networks of the whole stack.
    """
    trainings = shared.trainings
    nan = [math.nan] * len(trainings)
    if any(one.world.observation.noise > 0 for one in trainings):
        return nan
    try:
        laws = {one.world.digest(): law_of_loss(one) for one in trainings}
    except ValueError:
        return nan
    x1, x2 = (x.double() for x in all_inputs(shared.datasets))
    precise = copy.deepcopy(module).double()
    name, train = trainings[0].method, trainings[0].train
    batch_size = 1 if train is None else train.batch_size
    with torch.no_grad():
        totals = {
            key: exact_loss(name, method, law, x1, x2, batch_size=batch_size).total(precise)
            for key, law in laws.items()
        }
    return [
        float(totals[one.world.digest()][place])
        for one, place in zip(trainings, shared.places, strict=True)
    ]


def late_loss_nats(trained: TrainedStack, run: int) -> float:
    """The mean of the loss over the last fifth of the schedule, in nats."""
    losses = [at[run] for at in trained.losses_nats["total"]]
    return float(np.mean(losses[-max(1, len(losses) // 5) :]))


def settled(trained: TrainedStack, run: int) -> tuple[bool | None, str]:
    """Whether a training's loss no longer falls, and the criterion."""
    if not trained.losses_nats:
        return None, ""
    losses = torch.tensor([at[run] for at in trained.losses_nats["total"]], dtype=torch.float64)
    window = max(1, len(losses) // 5)
    # The rate is still half of its first value in the middle of the schedule; at the end it is 0,
    # and the loss flat, whatever is left to learn.
    middle = (len(losses) - window) // 2
    last, before = losses[-window:], losses[middle : middle + window]
    noise = float((last.var() + before.var()).sqrt() / window**0.5) if window > 1 else 0.0
    criterion = (
        f"mean loss over the last fifth of the schedule is within {SETTLED_NATS:g} nat, or two "
        "standard errors, of that over the fifth in its middle"
    )
    return abs(float(before.mean() - last.mean())) <= max(SETTLED_NATS, 2 * noise), criterion
