"""Alarms: signs of collapse in a finished training, and their thresholds.

May import ``fctestbed.objectives`` and ``fctestbed.training``.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

from fctestbed.objectives import LossMarks
from fctestbed.training import TrainedStack

# A head is constant if the standard deviation of each output is below this share of a typical
# representation's.
_CONSTANT_SPREAD = 1e-4
# A loss whose mean over the last logged points is this near its value for constant features has
# learnt nothing.
_NEAR_CONSTANT_NATS = 0.01
# Within this share of its limit of log N, InfoNCE can no longer grow with the information.
_NEAR_LIMIT = 0.02
_LAST_POINTS = 5


def alarms(trained: TrainedStack, place: int, head_spreads: Mapping[str, float]) -> tuple[str, ...]:
    """Warnings about one member of a trained stack, one line each.

    Args:
        trained: the stack.
        place: the member.
        head_spreads: for each head, the largest standard deviation of its outputs.

    Returns:
        Heads with constant output, loss terms at their value for constant features, and InfoNCE
        terms at their limit.
    """
    train = trained.specs[place].train
    if train is None or not trained.losses_nats:
        return tuple(head_alarms(head_spreads))
    losses = {
        term: [point[place] for point in points] for term, points in trained.losses_nats.items()
    }
    marks = trained.method.loss_marks(train.batch_size)
    return tuple(chain(head_alarms(head_spreads), loss_alarms(marks, losses)))


def head_alarms(head_spreads: Mapping[str, float]) -> list[str]:
    """One line for each head whose outputs are constant.

    Args:
        head_spreads: for each head, the largest standard deviation of its outputs.
    """
    return [
        f"head {name} puts out a constant"
        for name, spread in head_spreads.items()
        if spread < _CONSTANT_SPREAD
    ]


def loss_alarms(
    marks: Mapping[str, LossMarks], losses_nats: Mapping[str, Sequence[float]]
) -> list[str]:
    """One line for each loss term that ended at its value for constant features, or at its limit.

    Args:
        marks: of each term.
        losses_nats: the logged values of each term, in their order.
    """
    found = []
    for term, own in marks.items():
        last = losses_nats[term][-_LAST_POINTS:]
        loss = sum(last) / len(last)
        if own.constant is not None and abs(loss - own.constant) < _NEAR_CONSTANT_NATS:
            found.append(
                f"{term} ended at {loss:.4g} nats, its value for constant features"
                f" ({own.constant:.4g})"
            )
        if own.limit is not None and loss < (1 - _NEAR_LIMIT) * own.limit:
            found.append(f"{term} ended at {loss:.4g} nats, at its limit ({own.limit:.4g})")
    return found
