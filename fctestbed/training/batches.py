"""The batches of a stack's training, in the order in which the training takes them.

Owns which random numbers make a batch. All of them are drawn on the CPU, so that data do not depend
on the device. May import ``fctestbed.objectives`` and ``fctestbed.synthesis``.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from fctestbed._devices import sent
from fctestbed.objectives import Batch, GroupExtents, Method, Views, group_by_condition
from fctestbed.synthesis import Augmenter, Dataset
from fctestbed.training.data import StackData, batch_order
from fctestbed.training.randomness import torch_stream
from fctestbed.training.spec import TrainingSpec, TrainSpec

# Random numbers are drawn, and sent to the device, for this many batches at once.
BLOCK = 16
_FRESH = "originals"


@dataclass(frozen=True, kw_only=True)
class DrawnBatch:
    """The tensors that a batch is made of; their shapes are those of every batch of a training.

    Attributes:
        x1: first modality.
        x2: second modality.
        y: labels.
        views: augmented copies.
        condition: what negatives share with their anchor; None if they share nothing.
        x2_negatives: fresh draws of the second modality, or None.
    """

    x1: Float[Tensor, "stack n dim1"]
    x2: Float[Tensor, "stack n dim2"]
    y: Int[Tensor, "stack n"]
    views: tuple[Views, ...] = ()
    condition: Int[Tensor, "stack n"] | None = None
    x2_negatives: Float[Tensor, "stack n k dim2"] | None = None

    def batch(self, extents: GroupExtents | None = None) -> Batch:
        """The batch, whose groups have these extents, or by default the batch's own."""
        condition = self.condition
        return Batch(
            x1=self.x1,
            x2=self.x2,
            y=self.y,
            views=self.views,
            groups=None if condition is None else group_by_condition(condition, extents),
            x2_negatives=self.x2_negatives,
        )

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors, in a fixed order."""
        of_views = [x for view in self.views for x in (view.x1, view.x2)]
        rest = [x for x in (self.condition, self.x2_negatives) if x is not None]
        return [self.x1, self.x2, self.y, *of_views, *rest]

    def clone(self) -> "DrawnBatch":
        """A copy of all tensors."""
        return DrawnBatch(
            x1=self.x1.clone(),
            x2=self.x2.clone(),
            y=self.y.clone(),
            views=tuple(Views(x1=view.x1.clone(), x2=view.x2.clone()) for view in self.views),
            condition=None if self.condition is None else self.condition.clone(),
            x2_negatives=None if self.x2_negatives is None else self.x2_negatives.clone(),
        )


def run_generators(specs: Sequence[TrainingSpec], name: str) -> tuple[torch.Generator, ...]:
    """The generator of the stream ``name`` of each training."""
    return tuple(torch_stream(name, spec.key, spec.seed) for spec in specs)


class DrawnBatches(Iterator[DrawnBatch]):
    """The batches of a training.

    Args:
        specs: the trainings of the stack.
        method: the method that is trained.
        train: how long, and how large batches are.
        datasets: the data set of each training.
        per_step: batches of a step.
        device: where batches are made.
        dtype: of the samples.
    """

    def __init__(
        self,
        specs: Sequence[TrainingSpec],
        method: Method,
        train: TrainSpec,
        datasets: Sequence[Dataset],
        *,
        per_step: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._source = _Source(
            specs, method, train, datasets, per_step=per_step, device=device, dtype=dtype
        )
        self._made = self._source.batches(0)

    def __next__(self) -> DrawnBatch:
        """The next batch."""
        return next(self._made)

    def state(self, n_taken: int) -> dict[str, Tensor]:
        """The states of the random generators from which ``go_on`` makes the batches that follow.

        Args:
            n_taken: number of batches that the training has taken; more of them may be made.

        Returns:
            For each stream the states at the start of a block, [stack, bytes].
        """
        start = n_taken // BLOCK * BLOCK
        # A block that is not begun has the states of the end of the one before.
        return dict(self._source.block_states).get(start) or self._source.generator_states()

    def go_on(self, n_taken: int, state: Mapping[str, Tensor]) -> None:
        """Make the batches that follow the first ``n_taken``.

        Args:
            n_taken: number of batches that the training has taken.
            state: what ``state`` returned for them.
        """
        for name, generators in self._source.streams.items():
            for generator, own in zip(generators, state[name], strict=True):
                generator.set_state(own.clone())
        self._made = self._source.batches(n_taken)


class _Source:
    """What the batches of a training are made of; arguments as ``DrawnBatches``.

    It does not hold the iterator, which holds it: memory is free as soon as the iterator is.

    Attributes:
        block_states: the states of the generators at the start of the last blocks.
    """

    def __init__(
        self,
        specs: Sequence[TrainingSpec],
        method: Method,
        train: TrainSpec,
        datasets: Sequence[Dataset],
        *,
        per_step: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._method, self._batch_size, self._device = method, train.batch_size, device
        self._data = StackData(datasets, device=device, dtype=dtype)
        self._order = batch_order(
            run_generators(specs, "batches"),
            n_samples=self._data.n,
            batch_size=train.batch_size,
            n_batches=train.steps * per_step,
        )
        augmentation = specs[0].augmentation
        self._augmenter = (
            Augmenter([dataset.world for dataset in datasets], augmentation, device, dtype)
            if augmentation is not None
            else None
        )
        # The first views' stream is the same for every method.
        names = [f"augmentation{view or ''}" for view in range(method.n_views)]
        self._views = {name: run_generators(specs, name) for name in names}
        # Fresh draws have their own stream, so that they do not change other random numbers.
        self._fresh = run_generators(specs, _FRESH) if method.conditions_on == "exact" else None
        # Batches may be made up to two blocks, or steps, before they are taken.
        self.block_states: deque[tuple[int, dict[str, Tensor]]] = deque(
            maxlen=3 + 2 * -(-per_step // BLOCK)
        )

    @property
    def streams(self) -> dict[str, tuple[torch.Generator, ...]]:
        """The generators that are drawn from as batches are made."""
        fresh = {} if self._fresh is None else {_FRESH: self._fresh}
        return {**({} if self._augmenter is None else self._views), **fresh}

    def generator_states(self) -> dict[str, Tensor]:
        """The states of these generators as they are, [stack, bytes] for each stream."""
        return {
            name: torch.stack([generator.get_state() for generator in generators])
            for name, generators in self.streams.items()
        }

    def batches(self, n_taken: int) -> Iterator[DrawnBatch]:
        """The batches after the first ones, from generators at the start of their block."""
        augmenter, n_batches = self._augmenter, len(self._order)
        noise: list[Tensor] = []
        for start in range(n_taken // BLOCK * BLOCK, n_batches, BLOCK):
            self.block_states.append((start, self.generator_states()))
            count = min(BLOCK, n_batches - start)
            indices = sent(self._order[start : start + count], self._device)
            if augmenter is not None:
                noise = [
                    augmenter.draw(own, count, self._batch_size) for own in self._views.values()
                ]
            for position, index in enumerate(indices):
                fresh = self._fresh_noise()
                if start + position >= n_taken:
                    own = [augmenter.at(one, position) for one in noise] if augmenter else []
                    yield self._batch(index, own, fresh)

    def _fresh_noise(self) -> Tensor | None:
        """The random numbers of a batch's fresh draws, where the method has some."""
        if self._augmenter is None or self._fresh is None:
            return None
        k = self._method.n_negatives
        drawn = self._augmenter.draw_originals(self._fresh, 1, self._batch_size, k)
        return self._augmenter.at(drawn, 0)

    def _batch(self, index: Tensor, noise: Sequence[Tensor], fresh: Tensor | None) -> DrawnBatch:
        """The batch of these samples.

        Args:
            index: of the samples, [stack, n].
            noise: the random numbers of each view.
            fresh: those of fresh draws.
        """
        data, method, augmenter = self._data, self._method, self._augmenter
        x1, x2 = data.modalities(index)
        y = data.labels(index)
        condition = y if method.conditions_on == "label" else None
        views: list[Views] = []
        negatives = None
        if augmenter is not None:
            latents = data.latents(index)
            augmented = [augmenter.augment(x1, x2, latents, own) for own in noise]
            views = [Views(x1=one.x1, x2=one.x2) for one in augmented]
            if method.conditions_on == "views":
                shared = augmented[0].condition
                # Such views identify their original: every sample has its own condition.
                alone = torch.arange(index.shape[1], device=self._device).expand_as(index)
                condition = shared if shared is not None else alone
            if fresh is not None:
                negatives = augmenter.originals(augmented[0], fresh)
        return DrawnBatch(
            x1=x1, x2=x2, y=y, views=tuple(views), condition=condition, x2_negatives=negatives
        )
