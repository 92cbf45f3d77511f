"""Readouts from arrays by name, in memory or in an .npz file, checked against their data set.

Owns the names of the arrays. For each readout NAME: ``train_NAME`` and ``test_NAME``, [samples of
the split, width]; and, for exact information, ``codewords_NAME``, the readout of every codeword
input (``codewords_x1``, ``codewords_x2`` of the data set's file). A name that ends in 1 or 2 is a
readout of that modality, any other name a readout of both. ``joint`` is composed of the modalities'
readouts where it is not given. The text ``world_digest``, copied from the data set's file, says
which data set was encoded. May import ``fctestbed.objectives`` and ``fctestbed.synthesis``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed._array_files import Header, open_arrays
from fctestbed.objectives import modalities_of
from fctestbed.results import JOINT
from fctestbed.synthesis import CODEWORDS, DIGEST, SPLITS, BitLatents, Dataset, WorldSpec
from fctestbed.training.patterns import n_patterns, pattern_columns
from fctestbed.training.readouts import Readout, Readouts, with_joint

_KINDS = (*SPLITS, CODEWORDS)
_CONSTANT_EPSILONS = 8
_MOST_DIGEST_BYTES = 1024
# Share of a readout's range: encoders in reduced precision round by the batch.
_SAME_ROW = 0.02
_NO_CODEWORDS = "expected their codewords, got none"
_Shapes = dict[str, dict[str, tuple[int, ...]]]


def load_readouts(path: str | Path, dataset: Dataset) -> Readouts:
    """The readouts of a data set from an .npz file; shapes are checked before arrays are loaded.

    Raises:
        ValueError: one line that names the file and the array, for a file that is not an .npz
            archive, and as ``readouts_from_arrays``.
        OSError: if the file cannot be opened.
    """
    path = Path(path)
    with open_arrays(path, "representations (.npz)") as file:
        return _readouts(str(path), file.headers(), file, dataset)


def readouts_from_arrays(arrays: Mapping[str, Any], dataset: Dataset) -> Readouts:
    """The readouts of a data set from arrays by name.

    Args:
        arrays: numbers [rows, width] by names such as ``train_z1``, of any type that numpy
            converts to an array.
        dataset: the data set.

    Raises:
        ValueError: one line that names the array, for names, types or numbers of rows that do not
            match the data set, numbers that are not finite, a readout without one of its splits,
            or samples whose readout is not that of their codeword.
    """
    if not (isinstance(arrays, Mapping) and all(isinstance(name, str) for name in arrays)):
        raise ValueError(f"representations: expected arrays by name, got {type(arrays).__name__}")
    taken = {name: np.asarray(array) for name, array in arrays.items()}
    headers = {name: (array.shape, array.dtype) for name, array in taken.items()}
    return _readouts("representations", headers, taken, dataset)


def _readouts(
    source: str,
    headers: Mapping[str, Header],
    arrays: Mapping[str, NDArray[Any]],
    dataset: Dataset,
) -> Readouts:
    shapes: _Shapes = {kind: {} for kind in _KINDS}
    if DIGEST in headers:
        _check_digest(source, headers[DIGEST], arrays, dataset)
    for name, header in headers.items():
        if name == DIGEST:
            continue
        kind, _, readout = name.partition("_")
        if kind not in shapes or not readout:
            raise ValueError(
                f"{source}: {name}: expected names such as train_z1, test_z1 and codewords_z1"
            )
        shapes[kind][readout] = _shape(source, name, header)
    _check(source, shapes, dataset)
    found = {name: _readout_arrays(source, name, shapes, arrays) for name in shapes[_KINDS[0]]}
    train, test, codewords = (
        {name: kinds[kind] for name, kinds in found.items() if kind in kinds} for kind in _KINDS
    )
    readouts = {
        name: Readout(
            modalities=modalities_of(name),
            train=train[name],
            test=test[name],
            codewords=codewords.get(name),
            no_codewords="" if name in codewords else _NO_CODEWORDS,
        )
        for name in train
    }
    for name, made in readouts.items():
        _check_order(source, name, made, dataset)
    return with_joint(readouts, _joint_parts(readouts))


def _check_digest(
    source: str, header: Header, arrays: Mapping[str, NDArray[Any]], dataset: Dataset
) -> None:
    """Refuse representations of another data set, where they say of which they are."""
    shape, dtype = header
    is_text = shape == () and dtype.kind == "U" and dtype.itemsize <= _MOST_DIGEST_BYTES
    given = str(arrays[DIGEST]) if is_text else f"{dtype} of shape {shape}"
    if given != dataset.digest:
        raise ValueError(
            f"{source}: {DIGEST}: expected {dataset.digest[:12]}..., that of the data set, "
            f"got {given[:12]}...: the representations are of another data set"
        )


def _check_order(source: str, name: str, readout: Readout, dataset: Dataset) -> None:
    """Refuse samples whose readout is not that of their codeword: rows in another order, or an
    encoder that depends on the batch or on chance."""
    if readout.codewords is None or dataset.spec.observation.noise > 0:
        return
    bits = list(pattern_columns(dataset.spec)[readout.modalities])
    weights = 1 << np.arange(len(bits), dtype=np.int64)[::-1]
    scale = float((readout.codewords - readout.codewords.mean(0)).abs().max())
    for kind, values in zip(SPLITS, (readout.train, readout.test), strict=True):
        split = getattr(dataset, kind)
        patterns = np.concatenate([split.w_s, split.w_1, split.w_2], axis=1)[:, bits] @ weights
        apart = (values - readout.codewords[torch.from_numpy(patterns)]).abs().amax(1)
        wrong = float((apart > _SAME_ROW * scale).float().mean())
        if wrong > 0:
            raise ValueError(
                f"{source}: {kind}_{name}: expected rows equal to those of the samples' codewords "
                f"in {CODEWORDS}_{name}, got others in {wrong:.1%} of the rows: another order of "
                "rows, or an encoder that depends on the batch's other samples or on chance"
            )


def _joint_parts(readouts: Mapping[str, Readout]) -> list[str]:
    """The parts of the joint readout, those of modality 1 first. There are none if the joint
    readout is given, if a readout is of both modalities, or if a modality has no readout."""
    if JOINT in readouts or {readout.modalities for readout in readouts.values()} != {(1,), (2,)}:
        return []
    return sorted(readouts, key=modalities_of)


def _shape(source: str, name: str, header: Header) -> tuple[int, ...]:
    shape, dtype = header
    if dtype.kind not in "fiu" or len(shape) != 2 or 0 in shape:
        raise ValueError(
            f"{source}: {name}: expected numbers of shape (rows, width), "
            f"got {dtype} of shape {shape}"
        )
    return shape


def _readout_arrays(
    source: str, readout: str, shapes: _Shapes, arrays: Mapping[str, NDArray[Any]]
) -> dict[str, Tensor]:
    """A readout's arrays by kind, in float32.

    Numbers that float32 does not hold exactly are centred first: beside a large mean it would lose
    their spread. Every measurement is the same for shifted columns.
    """
    named = {kind: f"{kind}_{readout}" for kind in _KINDS if readout in shapes[kind]}
    wide = {kind: _numbers(source, name, arrays) for kind, name in named.items()}
    if not all((array.astype(np.float32) == array).all() for array in wide.values()):
        train = wide[_KINDS[0]]
        mean = train.mean(0)
        # What float64 rounds off must not become a column's spread.
        rounding = _CONSTANT_EPSILONS * np.finfo(np.float64).eps * np.abs(mean)
        wide = {
            kind: np.where(np.abs(array - mean) <= rounding, 0.0, array - mean)
            for kind, array in wide.items()
        }
    return {kind: torch.from_numpy(array.astype(np.float32)) for kind, array in wide.items()}


def _numbers(source: str, name: str, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    array = arrays[name].astype(np.float64)
    with np.errstate(over="ignore"):
        finite = np.isfinite(array.astype(np.float32)).all()
    if not finite:
        raise ValueError(f"{source}: {name}: expected finite numbers, got NaN or infinity")
    return array


def _check(source: str, shapes: _Shapes, dataset: Dataset) -> None:
    names = sorted({readout for of_kind in shapes.values() for readout in of_kind})
    if not names:
        raise ValueError(f"{source}: expected names such as train_z1 and test_z1, got no array")
    for readout in names:
        rows = {"train": len(dataset.train), "test": len(dataset.test)}
        if readout in shapes[CODEWORDS]:
            rows[CODEWORDS] = _n_codewords(source, readout, dataset.spec)
        for kind, n in rows.items():
            if readout not in shapes[kind]:
                raise ValueError(
                    f"{source}: {kind}_{readout}: expected it with the readout's other arrays, "
                    "got none"
                )
            if shapes[kind][readout][0] != n:
                raise ValueError(
                    f"{source}: {kind}_{readout}: expected {n} rows to match the data set, "
                    f"got {shapes[kind][readout][0]}"
                )
        widths = {shapes[kind][readout][1] for kind in rows}
        if len(widths) > 1:
            raise ValueError(
                f"{source}: {readout}: expected one width in all its arrays, got {sorted(widths)}"
            )


def _n_codewords(source: str, readout: str, spec: WorldSpec) -> int:
    if not isinstance(spec.latents, BitLatents):
        raise ValueError(
            f"{source}: codewords_{readout}: expected none of gaussian latents, which have no "
            "patterns to enumerate, got some"
        )
    return n_patterns(spec)[modalities_of(readout)]
