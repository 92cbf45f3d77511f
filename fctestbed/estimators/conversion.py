"""Samples of any kind of array or table as columns, each of numbers, of truth values or of text.

May import numpy, and pandas for objects of its own.
"""

import math
import numbers
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pandas import Series

Column = NDArray[Any]

# numpy's text has the width of its longest; wider columns stay objects.
_MOST_TEXT_BYTES = 1 << 26


def columns_of(name: str, values: Any) -> NDArray[Any]:
    """An array [n], [n, dim] or as it is, of numbers or text, or of objects by columns.

    Tables of pandas and arrays of objects are converted column by column: to truth values, whole
    numbers, floats or text, and then joined (``joined``).

    Args:
        name: the argument's name in errors.
        values: an array, a sequence, or a DataFrame, Series, Index or array of pandas.

    Raises:
        ValueError: one line, for masked or missing values, and for a column of other objects or
            of text and numbers.
    """
    if type(values).__module__.partition(".")[0] == "pandas":
        return _of_pandas(name, values)
    try:
        if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
            raise ValueError("masked values")
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{name}: expected an array of numbers, got none ({reason})") from error
    if array.dtype.kind != "O" or array.ndim not in {1, 2} or not array.size:
        return array
    if array.ndim == 1:
        return _of_objects(name, "", array)
    return joined(
        [_of_objects(name, f" of column {k}", column) for k, column in enumerate(array.T)]
    )


def column_of(name: str, where: str, series: "Series[Any]") -> Column:
    """The values of a column of a table, [n].

    Args:
        name: the argument's name in errors.
        where: the column in errors, such as `` of column 'age'``.
        series: the column.

    Returns:
        Truth values, whole numbers, floats or text; missing numbers and truth values are NaN.

    Raises:
        ValueError: one line, for missing text and for values of another kind.
    """
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return series.to_numpy()
    plain = getattr(dtype, "numpy_dtype", None)
    if isinstance(plain, np.dtype) and plain.kind in "biuf":
        if series.isna().any():
            return series.to_numpy(dtype=np.float64, na_value=np.nan)
        return series.to_numpy(dtype=plain)
    return _of_objects(name, where, series.to_numpy(dtype=object))


def joined(columns: Sequence[Column]) -> NDArray[Any]:
    """Columns side by side, [n, dim].

    Numbers have the type that holds them all, all text is text, and numbers beside text, or whole
    numbers that floats do not tell apart, are objects.
    """
    kinds = {column.dtype.kind for column in columns}
    if kinds != {"U"} and not kinds <= set("biuf"):
        return _objects(columns)
    together = np.column_stack(columns)
    if together.dtype.kind == "f" and any(_beyond_floats(column) for column in columns):
        return _objects(columns)
    return together


def _beyond_floats(column: Column) -> bool:
    """Whether there are whole numbers that float64 may not tell apart."""
    return column.dtype.kind in "iu" and bool((np.abs(column.astype(float)) >= 2.0**53).any())


def _objects(columns: Sequence[Column]) -> NDArray[Any]:
    array = np.empty((len(columns[0]), len(columns)), dtype=object)
    for place, column in enumerate(columns):
        array[:, place] = column
    return array


def _of_pandas(name: str, values: Any) -> NDArray[Any]:
    import pandas as pd  # noqa: PLC0415 - slow to load, and loaded where there are such values

    if not isinstance(values, pd.DataFrame):
        return column_of(name, "", pd.Series(values))
    if not values.shape[1]:
        return np.empty(values.shape)
    return joined(
        [
            column_of(name, f" of column {label!r}", values.iloc[:, place])
            for place, label in enumerate(values.columns)
        ]
    )


def _of_objects(name: str, where: str, column: NDArray[Any]) -> Column:
    values = column.tolist()
    kinds = set(map(type, values))
    if all(issubclass(kind, str) for kind in kinds):
        return _text(values)
    if all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return np.array(values, dtype=bool)
    if all(issubclass(kind, numbers.Integral | np.bool_) for kind in kinds):
        return _whole(name, where, values)
    if all(issubclass(kind, numbers.Real | np.bool_ | Decimal) for kind in kinds):
        return np.array([float(value) for value in values])
    raise ValueError(f"{name}: expected {_odd(where, values)}")


def _whole(name: str, where: str, values: list[Any]) -> Column:
    for dtype in (np.int64, np.uint64):
        try:
            return np.array([int(value) for value in values], dtype=dtype)
        except OverflowError:
            continue
    raise ValueError(f"{name}: expected numbers{where} of at most 64 bits, got larger ones")


def _text(values: list[str]) -> Column:
    longest = max(map(len, values), default=0)
    if 4 * longest * len(values) <= _MOST_TEXT_BYTES:
        return np.array(values, dtype=str)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _odd(where: str, values: list[Any]) -> str:
    """What was expected of a column, and the first value that is not so."""
    for row, value in enumerate(values):
        if _is_missing(value):
            return f"a value in each row{where}, got {value!r} in row {row}"
    for row, value in enumerate(values):
        if not isinstance(value, str | numbers.Real | Decimal | np.bool_):
            return f"an array of numbers or text, got {type(value).__name__}{where} in row {row}"
    return f"numbers alone or text alone{where}, got both"


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in {"NAType", "NaTType"}
