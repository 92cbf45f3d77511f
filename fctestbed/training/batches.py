"""The batches of a stack's training, in the order in which the training takes them.

Owns which random numbers make a batch. All of them are drawn on the CPU, so that data do not depend
on the device. May import ``fctestbed.objectives`` and ``fctestbed.synthesis``.
"""

from collections.abc import Iterator, Sequence
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


def drawn_batches(
    specs: Sequence[TrainingSpec],
    method: Method,
    train: TrainSpec,
    datasets: Sequence[Dataset],
    *,
    per_step: int,
    device: torch.device,
    dtype: torch.dtype,
) -> Iterator[DrawnBatch]:
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
    data = StackData(datasets, device=device, dtype=dtype)
    n_batches = train.steps * per_step
    order = batch_order(
        run_generators(specs, "batches"),
        n_samples=data.n,
        batch_size=train.batch_size,
        n_batches=n_batches,
    )
    augmentation = specs[0].augmentation
    augmenter = (
        Augmenter([dataset.world for dataset in datasets], augmentation, device, dtype)
        if augmentation is not None
        else None
    )
    # The first views' stream is the same for every method.
    streams = [f"augmentation{view or ''}" for view in range(method.n_views)]
    noise_generators = [run_generators(specs, stream) for stream in streams]
    # Fresh draws have their own stream, so that they do not change other random numbers.
    fresh = run_generators(specs, "originals") if method.conditions_on == "exact" else None
    noise: list[Tensor] = []
    for start in range(0, n_batches, BLOCK):
        count = min(BLOCK, n_batches - start)
        indices = sent(order[start : start + count], device)
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
            yield DrawnBatch(
                x1=x1,
                x2=x2,
                y=y,
                views=tuple(views),
                condition=condition,
                x2_negatives=negatives,
            )
