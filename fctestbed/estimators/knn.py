"""The nearest-neighbour estimators of mutual information and of conditional mutual information.

``ksg1``, ``ksg2``, ``ross``, ``mixed-ksg``, ``frenzel-pompe`` and ``mesner-shalizi``. May import
``knn_base``, which has what they share and where all of them fail.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from fctestbed.estimators.base import Array, Estimate, Kind, check_choice
from fctestbed.estimators.drift import equivalent_columns
from fctestbed.estimators.inputs import Codes, Floats, labelled, refuse_given, rescale
from fctestbed.estimators.knn_base import (
    ColumnEstimator,
    LocalTerms,
    NeighbourEstimator,
    refuse_atoms,
)
from fctestbed.estimators.neighbours import Counts, count_within, just_inside, nearest


@dataclass(frozen=True, kw_only=True)
class Ksg1(ColumnEstimator):
    """Counts in slabs of the k-th neighbour's distance: psi(k) + psi(n) - <psi(nx+1) + psi(ny+1)>.

    Bounds: neither. Fails: see ``knn_base``; also on values that repeat, which it refuses.

    Source:
        Kraskov, Stögbauer and Grassberger 2004, Eq. 8.
    """

    name: ClassVar[str] = "ksg1"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        reach = just_inside(nearest(np.hstack([x, y]), self.k).radius)
        top = digamma(self.k) + digamma(len(x))
        # Each slab holds the k - 1 nearer neighbours.
        return LocalTerms(top - _slabs(x, y, reach), float(top - 2 * digamma(self.k)))


@dataclass(frozen=True, kw_only=True)
class Ksg2(ColumnEstimator):
    """Counts in the sides of the k neighbours' box: psi(k) - 1/k + psi(n) - <psi(nx) + psi(ny)>.

    Bounds: neither. Fails: as ``ksg1``; less biased than it where X and Y differ in scale or
    dimension, and a little less precise.

    Source:
        Kraskov, Stögbauer and Grassberger 2004, Eq. 9.
    """

    name: ClassVar[str] = "ksg2"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        neighbours = nearest(np.hstack([x, y]), self.k).indices
        counts = sum(digamma(count_within(side, _extent(side, neighbours))) for side in (x, y))
        top = digamma(self.k) - 1 / self.k + digamma(len(x))
        return LocalTerms(np.asarray(top - counts), float(top - 2 * digamma(self.k)))


@dataclass(frozen=True, kw_only=True)
class MixedKsg(ColumnEstimator):
    """KSG 1 where the k-th neighbour is at a distance; elsewhere counts of equal samples.

    For any pair: continuous, discrete, one of each, or mixtures within one variable. Discrete
    values are numbers here, compared by distance. psi(k') + psi(n) - <psi(nx) + psi(ny)>, all
    counts with the sample itself, where k' is k or, at distance 0, the number of equal samples.

    The paper has log(nx) for psi(nx), which is biased low (by 0.07 nats at k = 5), and log(n) for
    psi(n). With digammas it is KSG 1 in a continuous bulk, and Zhang's entropies on atoms.

    Bounds: neither. Fails: see ``knn_base``; slow to converge where atoms lie inside a continuous
    bulk.

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
        ceiling = float((digamma(n) - digamma(same)).mean())
        return LocalTerms(digamma(same) + digamma(n) - _slabs(x, y, reach), ceiling)


@dataclass(frozen=True, kw_only=True)
class FrenzelPompe(ColumnEstimator):
    """KSG 1 given Z: psi(k) - <psi(nxz + 1) + psi(nyz + 1) - psi(nz + 1)>; all continuous.

    Without a condition it is KSG 1.

    Bounds: neither. Fails: see ``knn_base``; it tends to 0 as Z gets more columns, which its
    ceiling shows: the mean of psi(nz + 1) - psi(k).

    Source:
        Frenzel and Pompe 2007, Eq. 5.
    """

    name: ClassVar[str] = "frenzel-pompe"
    conditional: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        reach = just_inside(nearest(_joint(x, y, z), self.k).radius)
        nxz, nyz, nz = (digamma(counts + 1) for counts in _marginal_counts(x, y, z, reach))
        ceiling = float((nz - digamma(self.k)).mean())
        return LocalTerms(digamma(self.k) - nxz - nyz + nz, ceiling)


@dataclass(frozen=True, kw_only=True)
class MesnerShalizi(ColumnEstimator):
    """Conditional information of mixed data: psi(k') - <psi(nxz) + psi(nyz) - psi(nz)>.

    k' is the number of samples at the k-th neighbour's distance or nearer, more than k where
    values repeat. For any triple of continuous, discrete and mixed variables; discrete values are
    numbers here, compared by distance. The paper sets negative values to 0; here they stay.

    Bounds: neither. Fails: see ``knn_base``; it tends to 0 as Z gets more columns.

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
            xz, yz, given = _marginal_counts(x, y, z, radius)
            # Without a condition the paper's form of I(X; Y) has psi(n).
            given = given + 1 if z is None else given
        else:
            ties = same > self.k
            # At radius 0 the samples inside it are those at it.
            reach = np.where(ties, radius, just_inside(radius))
            xz, yz, given = (counts + 1 for counts in _marginal_counts(x, y, z, reach))
            same = same + ties
        top, nz = digamma(same), digamma(given)
        return LocalTerms(top - digamma(xz) - digamma(yz) + nz, float((nz - top).mean()))


@dataclass(frozen=True, kw_only=True)
class Ross(NeighbourEstimator):
    """Distance to the k-th neighbour of the same class, counted among all classes.

    psi(n) + <psi(k) - psi(n of the class) - psi(m)>, m the samples nearer than that neighbour,
    with the sample itself. The discrete one of X and Y is the one with fewer different values; it
    may be text. Classes of k samples or fewer use all of theirs; single ones are left out.

    Bounds: neither. Fails: see ``knn_base``; on classes of few samples; on continuous values that
    repeat, which it refuses.

    Source:
        Ross 2014, Eq. 1.
    """

    name: ClassVar[str] = "ross"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"mixed"})

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; more than k samples, one argument discrete."""
        refuse_given(self.name, given)
        name, points, classes = labelled(x, y, least=self.k + 1)
        refuse_atoms(name, points, self.k)
        kept = np.bincount(classes)[classes] > 1
        points, classes = rescale(points, self.margins)[kept], classes[kept]
        return self._result(
            lambda rows: _ross_terms(points[rows], classes[rows], self.k),
            (points, classes[:, None].astype(np.float64)),
            lambda: [
                float(_ross_terms(others, classes, self.k).values.mean())
                for (others,) in equivalent_columns([points], self.margins)
            ],
        )


def _slabs(x: Floats, y: Floats, reach: Floats) -> Floats:
    """psi(nx) + psi(ny), the numbers of samples within reach in X and in Y, with the sample."""
    return np.asarray(digamma(count_within(x, reach) + 1) + digamma(count_within(y, reach) + 1))


def _extent(points: Floats, neighbours: Counts) -> Floats:
    """Largest distance to the given neighbours, [n]."""
    extent = np.zeros(len(points))
    for column in neighbours.T:
        np.maximum(extent, np.abs(points - points[column]).max(axis=1), out=extent)
    return extent


def _joint(x: Floats, y: Floats, z: Floats | None) -> Floats:
    return np.hstack([x, y] if z is None else [x, y, z])


def _marginal_counts(
    x: Floats, y: Floats, z: Floats | None, reach: Floats
) -> tuple[Counts, Counts, Counts]:
    """Other samples within reach in (X, Z), (Y, Z) and Z; without a condition all are within Z."""
    if z is None:
        return count_within(x, reach), count_within(y, reach), np.full(len(x), len(x) - 1)
    return (
        count_within(np.hstack([x, z]), reach),
        count_within(np.hstack([y, z]), reach),
        count_within(z, reach),
    )


def _ross_terms(points: Floats, classes: Codes, most: int) -> LocalTerms:
    sizes = np.bincount(classes)[classes]
    points, classes, sizes = points[sizes > 1], classes[sizes > 1], sizes[sizes > 1]
    n = len(points)
    if not n:
        # A part of the sample without any pair of a class: no interval.
        return LocalTerms(np.full(1, np.nan), np.nan)
    radius, k = np.empty(n), np.minimum(most, sizes - 1)
    for rows in _members(classes):
        radius[rows] = nearest(points[rows], int(k[rows[0]])).radius
    nearer = count_within(points, just_inside(radius)) + 1
    base = digamma(n) - digamma(sizes)
    return LocalTerms(base + digamma(k) - digamma(nearer), float(base.mean()))


def _members(classes: Codes) -> list[NDArray[np.intp]]:
    """Indices of the samples of each class."""
    order = np.argsort(classes, kind="stable")
    edges = np.flatnonzero(np.diff(classes[order])) + 1
    return np.split(order, edges)
