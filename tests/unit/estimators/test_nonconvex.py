"""L-BFGS for functions that are not convex."""

from collections.abc import Callable

import torch
from torch import Tensor

from fctestbed.estimators.convex import Objective, minimisers
from fctestbed.estimators.nonconvex import local_minima


def _with_gradient(function: Callable[[Tensor], Tensor]) -> Objective:
    def objective(points: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            own = points.clone().requires_grad_()
            values = function(own)
            (gradients,) = torch.autograd.grad(values.sum(), own)
        return values.detach(), gradients

    return objective


def _rosenbrock(x: Tensor) -> Tensor:
    return ((1 - x[:, :-1]) ** 2 + 100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2).sum(1)


def _starts(n: int, size: int) -> Tensor:
    return torch.randn(n, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_the_valley_of_rosenbrock_ends_at_ones() -> None:
    found = local_minima(
        _with_gradient(_rosenbrock), _starts(6, 2), tolerance=1e-16, max_iterations=500
    )
    assert found.converged.all()
    torch.testing.assert_close(found.points, torch.ones(6, 2, dtype=torch.float64))
    assert float(found.values.max()) < 1e-12


def test_a_search_does_not_depend_on_the_others() -> None:
    objective = _with_gradient(_rosenbrock)
    starts = _starts(4, 5)
    together = local_minima(objective, starts, tolerance=1e-14, max_iterations=30)
    for place in range(4):
        alone = local_minima(
            objective, starts[place : place + 1], tolerance=1e-14, max_iterations=30
        )
        torch.testing.assert_close(alone.points[0], together.points[place])


def test_convex_functions_have_the_minimum_of_the_convex_search() -> None:
    curvature = torch.logspace(-2, 2, 8, dtype=torch.float64)
    centre = _starts(3, 8)

    def function(x: Tensor) -> Tensor:
        return (torch.cosh(x - centre).log() * curvature).sum(1)

    objective = _with_gradient(function)
    start = torch.zeros(3, 8, dtype=torch.float64)
    found = local_minima(objective, start, tolerance=1e-14, max_iterations=500)
    scale = torch.full((3,), 0.01, dtype=torch.float64)
    expected, _ = minimisers(
        objective, start, inverse_curvature=scale, tolerance=1e-14, max_iterations=500
    )
    torch.testing.assert_close(found.points, expected, atol=1e-5, rtol=1e-5)


def test_a_search_that_is_cut_off_has_not_converged() -> None:
    found = local_minima(
        _with_gradient(_rosenbrock), _starts(2, 6), tolerance=1e-14, max_iterations=3
    )
    assert found.iterations == 3
    assert not found.converged.any()
    assert (found.promised > 1e-14).all()


def test_values_that_overflow_shorten_the_step() -> None:
    def function(x: Tensor) -> Tensor:
        return (torch.exp(x * x * 500) - 100 * x).sum(1)

    found = local_minima(
        _with_gradient(function), 0.3 * _starts(3, 1), tolerance=1e-10, max_iterations=300
    )
    assert found.converged.all()
    torch.testing.assert_close(found.points[0], found.points[1])


def test_the_start_is_not_changed() -> None:
    start = _starts(2, 3)
    before = start.clone()
    local_minima(_with_gradient(_rosenbrock), start, tolerance=1e-8, max_iterations=5)
    assert torch.equal(start, before)
