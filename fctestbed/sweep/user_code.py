"""How a user's own losses and encoders are computed, in lines.

May import ``fctestbed.objectives`` and ``fctestbed.training``.
"""

from collections.abc import Iterable

from fctestbed.objectives import (
    MLP_ENCODER,
    TABLE_ENCODER,
    find_method,
    how_computed,
    how_encoded,
)
from fctestbed.training import TrainingSpec


def user_code_notes(trainings: Iterable[TrainingSpec]) -> tuple[str, ...]:
    """A line for each plain loss and each encoder of a user's own in some trainings: whether all
    runs of a stack are one call."""
    losses: dict[str, str] = {}
    encoders: dict[tuple[str, int, int], str] = {}
    for training in trainings:
        if training.method not in losses:
            losses[training.method] = how_computed(find_method(training.method))
        nets = training.nets
        if nets is None or nets.encoder in (MLP_ENCODER, TABLE_ENCODER):
            continue
        for dim in training.world.dims:
            key = nets.encoder, dim, nets.embed_dim
            if key not in encoders:
                encoders[key] = f"{nets.encoder}: {how_encoded(*key)}"
    said = [f"{name}: {how}" for name, how in losses.items() if how]
    return tuple(dict.fromkeys([*said, *encoders.values()]))
