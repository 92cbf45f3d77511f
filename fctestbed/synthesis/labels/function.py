"""The label of a user's own function of the relevant bits.

The digest of the function's file is part of the record, so that a changed function is another
label. May import numpy and ``labels``; imports the user's module.
"""

import hashlib
import inspect
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from fctestbed._plugins import check_allowed, described, imported, is_import_path, tried
from fctestbed.synthesis.labels.classes import ClassLabel, relevant_signs
from fctestbed.synthesis.labels.information import Classes
from fctestbed.synthesis.record import Option

_CHUNK = 1 << 16


class FunctionLabel(ClassLabel):
    """A user's function from signed relevant bits to classes.

    It takes a float64 array of shape (n, n_relevant) of +-1, shared bits first, then those of w_1
    and of w_2, and returns whole numbers in [0, n_classes) of shape (n,), of any type. The class of
    a row must depend only on that row. The function is called once for all patterns, and y is a
    look-up.

    Here ``unique_ratio`` is a ratio of latents; the ratio of information is in the truth.
    """

    kind: Literal["function"] = "function"
    path: Annotated[
        str,
        Field(description="Import path of the function, package.module:name."),
        Option("--label-path"),
    ]
    n_classes: Annotated[
        int, Field(ge=2, le=4096, description="Number of classes."), Option("--classes")
    ] = 2
    source: Annotated[
        str | None, Field(description="SHA-256 of the function's file; found, not chosen.")
    ] = None

    @model_validator(mode="after")
    def _function_is_known(self) -> Self:
        try:
            check_allowed(self.path)
        except ValueError as error:
            raise ValueError(f"path: {error}") from error
        found = _find(self.path).source
        if self.source not in (None, found):
            raise ValueError(_changed(self.path, self.source, found))
        object.__setattr__(self, "source", found)
        self.class_table()
        return self

    def class_table(self) -> Classes:
        """Class of every pattern of the relevant bits, shape (2^n_relevant,), read-only."""
        return _classes(self.path, self.source, self.n_relevant, self.n_classes)

    def classify(self, relevant: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Classes of shape (n,) of signed relevant latents of shape (n, n_relevant)."""
        weights = 1 << np.arange(self.n_relevant - 1, -1, -1, dtype=np.int64)
        return self.class_table()[(relevant > 0) @ weights].astype(np.int64)


class _Found(NamedTuple):
    function: Callable[[npt.NDArray[np.float64]], Any]
    source: str | None


@cache
def _find(path: str) -> _Found:
    if not is_import_path(path):
        raise ValueError(f"path: expected an import path package.module:name, got {path!r}")
    try:
        function = imported(path, "a function")
    except ValueError as error:
        raise ValueError(f"path: {error}") from error
    if not callable(function):
        raise ValueError(f"path: expected a function at {path}, got {type(function).__name__}")
    return _Found(function, _source(function))


def _source(function: Callable[..., Any]) -> str | None:
    """SHA-256 (hexadecimal) of the file that defines the function, or the class of a callable."""
    defined = inspect.unwrap(function)
    if not inspect.isroutine(defined):
        defined = type(defined)
    try:
        return hashlib.sha256(Path(inspect.getfile(defined)).read_bytes()).hexdigest()
    except (TypeError, OSError):
        return None


def _changed(path: str, expected: str | None, found: str | None) -> str:
    return f"source: expected the file of {path} as it was, {expected}, got {found}: it changed"


@lru_cache(maxsize=8)
def _classes(path: str, source: str | None, n_relevant: int, n_classes: int) -> Classes:
    """Class of every pattern; the function must be deterministic and depend on single rows."""
    try:
        tried(f"{__name__}:_try", path, n_relevant, n_classes)
    except ValueError as error:
        line = str(error)
        raise ValueError(line if line.startswith("path: ") else f"path: {path}: {line}") from error
    function, found = _find(path)
    if found != source:
        # A worker process imports the file again.
        raise ValueError(_changed(path, source, found))
    return _table(path, function, n_relevant, n_classes)


def _try(path: str, n_relevant: int, n_classes: int) -> None:
    """Make the table in a subprocess, and return nothing."""
    _table(path, _find(path).function, n_relevant, n_classes)


def _table(
    path: str,
    function: Callable[[npt.NDArray[np.float64]], Any],
    n_relevant: int,
    n_classes: int,
) -> Classes:
    classes = np.empty(2**n_relevant, dtype=np.int16)
    for start in range(0, len(classes), _CHUNK):
        end = min(start + _CHUNK, len(classes))
        signs = relevant_signs(n_relevant, start, end)
        classes[start:end] = _called(path, function, signs, n_classes)
        order = np.random.default_rng(0).permutation(len(signs))
        # A single row, which equals its batch's mean, and the others in two batches.
        for part in filter(len, np.split(order, [1, 1 + len(order) // 3])):
            again = _called(path, function, signs[part], n_classes)
            _check_same(path, signs[part], classes[start:end][part], again)
    classes.flags.writeable = False
    return classes


def _check_same(
    path: str, signs: npt.NDArray[np.float64], classes: Classes, again: Classes
) -> None:
    differing = np.flatnonzero(again != classes)
    if len(differing):
        row = differing[0]
        raise ValueError(
            f"path: expected one class for one row, whatever the other rows, from {path}, got "
            f"{classes[row]} and {again[row]} for {signs[row].astype(int).tolist()}"
        )


def _called(
    path: str,
    function: Callable[[npt.NDArray[np.float64]], Any],
    signs: npt.NDArray[np.float64],
    n_classes: int,
) -> Classes:
    expected = (
        f"path: expected whole numbers in [0, {n_classes}) of shape ({len(signs)},) from {path}"
    )
    try:
        # The function may write to its argument.
        classes = np.asarray(function(signs.copy()))
    except (Exception, SystemExit) as error:
        raise ValueError(f"{expected}, got {described(error)}") from error
    if classes.dtype.kind not in "biuf" or classes.shape != (len(signs),):
        raise ValueError(f"{expected}, got {classes.dtype} of shape {classes.shape}")
    # Sums and remainders of the float64 argument are whole numbers of that type.
    broken = classes[classes != np.floor(classes)]
    if len(broken):
        raise ValueError(f"{expected}, got {broken[0]}")
    if classes.min() < 0 or classes.max() >= n_classes:
        raise ValueError(f"{expected}, got {classes.min()} to {classes.max()}")
    return classes.astype(np.int16)
