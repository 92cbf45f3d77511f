"""A method under test: its networks, its batches, and all the numbers that it returns.

May import ``fctestbed.training`` and what is below it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from fctestbed.nets import Stack
from fctestbed.objectives import Batch, DataShape, Method, NetSpec, Views, group_by_condition
from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    MlpObservation,
    WorldSpec,
    make_dataset,
)
from fctestbed.training import TrainedStack, TrainingSpec, TrainSpec, train_stack

RUNS, SAMPLES, CLASSES = 3, 32, 4
SHAPE = DataShape(dim1=12, dim2=10, n_classes=CLASSES)
STEPS = 6
# In smaller batches rounding depends on the size of the stack: matrix products with few rows use
# other kernels.
_TRAIN = TrainSpec(steps=STEPS, batch_size=128)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Subject:
    """A method with its settings.

    Attributes:
        name: its name for ``find_method``.
        kind: its class.
        settings: settings that differ from the defaults.
    """

    name: str
    kind: type[Method]
    settings: Mapping[str, Any]

    def method(self) -> Method:
        """A new instance."""
        if not self.settings:
            return self.kind()
        return self.kind(self.kind.Settings.model_validate(dict(self.settings)))

    def build(
        self, *, dtype: torch.dtype = torch.float32, nets: NetSpec | None = None, seed: int = 0
    ) -> nn.Module:
        """Networks of three runs; ``seed`` is torch's global seed, which no method may use."""
        generators = tuple(torch.Generator().manual_seed(run) for run in range(RUNS))
        with _global_seed(seed):
            stack = Stack(generators=generators, dtype=dtype)
            return self.method().build(stack, SHAPE, nets or NetSpec())

    def batch(
        self,
        *,
        condition: Sequence[int] | None = None,
        dtype: torch.dtype = torch.float32,
        labels: Tensor | None = None,
    ) -> Batch:
        """A batch of every run, with all that the method needs.

        Args:
            condition: the label of each sample and the condition of its views; by default the
                classes in turn.
            dtype: dtype of the modalities.
            labels: labels, [stack, n], where they differ from the condition.
        """
        method = self.method()
        generator = torch.Generator().manual_seed(1)

        def draw(*shape: int) -> Tensor:
            # Drawn in double precision: both precisions get the same numbers up to rounding.
            return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

        plain = torch.arange(SAMPLES) % CLASSES if condition is None else torch.tensor(condition)
        conditions = plain.expand(RUNS, SAMPLES)
        batch = Batch(
            x1=draw(RUNS, SAMPLES, SHAPE.dim1),
            x2=draw(RUNS, SAMPLES, SHAPE.dim2),
            y=(conditions if labels is None else labels).clone(),
            views=tuple(
                Views(x1=draw(RUNS, SAMPLES, SHAPE.dim1), x2=draw(RUNS, SAMPLES, SHAPE.dim2))
                for _ in range(method.n_views)
            ),
        )
        if method.n_negatives:
            negatives = draw(RUNS, SAMPLES, method.n_negatives, SHAPE.dim2)
            batch = replace(batch, x2_negatives=negatives)
        groups = {"label": batch.y, "views": conditions}
        if method.conditions_on in groups:
            batch = replace(batch, groups=group_by_condition(groups[method.conditions_on]))
        return batch

    def numbers(self, module: nn.Module, batch: Batch, *, seed: int = 0) -> dict[str, Tensor]:
        """All numbers of a batch, by names such as ``readout 'z1'``: loss terms and the inner loss,
        [stack], readouts and heads, [stack, n, width].

        The method gets a copy of the batch; ``seed`` is torch's global seed.
        """
        method, own = self.method(), copied(batch)
        with _global_seed(seed), torch.no_grad():
            found: dict[str, Tensor] = {}
            if method.trained:
                found.update(_labelled("loss term", method.loss(module, own)))
            if method.has_inner_loop:
                found["inner loss"] = method.inner_loss(module, own)
            found.update(_labelled("readout", method.readouts(module, own.x1, own.x2)))
            found.update(_labelled("head", method.heads(module, own.x1, own.x2)))
        return found

    def gradients(
        self, module: nn.Module, batch: Batch, *, inner: bool = False
    ) -> dict[str, Tensor | None]:
        """The gradient at every parameter, None where there is none: of the loss, with the inner
        parameters constant as in training, or of the inner loss."""
        method, own = self.method(), copied(batch)
        for name, parameter in module.named_parameters():
            parameter.grad = None
            if name.startswith("inner."):
                parameter.requires_grad_(inner)
        with _global_seed(0):
            if inner:
                total = method.inner_loss(module, own)
            else:
                total = torch.stack(list(method.loss(module, own).values())).sum(0)
            total.sum().backward()
        return {name: parameter.grad for name, parameter in module.named_parameters()}

    def train(
        self,
        runs: Sequence[int],
        *,
        name: str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> TrainedStack:
        """Train some of three runs, each in its own world, for a few steps; ``name`` is another
        method to train instead."""
        specs = [
            TrainingSpec(
                method=name or self.name,
                settings=dict(self.settings),
                train=_TRAIN,
                world=_world(run / (RUNS - 1)),
                seed=run,
            )
            for run in runs
        ]
        datasets = [make_dataset(spec.world, spec.seed) for spec in specs]
        with _global_seed(0):
            return train_stack(specs, datasets, dtype=dtype)


def copied(batch: Batch) -> Batch:
    """A copy of a batch and of all its tensors."""
    return map_tensors(batch, Tensor.clone)


def map_tensors(value: _T, change: Callable[[Tensor], Tensor]) -> _T:
    """A record with ``change`` applied to each of its tensors."""
    mapped: Any = value
    if isinstance(value, Tensor):
        mapped = change(value)
    elif isinstance(value, tuple):
        mapped = tuple(map_tensors(item, change) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {
            field.name: map_tensors(getattr(value, field.name), change) for field in fields(value)
        }
        mapped = replace(value, **parts)
    return mapped


def first_difference(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> str | None:
    """The first name whose values differ or that is in one mapping only; None if there is none."""
    for name in [*one, *other]:
        if name not in one or name not in other or not torch.equal(one[name], other[name]):
            return name
    return None


def parameters_of(trained: TrainedStack, run: int) -> dict[str, Tensor]:
    """One run's part of every parameter, flattened."""
    size = len(trained.specs)
    return {
        name: parameter.detach().reshape(size, -1)[run]
        for name, parameter in trained.module.named_parameters()
    }


@contextmanager
def torch_state_kept() -> Iterator[None]:
    """Run torch on one thread, where a run's result does not depend on its stack; restore the
    number of threads and the global generator afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """Seed torch's global generator and restore it afterwards, so that a method that uses it breaks
    one clause, not all."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _labelled(kind: str, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{kind} {name!r}": value for name, value in values.items()}


def _world(ratio: float) -> WorldSpec:
    return WorldSpec(
        latents=BitLatents(n_shared=2, n_unique1=2, n_unique2=2),
        observation=MlpObservation(dim1=SHAPE.dim1, dim2=SHAPE.dim2, hidden_dim=8),
        label=BitsLabel(unique_ratio=ratio),
        n_train=256,
        n_test=SAMPLES,
    )
