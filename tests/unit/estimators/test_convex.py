import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from fctestbed.estimators.convex import minimisers


def quadratics(n_problems, size, seed=0):
    """Positive definite matrices of condition numbers 1 to 1e4, and centres."""
    rng = np.random.default_rng(seed)
    rotations = np.linalg.qr(rng.standard_normal((n_problems, size, size)))[0]
    spectra = np.geomspace(1, np.geomspace(1, 1e4, n_problems), size).T
    matrices = np.einsum("pij,pj,pkj->pik", rotations, spectra, rotations)
    return torch.from_numpy(matrices), torch.from_numpy(rng.standard_normal((n_problems, size)))


def quadratic(matrices, centres):
    def objective(points):
        away = points - centres
        gradients = torch.einsum("pij,pj->pi", matrices, away)
        return 0.5 * (away * gradients).sum(1), gradients

    return objective


def search(objective, start, **settings):
    ones = torch.ones(len(start), dtype=start.dtype)
    defaults = {"inverse_curvature": ones, "tolerance": 1e-12, "max_iterations": 500}
    return minimisers(objective, start, **(defaults | settings))[0]


def test_quadratics_of_any_condition_are_minimised_to_the_tolerance():
    matrices, centres = quadratics(6, 12)
    objective = quadratic(matrices, centres)
    values, _ = objective(search(objective, torch.zeros_like(centres)))
    assert (values < 1e-9).all()


def test_a_tolerance_is_about_the_excess_that_is_left():
    # Of condition 1 to 50: the more, the less the first steps' curvature says.
    matrices, centres = (part[:4] for part in quadratics(8, 10, seed=1))
    objective = quadratic(matrices, centres)
    for tolerance in (1e-2, 1e-5):
        values, _ = objective(search(objective, torch.zeros_like(centres), tolerance=tolerance))
        assert (values < 30 * tolerance).all()
        assert (values > 0).any()


def test_a_problem_does_not_depend_on_the_others():
    matrices, centres = quadratics(5, 7, seed=2)
    together = search(quadratic(matrices, centres), torch.zeros_like(centres))
    for place in range(5):
        own = slice(place, place + 1)
        alone = search(quadratic(matrices[own], centres[own]), torch.zeros_like(centres[own]))
        torch.testing.assert_close(alone[0], together[place], rtol=1e-9, atol=1e-9)


def test_functions_that_are_not_quadratic_have_scipy_s_minimum():
    rng = np.random.default_rng(3)
    features, signs = rng.standard_normal((200, 4)), rng.choice([-1.0, 1.0], (3, 200))

    def objective(points):
        margins = points @ torch.from_numpy(features).T * torch.from_numpy(signs)
        losses = torch.nn.functional.softplus(margins).mean(1) + 0.005 * points.square().sum(1)
        shares = margins.sigmoid() * torch.from_numpy(signs)
        return losses, shares @ torch.from_numpy(features) / 200 + 0.01 * points

    found = search(objective, torch.zeros(3, 4, dtype=torch.float64))
    for place, sign in enumerate(signs):

        def loss(w, sign=sign):
            return np.logaddexp(0, features @ w * sign).mean() + 0.005 * (w**2).sum()

        expected = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9}).x
        assert found[place].numpy() == pytest.approx(expected, abs=1e-5)


def test_a_first_step_that_is_far_too_long_is_shortened():
    def objective(points):
        # Overflows behind 700.
        return (points.exp() - 2 * points).sum(1), points.exp() - 2

    start = torch.zeros(1, 2, dtype=torch.float64)
    found = search(objective, start, inverse_curvature=torch.tensor([1e6]).double())
    assert found.numpy() == pytest.approx(np.log(2), abs=1e-5)


def test_a_start_at_the_minimum_is_returned_after_one_evaluation():
    calls = []

    def objective(points):
        calls.append(points)
        return points.square().sum(1), 2 * points

    start = torch.zeros(4, 3, dtype=torch.float64)
    assert search(objective, start) is start
    assert len(calls) == 1


def test_the_search_ends_after_the_most_iterations():
    matrices, centres = quadratics(1, 30, seed=4)
    calls = []

    def objective(points):
        calls.append(points)
        return quadratic(matrices * 1e3, centres)(points)

    search(objective, torch.zeros_like(centres), max_iterations=3, tolerance=1e-300)
    assert len(calls) <= 1 + 3 * 25
    assert len(calls) >= 4
