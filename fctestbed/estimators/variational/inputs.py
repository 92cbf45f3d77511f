"""Checked samples as trained estimators take them: columns real or of classes, conditions as codes.

Owns that reading of arrays. Imports numpy and the common checks only.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators.inputs import Codes, Floats, check_columns_vary, row_codes

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

    values: Floats
    classes: tuple[int, ...]


def columns(name: str, array: NDArray[Any]) -> Columns:
    """One argument's checked samples [n, dim].

    Columns of zeros and ones, and integer columns of at most ``MAX_CLASSES`` values, are classes.

    Raises:
        ValueError: one line, for a constant column.
    """
    check_columns_vary(name, array)
    codes = [np.unique(column, return_inverse=True) for column in array.T]
    whole = array.dtype.kind in "biu" and all(len(v) <= MAX_CLASSES for v, _ in codes)
    if not whole and not ((array == 0) | (array == 1)).all():
        return Columns(array.astype(np.float64), ())
    sizes = tuple(len(values) for values, _ in codes)
    one_hot = [np.eye(len(values))[code] for values, code in codes]
    return Columns(np.concatenate(one_hot, axis=1), sizes)


def conditions(array: NDArray[Any]) -> Codes:
    """A discrete condition's checked samples [n, dim] as codes 0, 1, ... of its rows, [n].

    Raises:
        ValueError: one line, for rows that nearly all differ.
    """
    codes = row_codes(array)
    n_values = int(codes.max()) + 1
    if n_values > max(1, len(codes) // 4):
        raise ValueError(
            f"given: expected a discrete condition with several samples for each value, got "
            f"{n_values} values in {len(codes)} samples"
        )
    return codes
