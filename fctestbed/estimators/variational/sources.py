"""Where training, stopping and reading get their samples: three parts of arrays, or a sampler.

Owns the splits and the transform of inputs. May import torch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.estimators.base import Array
from fctestbed.estimators.inputs import Floats, matrix
from fctestbed.estimators.variational.inputs import Columns, columns

Transform = Literal["auto", "standard", "asinh", "none"]
Sampler = Callable[[int, np.random.Generator], tuple[Array, Array]]

# No sample of Gaussian size goes so many standard deviations out.
HEAVY = 10.0
# Groups of one condition in a training batch.
_GROUPS = 4
_FIRST_DRAW = 4096


@dataclass(frozen=True)
class Pairs:
    """Samples of (x, y), [..., n, dim]; all that share their leading axes share a condition."""

    x: Tensor
    y: Tensor


class Source(Protocol):
    """What an estimator is fitted on.

    Attributes:
        dim_x: width of x as critics see it.
        dim_y: width of y.
        y_classes: as ``Columns.classes``.
    """

    dim_x: int
    dim_y: int
    y_classes: tuple[int, ...]

    def batch(self, size: int) -> Pairs:
        """A training batch of about ``size`` samples."""

    def stop(self) -> list[Pairs]:
        """The samples that say when to stop, in blocks that share a condition."""

    def read(self) -> list[Pairs]:
        """The samples that the value is read on, likewise."""


@dataclass(frozen=True)
class Scaling:
    """The transform of one variable's columns, fitted on training samples alone.

    Attributes:
        centre: taken away from each column.
        scale: what each column is then divided by.
        squash: columns of which asinh is taken at last.
    """

    centre: Floats
    scale: Floats
    squash: NDArray[np.bool_]

    @classmethod
    def fitted(cls, values: Floats, kind: Transform) -> "Scaling":
        """``standard``: mean 0 and variance 1; ``asinh``: median 0 and interquartile range 1, then
        asinh; ``auto``: ``asinh`` for columns with a value more than ``HEAVY`` standard deviations
        from the mean, else ``standard``; ``none``: as they are."""
        dim = values.shape[1]
        if kind == "none":
            return cls(np.zeros(dim), np.ones(dim), np.zeros(dim, dtype=bool))
        mean, deviation = values.mean(0), values.std(0)
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
        squash = np.full(dim, kind == "asinh")
        if kind == "auto":
            squash = np.abs(values - mean).max(0) > HEAVY * deviation
        scale = np.where(squash & (high > low), high - low, deviation)
        return cls(np.where(squash, median, mean), np.where(scale > 0, scale, 1.0), squash)

    def __call__(self, values: Floats) -> Floats:
        """The columns, transformed."""
        scaled = (values - self.centre) / self.scale
        return np.where(self.squash, np.arcsinh(scaled), scaled)


def scaling_of(part: Columns, rows: NDArray[np.int64] | slice, kind: Transform) -> Scaling:
    """The transform of a variable; classes stay one-hot."""
    return Scaling.fitted(part.values[rows], "none" if part.classes else kind)


class ArraySource:
    """Arrays, shuffled once and cut in three; the training part alone fits the transform.

    Args:
        x: the first variable.
        y: the second one.
        given: codes of a discrete condition, appended one-hot to both; batches and blocks then hold
            samples of one condition each.
        fractions: shares of the three parts.
        transform: of real columns.
        block: most samples in a block of ``stop`` and ``read``.
        rng: order of the samples and of batches.
        device: where tensors go.
        dtype: their type.
    """

    def __init__(
        self,
        x: Columns,
        y: Columns,
        given: NDArray[np.int64] | None,
        *,
        fractions: tuple[float, float, float],
        transform: Transform,
        block: int,
        rng: np.random.Generator,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        n = len(x.values)
        order = rng.permutation(n)
        ends = np.round(np.cumsum(fractions[:2]) * n).astype(int)
        train, stop, read = np.split(order, ends)
        self._x, self._y = (
            torch.as_tensor(
                scaling_of(part, train, transform)(part.values), device=device, dtype=dtype
            )
            for part in (x, y)
        )
        self.y_classes = y.classes
        self._rng = rng
        if given is not None:
            one_hot = self._x.new_tensor(np.eye(int(given.max()) + 1)[given])
            self._x = torch.cat([self._x, one_hot], 1)
            self._y = torch.cat([self._y, one_hot], 1)
        self.dim_x, self.dim_y = self._x.shape[1], self._y.shape[1]
        self._train = train
        self._stop, self._read = (_blocks(part, given, block) for part in (stop, read))
        self._groups = None if given is None else [g for g in _alike(train, given) if len(g) > 1]
        if self._groups is not None and not self._groups:
            raise ValueError("given: expected values that training samples share, got none")

    @property
    def n_train(self) -> int:
        """Training samples."""
        return len(self._train)

    def batch(self, size: int) -> Pairs:
        """As ``Source.batch``; with a condition, groups [groups, n, dim] that share it."""
        if self._groups is None:
            return self._pairs(self._rng.choice(self._train, min(size, self.n_train), False))
        sizes = np.array([len(group) for group in self._groups])
        chosen = self._rng.choice(len(sizes), _GROUPS, p=sizes / sizes.sum())
        members = max(2, min(size // _GROUPS, int(sizes[chosen].min())))
        rows = [self._rng.choice(self._groups[k], members, replace=False) for k in chosen]
        return self._pairs(np.stack(rows))

    def stop(self) -> list[Pairs]:
        """As ``Source.stop``."""
        return [self._pairs(rows) for rows in self._stop]

    def read(self) -> list[Pairs]:
        """As ``Source.read``."""
        return [self._pairs(rows) for rows in self._read]

    def _pairs(self, rows: NDArray[np.int64]) -> Pairs:
        index = torch.as_tensor(rows, device=self._x.device)
        return Pairs(self._x[index], self._y[index])


class FreshBatches:
    """A sampler: every training step draws samples that were never seen.

    Args:
        sampler: ``sampler(n, rng)`` gives n new samples of (x, y).
        n_read: samples that the value is read on.
        transform: of real columns, fitted on a first draw.
        block: most samples in a block.
        rng: of the draws.
        device: where tensors go.
        dtype: their type.

    Raises:
        ValueError: as ``estimate``, for what the sampler gives, and for classes other than
            zeros and ones.
    """

    def __init__(
        self,
        sampler: Sampler,
        *,
        n_read: int,
        transform: Transform,
        block: int,
        rng: np.random.Generator,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._sampler, self._rng = sampler, rng
        self._device, self._dtype = device, dtype
        first = self._columns(_FIRST_DRAW)
        self._scalings = [scaling_of(part, slice(None), transform) for part in first]
        self._classes = [part.classes for part in first]
        if any(size != 2 for classes in self._classes for size in classes):
            raise ValueError("sampler: expected real numbers or zeros and ones, got other classes")
        self.dim_x, self.dim_y = (part.values.shape[1] for part in first)
        self.y_classes = self._classes[1]
        self._stop, self._read = (
            [self._draw(len(rows)) for rows in _even(np.arange(n), block)]
            for n in (_FIRST_DRAW // 2, n_read)
        )

    def batch(self, size: int) -> Pairs:
        """As ``Source.batch``."""
        return self._draw(size)

    def stop(self) -> list[Pairs]:
        """As ``Source.stop``."""
        return self._stop

    def read(self) -> list[Pairs]:
        """As ``Source.read``."""
        return self._read

    def _columns(self, n: int) -> list[Columns]:
        x, y = self._sampler(n, self._rng)
        named = {"sampler's x": x, "sampler's y": y}
        return [columns(name, matrix(name, array)) for name, array in named.items()]

    def _draw(self, n: int) -> Pairs:
        drawn = self._sampler(n, self._rng)
        x, y = (
            torch.as_tensor(
                scaling(_as_first(array, classes)), device=self._device, dtype=self._dtype
            )
            for array, classes, scaling in zip(drawn, self._classes, self._scalings, strict=True)
        )
        return Pairs(x, y)


def _as_first(array: Array, classes: tuple[int, ...]) -> Floats:
    """A draw's columns, in the form of the first draw's."""
    values = np.asarray(array).reshape(len(array), -1).astype(np.float64)
    if not classes:
        return values
    return np.stack([1.0 - values, values], axis=2).reshape(len(values), -1)


def _alike(rows: NDArray[np.int64], given: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows of each condition."""
    return [rows[given[rows] == value] for value in np.unique(given[rows])]


def _even(rows: NDArray[np.int64], block: int) -> list[NDArray[np.int64]]:
    """Rows in blocks of nearly equal sizes, at most ``block``."""
    return np.array_split(rows, -(-len(rows) // block))


def _blocks(
    rows: NDArray[np.int64], given: NDArray[np.int64] | None, block: int
) -> list[NDArray[np.int64]]:
    groups: Sequence[NDArray[np.int64]] = [rows] if given is None else _alike(rows, given)
    return [part for group in groups for part in _even(group, block)]
