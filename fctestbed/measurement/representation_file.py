"""Representations from anywhere, as one .npz file: arrays without pickle, checked against the data
set that they are of.

Owns the format. For each readout NAME: ``train_NAME`` and ``test_NAME``, [rows of split, width];
and, for channel information, ``codewords_NAME``, the readout of every word that ``generate
--codewords`` wrote. A name that ends in 1 or 2 is a readout of that modality, any other one of
both; ``joint`` is made of the modalities' readouts where it is not there.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.measurement.readout_codes import ReadoutCode, word_columns
from fctestbed.synthesis import SPLITS, Dataset, Header, WorldSpec, array_headers

CODEWORDS = "codewords"
_Shapes = dict[str, dict[str, tuple[int, ...]]]
JOINT = "joint"


@dataclass(frozen=True, eq=False)
class Representations:
    """Readouts of a data set's samples, and of its words where they were given.

    Attributes:
        train: each readout of the training samples, [n_train, width], float32.
        test: each readout of the held-out samples.
        codes: codewords of the readouts that have any.
        note: why there is no channel information of the others; empty where all have it.
    """

    train: dict[str, Tensor]
    test: dict[str, Tensor]
    codes: dict[str, ReadoutCode]
    note: str = ""


def modalities_of(readout: str) -> tuple[int, ...]:
    """The modalities that a readout is of, by its name's last character."""
    return (int(readout[-1]),) if readout[-1] in "12" else (1, 2)


def load_representations(path: str | Path, dataset: Dataset) -> Representations:
    """Read representations of a data set; shapes are checked before an array is read.

    Raises:
        ValueError: one line naming the file and the array: no such archive, arrays of other names,
            types or rows than the data set's, numbers that are not finite, a readout without one
            of its splits.
        OSError: the file cannot be opened.
    """
    path = Path(path)
    try:
        headers = array_headers(path)
        shapes: _Shapes = {kind: {} for kind in (*SPLITS, CODEWORDS)}
        for name, header in headers.items():
            kind, _, readout = name.partition("_")
            if kind not in shapes or not readout:
                raise ValueError(
                    f"{path}: {name}: expected names such as train_z1, test_z1 and codewords_z1"
                )
            shapes[kind][readout] = _shape(path, name, header)
        _check(path, shapes, dataset)
        with np.load(path, allow_pickle=False) as file:
            splits = {
                kind: {readout: _numbers(path, f"{kind}_{readout}", file) for readout in of_kind}
                for kind, of_kind in shapes.items()
            }
    except (zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path}: expected representations (.npz), got {error}") from error
    train, test, codewords = (splits[kind] for kind in (*SPLITS, CODEWORDS))
    codes = {
        name: ReadoutCode((modalities_of(name),), ({name: torch.from_numpy(values)},))
        for name, values in codewords.items()
    }
    if JOINT not in train and {modalities_of(name) for name in train} == {(1,), (2,)}:
        _join(train, test, codes)
    missing = [name for name in train if name not in codes]
    note = f"no channel information of {', '.join(missing)}: expected their codewords, got none"
    return Representations(
        train={name: torch.from_numpy(array) for name, array in train.items()},
        test={name: torch.from_numpy(array) for name, array in test.items()},
        codes=codes,
        note=note if missing else "",
    )


def _shape(path: Path, name: str, header: Header) -> tuple[int, ...]:
    shape, dtype = header
    if dtype.kind not in "fiu" or len(shape) != 2 or 0 in shape:
        raise ValueError(
            f"{path}: {name}: expected numbers of shape (rows, width), got {dtype} of shape {shape}"
        )
    return shape


def _numbers(path: Path, name: str, file: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        single = file[name].astype(np.float32)
    if not np.isfinite(single).all():
        raise ValueError(f"{path}: {name}: expected finite numbers, got NaN or infinity")
    return single


def _check(path: Path, shapes: _Shapes, dataset: Dataset) -> None:
    names = sorted({readout for of_kind in shapes.values() for readout in of_kind})
    if not names:
        raise ValueError(f"{path}: expected names such as train_z1 and test_z1, got no array")
    for readout in names:
        rows = {"train": len(dataset.train), "test": len(dataset.test)}
        if readout in shapes[CODEWORDS]:
            rows[CODEWORDS] = _n_words(path, readout, dataset.spec)
        widths = {shapes[kind][readout][1] for kind in rows if readout in shapes[kind]}
        for kind, n in rows.items():
            if readout not in shapes[kind]:
                raise ValueError(f"{path}: {kind}_{readout}: expected it beside the others of it")
            if shapes[kind][readout][0] != n:
                raise ValueError(
                    f"{path}: {kind}_{readout}: expected {n} rows to match the data set, "
                    f"got {shapes[kind][readout][0]}"
                )
        if len(widths) > 1:
            raise ValueError(
                f"{path}: {readout}: expected one width in all its arrays, got {sorted(widths)}"
            )


def _n_words(path: Path, readout: str, spec: WorldSpec) -> int:
    if not spec.latents.is_finite:
        raise ValueError(
            f"{path}: codewords_{readout}: expected none for {spec.latents.kind} latents, "
            "which have no words"
        )
    n: int = 2 ** len(word_columns(spec)[modalities_of(readout)])
    return n


def _join(
    train: dict[str, NDArray[np.float32]],
    test: dict[str, NDArray[np.float32]],
    codes: dict[str, ReadoutCode],
) -> None:
    """Put the joint readout beside those of each modality, and its code if they have theirs."""
    own = sorted(train, key=modalities_of)
    for rows in (train, test):
        rows[JOINT] = np.concatenate([rows[name] for name in own], axis=1)
    if all(name in codes for name in own):
        pieces = [
            {name: codes[name].pieces[0][name] for name in own if modalities_of(name) == (m,)}
            for m in (1, 2)
        ]
        codes[JOINT] = ReadoutCode(((1,), (2,)), (pieces[0], pieces[1]))
