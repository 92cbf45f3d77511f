"""Lower bounds on I(Z; Y) from held-out predictions that hold with 95 % confidence, in bits.

Imports numpy and scipy.special only.

I(Z; Y) is at least H(Y) - E[-log2 q(Y | Z)] for any q that does not depend on the held-out samples
(Barber and Agakov 2003). Both terms are bounded without asymptotics: the loss is bounded because q
is mixed with the uniform law, and its mean is bounded by a bet against every smaller bound; the
entropy is the least one that exact intervals of the classes' shares leave. The only assumption is
that held-out samples are independent draws of one law.
"""

import math
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

CONFIDENCE = 0.95
MOST_CLASSES = 10
"""More classes have no certified bound: the least entropy is sought among 10 * 2^9 laws."""

_MIXED = 0.02
# Shares of the wealth that are bet at most: less than 1, so that it stays positive.
_MOST_BET = 0.75
_BISECTIONS = 60


def certified_lower_bound_bits(logs: NDArray[np.float64], y: NDArray[np.int64]) -> float | None:
    """A number that I(Z; Y) is not below, with 95 % confidence.

    Args:
        logs: log2 q(class | z) of each held-out sample, in bits, [n, classes]; q was fitted on
            other samples.
        y: classes of the held-out samples, [n].

    Returns:
        Bits, at least 0; None for more than ``MOST_CLASSES`` classes.

    Source:
        Waudby-Smith and Ramdas 2024, section 4 (bets); Clopper and Pearson 1934 (shares).
    """
    n, n_classes = logs.shape
    if n_classes > MOST_CLASSES:
        return None
    failure = (1 - CONFIDENCE) / 2
    q = (1 - _MIXED) * np.exp2(logs[np.arange(n), y]) + _MIXED / n_classes
    most = math.log2(n_classes / _MIXED)
    loss = most * mean_upper_bound((-np.log2(q) / most).clip(0.0, 1.0), failure)
    counts = np.bincount(y, minlength=n_classes)
    return max(0.0, entropy_lower_bound_bits(counts, failure) - loss)


def mean_upper_bound(values: NDArray[np.float64], failure: float) -> float:
    """A number that the mean of independent values is not above.

    A gambler bets on each value being below m. Where the mean is m or more, the wealth reaches
    1 / failure with at most the probability ``failure``; the bound is the least m at which it does.

    Args:
        values: in [0, 1], in an order that does not depend on them, [n].
        failure: probability with which the bound may be wrong.
    """
    n = len(values)
    counts = np.arange(1, n + 1)
    means = (0.5 + values.cumsum()) / (counts + 1)
    variances = (0.25 + np.square(values - means).cumsum()) / (counts + 1)
    # A bet may depend on the values before it only.
    before = np.concatenate([[0.25], variances[:-1]])
    bets = np.minimum(_MOST_BET, np.sqrt(2 * math.log(1 / failure) / (n * before)))

    def wealth(m: float) -> float:
        return float(np.log1p(bets * (m - values)).cumsum().max())

    target = math.log(1 / failure)
    low, high = 0.0, 1.0
    if wealth(high) < target:
        return high
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if wealth(middle) >= target else (middle, high)
    return high


def entropy_lower_bound_bits(counts: NDArray[np.int64], failure: float) -> float:
    """A number that H(Y) is not below, in bits.

    Args:
        counts: samples of each class.
        failure: probability with which the bound may be wrong.
    """
    n = int(counts.sum())
    # Each class has two ends; with two classes, both intervals are one.
    tail = failure / 2 if len(counts) == 2 else failure / (2 * len(counts))
    low = np.where(counts > 0, betaincinv(np.maximum(counts, 1), n - counts + 1, tail), 0.0)
    high = np.where(counts < n, betaincinv(counts + 1, np.maximum(n - counts, 1), 1 - tail), 1.0)
    least = math.inf
    # Entropy is concave: it is least at a corner, where all shares but one are at their ends.
    for free in range(len(counts)):
        others = [place for place in range(len(counts)) if place != free]
        for ends in product(*((low[place], high[place]) for place in others)):
            rest = 1 - sum(ends)
            if low[free] - 1e-12 <= rest <= high[free] + 1e-12:
                shares = np.array([*ends, max(rest, 0.0)])
                positive = shares[shares > 0]
                least = min(least, float(-(positive * np.log2(positive)).sum()))
    return max(0.0, least)
