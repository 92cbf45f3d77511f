"""The Newton matrix of the BROJA dual, one block per cell, factored with its structure.

Linear algebra only. May import numpy, scipy and ``broja_certificate``.

Every cell (x1, x2) adds t (diag pi - pi pi') + (t / s) pi pi' to the rows and columns of
alpha[x1, :] and beta[x2, :]. The matrix is therefore block diagonal in the potentials of either
source; those of the first are eliminated.
"""

import numpy as np
from numpy.linalg import LinAlgError
from scipy.linalg import cho_factor, cho_solve

from fctestbed.information.broja_certificate import Array

_CHUNK = 1 << 21
_NO_CELL = 1e3
_REFINEMENTS = 1
_LEAST_ADDED, _MOST_ADDED = 1e-15, 1e-2


class Cells:
    """Margins, supports and weights of a problem.

    Attributes:
        a: p(x1, y), shape (n1, ny).
        b: p(x2, y), shape (n2, ny).
        power: exponent of the weights.
        support: whether (x1, x2, y) may have mass.
        inside: whether the cell (x1, x2) may have mass.
        weight: weights of the cells, summing to 1.
        free: whether a beta is an unknown.
    """

    def __init__(self, a: Array, b: Array, power: float) -> None:
        self.a, self.b, self.power = a, b, power
        self.support = (a > 0)[:, None, :] & (b > 0)[None, :, :]
        self.inside = self.support.any(axis=2)
        self.weight = np.minimum(a[:, None, :], b[None, :, :]).sum(axis=2) ** power
        self.weight[~self.inside] = 0.0
        self.weight /= self.weight.sum()
        # Adding c(y) to alpha and subtracting it from beta changes nothing: fix one beta per y.
        self.free = b > 0
        self.free[b.argmax(axis=0), np.arange(b.shape[1])] = False

    def slack(self, alpha: Array, beta: Array) -> tuple[Array, Array]:
        """(pi, slack): pi (n1, n2, ny), 0 off the support; slack (n1, n2), 1000 off the cells."""
        scores = np.where(self.support, alpha[:, None, :] + beta[None, :, :], -np.inf)
        top = np.where(self.inside, scores.max(axis=2), 0.0)
        pi = np.exp(scores - top[:, :, None])
        total = np.where(self.inside, pi.sum(axis=2), 1.0)
        return pi / total[:, :, None], np.where(self.inside, -(top + np.log(total)), _NO_CELL)

    def missing(self, mass: Array, pi: Array) -> tuple[Array, Array]:
        """The margins minus those of the table mass x pi, shapes (n1, ny) and (n2, ny)."""
        table = mass[:, :, None] * pi
        return self.a - table.sum(axis=1), self.b - table.sum(axis=0)

    def slope(self, mass: Array, pi: Array, d_alpha: Array, d_beta: Array) -> float:
        """Slope along a direction of the barrier function with these masses."""
        rows, columns = self.missing(mass, pi)
        return float((rows * d_alpha).sum() + (columns * d_beta).sum())


