"""Codebooks: the points that an encoder maps the patterns of some latent bits to.

Owns their checks, centring, scaling and projection. May import torch only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# A spread below so many rounding errors of the mean is rounding: the column is constant (1e-6 of
# the mean in float32).
_CONSTANT_EPSILONS = 8.4
# Axes with less than this share of the largest variance are rounding: float32 itself leaves 1e-14.
_RELATIVE_VARIANCE = 1e-12
MAX_BITS = 24


@dataclass(frozen=True, eq=False)
class Codebook:
    """All points of a representation, centred and of unit mean power per dimension.

    ``codebook`` makes it. The points are coordinates in the span of the centred codewords. No
    information is lost, since noise outside the span is independent of the codeword.

    Attributes:
        points: [2^n_bits, rank], float64.
        columns: number of each bit of the index, the slowest first; two codebooks share the bits
            that they have in common.
        dim: dimensions of the representation before the projection.
        power: its mean power per dimension before the scaling.
    """

    points: Tensor
    columns: tuple[int, ...]
    dim: int
    power: float

    @property
    def rank(self) -> int:
        """Dimensions of the codewords' span."""
        return self.points.shape[1]

    def __len__(self) -> int:
        return len(self.points)


def codebook(codewords: Tensor, columns: Sequence[int]) -> Codebook:
    """The codebook of a deterministic encoder, centred, scaled and projected.

    The mean codeword is subtracted, then all entries are divided by one number, so that the mean
    of their squares is 1. Columns keep their relative powers.

    Args:
        codewords: the representation of every pattern of bits, [2^n_bits, dim]: row r is that of
            the bits of r, most significant first.
        columns: the number of each bit, most significant first.

    Raises:
        ValueError: one line, for another number of rows, columns named twice, more than
            2^24 codewords, numbers that are not finite, or codewords that are all the same.
    """
    columns = tuple(columns)
    if len(set(columns)) != len(columns):
        raise ValueError(f"columns: expected different bits, got {list(columns)}")
    if len(columns) > MAX_BITS:
        raise ValueError(
            f"columns: expected at most {MAX_BITS} bits to enumerate, got {len(columns)}"
        )
    if codewords.ndim != 2 or len(codewords) != 2 ** len(columns) or not codewords.shape[1]:
        raise ValueError(
            f"codewords: expected shape ({2 ** len(columns)}, dim) for {len(columns)} bits, "
            f"got {tuple(codewords.shape)}"
        )
    if not codewords.isfinite().all():
        raise ValueError("codewords: expected finite numbers, got NaN or infinity")
    scaled, power = unit_power_codewords(codewords)
    if power == 0.0:
        raise ValueError(
            f"codewords: expected points that differ, got one point for all {len(codewords)} "
            "patterns (zero power)"
        )
    return Codebook(_in_span(scaled), columns, codewords.shape[1], power)


def unit_power_codewords(codewords: Tensor) -> tuple[Tensor, float]:
    """Codewords [n, dim], centred and scaled to unit mean power per dimension, float64, and their
    power before; zeros where all codewords are one point."""
    wide = codewords.detach().double()
    mean = wide.mean(0)
    centred = wide - mean
    # The spread of a constant column is rounding, and must not become information at any noise.
    rounding = _CONSTANT_EPSILONS * torch.finfo(codewords.dtype).eps
    constant = centred.abs().amax(0) <= rounding * mean.abs()
    centred[:, constant] = 0.0
    power = float(centred.square().mean())
    return centred / power**0.5 if power > 0 else centred, power


def constant_codebook(columns: Sequence[int], dim: int) -> Codebook:
    """The codebook of an encoder that maps every pattern to one point: it holds exactly 0 bits.
    ``codebook`` refuses such codewords, since they are usually a mistake."""
    columns = tuple(columns)
    nowhere = torch.zeros(2 ** len(columns), 0, dtype=torch.float64)
    return Codebook(nowhere, columns, dim, 0.0)


def _in_span(points: Tensor) -> Tensor:
    variances, axes = torch.linalg.eigh(points.T @ points / len(points))
    kept = variances > _RELATIVE_VARIANCE * variances[-1]
    return points if bool(kept.all()) else points @ axes[:, kept]
