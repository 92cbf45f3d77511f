"""Mutual information of a continuous and a discrete variable. Owns ``ross``."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from fctestbed.estimators.base import Array, Estimate, Kind
from fctestbed.estimators.inputs import Codes, Floats, labelled, refuse_given
from fctestbed.estimators.knn import LocalTerms, NeighbourEstimator, refuse_atoms
from fctestbed.estimators.margins import rescale
from fctestbed.estimators.neighbours import count_within, just_inside, nearest


@dataclass(frozen=True, kw_only=True)
class Ross(NeighbourEstimator):
    """Distance to the k-th neighbour of the same class, counted among all classes.

    psi(n) + <psi(k) - psi(n of the class) - psi(m)>, m the samples nearer than that neighbour,
    with the sample itself. Which of X and Y is discrete is told by which has fewer different
    values; that one may be text. Classes of k samples or fewer use all of theirs; single ones are
    left out.

    Bounds: neither. Fails: see ``knn``; on classes of few samples; on continuous values that
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
            lambda rows: _terms(points[rows], classes[rows], self.k),
            (points, classes[:, None].astype(np.float64)),
        )


def _terms(points: Floats, classes: Codes, most: int) -> LocalTerms:
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
    order = np.argsort(classes, kind="stable")
    edges = np.flatnonzero(np.diff(classes[order])) + 1
    return np.split(order, edges)
