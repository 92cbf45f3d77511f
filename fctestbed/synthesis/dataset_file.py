"""The format of a dataset: one .npz file, arrays without pickle, specification and truth as JSON.

Arrays: ``train_x1`` ... ``test_w_2``, and for worlds that have codewords ``codewords_x1`` and
``codewords_x2``, the inputs of every pattern of a modality's latent bits; texts: ``spec_json``,
``truth_json``, ``world_digest``; ``seed``. Files are not trusted: names, shapes and types are
checked against the specification before arrays are loaded. May import numpy, ``_array_files``,
``spec`` and ``truth``.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fctestbed._array_files import Header, open_arrays
from fctestbed._records import InvalidSpec
from fctestbed.synthesis.spec import WorldSpec
from fctestbed.synthesis.truth import Truth

SPLITS = ("train", "test")
_BLOCKS = ("w_s", "w_1", "w_2")
FIELDS = ("x1", "x2", "y", *_BLOCKS)
DIGEST = "world_digest"
"""The name of the text that identifies a file's inputs. A file of representations may repeat it."""
CODEWORDS = "codewords"
_INPUTS = tuple(f"{name}_{field}" for name in SPLITS for field in ("x1", "x2"))
_TEXTS = ("spec_json", "truth_json")
# Files of earlier versions have none of these.
_LATER = (DIGEST, f"{CODEWORDS}_x1", f"{CODEWORDS}_x2")
_MAX_TEXT_BYTES = 1 << 20


def file_content(
    spec: WorldSpec, seed: int, truth: Truth, arrays: Mapping[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Everything that a dataset's file holds, by name.

    Args:
        spec: the world.
        seed: the dataset's seed.
        truth: its truth.
        arrays: by name, ``SPLIT_FIELD``.
    """
    return {
        "spec_json": np.array(spec.model_dump_json()),
        "truth_json": np.array(json.dumps(truth.as_dict())),
        "seed": np.array(seed, dtype=np.int64),
        DIGEST: np.array(inputs_digest(arrays)),
        **arrays,
    }


def inputs_digest(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """SHA-256 (hexadecimal) of the inputs of both splits.

    Args:
        arrays: by name, ``SPLIT_FIELD``.
    """
    found = hashlib.sha256()
    for name in _INPUTS:
        found.update(np.ascontiguousarray(arrays[name]).tobytes())
    return found.hexdigest()


def read_content(path: Path) -> tuple[WorldSpec, int, dict[str, npt.NDArray[Any]]]:
    """The specification, the seed and the arrays of a dataset's file.

    Raises:
        ValueError: one line that names the file and the array, for a file that is not an .npz
            archive, and for missing or unknown arrays or arrays whose shape or type does not match
            the specification.
        OSError: if the file cannot be opened.
    """
    try:
        with open_arrays(path, "a dataset (.npz)") as file:
            headers = file.headers()
            _check_names(path, headers)
            spec = WorldSpec.model_validate_json(str(file["spec_json"]))
            _check_arrays(path, headers, spec)
            arrays = {name: file[name] for name in _expected(spec)}
            digest = str(file[DIGEST]) if DIGEST in headers else inputs_digest(arrays)
    except InvalidSpec as error:
        raise ValueError(f"{path}: spec_json: {error}") from error
    for name in SPLITS:
        y = arrays[f"{name}_y"]
        if y.min() < 0 or y.max() >= spec.n_classes:
            raise ValueError(
                f"{path}: {name}_y: expected classes in [0, {spec.n_classes}), "
                f"got {y.min()} to {y.max()}"
            )
    _check_values(path, arrays, spec)
    if digest != inputs_digest(arrays):
        raise ValueError(
            f"{path}: {DIGEST}: expected that of the file's inputs, {inputs_digest(arrays)}, "
            f"got {digest!r}: the inputs were changed"
        )
    seed = int(arrays.pop("seed"))
    if seed < 0:
        raise ValueError(f"{path}: seed: expected a whole number from 0 to 2^63 - 1, got {seed}")
    return spec, seed, arrays


def _expected(spec: WorldSpec) -> dict[str, Header]:
    latent = spec.latents.dtype
    single, index = np.dtype(np.float32), np.dtype(np.int64)
    expected: dict[str, Header] = {"seed": ((), index)}
    for name, n in zip(SPLITS, (spec.n_train, spec.n_test), strict=True):
        expected[f"{name}_x1"] = ((n, spec.dims[0]), single)
        expected[f"{name}_x2"] = ((n, spec.dims[1]), single)
        expected[f"{name}_y"] = ((n,), index)
        for block, size in zip(_BLOCKS, spec.block_sizes, strict=True):
            expected[f"{name}_{block}"] = ((n, size), latent)
    return expected


def _check_names(path: Path, headers: dict[str, Header]) -> None:
    expected = {*_expected(WorldSpec()), *_TEXTS}
    for problem, names in (
        ("missing", expected - headers.keys()),
        ("unknown", headers.keys() - expected - {*_LATER}),
    ):
        if names:
            raise ValueError(
                f"{path}: expected the arrays of a dataset, "
                f"got {problem} {', '.join(sorted(names))}"
            )
    for name in (*_TEXTS, *(text for text in (DIGEST,) if text in headers)):
        shape, dtype = headers[name]
        if shape != () or dtype.kind != "U" or dtype.itemsize > _MAX_TEXT_BYTES:
            raise ValueError(f"{path}: {name}: expected one text, got {dtype} of shape {shape}")


def _check_values(path: Path, arrays: Mapping[str, npt.NDArray[Any]], spec: WorldSpec) -> None:
    """Refuse numbers that are not finite, and bits that are neither 0 nor 1."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"{path}: {name}: expected finite numbers, got NaN or infinity")
        if array.dtype == np.uint8 and spec.latents.is_finite and array.max(initial=0) > 1:
            raise ValueError(f"{path}: {name}: expected bits, got {array.max()}")


def _check_arrays(path: Path, headers: dict[str, Header], spec: WorldSpec) -> None:
    for name, (shape, dtype) in _expected(spec).items():
        if headers[name] != (shape, dtype):
            given_shape, given_dtype = headers[name]
            raise ValueError(
                f"{path}: {name}: expected {dtype} of shape {shape}, "
                f"got {given_dtype} of shape {given_shape}"
            )
