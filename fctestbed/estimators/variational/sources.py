"""Samples of a trained estimator: the split in three parts, their blocks, the transform of inputs.

May import torch and the checked inputs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fctestbed.estimators.base import Fractions
from fctestbed.estimators.inputs import Floats
from fctestbed.estimators.roles import Columns

Transform = Literal["auto", "standard", "asinh", "none"]
TRANSFORMS: tuple[str, ...] = get_args(Transform)
Rows = NDArray[np.int64]

# Samples of a Gaussian are never so many standard deviations from the mean.
_HEAVY = 10.0
# Groups of one condition in a training batch.
_GROUPS = 4


def split(n: int, fractions: Fractions, rng: np.random.Generator) -> tuple[Rows, Rows, Rows]:
    """Indices of n samples, shuffled and cut in three: to train, to stop, to evaluate."""
    ends = np.round(np.cumsum(fractions[:2]) * n).astype(int)
    train, stop, evaluate = np.split(rng.permutation(n), ends)
    return train, stop, evaluate


@dataclass(frozen=True)
class Pairs:
    """Samples of (x, y), [..., n, dim]; all that share their leading axes share a condition."""

    x: Tensor
    y: Tensor


@dataclass(frozen=True)
class Scaling:
    """The transform of one variable's columns, fitted on training samples alone.

    Attributes:
        centre: subtracted from each column.
        scale: each column is then divided by it.
        squash: columns whose asinh is taken after that.
    """

    centre: Floats
    scale: Floats
    squash: NDArray[np.bool_]

    @classmethod
    def fitted(cls, values: Floats, kind: Transform) -> "Scaling":
        """``standard``: mean 0 and variance 1; ``asinh``: median 0 and interquartile range 1, then
        asinh; ``auto``: ``asinh`` for columns with a value more than 10 standard deviations from
        the mean, else ``standard``; ``none``: unchanged."""
        dim = values.shape[1]
        if kind == "none":
            return cls(np.zeros(dim), np.ones(dim), np.zeros(dim, dtype=bool))
        mean, deviation = values.mean(0), values.std(0)
        low, median, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
        squash = np.full(dim, kind == "asinh")
        if kind == "auto":
            squash = np.abs(values - mean).max(0) > _HEAVY * deviation
        scale = np.where(squash & (high > low), high - low, deviation)
        return cls(np.where(squash, median, mean), np.where(scale > 0, scale, 1.0), squash)

    def __call__(self, values: Floats) -> Floats:
        """The columns, transformed."""
        scaled = (values - self.centre) / self.scale
        return np.where(self.squash, np.arcsinh(scaled), scaled)


class Source:
    """Two variables' samples, split in three parts; the training part alone fits the transform.

    Args:
        x: the first variable.
        y: the second one.
        given: codes of a discrete condition, appended one-hot to both; batches and blocks then hold
            samples of one condition each.
        fractions: shares of the three parts.
        transform: of real columns; classes stay one-hot.
        block: largest number of samples in a block of ``stop`` and ``evaluation``.
        rng: draws the order of the samples and the batches.
        device: device of the tensors.
        dtype: their type.

    Attributes:
        dim_x: width of x as critics take it.
        dim_y: width of y.
        y_classes: as ``Columns.classes``.
    """

    def __init__(
        self,
        x: Columns,
        y: Columns,
        given: Rows | None,
        *,
        fractions: Fractions,
        transform: Transform,
        block: int,
        rng: np.random.Generator,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        train, stop, evaluate = split(len(x.values), fractions, rng)
        self._x, self._y = (
            torch.as_tensor(
                Scaling.fitted(part.values[train], "none" if part.classes else transform)(
                    part.values
                ),
                device=device,
                dtype=dtype,
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
        self._stop, self._evaluate = (_blocks(part, given, block) for part in (stop, evaluate))
        self._groups = None if given is None else [g for g in _alike(train, given) if len(g) > 1]
        if self._groups is not None and not self._groups:
            raise ValueError("given: expected values that training samples share, got none")

    @property
    def n_train(self) -> int:
        """Number of training samples."""
        return len(self._train)

    def batch(self, size: int) -> Pairs:
        """A training batch of about ``size`` samples, [n, dim].

        With a condition, groups [groups, n, dim] of samples that share it.
        """
        if self._groups is None:
            return self._pairs(self._rng.choice(self._train, min(size, self.n_train), False))
        sizes = np.array([len(group) for group in self._groups])
        chosen = self._rng.choice(len(sizes), _GROUPS, p=sizes / sizes.sum())
        members = max(2, min(size // _GROUPS, int(sizes[chosen].min())))
        rows = [self._rng.choice(self._groups[k], members, replace=False) for k in chosen]
        return self._pairs(np.stack(rows))

    def stop(self) -> list[Pairs]:
        """The samples that decide when training stops, in blocks that share a condition."""
        return [self._pairs(rows) for rows in self._stop]

    def evaluation(self) -> list[Pairs]:
        """The samples that the value is computed from, likewise."""
        return [self._pairs(rows) for rows in self._evaluate]

    def _pairs(self, rows: Rows) -> Pairs:
        index = torch.as_tensor(rows, device=self._x.device)
        return Pairs(self._x[index], self._y[index])


def _alike(rows: Rows, given: Rows) -> list[Rows]:
    """The rows of each condition."""
    return [rows[given[rows] == value] for value in np.unique(given[rows])]


def _blocks(rows: Rows, given: Rows | None, block: int) -> list[Rows]:
    """Rows of one condition each, in blocks of nearly equal sizes, at most ``block``."""
    groups: Sequence[Rows] = [rows] if given is None else _alike(rows, given)
    return [part for group in groups for part in np.array_split(group, -(-len(group) // block))]
