"""The certificate of a BROJA optimum: a feasible point above it and a dual point below it, in nats.

The objective and its dual, without an algorithm. May import numpy and scipy only.

The margins are a = p(x1, y) of shape (n1, ny) and b = p(x2, y) of shape (n2, ny). The objective of
q(x1, x2, y) is -H_q(Y | X1, X2) = sum q log(q / q(x1, x2)), which is convex and scales with q. Its
conjugate is 0 where every cell (x1, x2) has sum_y exp(.) <= 1 and infinite elsewhere, so that for
any potentials alpha (n1, ny) and beta (n2, ny)

    <a, alpha> + <b, beta> - max over cells of log sum_y exp(alpha[x1, y] + beta[x2, y])

is a lower bound of the minimum over all q that have these margins (of total mass 1).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bracket:
    """A certified interval around the optimum, in nats, and potentials of a lower end.

    ``alpha`` has shape (n1, ny), ``beta`` (n2, ny).
    """

    upper_nats: float
    lower_nats: float
    alpha: Array
    beta: Array
    iterations: int

    @property
    def gap_nats(self) -> float:
        """Width of the interval."""
        return self.upper_nats - self.lower_nats

    def narrowed(self, upper_nats: float, lower_nats: float, iterations: int) -> "Bracket":
        """The intersection with another certified interval, found in some more steps."""
        return replace(
            self,
            upper_nats=min(self.upper_nats, upper_nats),
            lower_nats=max(self.lower_nats, lower_nats),
            iterations=self.iterations + iterations,
        )


def objective_nats(q: Array) -> float:
    """-H(Y | X1, X2) in nats of a table q of shape (n1, n2, ny)."""
    return float(xlogy(q, q).sum() - xlogy(*[q.sum(axis=2)] * 2).sum())


def dual_nats(a: Array, b: Array, alpha: Array, beta: Array, worst: float) -> float:
    """The lower bound in the module's docstring, in nats.

    Args:
        a: p(x1, y), shape (n1, ny).
        b: p(x2, y), shape (n2, ny).
        alpha: potentials, shape (n1, ny), finite also where ``a`` is 0.
        beta: potentials, shape (n2, ny), finite also where ``b`` is 0.
        worst: the largest log sum_y exp(alpha + beta) over cells and the y that both sources admit.
    """
    return float((a * alpha).sum() + (b * beta).sum() - worst)


def with_margins(q: Array, a: Array, b: Array) -> Array:
    """A table near q, shape (n1, n2, ny), whose margins are a and b to rounding.

    Rows and columns with too much mass are scaled down; the missing mass is added as a product.

    Source:
        Altschuler, Weed and Rigollet 2017, Algorithm 2, for each y.
    """
    q = q * _at_most_one(a, q.sum(axis=1))[:, None, :]
    q = q * _at_most_one(b, q.sum(axis=0))[None, :, :]
    rows = np.maximum(a - q.sum(axis=1), 0.0)
    columns = np.maximum(b - q.sum(axis=0), 0.0)
    missing = rows.sum(axis=0)
    columns /= np.where(missing > 0, missing, 1.0)
    return q + rows[:, None, :] * columns[None, :, :]


def _at_most_one(wanted: Array, held: Array) -> Array:
    scale = np.divide(wanted, held, out=np.ones_like(held), where=held > 0)
    return np.minimum(scale, 1.0)
