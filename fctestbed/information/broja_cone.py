"""The BROJA programme as an exponential-cone programme, for tables on which Newton's method stalls.

Builds the programme and hands it to Clarabel. May import numpy, scipy, clarabel and
``broja_certificate``. Deterministic.

With q over the support and one auxiliary variable r for each entry, -H_q(Y | X1, X2) is the least
sum of r such that q(x1, x2, y) exp(-r / q(x1, x2, y)) <= q(x1, x2). The multipliers of the margins
are dual potentials. Nothing depends on the solver's own accuracy: its answer is rounded to a
feasible table and to a dual bound, and the bracket is certified from these.

Source:
    Makkeh, Theis and Vicente 2017, "Bivariate partial information decomposition: the optimization
    perspective"; Goulart and Chen 2024 (Clarabel).
"""

import clarabel
import numpy as np
import scipy.sparse as sp

from fctestbed.information.broja_certificate import (
    Array,
    Bracket,
    dual_nats,
    objective_nats,
    with_margins,
)

MAX_ENTRIES = 4096
"""Most entries of a table's support: 4096 take half a minute, 512 less than a second."""

_TOLERANCE = 1e-11


def solve_cone(a: Array, b: Array, max_iterations: int) -> tuple[Bracket, Array]:
    """A certified bracket of min_q -H_q(Y | X1, X2) in nats, and the masses q(x1, x2).

    Args:
        a: p(x1, y), shape (n1, ny), no empty row or column.
        b: p(x2, y), shape (n2, ny), no empty row or column.
        max_iterations: most steps of the solver.

    Returns:
        The bracket, with infinite ends where the solver found no finite point; masses of shape
        (n1, n2).
    """
    support = (a > 0)[:, None, :] & (b > 0)[None, :, :]
    first, second, y = np.nonzero(support)
    n = len(y)
    # One equation for each positive entry of either margin.
    row_of_a = np.cumsum(a > 0).reshape(a.shape) - 1
    row_of_b = int((a > 0).sum()) + np.cumsum(b > 0).reshape(b.shape) - 1
    n_margins = int((a > 0).sum() + (b > 0).sum())
    entry = np.arange(n)
    cell = first * len(b) + second
    # Entries of one cell (x1, x2) stand together, because y varies fastest.
    others, of_entry = np.nonzero(cell[:, None] == cell[None, :])
    cone_row = n_margins + 3 * entry
    rows = [row_of_a[first, y], row_of_b[second, y], cone_row, cone_row + 1, cone_row[others] + 2]
    columns = [entry, entry, n + entry, entry, of_entry]
    values = [np.ones(n), np.ones(n), np.ones(n), -np.ones(n), -np.ones(len(others))]
    constraints = sp.csc_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
        shape=(n_margins + 3 * n, 2 * n),
    )
    right = np.concatenate([a[a > 0], b[b > 0], np.zeros(3 * n)])
    solution = clarabel.DefaultSolver(
        sp.csc_matrix((2 * n, 2 * n)),
        np.concatenate([np.zeros(n), np.ones(n)]),
        constraints,
        right,
        [clarabel.ZeroConeT(n_margins), *[clarabel.ExponentialConeT()] * n],
        _settings(max_iterations),
    ).solve()
    q = np.zeros(support.shape)
    q[support] = np.maximum(np.asarray(solution.x)[:n], 0.0)
    alpha, beta = np.zeros_like(a), np.zeros_like(b)
    potentials = -np.asarray(solution.z)[:n_margins]
    alpha[a > 0], beta[b > 0] = np.split(potentials, [int((a > 0).sum())])
    if not (np.isfinite(q).all() and np.isfinite(potentials).all()):
        return Bracket(np.inf, -np.inf, 0 * a, 0 * b, solution.iterations), q.sum(axis=2)
    upper = objective_nats(with_margins(q, a, b))
    lower = dual_nats(a, b, alpha, beta, _worst(support, alpha, beta))
    return Bracket(upper, lower, alpha, beta, solution.iterations), q.sum(axis=2)


def _worst(support: np.ndarray, alpha: Array, beta: Array) -> float:
    """The largest log sum_y exp(alpha + beta) over the cells (x1, x2)."""
    scores = np.where(support, alpha[:, None, :] + beta[None, :, :], -np.inf)
    return float(np.logaddexp.reduce(scores, axis=2).max())


def _settings(max_iterations: int) -> clarabel.DefaultSettings:
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_iter = max_iterations
    # One thread: the answer must not depend on the machine's cores.
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = _TOLERANCE
    return settings
