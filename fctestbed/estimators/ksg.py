"""Kraskov, Stögbauer and Grassberger's two estimators. Owns ``ksg1`` and ``ksg2``."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import digamma

from fctestbed.estimators.base import Kind
from fctestbed.estimators.inputs import Floats
from fctestbed.estimators.knn import ColumnEstimator, LocalTerms
from fctestbed.estimators.neighbours import Counts, count_within, just_inside, nearest


@dataclass(frozen=True, kw_only=True)
class Ksg1(ColumnEstimator):
    """Counts in slabs of the k-th neighbour's distance: psi(k) + psi(n) - <psi(nx+1) + psi(ny+1)>.

    Bounds: neither. Fails: see ``knn``; also on values that repeat, which it refuses.

    Source:
        Kraskov, Stögbauer and Grassberger 2004, Eq. 8.
    """

    name: ClassVar[str] = "ksg1"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"continuous"})

    def _terms(self, x: Floats, y: Floats, z: Floats | None) -> LocalTerms:
        n = len(x)
        reach = just_inside(nearest(np.hstack([x, y]), self.k).radius)
        counts = digamma(count_within(x, reach) + 1) + digamma(count_within(y, reach) + 1)
        top = digamma(self.k) + digamma(n)
        # Each slab holds the k - 1 nearer neighbours.
        return LocalTerms(top - counts, float(top - 2 * digamma(self.k)))


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
        n = len(x)
        neighbours = nearest(np.hstack([x, y]), self.k).indices
        counts = sum(digamma(count_within(side, _extent(side, neighbours))) for side in (x, y))
        top = digamma(self.k) - 1 / self.k + digamma(n)
        return LocalTerms(np.asarray(top - counts), float(top - 2 * digamma(self.k)))


def _extent(points: Floats, neighbours: Counts) -> Floats:
    """Largest distance to the given neighbours, [n]."""
    extent = np.zeros(len(points))
    for column in neighbours.T:
        np.maximum(extent, np.abs(points - points[column]).max(axis=1), out=extent)
    return extent
