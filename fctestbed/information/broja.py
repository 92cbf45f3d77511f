"""The BROJA programme: the least I_Q(Y; X1, X2) over all Q that keep p(x1, y) and p(x2, y).

The reduction of the problem and a first-order method; ``broja_newton`` continues from its result.
Deterministic. May import numpy, scipy and this package.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import entr

from fctestbed.information.broja_certificate import (
    Array,
    Bracket,
    dual_nats,
    objective_nats,
    with_margins,
)
from fctestbed.information.broja_cone import MAX_ENTRIES, solve_cone
from fctestbed.information.broja_newton import newton

MAX_UNKNOWNS = 4096
_ALTERNATIONS = 100
_SWEEPS = 2
_LEAST_MASS = 1e-40
_TRIMMED = 1e-14
_DIGITS = 13
_EQUAL = 1e-13


def conditional_entropy_bracket(
    a: Array, b: Array, *, goal_nats: float, accepted_nats: float, max_iterations: int
) -> tuple[float, float, int]:
    """(upper, lower, iterations): a certified interval in nats around min_Q -H_Q(Y | X1, X2).

    Args:
        a: p(x1, y), shape (n1, ny).
        b: p(x2, y), shape (n2, ny), with the same p(y).
        goal_nats: width of the interval at which to stop.
        accepted_nats: width of the interval above which the cone solver is asked as well.
        max_iterations: largest number of steps (projections and Newton steps) of each part.
    """
    iterations = 0
    first, second, margin = _trimmed(a, b)
    reduced = _reduced(first, second)
    # The merged problem lacks the entropy of y given its merged value, which no source reduces.
    merged = float(entr(reduced[0].sum(axis=0)).sum() - entr(first.sum(axis=0)).sum())
    upper = lower = merged
    parts = list(_parts(*reduced))
    for one, two in parts:
        mass = float(one.sum())
        found = _solve(
            one / mass,
            two / float(two.sum()),
            goal_nats=goal_nats,
            # The gaps of the parts add up, each weighted by the part's mass.
            accepted_nats=accepted_nats / len(parts) / mass,
            max_iterations=max_iterations,
        )
        upper += mass * found.upper_nats
        lower += mass * found.lower_nats
        iterations += found.iterations
    return upper + margin, lower - margin, iterations


def _trimmed(a: Array, b: Array) -> tuple[Array, Array, float]:
    """The margins without their smallest entries, of sum 1e-14, and the largest change, in nats.

    Probabilities like 1e-40 would make the Newton matrix singular. The optimum is a conditional
    entropy, which is continuous in total variation.

    Source:
        Alhejji and Smith 2020: |H(Y|X) - H'(Y|X)| <= h(d) + d log(|Y| - 1), d the distance.
    """
    first, second = _without_dust(a), _without_dust(b)
    lost = float((a - first).sum() + (b - second).sum())
    if lost == 0:
        return a, b, 0.0
    kept = (first.sum(axis=0) > 0) & (second.sum(axis=0) > 0)
    first, second = first * kept, second * kept
    scale = np.where(kept, second.sum(axis=0), 1.0)
    distance = 4 * float((a - first).sum() + (b - second).sum())
    change = float(entr(distance) + entr(1 - distance)) + distance * float(np.log(a.shape[1]))
    return first, second * (first.sum(axis=0) / scale), change


def _without_dust(margin: Array) -> Array:
    ordered = np.sort(margin, axis=None)
    threshold = ordered[np.searchsorted(np.cumsum(ordered), _TRIMMED)]
    return np.where(margin < threshold, 0.0, margin)


def _reduced(a: Array, b: Array) -> tuple[Array, Array]:
    """The margins with symbols merged that do not differ for the optimum.

    Values of y with equal p(x1 | y) and p(x2 | y), values of x1 with equal p(y | x1), values of x2
    with equal p(y | x2); values of probability 0 are removed. Merging almost equal ones changes the
    optimum to second order in their difference, 1e-13.
    """
    by_y = np.concatenate([_normalised(a.T), _normalised(b.T)], axis=1)
    a, b = (_merged(margin.T, by_y).T for margin in (a, b))
    return _merged(a, _normalised(a)), _merged(b, _normalised(b))


def _merged(rows: Array, laws: Array) -> Array:
    """The sums of rows with equal laws and equal zeros, without empty rows."""
    index = np.flatnonzero(rows.sum(axis=1) > 0)
    marked = np.concatenate([laws.round(_DIGITS), laws > 0], axis=1)[index]
    _, group = np.unique(marked, axis=0, return_inverse=True)
    merged = np.zeros((int(group.max()) + 1, rows.shape[1]))
    np.add.at(merged, group.ravel(), rows[index])
    return merged


def _normalised(rows: Array) -> Array:
    total = rows.sum(axis=1, keepdims=True)
    return rows / np.where(total > 0, total, 1.0)


def _parts(a: Array, b: Array) -> Iterator[tuple[Array, Array]]:
    """The independent parts: two y are in one part where a cell (x1, x2) admits both."""
    seen1, seen2 = (a > 0).astype(float), (b > 0).astype(float)
    meet = (seen1.T @ seen1 > 0) & (seen2.T @ seen2 > 0)
    n_parts, part = connected_components(meet, directed=False)
    for number in range(n_parts):
        first, second = a[:, part == number], b[:, part == number]
        yield first[first.sum(axis=1) > 0], second[second.sum(axis=1) > 0]


def _solve(
    a: Array, b: Array, *, goal_nats: float, accepted_nats: float, max_iterations: int
) -> Bracket:
    if a.shape[1] == 1:
        return Bracket(0.0, 0.0, np.zeros_like(a), np.zeros_like(b), 0)
    if a.shape == b.shape and np.abs(a - b).max() < _EQUAL:
        copied = _copied(a, b)
        if copied.gap_nats <= goal_nats:
            return copied
    # Newton's method eliminates the first source, which should be the larger.
    if len(a) < len(b):
        a, b = b, a
    small = b.size <= MAX_UNKNOWNS
    most = min(_ALTERNATIONS, max_iterations) if small else max_iterations
    found, mass = _alternate(a, b, goal_nats, most)
    if found.gap_nats <= goal_nats or not small:
        return found
    left = max_iterations - found.iterations
    found = newton(a, b, found, mass, goal_nats=goal_nats, max_iterations=left)
    left = max_iterations - found.iterations
    entries = int((a > 0).sum(axis=0) @ (b > 0).sum(axis=0))
    if found.gap_nats <= accepted_nats or left <= 0 or entries > MAX_ENTRIES:
        return found
    # Probabilities of very different sizes, near a boundary of the feasible tables.
    cone, mass = solve_cone(a, b, left)
    found = found.narrowed(cone.upper_nats, cone.lower_nats, cone.iterations)
    if found.gap_nats <= accepted_nats:
        return found
    start = replace(cone, upper_nats=found.upper_nats, lower_nats=found.lower_nats)
    left = max_iterations - found.iterations
    return newton(a, b, start, mass, goal_nats=accepted_nats, max_iterations=left)


def _copied(a: Array, b: Array) -> Bracket:
    """Equal sources: X2 = X1 is a feasible q, and -H(Y | X1) bounds every q from below."""
    same = np.arange(len(a))
    q = np.zeros((len(a), *b.shape))
    q[same, same] = np.minimum(a, b)
    lower = objective_nats(a[:, None, :])
    return Bracket(objective_nats(with_margins(q, a, b)), lower, 0 * a, 0 * b, 0)


def _alternate(a: Array, b: Array, goal_nats: float, max_iterations: int) -> tuple[Bracket, Array]:
    """Alternating projections: a bracket and the masses q(x1, x2), shape (n1, n2).

    min over Q and R of sum_y p(y) KL(Q(. | y) || R), where for fixed R each Q(. | y) is a scaling
    diag(u) R diag(v) and for fixed Q the best R is their mean. log u and log v are dual potentials.

    Source:
        Csiszar and Tusnady 1984; Banerjee, Rauh and Montufar 2018 for this programme.
    """
    r = a.sum(axis=1)[:, None] * b.sum(axis=1)[None, :]
    u, v = np.zeros_like(a), (b > 0).astype(float)
    iterations = 0
    while True:
        for _ in range(_SWEEPS):
            u = a / (r @ v)
            v = b / (r.T @ u)
        ratio = u @ v.T
        new = r * ratio
        cell = ratio > 0
        log_ratio = np.log(np.where(cell, ratio, 1.0))
        worst = float(log_ratio[cell].max())
        iterations += 1
        # The gap if the margins were exact; the table itself is computed only at the end.
        done = worst - float((new * log_ratio).sum()) <= goal_nats / 2
        if done or iterations >= max_iterations:
            break
        r = np.maximum(new, _LEAST_MASS)
    alpha, beta = (np.log(np.where(w > 0, w, 1.0)) for w in (u, v))
    feasible = with_margins(u[:, None, :] * r[:, :, None] * v[None, :, :], a, b)
    lower = dual_nats(a, b, alpha, beta, worst)
    return Bracket(objective_nats(feasible), lower, alpha, beta, iterations), new
