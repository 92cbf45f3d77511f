"""Features of a modality as rows of one width: sequences of one length, finite numbers.

Imports numpy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]
NONFINITE = ("zero", "refuse")


@dataclass(frozen=True)
class ModalityShape:
    """The shape of a sample of one modality.

    Attributes:
        steps: time steps of a sequence; None for a vector.
        features: numbers of a step, or of the vector.
    """

    steps: int | None
    features: int

    @property
    def dim(self) -> int:
        """All numbers of a sample."""
        return (self.steps or 1) * self.features

    def __str__(self) -> str:
        return str(self.features) if self.steps is None else f"{self.steps} x {self.features}"


@dataclass(frozen=True)
class Replaced:
    """How many numbers were not finite and became 0."""

    count: int
    of: int


def features_of(
    name: str, value: Any, *, nonfinite: str = "zero", max_steps: int | None = None
) -> tuple[Features, Replaced]:
    """An array of vectors [n, features] or of sequences [n, steps, features].

    Sequences end at the last step: steps of zeros behind a sequence move before it, and sequences
    of different lengths get zeros before them.

    Args:
        name: for errors.
        value: an array [n, features] or [n, steps, features], or n arrays [steps, features] of
            different lengths.
        nonfinite: ``zero`` replaces NaN and infinities by 0, as the loaders of MultiBench do (some
            audio features are -inf); ``refuse`` refuses them.
        max_steps: most steps of a sequence; the last ones are kept.

    Raises:
        ValueError: one line that begins with the name.
    """
    if nonfinite not in NONFINITE:
        raise ValueError(f"nonfinite: expected {' or '.join(NONFINITE)}, got {nonfinite!r}")
    if max_steps is not None and (type(max_steps) is not int or max_steps < 1):
        raise ValueError(f"max_steps: expected a whole number of at least 1, got {max_steps!r}")
    array = _array(name, value, max_steps)
    finite = np.isfinite(array)
    n_bad = int(array.size - finite.sum())
    if n_bad and nonfinite == "refuse":
        raise ValueError(
            f"{name}: expected finite numbers, got {n_bad:,} NaN or infinities of {array.size:,}"
        )
    if n_bad:
        array = np.where(finite, array, np.float32(0))
    if array.ndim == 3:
        array = _ending_at_last(array)
        if max_steps is not None:
            array = array[:, -max_steps:]
    return np.ascontiguousarray(array), Replaced(n_bad, array.size)


def shape_of(array: Features) -> ModalityShape:
    """The shape of a sample."""
    if array.ndim == 2:
        return ModalityShape(None, array.shape[1])
    return ModalityShape(array.shape[1], array.shape[2])


def to_length(array: Features, steps: int) -> Features:
    """Sequences with so many steps: zeros before them, or their last steps."""
    missing = steps - array.shape[1]
    if missing > 0:
        return np.pad(array, ((0, 0), (missing, 0), (0, 0)))
    return array[:, -steps:]


def _array(name: str, value: Any, max_steps: int | None) -> Features:
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object):
        return _padded(name, list(value), max_steps)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        kind = value.dtype if isinstance(value, np.ndarray) else type(value).__name__
        raise ValueError(f"{name}: expected an array of numbers, got {kind}")
    if value.ndim not in (2, 3) or not value.size:
        raise ValueError(
            f"{name}: expected shape (n, features) or (n, steps, features), got {value.shape}"
        )
    # Numbers above float32's become infinite, and are counted as such.
    with np.errstate(over="ignore"):
        return value.astype(np.float32)


def _padded(name: str, parts: Sequence[Any], max_steps: int | None) -> Features:
    """Sequences of different lengths with zeros before them."""
    arrays = [np.asarray(part) for part in parts if not isinstance(part, list | tuple | dict)]
    widths = {array.shape[1] for array in arrays if array.ndim == 2 and array.dtype.kind in "biuf"}
    whole = len(arrays) == len(parts) and all(
        array.ndim == 2 and array.dtype.kind in "biuf" for array in arrays
    )
    if not whole or len(widths) != 1 or not parts:
        raise ValueError(
            f"{name}: expected arrays (steps, features) of one width, got "
            f"{len(parts)} parts of other shapes or types"
        )
    longest = min(max(len(array) for array in arrays), max_steps or np.iinfo(np.int64).max)
    padded = np.zeros((len(arrays), max(longest, 1), widths.pop()), np.float32)
    for row, array in zip(padded, arrays, strict=True):
        kept = array[-longest:] if longest else array
        if len(kept):
            with np.errstate(over="ignore"):
                row[-len(kept) :] = kept
    return padded


def _ending_at_last(array: Features) -> Features:
    """Each sequence moved so that its last step that is not zero is the last of all."""
    steps = array.shape[1]
    there = (array != 0).any(2)
    behind = np.where(there.any(1), there[:, ::-1].argmax(1), 0)
    if not behind.any():
        return array
    places = (np.arange(steps) - behind[:, None]) % steps
    return np.take_along_axis(array, places[:, :, None], 1)
