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
from fctestbed.estimators.neighbours import Counts, count_shells, nearest
from fctestbed.estimators.roles import check_roles, with_roles
from fctestbed.estimators.ties import Distinct, expected_digamma, margin_digammas

# The margins of I(X; Y) and of I(X; Y | Z): the variables of each, by index.
_PAIR = ((0,), (1,))
_TRIPLE = ((0, 2), (1, 2), (2,))


@dataclass(frozen=True, kw_only=True)
class Ksg1(ColumnEstimator):
    """Counts in slabs of the k-th neighbour's distance: psi(k) + psi(n) - <psi(nx+1) + psi(ny+1)>.

    Where samples share that distance, as ranks do, ties are broken in expectation (``ties``).

    Bounds: neither. Fails: see ``knn_base``; also on values that repeat, which it refuses.

    Source:
        Kraskov, Stögbauer and Grassberger 2004, Eq. 8.
    """

    name: ClassVar[str] = "ksg1"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        data = Distinct.of(x, y)
        nx, ny = margin_digammas(data, self.k, data.radius(self.k), _PAIR)
        top = digamma(self.k) + digamma(len(x))
        # Each slab holds the k - 1 nearer neighbours.
        values = (top - (nx + ny))[data.inverse]
        return LocalTerms(values, float(top - 2 * digamma(self.k)))


@dataclass(frozen=True, kw_only=True)
class Ksg2(ColumnEstimator):
    """Counts in the sides of the k neighbours' box: psi(k) - 1/k + psi(n) - <psi(nx) + psi(ny)>.

    Where samples share a side of the box, as ranks do, the term of ``ksg1``.

    Bounds: neither. Fails: as ``ksg1``; less biased than it where X and Y differ in scale or
    dimension, and a little less precise.

    Source:
        Kraskov, Stögbauer and Grassberger 2004, Eq. 9.
    """

    name: ClassVar[str] = "ksg2"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        found, n = nearest(np.hstack([x, y]), self.k), len(x)
        data = Distinct([x, y], None, slice(None))
        first = sum(margin_digammas(data, self.k, found.radius, _PAIR))
        top = digamma(self.k) - 1 / self.k + digamma(n)
        second, tied = np.zeros(n), np.zeros(n, dtype=bool)
        for side in (x, y):
            extent = _extent(side, found.indices)
            inside, within = count_shells(side, None, *data.shell(extent))
            second += digamma(within - 1)
            tied |= within - inside > 1
        more = tied / self.k
        ceiling = float(top - 2 * digamma(self.k) + more.mean())
        return LocalTerms(top + more - np.where(tied, first, second), ceiling)


