"""Stacks that train in milliseconds, for tests of the training."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest
from torch import Tensor

from fctestbed.objectives import METHODS, NetSpec
from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    Dataset,
    MlpObservation,
    OfficialAugmentation,
    WorldSpec,
    make_dataset,
)
from fctestbed.training import (
    TrainedStack,
    TrainingSpec,
    TrainSpec,
    static_steps,
    train_stack,
    trainer,
)

NETS = NetSpec(encoder_hidden=(12,), embed_dim=5, head_hidden=(10,), head_dim=4, critic_hidden=(9,))
STEPS = 15
TRAIN = TrainSpec(steps=STEPS, batch_size=64, learning_rate=3e-3)
GRID = [(0.0, 0), (0.4, 1), (1.0, 0)]
TRAINED = [name for name, method in METHODS.items() if method.trained]
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in TRAINED),
    ("factorcl-sup", {"settings": {"inner_batch": "fresh", "inner_steps": 2}}),
    ("factorcl-ssl", {"settings": {"conditioning": "exact", "n_negatives": 3}}),
    ("factorcl-ssl", {"augmentation": OfficialAugmentation()}),
]

Work = Callable[[], None]


def world(ratio: float) -> WorldSpec:
    return WorldSpec(
        latents=BitLatents(n_shared=2, n_unique1=2, n_unique2=2),
        observation=MlpObservation(dim1=6, dim2=5, hidden_dim=8),
        label=BitsLabel(unique_ratio=ratio),
        n_train=256,
        n_test=32,
    )


@cache
def dataset(ratio: float, seed: int) -> Dataset:
    return make_dataset(world(ratio), seed)


def training(method: str, ratio: float = 0.5, seed: int = 0, **parts: Any) -> TrainingSpec:
    parts = {"nets": NETS, "train": TRAIN, **parts}
    return TrainingSpec(method=method, world=world(ratio), seed=seed, **parts)


def trained(specs: Sequence[TrainingSpec], **options: Any) -> TrainedStack:
    sets = [dataset(spec.world.label.unique_ratio, spec.seed) for spec in specs]
    return train_stack(specs, sets, **options)


def specs_of(method: str, **parts: Any) -> list[Any]:
    return [training(method, ratio, seed, **parts) for ratio, seed in GRID]


def trained_statically(
    specs: Sequence[TrainingSpec], captured: Callable[[Work], Work] = lambda work: work, **how: Any
) -> TrainedStack:
    """A stack whose steps are static, and whose captured steps are repeated as they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "has_static_steps", lambda device: True)
        patch.setattr(static_steps, "captured", captured)
        return trained(specs, **how)


def parameters(stack: TrainedStack, run: int) -> dict[str, Tensor]:
    found = {}
    for name, parameter in stack.module.named_parameters():
        members = parameter.shape[0] // len(stack.specs)
        found[name] = parameter[run * members : (run + 1) * members]
    return found


def watch(patch: pytest.MonkeyPatch, method: type[Any], pairs: list[tuple[Tensor, Tensor]]) -> None:
    """Note x1 of the outer loss's batch and of the inner one's after it."""
    loss, inner_loss = method.loss, method.inner_loss
    last: list[Tensor] = []

    def outer(self: Any, module: Any, batch: Any) -> Any:
        last[:] = [batch.x1]
        return loss(self, module, batch)

    def inner(self: Any, module: Any, batch: Any) -> Any:
        pairs.append((last[0], batch.x1))
        return inner_loss(self, module, batch)

    patch.setattr(method, "loss", outer)
    patch.setattr(method, "inner_loss", inner)
