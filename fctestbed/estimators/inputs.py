"""Arguments of estimators, from whatever was given to checked arrays, codes or rescaled columns.

May import numpy, scipy, the contract and ``conversion``. Nothing here writes to a caller's array.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from fctestbed.estimators.base import Array
from fctestbed.estimators.conversion import columns_of

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Margins = Literal["unit", "raw", "rank", "normal"]
MARGINS: tuple[str, ...] = get_args(Margins)

# Fewest samples of an estimator that splits them: parts of a few samples are of no use.
LEAST_SAMPLES = 40


def numbers(
    x: Array, y: Array, given: Array | None = None, *, least: int = 2
) -> tuple[Floats, Floats, Floats | None]:
    """The arguments of an estimator of continuous or mixed data, as float64 [n, dim].

    Args:
        x: samples of X, (n,) or (n, dim).
        y: samples of Y, likewise.
        given: samples of the condition, likewise, or None.
        least: the fewest samples that the estimator needs.

    Returns:
        The three arrays; they may share memory with the caller's.

    Raises:
        ValueError: one line naming the argument, what was expected and what was given.
    """
    arrays = checked(x, y, given, least=least)
    floats = {name: _floats(name, array) for name, array in arrays.items()}
    return floats["x"], floats["y"], floats.get("given")


def codes(x: Array, y: Array, given: Array | None = None) -> tuple[Codes, Codes, Codes | None]:
    """The arguments of an estimator of discrete data, as codes 0, 1, ... of their rows, [n].

    Values may be bools, whole numbers, floats or text. Equal rows have equal codes.

    Raises:
        ValueError: as ``numbers``; also for an argument whose rows all differ.
    """
    arrays = checked(x, y, given, least=2, text=("x", "y", "given"))
    coded = {name: row_codes(array) for name, array in arrays.items()}
    for name, values in coded.items():
        if len(values) > 1 and values.max() + 1 == len(values):
            raise ValueError(
                f"{name}: expected discrete values, some of which repeat, "
                f"got {len(values)} different ones in {len(values)} samples"
            )
    return coded["x"], coded["y"], coded.get("given")


def labelled(
    x: Array,
    y: Array,
    *,
    least: int = 2,
    classes: Sequence[str] = (),
    amounts: Sequence[str] = (),
) -> tuple[str, Floats, Codes]:
    """The arguments of an estimator of a continuous and a discrete variable, in either order.

    The discrete one is that of ``classes``, or the other than that of ``amounts``; where neither
    names one, the one with fewer different rows. It may be text.

    Returns:
        Name of the continuous argument, its samples, [n, dim], and the classes, [n].

    Raises:
        ValueError: as ``numbers``; also where neither argument is discrete.
    """
    arrays = checked(x, y, least=least, text=("x", "y"))
    coded = {name: row_codes(array) for name, array in arrays.items()}
    sizes = {name: int(code.max()) + 1 for name, code in coded.items()}
    is_x = "x" in classes or "y" in amounts
    if not is_x and "y" not in classes and "x" not in amounts:
        is_x = sizes["x"] < sizes["y"]
    discrete, other = ("x", "y") if is_x else ("y", "x")
    if sizes[discrete] == 1:
        raise ValueError(f"{discrete}: expected two classes or more, got one")
    if 2 * sizes[discrete] > len(coded[discrete]):
        raise ValueError(
            f"{discrete}: expected discrete values, which repeat, "
            f"got {sizes[discrete]} different ones in {len(coded[discrete])} samples"
        )
    _check_type(other, arrays[other], text=False)
    return other, _floats(other, arrays[other]), coded[discrete]


def conditions(array: NDArray[Any]) -> Codes:
    """A discrete condition's checked samples [n, dim] as codes 0, 1, ... of its rows, [n].

    Raises:
        ValueError: one line, for a condition with few samples for each value.
    """
    coded = row_codes(array)
    n_values = int(coded.max()) + 1
    if n_values > max(1, len(coded) // 4):
        raise ValueError(
            f"given: expected a discrete condition with several samples for each value, got "
            f"{n_values} values in {len(coded)} samples"
        )
    return coded


def column_codes(name: str, array: NDArray[Any]) -> tuple[Codes, tuple[int, ...]]:
    """Codes 0, 1, ... of each column's values, [n, dim], and the number of values of each.

    Raises:
        ValueError: one line, for a constant column.
    """
    check_columns_vary(name, array)
    found = [np.unique(column, return_inverse=True) for column in array.T]
    coded = np.column_stack([code.reshape(-1) for _, code in found]).astype(np.int64)
    return coded, tuple(len(values) for values, _ in found)


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


def rescale(values: Floats, margins: Margins) -> Floats:
    """Columns on a common scale; equal values stay equal.

    Args:
        values: [n, dim], no column constant.
        margins: ``raw``: unchanged; ``unit``: each divided by its standard deviation; ``rank``:
            ranks over n; ``normal``: normal scores of the ranks.

    Returns:
        A new array, or ``values`` itself for ``raw``.
    """
    if margins == "raw":
        return values
    if margins == "unit":
        # Powers of two first: the standard deviation of columns near the ends of float64 would
        # overflow or underflow.
        size = np.abs(values).max(axis=0)
        shrunk = np.ldexp(values, -np.frexp(size)[1])
        spread = shrunk.std(axis=0)
        return shrunk / np.where(spread > 0, spread, 1.0)
    ranks = (_average_ranks(values) - 0.5) / len(values)
    return np.asarray(ndtri(ranks) if margins == "normal" else ranks)


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
        given: samples of the condition, likewise, or None.
        least: the fewest samples that the estimator needs.
        text: names of the arguments that may be text.

    Raises:
        ValueError: as ``numbers``.
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


def refuse_given(name: str, given: Array | None) -> None:
    """Refuse a condition, for the estimator ``name`` that has no conditional form.

    Raises:
        ValueError: one line.
    """
    if given is not None:
        raise ValueError(f"given: expected none, because {name} has no conditional form, got one")


def check_columns_vary(name: str, array: NDArray[Any]) -> None:
    """Refuse constant columns.

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
    """An array [n, dim] of numbers (or text, where that is allowed)."""
    array = columns_of(name, values)
    _check_type(name, array, text=text)
    if array.ndim not in {1, 2} or (array.ndim == 2 and not array.shape[1]):
        raise ValueError(f"{name}: expected shape (n,) or (n, dim), got {array.shape}")
    return array[:, None] if array.ndim == 1 else array


def _check_type(name: str, array: NDArray[Any], *, text: bool) -> None:
    # Objects are text, or text beside numbers, after ``columns_of``.
    if array.dtype.kind not in ("biufUSO" if text else "biuf"):
        got = "text" if array.dtype.kind in "USO" else f"dtype {array.dtype}"
        raise ValueError(f"{name}: expected an array of numbers, got {got}")


def _check_finite(name: str, array: NDArray[Any]) -> None:
    if array.dtype.kind == "O":
        for column in array.T:
            if len(column) and isinstance(column[0], float):
                _check_finite(name, column.astype(np.float64))
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


def _average_ranks(values: Floats) -> Floats:
    """Ranks from 1 within each column; equal values share the mean of their ranks."""
    ranks = np.empty(values.shape)
    for column, own in zip(values.T, ranks.T, strict=True):
        _, place, counts = np.unique(column, return_inverse=True, return_counts=True)
        own[:] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks
