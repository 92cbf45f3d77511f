"""The estimator of mixtures of continuous and discrete parts. Owns ``mixed-ksg``."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import digamma

from fctestbed.estimators.inputs import Floats
from fctestbed.estimators.knn import ColumnEstimator, LocalTerms
from fctestbed.estimators.neighbours import count_within, just_inside, nearest


@dataclass(frozen=True, kw_only=True)
class MixedKsg(ColumnEstimator):
    """KSG 1 where the k-th neighbour is at a distance; where it is not, counts of equal samples.

    For any pair: continuous, discrete, one of each, or mixtures within one variable. Discrete
    values are numbers here, compared by distance. psi(k') + psi(n) - <psi(nx) + psi(ny)>, all
    counts with the sample itself, where k' is k or, at distance 0, the number of equal samples.

    The paper has log(nx) for psi(nx), which is biased low (by 0.07 nats at k = 5), and log(n) for
    psi(n). With digammas it is KSG 1 in a continuous bulk, and Zhang's entropies on atoms.

    Bounds: neither. Fails: see ``knn``; slow to converge where atoms lie inside a continuous bulk.

    Source:
        Gao, Kannan, Oh and Viswanath 2017, Algorithm 1, with the change above.
    """

    name: ClassVar[str] = "mixed-ksg"
    _atoms: ClassVar[bool] = True

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        n = len(x)
        joint = np.hstack([x, y])
        radius = nearest(joint, self.k).radius
        reach = just_inside(radius)
        same = np.full(n, self.k)
        if not radius.all():
            same[radius == 0] = (count_within(joint, reach) + 1)[radius == 0]
        counts = digamma(count_within(x, reach) + 1) + digamma(count_within(y, reach) + 1)
        ceiling = float((digamma(n) - digamma(same)).mean())
        return LocalTerms(digamma(same) + digamma(n) - counts, ceiling)