@dataclass(frozen=True, kw_only=True)
class MixedKsg(ColumnEstimator):
    """KSG 1 where the k-th neighbour is at a distance; elsewhere counts of equal samples.

    For any pair: continuous, discrete, one of each, or mixtures within one variable. Discrete
    values are numbers here, compared by distance. psi(k') + psi(n) - <psi(nx) + psi(ny)>, all
    counts with the sample itself, where k' is k or, at distance 0, the number of equal samples.
    Where other samples share a distance above 0 with the k-th neighbour, as those of rounded values
    do, ties are broken in expectation (``ties``), which the paper does not provide for.

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
        data, n = Distinct.of(x, y), len(x)
        radius = data.radius(self.k)
        same = np.where(radius > 0, self.k, data.equal())
        nx, ny = margin_digammas(data, self.k, radius, _PAIR)
        ceiling = float((digamma(n) - digamma(same))[data.inverse].mean())
        return LocalTerms((digamma(same) + digamma(n) - (nx + ny))[data.inverse], ceiling)


@dataclass(frozen=True, kw_only=True)
class FrenzelPompe(ColumnEstimator):
    """KSG 1 given Z: psi(k) - <psi(nxz + 1) + psi(nyz + 1) - psi(nz + 1)>; all continuous.

    Without a condition it is KSG 1. Ties as there.

    Bounds: neither. Fails: see ``knn_base``; it tends to 0 as Z gets more columns, which its
    ceiling shows: the mean of psi(nz + 1) - psi(k).

    Source:
        Frenzel and Pompe 2007, Eq. 5.
    """

    name: ClassVar[str] = "frenzel-pompe"
    conditional: ClassVar[bool] = True
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        data = Distinct.of(x, y) if z is None else Distinct.of(x, y, z)
        nxz, nyz, nz = _digammas(data, self.k, data.radius(self.k), len(x))
        ceiling = float((nz - digamma(self.k))[data.inverse].mean())
        return LocalTerms((digamma(self.k) - nxz - nyz + nz)[data.inverse], ceiling)


def neighbour_nats(x: Floats, y: Floats, z: Floats | None, *, k: int) -> float:
    """The estimate of ``frenzel-pompe`` alone, in nats, of columns as they are.

    Args:
        x: continuous columns, [n, columns], more than k samples.
        y: likewise.
        z: likewise, or None.
        k: number of neighbours.
    """
    return float(FrenzelPompe(k=k)._terms(x, y, z).values.mean())


@dataclass(frozen=True, kw_only=True)
class MesnerShalizi(ColumnEstimator):
    """Conditional information of mixed data: psi(k') - <psi(nxz) + psi(nyz) - psi(nz)>.

    For any triple of continuous, discrete and mixed variables; discrete values are
    numbers here, compared by distance. The paper sets negative values to 0; here they stay.

    Bounds: neither. Fails: see ``knn_base``; it tends to 0 as Z gets more columns.

    Attributes:
        k: as ``NeighbourEstimator``.
        margins: likewise.
        seed: likewise.
        counts: ``paper``: of other samples at the k-th neighbour's distance or nearer, k' likewise,
            which is too high by some 0.05 nats at n = 400; ``corrected``: as ``mixed-ksg``, k' the
            number of equal samples at distance 0 and k elsewhere, with ties broken in expectation.

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
        data, n = Distinct.of(x, y) if z is None else Distinct.of(x, y, z), len(x)
        radius = data.radius(self.k)
        if self.counts == "paper":
            top, xz, yz, nz = _closed_digammas(data, radius, n)
        else:
            # At distance 0 all equal samples count, and the sample itself with them.
            top = digamma(np.where(radius > 0, self.k, data.equal()))
            xz, yz, nz = _digammas(data, self.k, radius, n)
        ceiling = float((nz - top)[data.inverse].mean())
        return LocalTerms((top - xz - yz + nz)[data.inverse], ceiling)


@dataclass(frozen=True, kw_only=True)
class Ross(NeighbourEstimator):
    """Distance to the k-th neighbour of the same class, counted among all classes.

    psi(n) + <psi(k) - psi(n of the class) - psi(m)>, m the samples nearer than that neighbour,
    with the sample itself. The discrete one of X and Y is the one with fewer different values,
    whatever their type, or the one that ``classes`` names; it may be text. The estimate says which
    it was (``x_as``, ``y_as``). Classes of k samples or fewer use all of theirs; single ones are
    left out.

    Bounds: neither. Fails: see ``knn_base``; on classes of few samples; on continuous values that
    repeat, which it refuses.

    Attributes:
        classes: ``("x",)`` or ``("y",)`` for the discrete argument.
        amounts: likewise for the other one.

    Raises:
        ValueError: one line, for settings out of range.

    Source:
        Ross 2014, Eq. 1.
    """

    name: ClassVar[str] = "ross"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"mixed"})
    classes: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_roles(self.classes, self.amounts)
        for name, value in (("classes", self.classes), ("amounts", self.amounts)):
            if len(value) > 1 or "given" in value:
                raise ValueError(f"{name}: expected one of x, y for ross, got {value!r}")

    def estimate(self, x: Array, y: Array, given: Array | None = None) -> Estimate:
        """As ``Estimator.estimate``; more than k samples, one argument discrete."""
        refuse_given(self.name, given)
        name, points, classes = labelled(
            x, y, least=self.k + 1, classes=self.classes, amounts=self.amounts
        )
        refuse_atoms(name, points, self.k)
        n_classes = int(classes.max()) + 1
        kept = np.bincount(classes)[classes] > 1
        points, classes = rescale(points, self.margins)[kept], classes[kept]
        estimate = self._result(
            lambda rows: _ross_terms(points[rows], classes[rows], self.k),
            (points, classes[:, None].astype(np.float64)),
            lambda: [
                float(_ross_terms(others, classes, self.k).values.mean())
                for (others,) in equivalent_columns([points], self.margins)
            ],
        )
        discrete = "y" if name == "x" else "x"
        return with_roles(estimate, {name: "amounts", discrete: f"classes ({n_classes})"})


