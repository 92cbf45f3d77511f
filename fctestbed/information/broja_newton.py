"""An interior-point method for the dual of the BROJA programme.

The steps; the linear algebra is in ``broja_system``. May import numpy and this package.

At the optimum q(x1, x2, y) = t(x1, x2) pi(y | x1, x2) with pi proportional to
exp(alpha[x1, y] + beta[x2, y]), and for each cell (x1, x2) either its mass t or its slack
s = -log sum_y exp(alpha + beta) is 0: at the boundary whole cells are empty, never a part of one.
So the method keeps t, s > 0, reduces mu in t s = mu w to 0 with fixed weights w of the cells, and
solves for the margins. The certificate is valid for any point, also a poor one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.linalg import LinAlgError

from fctestbed.information.broja_certificate import (
    Array,
    Bracket,
    dual_nats,
    objective_nats,
    with_margins,
)
from fctestbed.information.broja_system import Cells, NewtonSystem

# Exponents of the weight of a cell, a power of the largest mass that it can have. The later ones
# are for tables whose probabilities span many orders of magnitude, where the first stalls.
_WEIGHTINGS = (0.25, 0.5, 0.75, 1.0)
_STEPS_EACH = 100
_LEAST_CENTRING = 0.03
_SPREAD = 1e3
_TO_BOUNDARY = 0.99
_LONGEST_TURN = 5.0
_SHORT = 0.1
_SHORT_STEPS = 3
_LEAST_STEP = 1e-6


def newton(
    a: Array, b: Array, start: Bracket, mass: Array, *, goal_nats: float, max_iterations: int
) -> Bracket:
    """A narrower bracket of the optimum of a connected problem, from potentials near it.

    Args:
        a: p(x1, y), shape (n1, ny), n1 >= n2, no empty row or column.
        b: p(x2, y), shape (n2, ny), no empty row or column.
        start: the bracket so far.
        mass: initial q(x1, x2), shape (n1, n2).
        goal_nats: gap at which to stop.
        max_iterations: largest number of steps.
    """
    found, left = start, max_iterations
    for power in _WEIGHTINGS:
        if found.gap_nats <= goal_nats or left <= 0:
            break
        path = _Path(Cells(a, b, power), start, mass)
        steps = path.follow(min(left, _STEPS_EACH), goal_nats)
        left -= steps
        found = found.narrowed(path.upper_nats, path.lower_nats, steps)
    return found


@dataclass(frozen=True, eq=False)
class _Point:
    """Potentials, each cell's law of y, mass and slack, and the length of the last step."""

    alpha: Array
    beta: Array
    pi: Array
    mass: Array
    slack: Array
    step: float


