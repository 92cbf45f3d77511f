"""Samples as the variational estimators take them: checked, their columns real or of classes.

Owns the reading of arrays. Imports numpy only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# Integer columns of more values than this are read as amounts, not as names of classes.
MAX_CLASSES = 64
# Splits smaller than a few samples train, stop or read nothing.
LEAST_SAMPLES = 40


@dataclass(frozen=True)
class Columns:
    """One variable's samples.

    Attributes:
        values: real columns as they are, [n, dim]; class columns one-hot, side by side.
        classes: the number of values of each class column; empty where the columns are real.
    """

    values: Matrix
    classes: tuple[int, ...]


def columns(name: str, array: Any) -> Columns:
    """Check one argument.

    Columns of zeros and ones, and integer columns of at most ``MAX_CLASSES`` values, are classes.

    Raises:
        ValueError: one line, for arrays that are not numbers, not finite, not (n,) or (n, dim), or
            have a constant column.
    """
    array = _numbers(name, array)
    constant = np.flatnonzero((array == array[:1]).all(0))
    if len(constant):
        raise ValueError(f"{name}: expected columns that vary, got a constant column {constant[0]}")
    codes = [np.unique(column, return_inverse=True) for column in array.T]
    whole = array.dtype.kind in "biu" and all(len(v) <= MAX_CLASSES for v, _ in codes)
    if not whole and not ((array == 0) | (array == 1)).all():
        return Columns(array.astype(np.float64), ())
    sizes = tuple(len(values) for values, _ in codes)
    one_hot = [np.eye(len(values))[code] for values, code in codes]
    return Columns(np.concatenate(one_hot, axis=1), sizes)


def conditions(array: Any) -> NDArray[np.int64]:
    """A discrete condition as codes 0, 1, ..., one for each different row, [n].

    Raises:
        ValueError: one line, for arrays that are not numbers or not finite, or whose rows nearly
            all differ.
    """
    rows = _numbers("given", array)
    values, codes = np.unique(rows, axis=0, return_inverse=True)
    if len(values) > max(1, len(rows) // 4):
        raise ValueError(
            f"given: expected a discrete condition with several samples for each value, got "
            f"{len(values)} values in {len(rows)} samples"
        )
    return codes.reshape(-1).astype(np.int64)


def check_lengths(**arrays: Any) -> None:
    """Check that arguments have the same number of rows, and enough.

    Raises:
        ValueError: one line, where they do not.
    """
    shapes = {name: np.shape(array) for name, array in arrays.items()}
    for name, shape in shapes.items():
        if not shape:
            raise ValueError(f"{name}: expected shape (n,) or (n, dim), got a single number")
    (first, rows), *others = ((name, shape[0]) for name, shape in shapes.items())
    for name, n in others:
        if n != rows:
            raise ValueError(f"{name}: expected {rows} samples as in {first}, got {n}")
    if rows < LEAST_SAMPLES:
        raise ValueError(f"{first}: expected at least {LEAST_SAMPLES} samples, got {rows}")


def _numbers(name: str, array: Any) -> NDArray[Any]:
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: expected an array of numbers, got dtype {array.dtype}")
    if array.ndim not in (1, 2) or not array.size:
        raise ValueError(f"{name}: expected shape (n,) or (n, dim), got {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")
    return array.reshape(len(array), -1)