def _digammas(data: Distinct, k: int, radius: Floats, n: int) -> tuple[Floats, Floats, Floats]:
    """``margin_digammas`` of (X, Z), (Y, Z) and Z; without a condition all n samples are in Z."""
    if len(data.variables) == 3:
        nxz, nyz, nz = margin_digammas(data, k, radius, _TRIPLE)
        return nxz, nyz, nz
    nx, ny = margin_digammas(data, k, radius, _PAIR)
    return nx, ny, np.full(len(nx), digamma(n))


def _closed_digammas(
    data: Distinct, radius: Floats, n: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """psi of the numbers of other samples at the radius or nearer, jointly and in the margins."""
    reach = radius + data.tolerance
    reach[radius == 0] = 0.0
    triple = len(data.variables) == 3
    margins = [(0, 1, 2), *_TRIPLE] if triple else [(0, 1), *_PAIR]
    found = [
        digamma(count_shells(data.margin(margin), data.weights, reach, reach)[1] - 1)
        for margin in margins
    ]
    if not triple:
        # Without a condition the paper's form of I(X; Y) has psi(n).
        found.append(np.full(len(radius), digamma(n)))
    joint, xz, yz, z = (np.asarray(digammas, np.float64) for digammas in found)
    return joint, xz, yz, z


def _extent(points: Floats, neighbours: Counts) -> Floats:
    """Largest distance to the given neighbours, [n]."""
    extent = np.zeros(len(points))
    for column in neighbours.T:
        np.maximum(extent, np.abs(points - points[column]).max(axis=1), out=extent)
    return extent


def _ross_terms(points: Floats, classes: Codes, most: int) -> LocalTerms:
    sizes = np.bincount(classes)[classes]
    points, classes, sizes = points[sizes > 1], classes[sizes > 1], sizes[sizes > 1]
    n = len(points)
    if not n:
        # A part of the sample without any pair of a class: no interval.
        return LocalTerms(np.full(1, np.nan), np.nan)
    radius, k = np.empty(n), np.minimum(most, sizes - 1)
    data = Distinct([points], None, slice(None))
    before, after = np.empty((2, n), dtype=np.int64)
    members = _members(classes)
    for rows in members:
        radius[rows] = nearest(points[rows], int(k[rows[0]])).radius
    inner, outer = data.shell(radius)
    inside, within = count_shells(points, None, inner, outer)
    nearer = digamma(inside)
    tied = (radius > 0) & (within - inside > 1)
    if tied.any():
        for rows in members:
            before[rows], after[rows] = count_shells(points[rows], None, inner[rows], outer[rows])
        # Among the samples of the class the k-th other one is the (k + 1)-th with the sample.
        nearer[tied] = expected_digamma(
            inside[tied] - 1,
            (k + 1 - before)[tied],
            (after - before)[tied],
            (within - inside)[tied],
        )
    base = digamma(n) - digamma(sizes)
    return LocalTerms(base + digamma(k) - nearer, float(base.mean()))


def _members(classes: Codes) -> list[NDArray[np.intp]]:
    """Indices of the samples of each class."""
    order = np.argsort(classes, kind="stable")
    edges = np.flatnonzero(np.diff(classes[order])) + 1
    return np.split(order, edges)
