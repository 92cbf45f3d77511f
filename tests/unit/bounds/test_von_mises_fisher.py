"""Von Mises-Fisher distributions: mean length and divergence."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import i0, ive

from fctestbed.bounds import vmf_divergence_nats, vmf_mean_length


@pytest.mark.parametrize("dim", [1, 2, 3, 8, 128])
@pytest.mark.parametrize("kappa", [1e-3, 0.5, 3.0, 1000.0, 1e5])
def test_the_mean_length_is_a_ratio_of_bessel_functions(dim: int, kappa: float) -> None:
    expected = ive(dim / 2, kappa) / ive(dim / 2 - 1, kappa)
    if kappa == 1e-3 and dim == 128:
        # Both functions underflow there; the ratio's series starts with kappa / d.
        expected = kappa / dim
    assert vmf_mean_length(dim, kappa) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("kappa", [0.7, 4.0])
def test_the_divergence_on_a_circle_is_its_integral(kappa: float) -> None:
    apart = 0.9

    def integrand(angle: float) -> float:
        density = np.exp(kappa * np.cos(angle)) / (2 * np.pi * i0(kappa))
        return float(density * kappa * (np.cos(angle) - np.cos(angle - apart)))

    expected, _ = quad(integrand, -np.pi, np.pi)
    angles = torch.tensor([[0.0], [apart]], dtype=torch.float64)
    one, other = torch.cat([angles.cos(), angles.sin()], 1).unsqueeze(1)
    assert float(vmf_divergence_nats(one, other, kappa=kappa)) == pytest.approx(expected)


def test_equal_directions_do_not_diverge() -> None:
    direction = torch.tensor([[[0.6, 0.8], [1.0, 0.0]]], dtype=torch.float64)
    assert vmf_divergence_nats(direction, direction, kappa=50.0).tolist() == [pytest.approx(0.0)]
