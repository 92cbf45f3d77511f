"""The one place where estimators take their arrays: checked, float64 or codes, row by row.

Owns validation. Imports numpy and the contract only. Nothing here writes to a caller's array.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators.base import Array

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def numbers(
    x: Array, y: Array, given: Array | None = None, *, least: int = 2
) -> tuple[Floats, Floats, Floats | None]:
    """The arguments of an estimator of continuous or mixed data, as float64 [n, dim].

    Args:
        x: samples of X, (n,) or (n, dim).
        y: samples of Y, likewise.
        given: samples of the condition, likewise, or none.
        least: the fewest samples that the estimator can do with.

    Returns:
        The three arrays; they may share memory with the caller's.

    Raises:
        ValueError: one line naming the argument, what was expected and what came.
    """
    arrays = checked(x, y, given, least=least)
    floats = {name: _floats(name, array) for name, array in arrays.items()}
    return floats["x"], floats["y"], floats.get("given")


def codes(
    x: Array, y: Array, given: Array | None = None, *, least: int = 2
) -> tuple[Codes, Codes, Codes | None]:
    """The arguments of an estimator of discrete data, as codes 0, 1, ... of their rows, [n].

    Any values do: bools, whole numbers, floats, text. Equal rows have equal codes.

    Args:
        x: samples of X, (n,) or (n, dim).
        y: samples of Y, likewise.
        given: samples of the condition, likewise, or none.
        least: the fewest samples that the estimator can do with.

    Raises:
        ValueError: one line naming the argument; also for an alphabet too large to say anything
            about, where no value comes twice.
    """
    arrays = checked(x, y, given, least=least, text=("x", "y", "given"))
    coded = {name: row_codes(array) for name, array in arrays.items()}
    for name, values in coded.items():
        if len(values) > 1 and values.max() + 1 == len(values):
            raise ValueError(
                f"{name}: expected discrete values, some of which repeat, "
                f"got {len(values)} different ones in {len(values)} samples"
            )
    return coded["x"], coded["y"], coded.get("given")


def labelled(x: Array, y: Array, *, least: int = 2) -> tuple[str, Floats, Codes]:
    """The arguments of an estimator of a continuous and a discrete variable, in either order.

    The discrete one is the one with fewer different rows; it may be text.

    Returns:
        Name of the continuous argument, its samples, [n, dim], and the classes, [n].

    Raises:
        ValueError: one line naming the argument.
    """
    arrays = checked(x, y, least=least, text=("x", "y"))
    coded = {name: row_codes(array) for name, array in arrays.items()}
    sizes = {name: int(code.max()) + 1 for name, code in coded.items()}
    discrete, other = ("x", "y") if sizes["x"] < sizes["y"] else ("y", "x")
    if sizes[discrete] == 1:
        raise ValueError(f"{discrete}: expected two classes or more, got one")
    if 2 * sizes[discrete] > len(coded[discrete]):
        raise ValueError(
            f"{discrete}: expected discrete values, which repeat, "
            f"got {sizes[discrete]} different ones in {len(coded[discrete])} samples"
        )
    return other, _floats(other, matrix(other, arrays[other])), coded[discrete]


def row_codes(rows: Array) -> Codes:
    """Codes 0 to k - 1 of the rows of an array [n, dim], by their order of value, [n]."""
    code = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T:
        code = pair_codes(code, np.unique(column, return_inverse=True)[1].astype(np.int64))
    return code


def pair_codes(first: Codes, second: Codes) -> Codes:
    """Codes 0 to k - 1 of the pairs of two codes, [n]."""
    # Both are below n, so the product stays below n^2.
    joint = first * (second.max(initial=0) + 1) + second
    return np.unique(joint, return_inverse=True)[1].astype(np.int64)


def refuse_given(name: str, given: Array | None) -> None:
    """Refuse a condition on behalf of an estimator that has no form for it.

    Raises:
        ValueError: one line.
    """
    if given is not None:
        raise ValueError(f"given: expected none, because {name} has no conditional form, got one")


def checked(
    x: Array,
    y: Array,
    given: Array | None = None,
    *,
    least: int,
    text: Collection[str] = (),
) -> dict[str, NDArray[Any]]:
    """The arguments by name, each [n, dim], of the same length and finite.

    Args:
        x: samples of X, (n,) or (n, dim).
        y: samples of Y, likewise.
        given: samples of the condition, likewise, or none.
        least: the fewest samples that the estimator can do with.
        text: names of the arguments that may be text.

    Raises:
        ValueError: one line naming the argument.
    """
    named = {"x": x, "y": y} | ({} if given is None else {"given": given})
    arrays = {name: _array(name, values, text=name in text) for name, values in named.items()}
    n = len(arrays["x"])
    for name, array in arrays.items():
        if len(array) != n:
            raise ValueError(f"{name}: expected {n} samples as in x, got {len(array)}")
    if n < least:
        raise ValueError(f"x: expected at least {least} samples, got {n}")
    for name, array in arrays.items():
        _check_finite(name, array)
    return arrays


def matrix(name: str, values: Array) -> NDArray[Any]:
    """One argument as an array of finite numbers, [n, dim], in the type that it came in.

    Raises:
        ValueError: one line naming it.
    """
    array = _array(name, values, text=False)
    _check_finite(name, array)
    return array


def check_columns_vary(name: str, array: NDArray[Any]) -> None:
    """Refuse a column [n, dim] that is one value throughout.

    Raises:
        ValueError: one line naming the argument and the column.
    """
    constant = np.flatnonzero((array == array[:1]).all(axis=0))
    if len(constant):
        raise ValueError(
            f"{name}: expected columns that vary, got {array[0, constant[0]]} throughout "
            f"column {constant[0]}"
        )


def _array(name: str, values: Array, *, text: bool) -> NDArray[Any]:
    """As an array [n, dim] of numbers (or text, where that is allowed)."""
    try:
        if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
            raise ValueError("masked values")
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{name}: expected an array of numbers, got none ({reason})") from error
    if array.dtype.kind not in ("biufUS" if text else "biuf"):
        raise ValueError(f"{name}: expected an array of numbers, got dtype {array.dtype}")
    if array.ndim not in {1, 2} or (array.ndim == 2 and not array.shape[1]):
        raise ValueError(f"{name}: expected shape (n,) or (n, dim), got {array.shape}")
    return array[:, None] if array.ndim == 1 else array


def _check_finite(name: str, array: NDArray[Any]) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        what = "NaN" if np.isnan(array).any() else "infinity"
        raise ValueError(f"{name}: expected finite numbers, got {what}")


def _floats(name: str, array: NDArray[Any]) -> Floats:
    with np.errstate(over="ignore"):
        floats = array.astype(np.float64, copy=False)
    # A wider float may have become infinite.
    _check_finite(name, floats)
    check_columns_vary(name, floats)
    return floats
