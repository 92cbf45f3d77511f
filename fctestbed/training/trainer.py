"""Training of a stack of any number of runs.

Owns the training loop. May import ``fctestbed.objectives`` and ``fctestbed.synthesis``.
"""

import math
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from fctestbed.nets import Stack, check_precision, products_in
from fctestbed.objectives import Batch, Method, NetSpec, Views, group_by_condition
from fctestbed.synthesis import Augmenter, Dataset
from fctestbed.training.data import StackData, batch_order
from fctestbed.training.optimiser import StackedAdam
from fctestbed.training.randomness import torch_stream
from fctestbed.training.spec import TrainingSpec, TrainSpec

# Random numbers of augmentations are drawn for this many steps at once.
_NOISE_BLOCK = 16
_LOGGED_POINTS = 50
# A run whose loss exceeds this many nats does not recover.
_EXPLODED_NATS = 1e6


@dataclass(frozen=True)
class Progress:
    """Progress of a stack's training: steps done, all steps, and each run's loss in nats."""

    step: int
    steps: int
    losses_nats: tuple[float, ...]


@dataclass
class TrainedStack:
    """Trained encoders of a stack.

    Attributes:
        specs: the trainings, in the order of the stack axis.
        method: the method that they were trained with.
        module: parameters, on the device.
        diverged: for each training, the reason if it diverged, or None.
        logged_steps: steps at which losses were logged.
        losses_nats: each term's losses at those steps, [points][runs].
        seconds: wall time of the training.
    """

    specs: Sequence[TrainingSpec]
    method: Method
    module: nn.Module
    device: torch.device
    dtype: torch.dtype
    diverged: list[str | None]
    logged_steps: list[int] = field(default_factory=list)
    losses_nats: dict[str, list[list[float]]] = field(default_factory=dict)
    seconds: float = 0.0

    def read_as(self, method: Method) -> "TrainedStack":
        """The same training with the readouts of a method that shares it."""
        return replace(self, method=method)

    @torch.no_grad()
    def readouts(self, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """The method's readouts of [stack, n, dim] inputs, in evaluation mode."""
        return self.method.readouts(self.module, x1, x2)

    @torch.no_grad()
    def heads(self, x1: Tensor, x2: Tensor) -> dict[str, Tensor]:
        """Outputs of the method's heads."""
        return self.method.heads(self.module, x1, x2)


def train_stack(
    specs: Sequence[TrainingSpec],
    datasets: Sequence[Dataset],
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    report: Callable[[Progress], None] | None = None,
    visit: Callable[[TrainedStack, int], None] | None = None,
    visited_steps: Collection[int] = (),
    method: Method | None = None,
) -> TrainedStack:
    """Train runs of one shape together along a leading axis.

    Args:
        specs: the trainings; their ``stack_key`` must be the same.
        datasets: the data set of each.
        device: where to train. Every random number is drawn on the CPU, whatever the device.
        dtype: of parameters and data.
        report: called with the progress each time that losses are logged.
        visit: called with the stack as it is, and the number of steps done; it may read the stack.
        visited_steps: the numbers of steps after which ``visit`` is called.
        method: in the place of the trainings' own: one with the same loss and other networks.

    Returns:
        The trained stack. A run whose loss became infinite, NaN or larger than a million nats has
        a reason in ``diverged``; the other runs are not affected.

    Raises:
        ValueError: for trainings that cannot share a stack, a wrong number of data sets, or data
            of another world or seed than its training's, or a precision that the device cannot
            do.
    """
    keys = {spec.stack_key for spec in specs}
    if len(keys) != 1:
        raise ValueError(f"specs: expected trainings of one shape, got {len(keys)} shapes")
    if len(datasets) != len(specs):
        raise ValueError(f"datasets: expected {len(specs)}, one per training, got {len(datasets)}")
    for place, (training, dataset) in enumerate(zip(specs, datasets, strict=True)):
        _check_dataset(place, training, dataset)
    device = torch.device(device)
    if specs[0].train is not None:
        check_precision(specs[0].train.precision, device, name="train.precision")
    started = time.perf_counter()
    trained = initial_stack(specs, device=device, dtype=dtype, method=method)
    if specs[0].train is not None:
        _optimise(
            trained,
            specs[0].train,
            datasets,
            report=report,
            visit=visit,
            visited_steps=visited_steps,
        )
    trained.module.requires_grad_(False)
    trained.seconds = time.perf_counter() - started
    return trained


def initial_stack(
    specs: Sequence[TrainingSpec],
    *,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
    method: Method | None = None,
) -> TrainedStack:
    """The networks of trainings of one shape at their initial values."""
    method = specs[0].build_method() if method is None else method
    stack = Stack(generators=_generators(specs, "initialisation"), dtype=dtype)
    module = method.build(stack, specs[0].data_shape, specs[0].nets or NetSpec()).to(device)
    return TrainedStack(
        specs=specs,
        method=method,
        module=module,
        device=device,
        dtype=dtype,
        diverged=[None] * len(specs),
    )


def _check_dataset(place: int, training: TrainingSpec, dataset: Dataset) -> None:
    """Refuse data that are not the training's; a label that it does not depend on may differ."""
    if dataset.seed != training.seed:
        raise ValueError(
            f"datasets.{place}: expected seed {training.seed}, its training's, got {dataset.seed}"
        )
    found, expected = dataset.spec, training.world
    same = found.without_label_digest() == expected.without_label_digest()
    if not same or (training.depends_on_label and found.label != expected.label):
        raise ValueError(
            f"datasets.{place}: expected data of its training's world, got data of another"
        )


def _generators(specs: Sequence[TrainingSpec], name: str) -> tuple[torch.Generator, ...]:
    return tuple(torch_stream(name, spec.key, spec.seed) for spec in specs)


def _optimise(
    trained: TrainedStack,
    train: TrainSpec,
    datasets: Sequence[Dataset],
    *,
    report: Callable[[Progress], None] | None,
    visit: Callable[[TrainedStack, int], None] | None,
    visited_steps: Collection[int],
) -> None:
    method, module = trained.method, trained.module
    inner = list(module.get_submodule("inner").parameters()) if method.has_inner_loop else []
    own = {id(parameter) for parameter in inner}
    outer = [parameter for parameter in module.parameters() if id(parameter) not in own]
    size = len(trained.specs)
    adams = [StackedAdam(part, size, train.learning_rate) for part in (outer, inner) if part]
    inner_steps = method.settings.inner_steps if inner else 0
    fresh = bool(inner) and method.settings.inner_batch == "fresh"
    batches = _batches(trained, train, datasets, 1 + inner_steps if fresh else 1)
    alive = torch.ones(len(trained.specs), dtype=torch.bool, device=trained.device)
    every = max(1, train.steps // _LOGGED_POINTS)
    for step in range(train.steps):
        rate = train.learning_rate * _schedule(train, step)
        batch = next(batches)
        with products_in(train.precision):
            # The inner loop's parameters are constants of the outer loss.
            for parameter in inner:
                parameter.requires_grad_(False)
            terms = method.loss(module, batch)
            total = torch.stack(list(terms.values())).sum(0)
            alive &= total.detach().abs() < _EXPLODED_NATS
            adams[0].step(total, rate)
            for parameter in inner:
                parameter.requires_grad_(True)
            for _ in range(inner_steps):
                losses = method.inner_loss(module, next(batches) if fresh else batch)
                adams[1].step(losses, rate * method.settings.inner_rate)
        if (step + 1) % every == 0 or step + 1 == train.steps:
            _log(trained, step + 1, {**terms, "total": total}, alive)
            if report is not None:
                totals = tuple(trained.losses_nats["total"][-1])
                report(Progress(step=step + 1, steps=train.steps, losses_nats=totals))
            if not alive.any():
                return
        if visit is not None and step + 1 in visited_steps:
            visit(trained, step + 1)
    # No logged loss includes the last step's update.
    for parameter in module.parameters():
        alive &= parameter.detach().reshape(len(alive), -1).isfinite().all(1)
    _mark_diverged(trained, train.steps, alive)


def _schedule(train: TrainSpec, step: int) -> float:
    warm = min(1.0, (step + 1) / train.warmup) if train.warmup else 1.0
    if train.schedule == "constant":
        return warm
    return warm * 0.5 * (1 + math.cos(math.pi * step / train.steps))


def _batches(
    trained: TrainedStack, train: TrainSpec, datasets: Sequence[Dataset], per_step: int
) -> Iterator[Batch]:
    """Batches in the order in which the training loop takes them."""
    specs, method, device = trained.specs, trained.method, trained.device
    data = StackData(datasets, device=device, dtype=trained.dtype)
    n_batches = train.steps * per_step
    order = batch_order(
        _generators(specs, "batches"),
        n_samples=data.n,
        batch_size=train.batch_size,
        n_batches=n_batches,
    )
    augmentation = specs[0].augmentation
    augmenter = (
        Augmenter([dataset.world for dataset in datasets], augmentation, device, trained.dtype)
        if augmentation is not None
        else None
    )
    # The first views' stream is the same for every method.
    streams = [f"augmentation{view or ''}" for view in range(method.n_views)]
    noise_generators = [_generators(specs, stream) for stream in streams]
    # Fresh draws have their own stream, so that they do not change other random numbers.
    fresh = _generators(specs, "originals") if method.conditions_on == "exact" else None
    noise: list[Tensor] = []
    for start in range(0, n_batches, _NOISE_BLOCK):
        count = min(_NOISE_BLOCK, n_batches - start)
        indices = order[start : start + count].to(device)
        if augmenter is not None:
            noise = [augmenter.draw(own, count, train.batch_size) for own in noise_generators]
        for position, index in enumerate(indices):
            x1, x2 = data.modalities(index)
            y = data.labels(index)
            condition = y if method.conditions_on == "label" else None
            views: list[Views] = []
            negatives = None
            if augmenter is not None:
                latents = data.latents(index)
                augmented = [
                    augmenter.augment(x1, x2, latents, augmenter.at(own, position)) for own in noise
                ]
                views = [Views(x1=one.x1, x2=one.x2) for one in augmented]
                if method.conditions_on == "views":
                    shared = augmented[0].condition
                    # Such views identify their original: every sample has its own condition.
                    alone = torch.arange(index.shape[1], device=device).expand_as(index)
                    condition = shared if shared is not None else alone
                if fresh is not None:
                    k = method.n_negatives
                    own = augmenter.draw_originals(fresh, 1, train.batch_size, k)
                    negatives = augmenter.originals(augmented[0], augmenter.at(own, 0))
            yield Batch(
                x1=x1,
                x2=x2,
                y=y,
                views=tuple(views),
                groups=None if condition is None else group_by_condition(condition),
                x2_negatives=negatives,
            )


def _log(trained: TrainedStack, step: int, losses: Mapping[str, Tensor], alive: Tensor) -> None:
    trained.logged_steps.append(step)
    for name, values in losses.items():
        trained.losses_nats.setdefault(name, []).append(values.detach().tolist())
    _mark_diverged(trained, step, alive)


def _mark_diverged(trained: TrainedStack, step: int, alive: Tensor) -> None:
    for run, well in enumerate(alive.tolist()):
        if not well and trained.diverged[run] is None:
            trained.diverged[run] = f"loss was not finite, or exploded, by step {step}"
