"""Training steps on a CUDA device: no launches one by one, and no waits.

Owns when batches are made, and the CUDA graph of a step. May import ``fctestbed.objectives`` and
torch.

Batches are made one block ahead of the steps that take them, so that the extents of their groups,
which the host needs, are known before any step waits for them. Groups are padded to the largest
extents so far. A step therefore has the same shapes every time, and is captured as a CUDA graph
after a few steps; it is captured again where larger groups come.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import torch

from fctestbed._devices import Fetched
from fctestbed.objectives import NO_GROUPS, GroupExtents, group_extents
from fctestbed.training.batches import BLOCK, DrawnBatch
from fctestbed.training.step import TrainingStep

# Steps before a capture: they make what is made once (optimiser states, workspaces of libraries,
# compiled kernels).
_WARM_UP = 3


def has_static_steps(device: torch.device) -> bool:
    """Whether a device gains from steps of fixed shapes."""
    return device.type == "cuda"


class StaticSteps:
    """Runs a training's steps on batches of fixed shapes.

    Args:
        step: the step.
        batches: the batches of the training.
        warn: called with one line if steps cannot be captured; they are then run as they are.
    """

    def __init__(
        self, step: TrainingStep, batches: Iterator[DrawnBatch], warn: Callable[[str], None]
    ) -> None:
        self._step, self._warn = step, warn
        self._batches = _ahead(batches, step.n_batches)
        self._held: list[DrawnBatch] = []
        self._extents: GroupExtents | None = None
        self._replay: Callable[[], None] | None = None
        self._warm_up = _WARM_UP
        self._captures = True

    def run(self, rate: float) -> None:
        """The next step, at a learning rate."""
        batches, extents = next(self._batches)
        self._step.set_rate(rate)
        if not self._captures:
            self._step([batch.batch(extents) for batch in batches])
            return
        self._hold(batches)
        if extents != self._extents:
            # Of one graph at a time: each holds the memory of a whole step.
            self._replay, self._warm_up, self._extents = None, _WARM_UP, extents
        if self._warm_up:
            self._warm_up -= 1
            self._on_held()
            return
        if self._replay is None:
            self._replay = self._captured()
        (self._replay or self._on_held)()

    def _hold(self, batches: Sequence[DrawnBatch]) -> None:
        """Copy batches to the tensors that the captured step reads."""
        if not self._held:
            self._held = [batch.clone() for batch in batches]
            return
        torch._foreach_copy_(
            [tensor for batch in self._held for tensor in batch.tensors],
            [tensor for batch in batches for tensor in batch.tensors],
        )

    def _on_held(self) -> None:
        self._step([batch.batch(self._extents) for batch in self._held])

    def _captured(self) -> Callable[[], None] | None:
        try:
            return captured(self._on_held)
        except torch.OutOfMemoryError:
            raise
        # A method may do what no graph can hold, such as a choice by a loss's value.
        except RuntimeError as error:
            self._captures = False
            reason = " ".join(str(error).split())
            self._warn(f"steps are not captured as a CUDA graph: {reason:.200}")
            return None


def captured(work: Callable[[], None]) -> Callable[[], None]:
    """A function that repeats work as a CUDA graph. The work is recorded, not done.

    Raises:
        RuntimeError: for work that no graph can hold.
    """
    graph = torch.cuda.CUDAGraph()
    # The stream of the steps before, so that autograd never goes from one stream to another.
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        work()
    return graph.replay


@dataclass(frozen=True)
class _Block:
    """Steps whose batches are made.

    Attributes:
        steps: the batches of each.
        extents: those of their groups; None where batches have no groups.
    """

    steps: list[list[DrawnBatch]]
    extents: Fetched | None


def _ahead(
    batches: Iterator[DrawnBatch], per_step: int
) -> Iterator[tuple[list[DrawnBatch], GroupExtents | None]]:
    """The batches of each step, with the extents that groups are padded to."""
    extents = NO_GROUPS
    block = _made(batches, per_step)
    while block.steps:
        # Made before the block's own steps are started, so that its extents do not wait for these.
        upcoming = _made(batches, per_step)
        if block.extents is not None:
            n_groups, size, n_pairs = block.extents.tolist()
            own = GroupExtents(n_groups=n_groups, size=size, n_pairs=n_pairs)
            extents = extents.enlarged(own)
        for step in block.steps:
            yield step, None if block.extents is None else extents
        block = upcoming


def _made(batches: Iterator[DrawnBatch], per_step: int) -> _Block:
    found = list(islice(batches, BLOCK // per_step * per_step or per_step))
    steps = [found[place : place + per_step] for place in range(0, len(found), per_step)]
    conditions = [batch.condition for batch in found if batch.condition is not None]
    extents = Fetched(group_extents(torch.cat(conditions))) if conditions else None
    return _Block(steps, extents)


@contextmanager
def own_stream(device: torch.device) -> Iterator[None]:
    """On a CUDA device, a stream beside the default one, which cannot be captured."""
    if device.type != "cuda":
        yield
        return
    before, own = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    own.wait_stream(before)
    try:
        with torch.cuda.stream(own):
            yield
    finally:
        before.wait_stream(own)
