"""Neighbour counts of samples some of which are equal, or equally far from another one.

Search on distinct rows, so that equal samples are counted and not enumerated; and the expected
digammas of the counts where several samples share the distance of the k-th neighbour. May import
numpy, scipy and ``neighbours``.

A neighbour estimator needs boxes that grow until they hold k other samples. Where samples share
the distance r of the k-th neighbour, the box would pass k at once: taking all of them, or none of
those that share r in a margin, is biased by up to 0.5 bit on rounded data. Here the ties are broken
at random, which leaves the information as it is: for U independent of everything, (X, U) has the
same information about Y as X. A sample at distance r in X enters when the box has grown by its
uniform share of the step; first the step of one variable is grown, then that of the next one. The
estimators use the expectation over U, so that there is no random number and no dependence on the
order of the samples. At distance 0 all equal samples count, which has the same expectation.

Two distances are equal where they differ by less than the rounding errors of the samples: then
a change of the unit leaves ties as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from fctestbed.estimators.inputs import row_codes
from fctestbed.estimators.neighbours import Counts, Floats, count_boxes, count_shells, nearest

# A value has an error of at most 3/2 epsilon (its decimals, a change of unit, the scaling), a
# distance of 3 and the difference of two distances of 6; the rest is a margin.
_EPSILONS = 16 * np.finfo(np.float64).eps
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True)
class Distinct:
    """The distinct rows of the variables' samples.

    Attributes:
        variables: columns of each variable, [u, columns].
        weights: number of samples of each row, [u]; None where all are different.
        inverse: index of each sample's row, [n].
    """

    variables: list[Floats]
    weights: Counts | None
    inverse: NDArray[np.intp] | slice

    @classmethod
    def of(cls, *variables: Floats) -> "Distinct":
        """The distinct rows of columns side by side."""
        codes = row_codes(np.hstack(variables))
        n_rows = int(codes.max()) + 1
        if n_rows == len(codes):
            return cls(list(variables), None, slice(None))
        _, first = np.unique(codes, return_index=True)
        counts = np.bincount(codes).astype(np.int64)
        return cls([array[first] for array in variables], counts, codes)

    @property
    def tolerance(self) -> float:
        """Difference below which two distances are equal."""
        return float(_EPSILONS * max(np.abs(array).max() for array in self.variables))

    def margin(self, of: Sequence[int]) -> Floats:
        """The columns of some variables, [u, columns]."""
        return np.hstack([self.variables[v] for v in of])

    def shell(self, radius: Floats) -> tuple[Floats, Floats]:
        """Distances of which the smaller one excludes what lies at a radius above 0, [u] each."""
        return np.maximum(radius - self.tolerance, 0.0), radius + self.tolerance

    def equal(self) -> Counts:
        """Number of samples of each row, [u]."""
        if self.weights is None:
            return np.ones(len(self.variables[0]), dtype=np.int64)
        return self.weights

    def radius(self, k: int) -> Floats:
        """Distance from each row to the k-th nearest other sample, [u]; n above k."""
        points = self.margin(range(len(self.variables)))
        if self.weights is None:
            return nearest(points, k).radius
        radius = np.zeros(len(points))
        rows = np.flatnonzero(self.weights <= k)
        if len(rows):
            near = nearest(points, min(k, len(points) - 1)).indices[rows]
            distances = np.abs(points[near] - points[rows, None]).max(axis=2)
            order = np.argsort(distances, axis=1, kind="stable")
            sizes = np.take_along_axis(self.weights[near], order, axis=1)
            others = self.weights[rows, None] - 1 + sizes.cumsum(axis=1)
            enough = (others >= k).argmax(axis=1)
            sorted_distances = np.take_along_axis(distances, order, axis=1)
            radius[rows] = sorted_distances[np.arange(len(rows)), enough]
        return radius


@dataclass(frozen=True)
class Step:
    """Boxes that grow over the distance of the k-th neighbour.

    Attributes:
        points: columns of a margin, [u, columns].
        weights: as ``Distinct``.
        rows: the rows at which the boxes are centred.
    """

    points: Floats
    weights: Counts | None
    rows: NDArray[np.intp]

    def others(self, reach: Floats) -> Counts:
        """Number of other samples within reach, one for each centre and column."""
        return count_boxes(self.points, self.weights, self.rows, reach) - 1


def margin_digammas(
    data: Distinct, k: int, radius: Floats, margins: Sequence[Sequence[int]]
) -> list[Floats]:
    """Expected digammas of the numbers of samples nearer than the k-th neighbour, with itself.

    Args:
        data: distinct rows of the variables.
        k: number of neighbours.
        radius: distance of the k-th neighbour of each row, [u]; at 0 the samples counted are the
            equal ones.
        margins: the variables of each margin, by index; together all variables.

    Returns:
        For each margin psi of the count, [u]; its expectation over random ties, where other samples
        share the distance in a margin.
    """
    inner, outer = data.shell(radius)
    counts = [count_shells(data.margin(of), data.weights, inner, outer) for of in margins]
    found: list[Floats] = [np.asarray(digamma(inside), np.float64) for inside, _ in counts]
    tied = np.flatnonzero(has_ties(radius, [within - inside for inside, within in counts]))
    if len(tied):
        for digammas, mean in zip(found, _tied(data, k, tied, radius, margins), strict=True):
            digammas[tied] = mean
    return found


def expected_digamma(inside: Counts, place: Counts, joint: Counts, shell: Counts) -> Floats:
    """Mean of psi(inside + position of the ``place``-th marked one of ``shell`` in random order).

    The position of the m-th of T marked ones among S is m plus a beta-binomial number of the
    other S - T, with parameters m and T + 1 - m. The mean over the beta variable is a Gauss-
    Legendre sum, that over the binomial one a Taylor series of second order.

    Args:
        inside: number before all of them, [n].
        place: m, from 1 to T, [n].
        joint: T, [n].
        shell: S, at least T, [n].
    """
    m, t, rest = (np.asarray(a, dtype=float)[:, None] for a in (place, joint, shell - joint))
    # The rest of the beta distribution is below 1e-6.
    top = np.minimum(1.0, (m + 8 * np.sqrt(m) + 12) / (t + 1))
    share = top * (1 + _NODES) / 2
    # A share of 1 occurs at no node of the rule.
    log_density = (m - 1) * np.log(share) + (t - m) * np.log1p(-share)
    weights = _WEIGHTS * np.exp(log_density - log_density.max(axis=1, keepdims=True))
    middle = np.asarray(inside, dtype=float)[:, None] + m + rest * share
    values = digamma(middle) + tetragamma(middle) * rest * share * (1 - share) / 2
    return np.asarray((weights * values).sum(axis=1) / weights.sum(axis=1))


def tetragamma(x: Floats) -> Floats:
    """The second derivative of digamma at x >= 1, within 1e-13 of itself.

    Ten steps of its recurrence, then its asymptotic series (Abramowitz and Stegun 6.4.6 and
    6.4.13): SciPy's ``polygamma`` takes several times as long.
    """
    steps = np.zeros_like(x)
    for step in range(10):
        place = x + step
        steps += 1 / (place * place * place)
    inverse = 1 / (x + 10)
    square = inverse * inverse
    series = 1 / 2 - square * (1 / 6 - square * (1 / 6 - square * (3 / 10 - square * 5 / 6)))
    return np.asarray(-2 * steps - square * (1 + inverse + square * series))


def has_ties(radius: Floats, shells: Sequence[Counts]) -> NDArray[np.bool_]:
    """Whether more than one sample may share the distance of the k-th neighbour in a margin.

    Args:
        radius: distance of the k-th neighbour, [u].
        shells: number of samples at that distance in each margin: of X and of Y, or of (X, Z),
            (Y, Z) and Z, [u] each.
    """
    if len(shells) < 3:
        return np.asarray((radius > 0) & (np.sum(shells, axis=0) > 1))
    # A sample at the distance in Z is in all three.
    xz, yz, z = shells
    return np.asarray((radius > 0) & (np.maximum(np.max(shells, axis=0), xz + yz - z) > 1))


def _tied(
    data: Distinct,
    k: int,
    rows: NDArray[np.intp],
    radius: Floats,
    margins: Sequence[Sequence[int]],
) -> list[Floats]:
    """Expected digammas of the margins' counts at rows with ties."""
    n_variables = len(data.variables)
    # A condition first; then X and Y in both orders, so that they are treated alike.
    first = list(range(2, n_variables))
    orders = [[*first, 0, 1], [*first, 1, 0]]
    total = [np.zeros(len(rows)) for _ in margins]
    everything = range(n_variables)
    near, far = data.shell(radius[rows])
    joint = Step(data.margin(everything), data.weights, rows)
    for order in orders:
        held = [
            joint.others(_reach(data, everything, order[:grown], near, far))
            for grown in range(n_variables + 1)
        ]
        for grown, (before, after) in enumerate(pairwise(held)):
            here = np.flatnonzero((before < k) & (k <= after))
            if not len(here):
                continue
            place, n_joint = k - before[here], (after - before)[here]
            for sums, margin in zip(total, margins, strict=True):
                step = Step(data.margin(margin), data.weights, rows[here])
                inside = step.others(_reach(data, margin, order[:grown], near[here], far[here]))
                if order[grown] not in margin:
                    sums[here] += digamma(inside + 1)
                    continue
                within = step.others(
                    _reach(data, margin, order[: grown + 1], near[here], far[here])
                )
                sums[here] += expected_digamma(inside, place, n_joint, within - inside)
    return [sums / len(orders) for sums in total]


def _reach(
    data: Distinct, margin: Sequence[int], grown: Sequence[int], near: Floats, far: Floats
) -> Floats:
    """Half widths of boxes in each column of a margin: far in the variables that have grown."""
    columns = [
        np.repeat((far if v in grown else near)[:, None], data.variables[v].shape[1], axis=1)
        for v in margin
    ]
    return np.hstack(columns)
