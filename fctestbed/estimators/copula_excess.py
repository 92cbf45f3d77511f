"""What nearest neighbours find beyond a Gaussian copula, for the interval of that estimator.

May import ``inputs`` and ``knn``.

Tests of normality pass dependence that they have little power against. How much information such
dependence may hold is the difference of a nearest-neighbour estimate of the scores and the Gaussian
one. Simulated Gaussian samples of the same correlations show its mean and its spread where there is
no such dependence. The constants were chosen by simulation on the laws ``drawn_law(0)`` to
``drawn_law(119)``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fctestbed.estimators.inputs import Floats, rescale
from fctestbed.estimators.knn import neighbour_nats

Triple = tuple[Floats, Floats, Floats | None]

_K = 3
_SIMULATIONS = 16
# Of simulated samples; the spread falls with the root of their number.
_MOST_SIMULATED = 4000
# With more, the copula is not Gaussian: an interval of it would say little.
_MOST_DEVIATIONS = 3.0


@dataclass(frozen=True)
class Excess:
    """Information beyond the Gaussian copula, in nats, less its mean over Gaussian samples.

    Attributes:
        nats: the excess; negative where neighbours find less.
        sd: its standard deviation over Gaussian samples, at least 0.
    """

    nats: float
    sd: float

    @property
    def deviations(self) -> float:
        """Absolute excess in standard deviations."""
        return abs(self.nats) / self.sd if self.sd > 0 else 0.0


def excesses(scores: Triple, value_of: Callable[[Triple], float]) -> list[Excess]:
    """The excess over all columns; and, of several columns, over the leading canonical pair.

    In many columns neighbours are far and see little; two columns that hold most of the correlation
    show what they have beyond it.

    Args:
        scores: normal scores of X, Y and the condition, [n, columns] each.
        value_of: gives the Gaussian information of scores, in nats.
    """
    found = _differences(scores, value_of)
    points = np.hstack([array for array in scores if array is not None])
    n = min(len(points), _MOST_SIMULATED)
    sizes, directions = np.linalg.eigh(np.corrcoef(points.T))
    # Rounding may turn the smallest eigenvalue of nearly equal columns negative.
    rng, factor = np.random.default_rng(0), directions * np.sqrt(np.maximum(sizes, 0.0))
    simulated = np.array(
        [
            _differences(
                _split(rescale(rng.standard_normal((n, points.shape[1])) @ factor.T, "normal"),
                       scores),
                value_of,
            )
            for _ in range(_SIMULATIONS)
        ]
    )  # fmt: skip
    means = simulated.mean(axis=0)
    spreads = simulated.std(axis=0, ddof=1) * math.sqrt(n / len(points))
    return [
        Excess(float(difference - mean), float(sd))
        for difference, mean, sd in zip(found, means, spreads, strict=True)
    ]


def too_much(found: list[Excess]) -> str:
    """One line if an excess is larger than Gaussian samples have it; else an empty string."""
    most = max(excess.deviations for excess in found)
    if most <= _MOST_DEVIATIONS:
        return ""
    return (
        "the dependence is not that of a Gaussian copula: nearest neighbours find information that "
        f"differs by {most:.2g} standard deviations"
    )


def widened(low: float, high: float, found: list[Excess]) -> tuple[float, float]:
    """An interval in nats that also reaches over each excess and one standard deviation of it."""
    below = min(0.0, *(excess.nats - excess.sd for excess in found))
    above = max(0.0, *(excess.nats + excess.sd for excess in found))
    return low + below, high + above


def _differences(scores: Triple, value_of: Callable[[Triple], float]) -> list[float]:
    found = [neighbour_nats(*scores, k=_K) - value_of(scores)]
    x, y, _ = scores
    if x.shape[1] > 1 or y.shape[1] > 1:
        first, second, correlation = leading_pair(*scores)
        gaussian = -0.5 * math.log1p(-(min(correlation, 1 - 1e-14) ** 2))
        found.append(neighbour_nats(first, second, None, k=_K) - gaussian)
    return found


def leading_pair(x: Floats, y: Floats, z: Floats | None) -> tuple[Floats, Floats, float]:
    """The combinations of X's and of Y's columns, less Z, of the largest correlation.

    Args:
        x: linearly independent columns, [n, columns].
        y: likewise.
        z: likewise, or None.

    Returns:
        Both combinations, [n, 1], and their correlation.
    """
    bases = []
    given = None if z is None else np.linalg.qr(z - z.mean(axis=0))[0]
    for array in (x, y):
        centred = array - array.mean(axis=0)
        left = centred if given is None else centred - given @ (given.T @ centred)
        bases.append(np.linalg.qr(left)[0])
    u, correlations, v = np.linalg.svd(bases[0].T @ bases[1], full_matrices=False)
    scale = math.sqrt(len(x))
    first, second = bases[0] @ u[:, :1] * scale, bases[1] @ v[:1].T * scale
    return first, second, float(correlations[0])


def _split(points: Floats, like: Triple) -> Triple:
    """Columns as those of the given variables."""
    x, y, z = like
    middle, end = x.shape[1], x.shape[1] + y.shape[1]
    return points[:, :middle], points[:, middle:end], None if z is None else points[:, end:]
