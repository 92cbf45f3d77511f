"""Training of a stack of any number of runs.

Owns the training loop. May import ``fctestbed.objectives`` and ``fctestbed.synthesis``.
"""

import math
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fctestbed.nets import check_precision, layers_on_one_thread
from fctestbed.objectives import Method
from fctestbed.synthesis import Dataset
from fctestbed.training.batches import DrawnBatches
from fctestbed.training.checkpoints import Checkpoints
from fctestbed.training.spec import TrainingSpec, TrainSpec
from fctestbed.training.stack import TrainedStack, initial_stack
from fctestbed.training.state import StackInTraining
from fctestbed.training.static_steps import StaticSteps, has_static_steps, own_stream
from fctestbed.training.step import TrainingStep

_LOGGED_POINTS = 50
# Where steps run without waits, the host fetches losses at the first logged step after so many.
_FETCHED_STEPS = 100


@dataclass(frozen=True)
class Progress:
    """Progress of a stack's training: steps done, all steps, and each run's loss in nats."""

    step: int
    steps: int
    losses_nats: tuple[float, ...]


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
    prepare: Callable[[TrainedStack], None] | None = None,
    checkpoints: Checkpoints | None = None,
) -> TrainedStack:
    """Train runs of one shape together along a leading axis.

    Args:
        specs: the trainings; their ``stack_key`` must be the same.
        datasets: the data set of each.
        device: where to train. Every random number is drawn on the CPU, whatever the device.
        dtype: of parameters and data.
        report: called with the progress of each step whose losses are logged; on a CUDA device
            some logged steps later, for several of them at once.
        visit: called with the stack as it is, and the number of steps done; it may read the stack.
        visited_steps: the numbers of steps after which ``visit`` is called.
        method: in the place of the trainings' own: one with the same loss and other networks.
        prepare: called with the stack at its initial values; it may set its parameters to others.
        checkpoints: where the stack is saved meanwhile, and goes on from; None for nowhere. On one
            CPU thread, a training that goes on has the result of one that was not interrupted, bit
            for bit; on a CUDA device groups may be padded to other sizes after it goes on.

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
    if prepare is not None:
        prepare(trained)
    if specs[0].train is not None:
        with own_stream(device), layers_on_one_thread():
            _optimise(
                trained,
                specs[0].train,
                datasets,
                report=report,
                visit=visit,
                visited_steps=visited_steps,
                checkpoints=checkpoints,
            )
    trained.module.requires_grad_(False)
    trained.seconds = time.perf_counter() - started
    return trained


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


def _optimise(
    trained: TrainedStack,
    train: TrainSpec,
    datasets: Sequence[Dataset],
    *,
    report: Callable[[Progress], None] | None,
    visit: Callable[[TrainedStack, int], None] | None,
    visited_steps: Collection[int],
    checkpoints: Checkpoints | None,
) -> None:
    is_static = has_static_steps(trained.device)
    step = TrainingStep(
        trained.method,
        trained.module,
        len(trained.specs),
        rate=train.learning_rate,
        precision=train.precision,
        capturable=is_static,
    )
    batches = DrawnBatches(
        trained.specs,
        trained.method,
        train,
        datasets,
        per_step=step.n_batches,
        device=trained.device,
        dtype=trained.dtype,
    )
    in_training = StackInTraining(
        trained, step, batches, None if checkpoints is None else checkpoints.visitor
    )
    first = 0 if checkpoints is None else checkpoints.go_on(in_training)
    run = StaticSteps(step, batches, trained.warn).run if is_static else None
    every = max(1, train.steps // _LOGGED_POINTS)
    log = _LossLog(trained, train.steps, report, _FETCHED_STEPS if is_static else 1)
    for done in range(first + 1, train.steps + 1):
        rate = train.learning_rate * scheduled_share(train, done - 1)
        if run is not None:
            run(rate)
        else:
            step.set_rate(rate)
            step([next(batches).batch() for _ in range(step.n_batches)])
        is_visited = visit is not None and done in visited_steps
        if done % every == 0 or done == train.steps:
            log.note(done, step)
        if log.is_due(done) or is_visited:
            log.fetch()
            if not log.any_alive:
                return
        if visit is not None and is_visited:
            visit(trained, done)
        if checkpoints is not None and done < train.steps and checkpoints.is_due():
            log.fetch()
            checkpoints.save(in_training, done)
    step.mark_finite()
    _mark_diverged(trained, train.steps, step.alive.tolist())


def scheduled_share(train: TrainSpec, step: int) -> float:
    """The learning rate of a step, counted from 0, as a share of ``train.learning_rate``."""
    warm = min(1.0, (step + 1) / train.warmup) if train.warmup else 1.0
    if train.schedule == "constant":
        return warm
    return warm * 0.5 * (1 + math.cos(math.pi * step / train.steps))


class _LossLog:
    """The losses of logged steps, which stay on the device until the host fetches them.

    Args:
        trained: the stack, whose record gets them.
        steps: of the whole training.
        report: called with each logged step once its losses are fetched.
        fetched_steps: steps after which they are fetched again.

    Attributes:
        any_alive: whether a run had not diverged when losses were last fetched.
    """

    def __init__(
        self,
        trained: TrainedStack,
        steps: int,
        report: Callable[[Progress], None] | None,
        fetched_steps: int,
    ) -> None:
        self._trained, self._steps, self._report = trained, steps, report
        self._fetched_steps, self._fetched = fetched_steps, 0
        self._pending: list[tuple[int, tuple[str, ...], Tensor, Tensor]] = []
        self.any_alive = True

    def note(self, step: int, of_step: TrainingStep) -> None:
        """Log the losses of a step."""
        losses = of_step.losses
        values = torch.stack(list(losses.values()))
        self._pending.append((step, tuple(losses), values, of_step.alive.clone()))

    def is_due(self, step: int) -> bool:
        """Whether losses are to be fetched after this step."""
        since = step - self._fetched
        return bool(self._pending) and (since >= self._fetched_steps or step == self._steps)

    def fetch(self) -> None:
        """Move what is logged to the stack's record. The host waits for the device."""
        for step, names, values, alive in self._pending:
            self._trained.logged_steps.append(step)
            by_name = dict(zip(names, values.tolist(), strict=True))
            for name, of_runs in by_name.items():
                self._trained.losses_nats.setdefault(name, []).append(of_runs)
            of_runs = alive.tolist()
            _mark_diverged(self._trained, step, of_runs)
            self.any_alive, self._fetched = any(of_runs), step
            if self._report is not None:
                losses = tuple(by_name["total"])
                self._report(Progress(step=step, steps=self._steps, losses_nats=losses))
        self._pending.clear()


def _mark_diverged(trained: TrainedStack, step: int, alive: Sequence[bool]) -> None:
    for run, well in enumerate(alive):
        if not well and trained.diverged[run] is None:
            trained.diverged[run] = f"loss was not finite, or exploded, by step {step}"