class NewtonSystem:
    """The matrix at one point, factored.

    Args:
        cells: the problem.
        pi: p(y | x1, x2), shape (n1, n2, ny).
        mass: shape (n1, n2), positive on the cells.
        slack: shape (n1, n2), positive.

    Raises:
        numpy.linalg.LinAlgError: rounding leaves a matrix that is not positive definite.
    """

    def __init__(self, cells: Cells, pi: Array, mass: Array, slack: Array) -> None:
        self.cells, self.pi, self.mass, self.slack = cells, pi, mass, slack
        self.diagonal = mass[:, :, None] * pi
        self.outer = mass * (1 / slack - 1)
        n1, n2, ny = pi.shape
        self.held = cells.free.ravel()
        self.factors = np.empty((n1, ny, ny))
        own2 = np.zeros((n2, ny, ny))
        schur = np.zeros((int(self.held.sum()),) * 2)
        y = np.arange(ny)
        chunk = max(1, _CHUNK // (n2 * ny * ny))
        for first in range(0, n1, chunk):
            part = slice(first, first + chunk)
            blocks = self.outer[part, :, None, None] * pi[part, :, :, None] * pi[part, :, None, :]
            blocks[:, :, y, y] += self.diagonal[part]
            own1 = blocks.sum(axis=1)
            own1[:, y, y] += cells.a[part] == 0
            self.factors[part] = _block_factors(own1)
            own2 += blocks.sum(axis=0)
            across = blocks.transpose(0, 2, 1, 3).reshape(len(own1), ny, n2 * ny)[:, :, self.held]
            half = np.linalg.solve(self.factors[part], across).reshape(len(own1) * ny, -1)
            schur -= half.T @ half
        place = np.flatnonzero(self.held)
        for source in range(n2):
            mine = np.flatnonzero(place // ny == source)
            values = place[mine] % ny
            schur[np.ix_(mine, mine)] += own2[source][np.ix_(values, values)]
        self.schur = _factor(schur, own2[:, y, y].ravel()[self.held])

    def direction(self, product: Array) -> tuple[Array, Array, Array, Array]:
        """Steps of (alpha, beta, mass, slack) to the margins and to mass x slack = ``product``."""
        wanted = product / self.slack
        first, second = self.cells.missing(wanted, self.pi)
        alpha, beta = self._solved(first, second)
        for _ in range(_REFINEMENTS):
            given = self._applied(alpha[:, None, :] + beta[None, :, :])
            more = self._solved(first - given.sum(axis=1), second - given.sum(axis=0))
            alpha, beta = alpha + more[0], beta + more[1]
        rise = (self.pi * (alpha[:, None, :] + beta[None, :, :])).sum(axis=2)
        return alpha, beta, wanted - self.mass + self.mass / self.slack * rise, -rise

    def _solved(self, first: Array, second: Array) -> tuple[Array, Array]:
        beta: Array = np.zeros(second.size)
        reduced = second - self._applied(self._own(first)[:, None, :]).sum(axis=0)
        if self.held.any():
            beta[self.held] = cho_solve((self.schur, True), reduced.ravel()[self.held])
        beta = beta.reshape(second.shape)
        return self._own(first - self._applied(beta[None, :, :]).sum(axis=1)), beta

    def _applied(self, potentials: Array) -> Array:
        """Each cell's block applied to potentials that broadcast to (n1, n2, ny)."""
        mean = self.outer * (self.pi * potentials).sum(axis=2)
        return np.asarray(self.diagonal * potentials + mean[:, :, None] * self.pi)

    def _own(self, right: Array) -> Array:
        """The first source's blocks, inverted."""
        admitted = self.cells.a > 0
        half = np.linalg.solve(self.factors, np.where(admitted, right, 0.0)[:, :, None])
        full = np.linalg.solve(self.factors.transpose(0, 2, 1), half)[:, :, 0]
        return np.where(admitted, full, 0.0)


def _block_factors(blocks: Array) -> Array:
    """Cholesky factors; where rounding makes a block indefinite, its diagonal is increased."""
    diagonal = np.einsum("ikk->ik", blocks)
    own, added = diagonal.copy(), 0.0
    while True:
        try:
            return np.asarray(np.linalg.cholesky(blocks))
        except LinAlgError:
            added = _more(added)
            diagonal[...] = own * (1 + added)


def _factor(matrix: Array, scale: Array) -> Array:
    place = np.arange(len(matrix))
    own: Array = matrix[place, place]
    added = 0.0
    while matrix.size:
        try:
            return np.asarray(cho_factor(matrix, lower=True)[0])
        except LinAlgError:
            added = _more(added)
            matrix[place, place] = own + added * scale
        except ValueError as error:
            # scipy raises this where the matrix is not finite.
            raise LinAlgError(str(error)) from error
    return matrix


def _more(added: float) -> float:
    if added >= _MOST_ADDED:
        raise LinAlgError("a matrix is not positive definite")
    return max(10 * added, _LEAST_ADDED)
