"""Entropies from counts, in nats: plug-in, Miller-Madow, and Chao, Wang and Jost's.

Functionals of a vector of counts. May import numpy and scipy only.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, xlogy

Counts = NDArray[np.int64]


def plugin_nats(counts: Counts) -> float:
    """Entropy of the observed shares: biased by about -(k - 1)/2n for k values in n samples.

    Args:
        counts: number of samples of each value, all above 0, [k].
    """
    n = counts.sum()
    return float(np.log(n) - xlogy(counts, counts).sum() / n)


def miller_madow_nats(counts: Counts) -> float:
    """The plug-in entropy without its first-order bias: still too low where k is near n.

    Source:
        Miller 1955.
    """
    return plugin_nats(counts) + (len(counts) - 1) / (2 * int(counts.sum()))


def chao_wang_jost_nats(counts: Counts) -> float:
    """Entropy that accounts for unseen values by the numbers of values seen once and twice.

    The terms up to order n - 1 of H = sum_r (1/r) E[(1 - p)^r] are estimated without bias; the
    rest is extrapolated by Good and Turing's coverage of values seen once.

    Source:
        Chao, Wang and Jost 2013, Eq. 7.
    """
    n = int(counts.sum())
    ones, twos = int((counts == 1).sum()), int((counts == 2).sum())
    seen = float(digamma(n) - (counts * digamma(counts)).sum() / n)
    return seen + _unseen(n, ones, twos)


def chao_wang_jost_without_one(counts: Counts) -> NDArray[np.float64]:
    """The same entropy without one sample of each value, [k]: for the jackknife.

    Args:
        counts: number of samples of each value, all above 0, [k]; two samples or more.
    """
    n = int(counts.sum())
    ones, twos = int((counts == 1).sum()), int((counts == 2).sum())
    total = (counts * digamma(counts)).sum()
    left = np.maximum(counts - 1, 1)
    change = (counts - 1) * digamma(left) - counts * digamma(counts)
    seen = digamma(n - 1) - (total + change) / (n - 1)
    # Only a value seen once, twice or three times changes the numbers of those seen once and twice.
    unseen = [
        _unseen(n - 1, ones + more_ones, twos + more_twos) if twos + more_twos >= 0 else 0.0
        for more_ones, more_twos in ((-1, 0), (1, -1), (0, 1), (0, 0))
    ]
    return np.asarray(seen + np.asarray(unseen)[np.minimum(counts, 4) - 1])


def _unseen(n: int, ones: int, twos: int) -> float:
    """Estimate of the terms from order n on, in nats."""
    if ones <= 0 or n < 2:
        return 0.0
    a = 2 * twos / ((n - 1) * ones + 2 * twos) if twos else 2 / ((n - 1) * (ones - 1) + 2)
    return ones / n * _tail(n, a)


def _tail(n: int, a: float) -> float:
    """(1 - a)^(1 - n) sum over r >= n of (1 - a)^r / r, without cancellation."""
    if a >= 1:
        return 0.0
    log_q = math.log1p(-a)
    if -n * log_q < 8:
        r = np.arange(1, n)
        head = float((np.exp(r * log_q) / r).sum())
        return math.exp((1 - n) * log_q) * (-math.log(a) - head)
    # At the end the terms are below the last digit; there are at most about 5 n of them.
    j = np.arange(math.ceil(-40 / log_q) + 1)
    return float((np.exp((j + 1) * log_q) / (n + j)).sum())
