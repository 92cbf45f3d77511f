"""Alarms: signs of collapse in a finished training, and their thresholds.

May import ``fctestbed.training``.
"""

from collections.abc import Mapping
from itertools import chain

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
    heads = (
        f"head {name} puts out a constant"
        for name, spread in head_spreads.items()
        if spread < _CONSTANT_SPREAD
    )
    return tuple(chain(heads, _loss_alarms(trained, place)))


def _loss_alarms(trained: TrainedStack, place: int) -> list[str]:
    train = trained.specs[place].train
    if train is None or not trained.losses_nats:
        return []
    found = []
    for term, marks in trained.method.loss_marks(train.batch_size).items():
        last = [point[place] for point in trained.losses_nats[term][-_LAST_POINTS:]]
        loss = sum(last) / len(last)
        if marks.constant is not None and abs(loss - marks.constant) < _NEAR_CONSTANT_NATS:
            found.append(
                f"{term} ended at {loss:.4g} nats, its value for constant features"
                f" ({marks.constant:.4g})"
            )
        if marks.limit is not None and loss < (1 - _NEAR_LIMIT) * marks.limit:
            found.append(f"{term} ended at {loss:.4g} nats, at its limit ({marks.limit:.4g})")
    return found
