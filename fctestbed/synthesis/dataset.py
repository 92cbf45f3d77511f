"""Datasets: train and test splits of a world, with its truth; drawn, saved and loaded.

May import numpy and this package. Only ``Split.torch_dataset`` imports torch. A split has a length
and items, so ``torch.utils.data.DataLoader`` accepts it directly.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fctestbed._array_files import write_archives
from fctestbed._plugins import only_plugins
from fctestbed.synthesis.dataset_file import (
    CODEWORDS,
    FIELDS,
    SPLITS,
    file_content,
    inputs_digest,
    read_content,
)
from fctestbed.synthesis.labels import LabelRule
from fctestbed.synthesis.latents import Latents
from fctestbed.synthesis.spec import WorldSpec
from fctestbed.synthesis.truth import Truth, world_truth
from fctestbed.synthesis.world import World, check_memory, modality_codewords

if TYPE_CHECKING:
    from torch.utils.data import TensorDataset

MOST_SAVED_CODEWORDS = 1 << 16
"""Most patterns of a modality's latent bits whose inputs a data set's file holds."""
# 256 MiB: wider inputs of fewer patterns may be as much.
_MOST_SAVED_NUMBERS = 1 << 26


@dataclass(frozen=True, eq=False, kw_only=True)
class Split:
    """Samples of a world as read-only arrays; items are (x1, x2, y) of one sample.

    Shapes: ``x1`` (n, dim1) and ``x2`` (n, dim2) float32, ``y`` (n,) int64, ``w_s``, ``w_1``,
    ``w_2`` (n, size of the block), bits as uint8 and Gaussian latents as float32.
    """

    x1: npt.NDArray[np.float32]
    x2: npt.NDArray[np.float32]
    y: npt.NDArray[np.int64]
    w_s: npt.NDArray[Any]
    w_1: npt.NDArray[Any]
    w_2: npt.NDArray[Any]

    def __post_init__(self) -> None:
        for name in FIELDS:
            getattr(self, name).flags.writeable = False

    @property
    def latents(self) -> Latents:
        """The latent blocks (w_s, w_1, w_2)."""
        return Latents(self.w_s, self.w_1, self.w_2)

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(
        self, index: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], int]:
        """(x1, x2, y) of one sample; the arrays are copies, so a loader may wrap them."""
        return self.x1[index].copy(), self.x2[index].copy(), int(self.y[index])

    def torch_dataset(self) -> "TensorDataset":
        """A ``torch.utils.data.TensorDataset`` of copies of x1, x2 and y."""
        import torch  # noqa: PLC0415 - this package must import without torch

        copies = (torch.from_numpy(array.copy()) for array in (self.x1, self.x2, self.y))
        return torch.utils.data.TensorDataset(*copies)


@dataclass(frozen=True, eq=False, kw_only=True)
class Dataset:
    """A world's data: specification, seed, maps, exact truth, and the two splits."""

    spec: WorldSpec
    seed: int
    world: World
    truth: Truth
    train: Split
    test: Split

    def with_label(self, label: LabelRule) -> "Dataset":
        """The dataset of the same world with another label; latents and x are shared, not copied.

        Equal to ``make_dataset`` of that specification and this seed.
        """
        world = self.world.with_label(label)
        train, test = (
            replace(split, y=_draw_labels(world, name, split.latents))
            for name, split in zip(SPLITS, (self.train, self.test), strict=True)
        )
        return Dataset(
            spec=world.spec,
            seed=self.seed,
            world=world,
            truth=world_truth(world.spec),
            train=train,
            test=test,
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the inputs of both splits: ``world_digest`` in its file."""
        return inputs_digest(self._arrays())

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {
            f"{name}_{field}": getattr(split, field)
            for name, split in zip(SPLITS, (self.train, self.test), strict=True)
            for field in FIELDS
        }

    def _codewords(self) -> dict[str, npt.NDArray[np.float32]]:
        """The inputs of every pattern, by name; none where a readout has no codewords, or where
        there are more than ``MOST_SAVED_CODEWORDS``, or more than 256 MiB."""
        n_bits = self.spec.block_sizes[0] + max(self.spec.block_sizes[1:])
        exact = self.spec.latents.is_finite and self.spec.observation.noise == 0
        too_many = 2**n_bits > MOST_SAVED_CODEWORDS
        if not exact or too_many or 2**n_bits * sum(self.spec.dims) > _MOST_SAVED_NUMBERS:
            return {}
        return {f"{CODEWORDS}_x{m}": modality_codewords(self.world, m) for m in (1, 2)}

    def save(
        self,
        path: str | Path,
        *,
        beside: Mapping[Path, Mapping[str, npt.NDArray[Any]]] | None = None,
    ) -> None:
        """Write the dataset atomically to one .npz file (see ``dataset_file``), with the inputs of
        every pattern of a modality's latent bits where they can be enumerated and are at most
        ``MOST_SAVED_CODEWORDS``.

        Args:
            path: the file.
            beside: further .npz files and their arrays: all files are written, or none.

        Raises:
            OSError: if a directory is missing or cannot be written; old files are unchanged.
        """
        arrays = {**self._arrays(), **self._codewords()}
        content = file_content(self.spec, self.seed, self.truth, arrays)
        write_archives({Path(path): content, **(beside or {})})


def make_dataset(spec: WorldSpec, seed: int) -> Dataset:
    """Draw the train and test splits of a world, each from its own streams.

    Args:
        spec: the world.
        seed: a whole number in [0, 2^63). The same specification and seed give the same bytes.
            Specifications that differ only in the label give the same latents and x.

    Raises:
        ValueError: one line, for no specification, a seed outside that range, or samples that do
            not fit into this machine's memory.
    """
    seed = _seed(seed)
    world = World(spec, seed)
    check_memory("n_train", "samples", spec.sample_bytes)
    train, test = (
        _draw_split(world, name, n)
        for name, n in zip(SPLITS, (spec.n_train, spec.n_test), strict=True)
    )
    return Dataset(
        spec=spec, seed=seed, world=world, truth=world_truth(spec), train=train, test=test
    )


def draw_samples(spec: WorldSpec, seed: int, n: int, name: str) -> Split:
    """Draw samples of a world from a stream of their own.

    Args:
        spec: the world.
        seed: of its maps and streams, a whole number in [0, 2^63).
        n: how many.
        name: the stream's name; ``train`` and ``test`` are those of ``make_dataset``, whose first
            samples are not these, since a stream's numbers depend on how many are drawn.

    Raises:
        ValueError: one line, for no specification, a seed outside that range, no whole number of at
            least 0, no name, or samples that do not fit into this machine's memory.
    """
    world = World(spec, _seed(seed))
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise ValueError(f"n: expected a whole number of at least 0, got {n!r}")
    if not isinstance(name, str) or not name:
        raise ValueError(f"name: expected the name of a stream, got {name!r}")
    check_memory("n", "samples", n * spec.sample_bytes // max(1, spec.n_train + spec.n_test))
    return _draw_split(world, name, n)


def load_dataset(path: str | Path, *, allow_plugins: bool = False) -> Dataset:
    """Load a dataset that ``Dataset.save`` wrote. Maps and truth come from its specification and
    seed.

    Args:
        path: the file.
        allow_plugins: whether a file whose label is a user's function may import that function's
            module, which runs its code.

    Raises:
        ValueError: one line that names the file and the array, for a label that is not allowed, a
            file that is not an .npz archive, and for missing or unknown arrays or arrays whose
            shape or type does not match the specification.
        OSError: if the file cannot be opened.
    """
    if not isinstance(path, str | Path):
        raise ValueError(f"path: expected the name of a file, got {path!r}")
    with nullcontext() if allow_plugins else only_plugins(()):
        spec, seed, arrays = read_content(Path(path))
    train, test = (
        Split(**{field: arrays[f"{name}_{field}"] for field in FIELDS}) for name in SPLITS
    )
    return Dataset(
        spec=spec,
        seed=seed,
        world=World(spec, seed),
        truth=world_truth(spec),
        train=train,
        test=test,
    )


def _seed(seed: object) -> int:
    try:
        whole = index(seed)  # type: ignore[arg-type]
    except TypeError:
        whole = -1
    if isinstance(seed, bool) or not 0 <= whole < 2**63:
        raise ValueError(f"seed: expected a whole number from 0 to 2^63 - 1, got {seed!r}")
    return whole


def _draw_split(world: World, name: str, n_samples: int) -> Split:
    rng = world.stream(name)
    latents = world.spec.latents.draw(n_samples, rng)
    x1, x2 = world.observe(latents, rng)
    return Split(
        x1=x1,
        x2=x2,
        y=_draw_labels(world, name, latents),
        w_s=latents.w_s,
        w_1=latents.w_1,
        w_2=latents.w_2,
    )


def _draw_labels(world: World, name: str, latents: Latents) -> npt.NDArray[np.int64]:
    return world.spec.label.draw(latents, world.stream(f"{name}/label"))
