"""The training of one method on real data, and its readouts of all samples.

May import torch, ``fctestbed.nets``, ``fctestbed.objectives``, ``fctestbed.training``,
``fctestbed.sweep`` and this package.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from fctestbed.nets import Stack
from fctestbed.objectives import JOINT, METHODS, Batch, DataShape, Method, Views, group_by_condition
from fctestbed.real_data.copies import copy_of
from fctestbed.real_data.encoders import encoder_maker
from fctestbed.real_data.multimodal import SPLITS, Multimodal, RealSplit
from fctestbed.real_data.settings import RealSpec
from fctestbed.sweep import head_alarms, loss_alarms
from fctestbed.training import (
    TrainingStep,
    TrainSpec,
    batch_order,
    scheduled_share,
    torch_stream,
)

_CHUNK = 512
_LOGGED_POINTS = 50


@dataclass(frozen=True, eq=False)
class Trained:
    """The networks of one training.

    Attributes:
        name: of the method that was trained.
        method: it, with its settings.
        module: its parameters.
        losses_nats: logged values of each term of the loss.
        alarms: signs of collapse in the losses, one line each.
        diverged: why the training stopped early, or None.
        seconds: wall time.
    """

    name: str
    method: Method
    module: nn.Module
    losses_nats: Mapping[str, list[float]] = field(default_factory=dict)
    alarms: tuple[str, ...] = ()
    diverged: str | None = None
    seconds: float = 0.0


def data_shape(data: Multimodal, spec: RealSpec) -> DataShape:
    """Widths, classes and encoders of the data.

    Raises:
        ValueError: one line, for encoders that the modalities do not admit.
    """
    width = spec.nets.embed_dim
    return DataShape(
        dim1=data.shape1.dim,
        dim2=data.shape2.dim,
        n_classes=data.n_classes,
        encoder1=encoder_maker("encoder1", spec.encoder1, data.shape1, width),
        encoder2=encoder_maker("encoder2", spec.encoder2, data.shape2, width),
    )


def train_method(
    name: str,
    seed: int,
    data: Multimodal,
    spec: RealSpec,
    *,
    key: str = "",
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train one method on the training samples.

    Args:
        name: the method.
        seed: of its random numbers, which are drawn on the CPU.
        data: the data.
        spec: settings.
        key: what the random numbers depend on besides the seed.
        device: where to train.
        dtype: of parameters and features.
        report: called with the steps done and all steps, some 50 times.

    Raises:
        ValueError: one line, as ``data_shape``.
    """
    method = spec.build_method(name)

    def stream(part: str) -> torch.Generator:
        return torch_stream(part, key, seed)

    stack = Stack(generators=(stream("initialisation"),), dtype=dtype)
    module = method.build(stack, data_shape(data, spec), spec.nets).to(device)
    if not method.trained:
        return Trained(name, method, module)
    started = time.perf_counter()
    n_train, size = len(data.train), spec.train.batch_size
    train = TrainSpec(
        steps=spec.train.n_steps(n_train),
        batch_size=size,
        learning_rate=spec.train.learning_rate,
        schedule=spec.train.schedule,
        precision=spec.train.precision,
    )
    step = TrainingStep(method, module, 1, rate=train.learning_rate, precision=train.precision)
    order = batch_order(
        (stream("batches"),),
        n_samples=n_train,
        batch_size=size,
        n_batches=train.steps * step.n_batches,
    )
    batches = _Batches(data, method, spec, dtype=dtype, device=device, stream=stream)
    losses: dict[str, list[float]] = {}
    diverged = None
    every = max(1, train.steps // _LOGGED_POINTS)
    for done in range(1, train.steps + 1):
        step.set_rate(train.learning_rate * scheduled_share(train, done - 1))
        first = (done - 1) * step.n_batches
        step([batches.of(order[first + place, 0]) for place in range(step.n_batches)])
        if done % every == 0 or done == train.steps:
            for term, value in step.losses.items():
                losses.setdefault(term, []).append(float(value))
            if done == train.steps:
                step.mark_finite()
            if not bool(step.alive.all()):
                diverged = f"loss was not finite, or exploded, by step {done}"
                break
            if report is not None:
                report(done, train.steps)
    module.requires_grad_(False)
    return Trained(
        name,
        method,
        module,
        losses,
        tuple(loss_alarms(method.loss_marks(size), losses)),
        diverged,
        time.perf_counter() - started,
    )


class _Batches:
    """Batches of a stack of one run."""

    def __init__(
        self,
        data: Multimodal,
        method: Method,
        spec: RealSpec,
        *,
        dtype: torch.dtype,
        device: str,
        stream: Callable[[str], torch.Generator],
    ) -> None:
        self._data, self._method, self._spec = data, method, spec
        self._x1, self._x2 = (
            torch.from_numpy(x).to(device=device, dtype=dtype)
            for x in (data.train.x1, data.train.x2)
        )
        self._y = torch.from_numpy(data.train.y).to(device)
        # The first copies' stream is the same for every method.
        self._streams = [stream(f"augmentation{view or ''}") for view in range(method.n_views)]

    def of(self, rows: Tensor) -> Batch:
        """The batch of some training samples, [n]."""
        rows = rows.to(self._y.device)
        x1, x2, y = self._x1[rows], self._x2[rows], self._y[rows].unsqueeze(0)
        views = tuple(
            Views(
                x1=copy_of(x1, self._data.shape1, self._spec.augmentation, own).unsqueeze(0),
                x2=copy_of(x2, self._data.shape2, self._spec.augmentation, own).unsqueeze(0),
            )
            for own in self._streams
        )
        condition = {
            "label": y,
            # A copy of real data identifies its original: every sample has its own condition.
            "views": torch.arange(len(rows), device=y.device).unsqueeze(0),
        }.get(self._method.conditions_on or "")
        return Batch(
            x1=x1.unsqueeze(0),
            x2=x2.unsqueeze(0),
            y=y,
            views=views,
            groups=None if condition is None else group_by_condition(condition),
        )


@torch.no_grad()
def read_all(trained: Trained, method: Method, data: Multimodal) -> dict[str, dict[str, Tensor]]:
    """Readouts of all samples by split and name, ``joint`` among them, [n, width] each.

    Inputs that are sequences (the control ``raw``) are read as the mean of their steps, without
    those of zeros before them.

    Args:
        trained: the networks.
        method: what reads them: the trained method, or one that shares its training.
        data: the samples.
    """
    found = {}
    for split in SPLITS:
        chunks = [
            method.readouts(trained.module, x1, x2)
            for x1, x2 in _chunks(getattr(data, split), trained.module)
        ]
        own = {name: torch.cat([part[name][0] for part in chunks]) for name in chunks[0]}
        if isinstance(method, METHODS["raw"]):
            shapes = {"z1": data.shape1, "z2": data.shape2}
            own = {name: _mean_step(own[name], shape.steps) for name, shape in shapes.items()}
        parts = method.joint_parts(own)
        if parts:
            own[JOINT] = torch.cat([own[name] for name in parts], 1)
        found[split] = own
    return found


@torch.no_grad()
def constant_heads(trained: Trained, data: Multimodal) -> list[str]:
    """One line for each head whose outputs of test samples are constant."""
    x1, x2 = next(_chunks(data.test, trained.module))
    heads = trained.method.heads(trained.module, x1, x2)
    return head_alarms({name: float(out[0].std(0).amax()) for name, out in heads.items()})


def _chunks(split: RealSplit, module: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    like = next(module.parameters(), torch.zeros(()))
    for start in range(0, len(split), _CHUNK):
        rows = slice(start, start + _CHUNK)
        x1, x2 = (torch.from_numpy(x[rows]).to(like).unsqueeze(0) for x in (split.x1, split.x2))
        yield x1, x2


def _mean_step(x: Tensor, steps: int | None) -> Tensor:
    if steps is None:
        return x
    sequences = x.view(len(x), steps, -1)
    there = (sequences != 0).any(2).sum(1, keepdim=True).clamp_min(1)
    return sequences.sum(1) / there
