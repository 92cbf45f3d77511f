"""Features of linear probes: whitened representations, rows that repeat taken once.

Owns which columns vary, which rows are equal, and the whitening. May import torch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

# A feature whose spread is below so many rounding errors of its mean is constant up to rounding:
# 1e-6 of it in float32.
_CONSTANT_EPSILONS = 8.4
# Directions with less than this share of the variance are rounding errors: float32 itself has
# 1e-14 of it, a float32 network some 1e-12.
_RELATIVE_VARIANCE = 1e-10
# Rows are taken once where at most this share of them is different.
_MOST_DISTINCT = 0.75


@dataclass(frozen=True, eq=False)
class Rows:
    """Samples as rows that stand for one sample or several equal ones.

    Attributes:
        values: [rows, width].
        of_sample: the row of each sample, [samples]; None where rows are samples.
    """

    values: Tensor
    of_sample: Tensor | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.values if self.of_sample is None else self.of_sample)

    @property
    def counts(self) -> Tensor:
        """Samples of each row, [rows], in the type of the values."""
        counts = self.values.new_ones(len(self.values))
        return counts if self.of_sample is None else self.summed(counts.new_ones(self.n_samples))

    def summed(self, numbers: Tensor) -> Tensor:
        """Numbers of samples, [samples, ...], summed over the samples of each row."""
        numbers = numbers.to(self.values)
        if self.of_sample is None:
            return numbers
        sums = numbers.new_zeros(len(self.values), *numbers.shape[1:])
        return sums.index_add_(0, self.of_sample, numbers)

    def by_sample(self, numbers: Tensor) -> Tensor:
        """Numbers of rows, [rows, ...], for each sample."""
        return numbers if self.of_sample is None else numbers[self.of_sample]

    def with_values(self, values: Tensor) -> "Rows":
        """The same rows with other values."""
        return Rows(values, self.of_sample)


def distinct_rows(z: Tensor) -> Rows:
    """The different rows of z [n, dim], where many repeat; else all of them.

    An encoder of a few latent bits has few different outputs: linear probes then need that many
    logits instead of one for each sample.
    """
    n, dim = z.shape
    if not dim:
        return Rows(z)
    # Equal rows have equal projections; two of 24 bits each tell others apart.
    generator = torch.Generator().manual_seed(0)
    n_keys = 8 // z.element_size()
    axes = torch.randn(dim, n_keys, generator=generator).to(z)
    keys = (z @ axes).contiguous().view(torch.int64).squeeze(1)
    found, of_sample = keys.unique(return_inverse=True)
    if len(found) > _MOST_DISTINCT * n:
        return Rows(z)
    first = torch.empty(len(found), dtype=torch.int64, device=z.device)
    first[of_sample] = torch.arange(n, device=z.device)
    values = z[first]
    # Different rows with one projection, or one whose samples are rounded apart.
    return Rows(values, of_sample) if torch.equal(values[of_sample], z) else Rows(z)


def varying_columns(z: Tensor) -> Tensor:
    """Which columns of z [n, dim] vary by more than rounding errors of their mean, [dim]."""
    variance, mean = torch.var_mean(z.double(), 0, correction=0)
    varying: Tensor = variance.sqrt() > _rounding(mean, z.dtype)
    return varying


def _rounding(mean: Tensor, dtype: torch.dtype) -> Tensor:
    """The spread that rounding may give to constant columns of these means."""
    return _CONSTANT_EPSILONS * torch.finfo(dtype).eps * mean.abs()


def whitened(z_fit: Tensor, z_eval: Tensor) -> tuple[Rows, Rows]:
    """Centred features of unit variance along principal axes, and a constant: L-BFGS then needs
    few steps, and the ridge falls on the same weights however the columns are scaled."""
    fit, held_out = distinct_rows(z_fit), distinct_rows(z_eval)
    # In float64: the covariance squares the ratio of the largest spread to the smallest.
    wide = fit.values.double()
    weights = fit.counts.double() / fit.n_samples
    mean = weights @ wide
    # A new tensor: that of float64 representations is the caller's.
    wide = wide - mean
    spread = (weights @ wide.square()).sqrt()
    alive = spread > _rounding(mean, z_fit.dtype)
    if not alive.all():
        wide, mean, spread = wide[:, alive], mean[alive], spread[alive]
    standard = wide.div_(spread)
    weighted = standard if fit.of_sample is None else standard * weights.unsqueeze(1)
    scale = 1 / fit.n_samples if fit.of_sample is None else 1.0
    variances, axes = torch.linalg.eigh(scale * (standard.T @ weighted))
    kept = variances > _RELATIVE_VARIANCE * len(variances)
    # Standardised columns lose no more to the representations' own precision than they have lost.
    scaled = (axes[:, kept] / variances[kept].sqrt()).to(z_fit.dtype)

    def features(rows: Rows, standardised: Tensor) -> Rows:
        white = standardised.to(z_fit.dtype) @ scaled
        return rows.with_values(torch.cat([white, white.new_ones(len(white), 1)], 1))

    other = held_out.values if alive.all() else held_out.values[:, alive]
    other = other.double().sub(mean).div_(spread)
    return features(fit, standard), features(held_out, other)
