"""A representation from anywhere, measured beside controls trained in the same world.

Owns the public function ``measure``. May import ``fctestbed.sweep``, ``fctestbed.plotting`` and
what is below them.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fctestbed.assessment.controls import CONTROLS, comparison, comparison_records
from fctestbed.assessment.encoders import BATCH_SIZE, Encode, encoded_arrays
from fctestbed.assessment.result import Measurement
from fctestbed.measurement import MeasureSpec, measure_readouts
from fctestbed.objectives import METHODS
from fctestbed.results import PAPER, RunRecord, results_of
from fctestbed.sweep import environment, run_truth
from fctestbed.synthesis import Dataset, WorldSpec, digest, load_dataset, make_dataset
from fctestbed.training import Readouts, load_readouts, readouts_from_arrays

NAME = "yours"
"""The method's name of the representation in rows and figures, unless another is given."""
_DEFAULT = MeasureSpec()
_PRESET = "custom"


def measure(
    world: object,
    encode1: Encode | Mapping[str, Any] | str | Path,
    encode2: Encode | None = None,
    spec: MeasureSpec = _DEFAULT,
    *,
    methods: Sequence[str] = CONTROLS,
    name: str = NAME,
    batch_size: int = BATCH_SIZE,
    device: torch.device | str = "cpu",
) -> Measurement:
    """Measure a representation, whatever computed it, in bits, beside controls.

    Args:
        world: the data set that it was learnt from: a ``Dataset``, the name of its file, or what
            has a ``spec`` and a ``seed``; or a ``WorldSpec``, for the data set of seed 0.
        encode1: the encoder of modality 1: any callable from arrays [n, dim1] to numbers
            [n, width], arrays of numpy, tensors of torch or arrays of any framework that numpy or
            DLPack can read. A ``torch.nn.Module`` gets tensors, anything else arrays of numpy, in
            float32. It encodes the samples and the codewords, every noise-free input. In its place:
            arrays [rows, width] by name, or an .npz file of them: ``train_NAME``, ``test_NAME`` and
            ``codewords_NAME`` for each readout NAME, in the order of the data set's arrays. A NAME
            that ends in 1 or 2 is a readout of that modality, any other NAME of both; the readout
            ``joint`` is composed of the modalities' where it is not given.
        encode2: the encoder of modality 2; None with arrays or a file.
        spec: how to measure.
        methods: what is trained and measured in the same world for comparison, by default the
            controls (some seconds); ``()`` for none.
        name: the representation's name in the column ``method``.
        batch_size: most samples in one call of an encoder.
        device: where to compute, and to train the methods.

    Returns:
        The measurement: rows in bits as those of a sweep, a figure, a page.

    Raises:
        ValueError: one line that names the argument or the array: no data set, no encoder, an
            output of another shape, numbers that are not finite, or that depend on the batch's
            other samples or on chance; arrays whose names, types or numbers of rows do not match
            the data set; an unknown method.
        OSError: if a file cannot be opened.
    """
    dataset = dataset_of(world)
    if not isinstance(spec, MeasureSpec):
        raise ValueError(f"spec: expected a MeasureSpec, got {type(spec).__name__}")
    place = _device(device)
    _check_name(name, methods)
    readouts, source = _readouts(dataset, encode1, encode2, spec, batch_size)
    sweeps, notes = comparison(dataset, methods, spec)
    own = _record(dataset, readouts, source, spec, name=name, device=place)
    records = [own, *comparison_records(sweeps, device=str(place))]
    notes += [f"{one.method}: {one.status}: {one.reason}" for one in records if one.reason]
    content = {
        "world": dataset.spec.model_dump(mode="json"),
        "seed": dataset.seed,
        "world_digest": dataset.digest,
        "measurement": spec.model_dump(mode="json"),
        "representation": name,
    }
    return Measurement(results_of(records, content), name, (*own.warnings, *notes))


