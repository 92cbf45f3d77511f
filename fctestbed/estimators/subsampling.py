"""The spread of neighbour estimators, from their values on parts of the sample.

Owns the splits. Imports numpy and scipy only.

An average of local terms whose neighbourhoods overlap has no variance of their own: the terms'
standard deviation over root n is too small by a quarter (KSG 1 on 300 to 2000 Gaussian pairs), and
leaving groups out makes too much of it, by 15 to 60 %, since every neighbour that goes changes
the terms of others. Parts that share no sample are independent, and the variance of such an
estimator goes as 1/n: so the variance between parts, over their number, is that of the whole. It
comes out right within 10 % (a little low on parts under 200), and is itself known to about 18 %,
which Student's t with 15 degrees of freedom pays for.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from fctestbed.estimators.intervals import LEVEL

_FREEDOM = 15
_PART = 250
_MOST_PARTS = 10
_COMPARISONS = 20
# Below, starting threads takes longer than the work.
_THREADED = 2000


@dataclass(frozen=True)
class Spread:
    """How an estimate varies between parts of the sample, in its own unit.

    Attributes:
        half_width: half of the 95 % interval of its spread.
        mean_of_parts: mean of the values on the parts.
        n_parts: how many parts the sample was split into, each time.
    """

    half_width: float
    mean_of_parts: float
    n_parts: int


def split_spread(
    n: int,
    statistic: Callable[[NDArray[np.int64]], float],
    *,
    least: int,
    seed: int,
) -> Spread | None:
    """The spread of an estimate on n samples from its values on random parts of them.

    Args:
        n: how many samples there are.
        statistic: the estimate on the samples of the given numbers.
        least: fewest samples that the statistic can do with.
        seed: seed of the splits.

    Returns:
        The spread; None where halves are smaller than ``least`` or have no estimate.

    Source:
        Holmes and Nemenman 2019, section III; how many parts and splits: chosen by simulation.
    """
    n_parts = min(max(n // _PART, 2), _MOST_PARTS)
    if n // n_parts < least:
        return None
    rng = np.random.default_rng(seed)
    n_splits = -(-_COMPARISONS // (n_parts - 1))
    parts = [part for _ in range(n_splits) for part in np.array_split(rng.permutation(n), n_parts)]
    if n < _THREADED:
        values = [statistic(part) for part in parts]
    else:
        with ThreadPoolExecutor() as pool:
            values = list(pool.map(statistic, parts))
    if not np.isfinite(values).all():
        return None
    variances = np.reshape(values, (n_splits, n_parts)).var(axis=1, ddof=1) / n_parts
    half = float(t.ppf(0.5 + LEVEL / 2, _FREEDOM) * math.sqrt(np.mean(variances)))
    return Spread(half, float(np.mean(values)), n_parts)
