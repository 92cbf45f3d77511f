"""A method under test: its networks, batches made for it, and all the numbers that it gives.

Owns what a check sees of a method. May import ``fctestbed.training`` and what is below it.
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
# Smaller batches round otherwise by the size of the stack, as kernels for few rows take over.
_TRAIN = TrainSpec(steps=STEPS, batch_size=128)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Subject:
    """A method with its settings.

    Attributes:
        name: what ``find_method`` knows it by.
        kind: its class.
        settings: those that differ from the defaults.
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
        """Networks of three runs; ``seed`` is torch's global one, which no method reads."""
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
        """A batch of every run, with all that the method asks for.

        Args:
            condition: what each sample's label is, and what its views say; all classes in turn if
                left out.
            dtype: of the modalities.
            labels: the labels alone, [stack, n].
        """
        method = self.method()
        generator = torch.Generator().manual_seed(1)

        def draw(*shape: int) -> Tensor:
            # In double precision, so that both precisions see the same numbers to rounding.
            return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

        plain = torch.arange(SAMPLES) % CLASSES if condition is None else torch.tensor(condition)
        said = plain.expand(RUNS, SAMPLES)
        batch = Batch(
            x1=draw(RUNS, SAMPLES, SHAPE.dim1),
            x2=draw(RUNS, SAMPLES, SHAPE.dim2),
            y=(said if labels is None else labels).clone(),
            views=tuple(
                Views(x1=draw(RUNS, SAMPLES, SHAPE.dim1), x2=draw(RUNS, SAMPLES, SHAPE.dim2))
                for _ in range(method.n_views)
            ),
        )
        if method.n_negatives:
            negatives = draw(RUNS, SAMPLES, method.n_negatives, SHAPE.dim2)
            batch = replace(batch, x2_negatives=negatives)
        groups = {"label": batch.y, "views": said}
        if method.conditions_on in groups:
            batch = replace(batch, groups=group_by_condition(groups[method.conditions_on]))
        return batch

    def numbers(self, module: nn.Module, batch: Batch, *, seed: int = 0) -> dict[str, Tensor]:
        """All that the method says of a batch, under names such as ``readout 'z1'``: loss terms and
        the inner loss [stack], readouts and heads [stack, n, width].

        The batch is copied first; ``seed`` is torch's global one.
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
        """The gradient of every parameter, None where there is none: of the loss, with the inner
        parameters held as in training, or of the inner loss."""
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
        """A training of a few steps, of some of three runs, in worlds of their own; by another
        method's name, if given."""
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
    """A batch with every tensor copied."""
    return map_tensors(batch, Tensor.clone)


def map_tensors(value: _T, change: Callable[[Tensor], Tensor]) -> _T:
    """A record with a function of each of its tensors in its place."""
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
    """The first name whose values differ, or that only one of both has."""
    for name in [*one, *other]:
        if name not in one or name not in other or not torch.equal(one[name], other[name]):
            return name
    return None


def parameters_of(trained: TrainedStack, run: int) -> dict[str, Tensor]:
    """A run's share of every parameter."""
    size = len(trained.specs)
    return {
        name: parameter.detach().reshape(size, -1)[run]
        for name, parameter in trained.module.named_parameters()
    }


@contextmanager
def undisturbed() -> Iterator[None]:
    """Torch on one thread, where a run's result is the same in any stack; its global generator is
    as it was afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """Torch's global generator at a seed, and as it was afterwards: a method that reads it breaks
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
