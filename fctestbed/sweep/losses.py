"""The logged losses and learned temperatures of a training, for a run's diagnostics, and its last
loss as scores.

May import ``fctestbed.nets``, ``fctestbed.results`` and ``fctestbed.training``.
"""

from collections.abc import Mapping, Sequence

from fctestbed.nets import learned_temperatures
from fctestbed.results import LOSS, TRAINING, ScoreRow, loss_name
from fctestbed.training import TrainedStack

_STEP, _TOTAL = "step", "total"


def logged_losses(trained: TrainedStack, place: int) -> dict[str, list[float]]:
    """Every other logged point of each term, the last one among them, to five digits: enough for a
    curve."""
    logged = slice((len(trained.logged_steps) + 1) % 2, None, 2)
    steps = {_STEP: [float(step) for step in trained.logged_steps[logged]]}
    terms = {
        name: [float(f"{point[place]:.5g}") for point in points[logged]]
        for name, points in trained.losses_nats.items()
    }
    return {**steps, **terms}


def logged_temperatures(trained: TrainedStack, place: int) -> dict[str, dict[str, float]]:
    """``temperatures``: those that a run's critics learned, by critic, at the end of the training,
    to five digits; nothing where none is learned."""
    learned = learned_temperatures(trained.module)
    found = {name: float(f"{values[place].item():.5g}") for name, values in learned.items()}
    return {"temperatures": found} if found else {}


def loss_scores(
    losses_nats: Mapping[str, Sequence[float]], batch_size: int
) -> tuple[ScoreRow, ...]:
    """The loss of a training's last step, and each of its terms, in nats.

    It is the loss of one training batch, before the last update, and of augmented views where the
    method has them.

    Args:
        losses_nats: as ``logged_losses`` gives them and a run's diagnostics have them.
        batch_size: samples of the batch.

    Returns:
        ``loss`` and ``loss[TERM]`` of each term; none for a method that was not trained.
    """
    last = {name: values[-1] for name, values in losses_nats.items() if values and name != _STEP}
    # Sorted, as a store has them: a sweep that is measured again has its rows in the same order.
    names = {_TOTAL: LOSS, **{name: loss_name(name) for name in sorted(last) if name != _TOTAL}}
    return tuple(
        ScoreRow(readout=TRAINING, score=score, value=last[name], unit="nats", n_eval=batch_size)
        for name, score in names.items()
        if name in last
    )