def dataset_of(world: object) -> Dataset:
    """The data set that an argument ``world`` stands for, see ``measure``.

    Raises:
        ValueError: one line.
        OSError: if a file cannot be opened.
    """
    if isinstance(world, Dataset):
        return world
    if isinstance(world, Path) or (isinstance(world, str) and world.endswith(".npz")):
        return load_dataset(world)
    if isinstance(world, WorldSpec):
        return make_dataset(world, 0)
    spec, seed = getattr(world, "spec", None), getattr(world, "seed", None)
    if isinstance(spec, WorldSpec) and isinstance(seed, int):
        return make_dataset(spec, seed)
    what = repr(world) if isinstance(world, str) else type(world).__name__
    raise ValueError(f"world: expected a Dataset, its file (.npz) or a WorldSpec, got {what}")


def _device(device: object) -> torch.device:
    try:
        return torch.device(device)  # type: ignore[call-overload]
    except (RuntimeError, TypeError):
        raise ValueError(f"device: expected a torch device, got {device!r}") from None


def _check_name(name: object, methods: object) -> None:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ValueError(f"name: expected a printable name, got {name!r}")
    if name in METHODS:
        raise ValueError(f"name: expected a name that no method of fctestbed has, got {name!r}")
    if isinstance(methods, str) or not isinstance(methods, Sequence):
        raise ValueError(f"methods: expected a list of names, got {methods!r}")
    if name in methods:
        raise ValueError(f"name: expected another name than those of methods, got {name!r}")


def _readouts(
    dataset: Dataset, encode1: Any, encode2: Any, spec: MeasureSpec, batch_size: int
) -> tuple[Readouts, str]:
    """The readouts, and the digest that identifies them."""
    is_file = isinstance(encode1, str | Path)
    if is_file or isinstance(encode1, Mapping):
        if encode2 is not None:
            raise ValueError(
                f"encode2: expected none with arrays or a file, got {type(encode2).__name__}"
            )
        take: Any = load_readouts if is_file else readouts_from_arrays
        readouts: Readouts = take(encode1, dataset)
    elif not callable(encode1):
        raise ValueError(
            "encode1: expected an encoder, arrays by name or their file (.npz), "
            f"got {type(encode1).__name__}"
        )
    else:
        if encode2 is None:
            raise ValueError("encode2: expected an encoder of modality 2, got none")
        arrays = encoded_arrays(
            dataset,
            encode1,
            encode2,
            max_codewords=spec.most_codewords,
            batch_size=batch_size,
        )
        readouts = readouts_from_arrays(arrays, dataset)
    return readouts, _digest(readouts)


def _digest(readouts: Readouts) -> str:
    """SHA-256 (hexadecimal) of the samples' readouts."""
    found = hashlib.sha256()
    for name, readout in readouts.by_name.items():
        for array in (readout.train, readout.test):
            found.update(f"{name}{tuple(array.shape)}".encode())
            found.update(np.ascontiguousarray(array.numpy()).tobytes())
    return found.hexdigest()


def _record(
    dataset: Dataset,
    readouts: Readouts,
    source: str,
    spec: MeasureSpec,
    *,
    name: str,
    device: torch.device,
) -> RunRecord:
    """The representation as a run."""
    started = time.perf_counter()
    (found,) = measure_readouts(readouts.to(device), [dataset], spec)
    content = {
        "representation": source,
        "world_digest": dataset.digest,
        "name": name,
        "measurement": spec.model_dump(mode="json"),
    }
    return RunRecord(
        run_id=digest(content)[:16],
        method=name,
        variant=PAPER,
        preset=_PRESET,
        unique_ratio=dataset.spec.label.unique_ratio,
        seed=dataset.seed,
        spec=content,
        truth=run_truth(dataset, None),
        seconds=time.perf_counter() - started,
        provenance=environment(),
        warnings=found.warnings,
        captured=found.captured,
        accuracy=found.accuracy,
        scores=found.scores,
    )
