"""Spearman's rank correlation with a bootstrap over seeds. May import numpy.

A resample takes as many seeds as there are, with replacement, each with all of its runs. It is a
weight for each seed, so that all resamples are computed at once.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95
LEAST_RUNS = 4
"""Fewer runs have no rank correlation: three of them have one of four values."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A value and the ends of its 95 % bootstrap interval, NaN where it has none."""

    value: float
    low: float
    high: float


def seed_weights(n_seeds: int) -> Floats:
    """How often each seed is in each resample, [1 + resamples, seeds].

    The first row is the sample itself. The resamples are the same at each call. One seed has none.
    """
    whole = np.ones((1, n_seeds))
    if n_seeds < 2:
        return whole
    draws = np.random.default_rng(0).multinomial(
        n_seeds, np.full(n_seeds, 1 / n_seeds), size=RESAMPLES
    )
    return np.concatenate([whole, draws.astype(float)])


def rank_correlations(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Spearman's correlation of weighted pairs: Pearson's of their mean ranks.

    Args:
        x: values, [n].
        y: values, [n].
        weights: how often each pair counts, [samples, n].

    Returns:
        A number from -1 to 1 for each sample, [samples]; NaN where ``x`` or ``y`` is constant, or
        for fewer than ``LEAST_RUNS`` pairs.

    Source:
        Spearman 1904; ties have the mean of their ranks.
    """
    if len(x) < LEAST_RUNS:
        return np.full(len(weights), math.nan)
    total = weights.sum(1, keepdims=True)
    first, second = (_ranks(values, weights) - (total + 1) / 2 for values in (x, y))
    products = (weights * first * second).sum(1)
    scale = np.sqrt((weights * first**2).sum(1) * (weights * second**2).sum(1))
    return np.divide(products, scale, out=np.full(len(scale), math.nan), where=scale > 0)


def interval(samples: Floats) -> Interval:
    """The first number, with the percentiles of the others, resamples, around it.

    Resamples without a number are left out; an interval needs half of them.
    """
    drawn = samples[1:][np.isfinite(samples[1:])]
    if not len(drawn) or len(drawn) < len(samples) / 2 or not math.isfinite(samples[0]):
        return Interval(float(samples[0]), math.nan, math.nan)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(samples[0]), float(low), float(high))


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Mean ranks of the weighted values, from 1, [samples, n]."""
    order = np.argsort(values, kind="stable")
    _, starts, group = np.unique(values[order], return_index=True, return_inverse=True)
    sizes = np.add.reduceat(weights[:, order], starts, axis=1)
    before = np.cumsum(sizes, axis=1) - sizes
    ranks = np.empty(weights.shape)
    ranks[:, order] = (before + (sizes + 1) / 2)[:, group]
    return ranks
