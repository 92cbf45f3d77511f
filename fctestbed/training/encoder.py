"""The trained encoder of one run of a sweep, for arrays from anywhere.

May import ``fctestbed.objectives``, ``fctestbed.results`` and ``fctestbed.synthesis``.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed._plugins import only_plugins
from fctestbed._records import InvalidSpec
from fctestbed.results import (
    JOINT,
    ResultsStore,
    StoredRun,
    StoreRefused,
    encoder_path,
    read_encoder,
    store_file,
    stored_runs,
)
from fctestbed.training.encoding import CHUNK
from fctestbed.training.kept import load_stack
from fctestbed.training.spec import TrainingSpec
from fctestbed.training.stack import TrainedStack

Array = TypeVar("Array", NDArray[Any], Tensor)


class Encoder:
    """The trained encoder of one run: arrays of both modalities in, readouts by name out.

    Attributes:
        training: the training's specification.
    """

    def __init__(self, trained: TrainedStack) -> None:
        (self.training,) = trained.specs
        self._trained = trained

    def __call__(self, x1: Array, x2: Array) -> dict[str, Array]:
        """The readouts of samples, those that the sweep measures, ``joint`` among them.

        Args:
            x1: samples of modality 1, [n, dim1], an array of numpy or a tensor of torch.
            x2: the same samples of modality 2, [n, dim2].

        Returns:
            Each readout by name, [n, width]: float32 arrays of numpy, or tensors on the device of
            ``x1`` where that is a tensor.

        Raises:
            ValueError: one line, for arrays of another shape, or numbers that are not finite.
        """
        shape, trained = self.training.data_shape, self._trained
        first, second = self._taken("x1", x1, shape.dim1), self._taken("x2", x2, shape.dim2)
        if len(first) != len(second):
            raise ValueError(f"x2: expected {len(first)} rows, as x1 has, got {len(second)}")
        chunks: dict[str, list[Tensor]] = {}
        for u, v in zip(first.split(CHUNK), second.split(CHUNK), strict=True):
            for name, values in trained.readouts(u.unsqueeze(0), v.unsqueeze(0)).items():
                chunks.setdefault(name, []).append(values[0])
        found = {name: torch.cat(parts) for name, parts in chunks.items()}
        parts = trained.method.joint_parts(found)
        if parts:
            found[JOINT] = torch.cat([found[name] for name in parts], 1)
        if isinstance(x1, Tensor):
            return {name: values.to(x1.device) for name, values in found.items()}
        return {name: values.cpu().numpy() for name, values in found.items()}

    def _taken(self, name: str, given: Any, width: int) -> Tensor:
        """Samples as a tensor on the encoder's device."""
        if not isinstance(given, Tensor):
            try:
                array = np.asarray(given)
            except ValueError as error:
                raise ValueError(f"{name}: expected an array of numbers, got {error}") from error
            if array.dtype.kind not in "fiu":
                raise ValueError(f"{name}: expected numbers, got {array.dtype}")
            # What float32 cannot hold becomes infinite, and is refused below.
            with np.errstate(over="ignore"):
                given = torch.from_numpy(array.astype(np.float32))
        if given.is_complex() or given.dtype == torch.bool:
            raise ValueError(f"{name}: expected numbers, got {given.dtype}")
        if given.dim() != 2 or given.shape[1] != width or not len(given):
            raise ValueError(
                f"{name}: expected one or more rows of {width} numbers, "
                f"got shape {tuple(given.shape)}"
            )
        taken: Tensor = given.detach().to(device=self._trained.device, dtype=self._trained.dtype)
        if not bool(taken.isfinite().all()):
            raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
        return taken


def load_encoder(
    directory: str | Path,
    run_id: str,
    *,
    device: str = "cpu",
    allow_plugins: bool = False,
) -> Encoder:
    """The trained encoder of one run of a sweep.

    Args:
        directory: the sweep's directory.
        run_id: the run, as the column ``run_id`` of the results has it.
        device: a torch device to compute on.
        allow_plugins: whether code of the user's own that the sweep names (a method, a label
            function) may be imported.

    Returns:
        The encoder; critics were not kept.

    Raises:
        StoreRefused: one line, if the store or the encoder's file is damaged or of another version.
        ValueError: one line, for a run that the sweep does not have or whose encoders were not
            kept, a directory without a sweep, or a method whose code changed since.
    """
    for name, given in (("directory", directory), ("run_id", run_id)):
        if not isinstance(given, str | Path):
            raise ValueError(f"{name}: expected a name, got {given!r:.80}")
    path = store_file(directory)
    if not path.is_file():
        raise ValueError(
            f"directory: expected a sweep's directory, with its store, got {directory}"
        )
    with ResultsStore.open_read(path) as store:
        runs = {run.run_id: run for run in stored_runs(store.tables())}
    if run_id not in runs:
        raise ValueError(f"run_id: expected a run of {directory}, got {run_id!r:.80}")
    run = runs[run_id]
    if run.encoder_key is None:
        what = "none were" if run.status == "ok" else f"it {run.status}"
        raise ValueError(f"run_id: expected a run whose encoders were kept, got {run_id}: {what}")
    file = encoder_path(path.parent, run.encoder_key)
    if not file.exists():
        raise ValueError(f"run_id: expected the encoders of {run_id} in {file.parent}, got none")
    kept = read_encoder(path.parent, run.encoder_key)
    place = _device(device)
    with nullcontext() if allow_plugins else only_plugins(()):
        training = _training(run)
    try:
        return Encoder(load_stack([training], [kept.arrays], device=place))
    except ValueError as error:
        raise StoreRefused(f"{file}: {error}") from error


def _device(device: str) -> torch.device:
    try:
        return torch.empty(0, device=device).device
    # Torch raises these for an unknown name, a number that is not there, and a build without CUDA.
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device: expected a torch device that is there, got {device!r}"
        ) from error


def _training(run: StoredRun) -> TrainingSpec:
    """The training of a stored run.

    Raises:
        ValueError: one line, for one that this version cannot have, or a method whose code changed.
    """
    try:
        training = TrainingSpec.model_validate(run.spec["training"])
    except InvalidSpec as error:
        raise ValueError(f"run {run.run_id}: {error}") from error
    source = training.source
    if source != run.spec.get("source"):
        raise ValueError(
            f"run {run.run_id}: expected the source {run.spec.get('source')} of "
            f"{training.method}, got {source}: its file changed after the sweep"
        )
    return training
