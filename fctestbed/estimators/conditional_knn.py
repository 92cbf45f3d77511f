"""Conditional mutual information from neighbours. Owns ``frenzel-pompe`` and ``mesner-shalizi``."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from scipy.special import digamma

from fctestbed.estimators.base import Kind
from fctestbed.estimators.inputs import Floats
from fctestbed.estimators.knn import ColumnEstimator, LocalTerms
from fctestbed.estimators.neighbours import Counts, count_within, just_inside, nearest
from fctestbed.estimators.settings import check_choice


@dataclass(frozen=True, kw_only=True)
class FrenzelPompe(ColumnEstimator):
    """KSG 1 given Z: psi(k) - <psi(nxz + 1) + psi(nyz + 1) - psi(nz + 1)>; all continuous.

    Without a condition it is KSG 1.

    Bounds: neither. Fails: see ``knn``; it goes to 0 as Z gets more columns, and its ceiling shows
    that: the mean of psi(nz + 1) - psi(k).

    Source:
        Frenzel and Pompe 2007, Eq. 5.
    """

    name: ClassVar[str] = "frenzel-pompe"
    conditional: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        reach = just_inside(nearest(_joint(x, y, z), self.k).radius)
        nxz, nyz, nz = (digamma(counts + 1) for counts in _margins(x, y, z, reach))
        ceiling = float((nz - digamma(self.k)).mean())
        return LocalTerms(digamma(self.k) - nxz - nyz + nz, ceiling)


@dataclass(frozen=True, kw_only=True)
class MesnerShalizi(ColumnEstimator):
    """Conditional information of mixed data: psi(k') - <psi(nxz) + psi(nyz) - psi(nz)>.

    k' is the number of samples at the k-th neighbour's distance or nearer, more than k where
    values repeat. For any triple of continuous, discrete and mixed variables; discrete values are
    numbers here, compared by distance. The paper sets negative values to 0; here they stay.

    Bounds: neither. Fails: see ``knn``; it goes to 0 as Z gets more columns.

    Attributes:
        k: as ``NeighbourEstimator``.
        margins: likewise.
        seed: likewise.
        counts: ``paper``: of other samples at that distance or nearer, which is too high by some
            0.05 nats at n = 400; ``corrected``: where values repeat (k' > k) the same with the
            sample itself, k' too, so that atoms give Zhang's entropies; elsewhere the counts of
            ``frenzel-pompe``.

    Source:
        Mesner and Shalizi 2020, Algorithm 1.
    """

    name: ClassVar[str] = "mesner-shalizi"
    conditional: ClassVar[bool] = True
    _atoms: ClassVar[bool] = True

    counts: Literal["corrected", "paper"] = "corrected"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("counts", self.counts, ("corrected", "paper"))

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        joint = _joint(x, y, z)
        radius = nearest(joint, self.k).radius
        same = count_within(joint, radius)
        if self.counts == "paper":
            xz, yz, given = _margins(x, y, z, radius)
            # Without a condition the paper's form of I(X; Y) has psi(n).
            given = given + 1 if z is None else given
        else:
            ties = same > self.k
            # At a radius of 0 what is inside it is what is at it.
            reach = np.where(ties, radius, just_inside(radius))
            xz, yz, given = (counts + 1 for counts in _margins(x, y, z, reach))
            same = same + ties
        top, nz = digamma(same), digamma(given)
        return LocalTerms(top - digamma(xz) - digamma(yz) + nz, float((nz - top).mean()))


def _joint(x: Floats, y: Floats, z: Floats | None) -> Floats:
    return np.hstack([x, y] if z is None else [x, y, z])


def _margins(
    x: Floats, y: Floats, z: Floats | None, reach: Floats
) -> tuple[Counts, Counts, Counts]:
    """Other samples within reach in (X, Z), (Y, Z) and Z; no condition holds them all."""
    if z is None:
        return count_within(x, reach), count_within(y, reach), np.full(len(x), len(x) - 1)
    return (
        count_within(np.hstack([x, z]), reach),
        count_within(np.hstack([y, z]), reach),
        count_within(z, reach),
    )