class _Path:
    """Points along the central path of one weighting, and the best bounds so far."""

    def __init__(self, cells: Cells, start: Bracket, mass: Array) -> None:
        self.cells = cells
        self.upper_nats, self.lower_nats = start.upper_nats, start.lower_nats
        a, b, power = cells.a, cells.b, cells.power
        rows, columns = (margin.sum(axis=1, keepdims=True) for margin in (a, b))
        # Where a cell's slack is negative, the potential of its rarer symbol is lowered.
        lacking = np.maximum(-cells.slack(start.alpha, start.beta)[1], 0.0)
        rarer = rows <= columns.T
        alpha = start.alpha - np.where(rarer, lacking, 0.0).max(axis=1, keepdims=True)
        beta = start.beta - np.where(rarer, 0.0, lacking).max(axis=0)[:, None]
        self.lower_nats = max(start.lower_nats, dual_nats(a, b, alpha, beta, 0.0))
        # Strictly inside, by more where there is less mass, as on the central path.
        inside = max(self.upper_nats - self.lower_nats, 1e-12)
        alpha = alpha - inside * rows ** (power - 1) / (rows**power).sum()
        beta = beta - inside * columns ** (power - 1) / (columns**power).sum()
        alpha, beta = np.where(a > 0, alpha, 0.0), np.where(b > 0, beta, 0.0)
        pi, slack = cells.slack(alpha, beta)
        mass = np.where(cells.inside, mass, 0.0)
        least = float((mass * slack).sum()) * cells.weight / slack / _SPREAD
        self.point = _Point(alpha, beta, pi, np.maximum(mass, least), slack, 1.0)

    def follow(self, max_iterations: int, goal_nats: float) -> int:
        """Step until the gap is at most ``goal_nats``; return the number of steps."""
        barrier, short = 0.0, 0
        for iteration in range(max_iterations):
            point = self.point
            short = short + 1 if point.step < _SHORT else 0
            if short > _SHORT_STEPS and barrier == 0:
                barrier = float((point.mass * point.slack).sum())
            elif point.step >= 1:
                barrier = 0.0
            try:
                self.point = _centre(self.cells, point, barrier) if barrier else self._advance()
            except LinAlgError:
                return iteration
            self._certify()
            if self.upper_nats - self.lower_nats <= goal_nats:
                return iteration + 1
        return max_iterations

    def _certify(self) -> None:
        a, b, point = self.cells.a, self.cells.b, self.point
        feasible = with_margins(point.mass[:, :, None] * point.pi, a, b)
        self.upper_nats = min(self.upper_nats, objective_nats(feasible))
        lower = dual_nats(a, b, point.alpha, point.beta, -float(point.slack.min()))
        self.lower_nats = max(self.lower_nats, lower)

    def _advance(self) -> _Point:
        """One predictor and corrector step.

        Source:
            Mehrotra 1992, with every product kept within a factor of the central one (Waechter
            and Biegler 2006, Eq. 16).
        """
        cells, point = self.cells, self.point
        mass, slack = point.mass, point.slack
        system = NewtonSystem(cells, point.pi, mass, slack)
        mu = float((mass * slack).sum())
        *_, mass_step, slack_step = system.direction(np.zeros_like(mass))
        a_mass, a_slack = min(1.0, _reach(mass, mass_step)), min(1.0, _reach(slack, slack_step))
        ahead = float(((mass + a_mass * mass_step) * (slack + a_slack * slack_step)).sum())
        centring = max((ahead / mu) ** 2, _LEAST_CENTRING if point.step >= 0.5 else 0.5)
        product = centring * mu * cells.weight - a_mass * a_slack * mass_step * slack_step
        d_alpha, d_beta, mass_step, slack_step = system.direction(product)
        # All variables have one step length: the residual is a product of masses and potentials.
        reach = min(_reach(mass, mass_step), _reach(slack, slack_step))
        step = min(_turn_limit(cells, point.pi, d_alpha, d_beta), _TO_BOUNDARY * reach)
        while True:
            alpha, beta = point.alpha + step * d_alpha, point.beta + step * d_beta
            pi, slack = cells.slack(alpha, beta)
            if (slack >= (1 - _TO_BOUNDARY) * point.slack).all() or step < _LEAST_STEP:
                break
            step *= 0.7
        if slack.min() <= 0:
            raise LinAlgError("no step stays inside")
        mass = mass + step * mass_step
        central = float((mass * slack).sum()) * cells.weight / slack
        mass = np.clip(mass, central / _SPREAD, central * _SPREAD)
        return _Point(alpha, beta, pi, mass, slack, step)


def _centre(cells: Cells, point: _Point, mu: float) -> _Point:
    """One Newton step for the log barrier of weight ``mu``, for points too far from the path.

    The barrier function is concave, so the sign of its slope at the end shows whether a step is
    too long.
    """
    product = mu * cells.weight
    system = NewtonSystem(cells, point.pi, product / point.slack, point.slack)
    d_alpha, d_beta, *_ = system.direction(product)
    slope = cells.slope(product / point.slack, point.pi, d_alpha, d_beta)
    step = _turn_limit(cells, point.pi, d_alpha, d_beta)
    while True:
        alpha, beta = point.alpha + step * d_alpha, point.beta + step * d_beta
        pi, slack = cells.slack(alpha, beta)
        if slack.min() > 0:
            if step < _LEAST_STEP:
                break
            if cells.slope(product / slack, pi, d_alpha, d_beta) >= -0.5 * slope:
                break
        elif step < _LEAST_STEP:
            raise LinAlgError("no step stays inside")
        step *= 0.5
    done = slope <= 10 * float(product[cells.inside].min()) or step < _LEAST_STEP
    return _Point(alpha, beta, pi, product / slack, slack, 1.0 if done else 0.0)


def _turn_limit(cells: Cells, pi: Array, d_alpha: Array, d_beta: Array) -> float:
    """The largest step, at most 1, that changes no log pi(y | x1, x2) by more than the limit."""
    rise = d_alpha[:, None, :] + d_beta[None, :, :]
    turn = np.abs(rise - (pi * rise).sum(axis=2)[:, :, None])[cells.support].max()
    return float(_LONGEST_TURN / max(turn, _LONGEST_TURN))


def _reach(value: Array, step: Array) -> float:
    """The largest multiple of ``step`` up to 1 / 0.99 that keeps ``value`` at least 0."""
    falling = step < 0
    return float((-value[falling] / step[falling]).min(initial=1 / _TO_BOUNDARY))
