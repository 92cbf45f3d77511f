"""The training data of a stack on its device, and the batches drawn from them.

Owns gathering and the order of batches. May import ``fctestbed.objectives`` and
``fctestbed.synthesis``.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from fctestbed.synthesis import Dataset


class StackData:
    """Training arrays of K data sets; shared arrays are stored once.

    Attributes:
        n: training samples of each data set.
    """

    def __init__(
        self, datasets: Sequence[Dataset], *, device: torch.device, dtype: torch.dtype
    ) -> None:
        splits = [dataset.train for dataset in datasets]
        self.n = len(splits[0])
        # Data sets that differ only in their label share x and latents; each array is stored once.
        unique = {id(split.x1): split for split in splits}
        place = {key: position for position, key in enumerate(unique)}
        self._source = torch.tensor([place[id(split.x1)] for split in splits], device=device)

        def held(name: str, kind: torch.dtype) -> Tensor:
            arrays = [np.asarray(getattr(split, name)) for split in unique.values()]
            return torch.from_numpy(np.stack(arrays)).to(device=device, dtype=kind)

        self._x1, self._x2 = held("x1", dtype), held("x2", dtype)
        bits = splits[0].w_s.dtype == np.uint8
        self._latents = tuple(
            held(name, torch.uint8 if bits else dtype) for name in ("w_s", "w_1", "w_2")
        )
        labels = np.stack([split.y for split in splits])
        self._labels = torch.from_numpy(labels).to(device=device, dtype=torch.long)

    def modalities(
        self, index: Int[Tensor, "stack n"]
    ) -> tuple[Float[Tensor, "stack n dim1"], Float[Tensor, "stack n dim2"]]:
        """Rows of both modalities."""
        return self._rows(self._x1, index), self._rows(self._x2, index)

    def latents(self, index: Int[Tensor, "stack n"]) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of the blocks w_s, w_1, w_2."""
        w_s, w_1, w_2 = (self._rows(block, index) for block in self._latents)
        return w_s, w_1, w_2

    def _rows(self, arrays: Tensor, index: Int[Tensor, "stack n"]) -> Tensor:
        # index_select copies whole rows; indexing by two tensors takes ten times as long.
        place = (index + self._source.unsqueeze(1) * self.n).flatten()
        return arrays.flatten(0, 1).index_select(0, place).view(*index.shape, -1)

    def labels(self, index: Int[Tensor, "stack n"]) -> Int[Tensor, "stack n"]:
        """Classes of the samples."""
        return self._labels.gather(1, index)


def batch_order(
    generators: Sequence[torch.Generator], *, n_samples: int, batch_size: int, n_batches: int
) -> Int[Tensor, "n_batches stack batch"]:
    """Indices of each run's batches, on the CPU: a permutation for each epoch, without the last
    incomplete batch."""
    per_epoch = n_samples // batch_size
    epochs = -(-n_batches // per_epoch)
    runs = []
    for generator in generators:
        order = [
            torch.randperm(n_samples, generator=generator)[: per_epoch * batch_size]
            for _ in range(epochs)
        ]
        runs.append(torch.cat(order).view(-1, batch_size)[:n_batches])
    return torch.stack(runs, 1)
