"""Readouts at one width."""

import pytest
import torch

from fctestbed.measurement.width import equal_width_name, principal_components, whole_name


def test_names_of_equal_width_lead_back_to_the_readout():
    assert equal_width_name(16) == "joint@16"
    assert whole_name("joint@16") == "joint"
    assert whole_name("z_s1") == "z_s1"


def test_components_have_falling_variances_and_do_not_correlate():
    z = torch.randn(500, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = z @ torch.diag(torch.tensor([3.0, 0.1, 2.0, 1.0, 0.5, 0.2], dtype=torch.float64)) + 5.0
    reduced, _ = principal_components(z, z, 3)
    covariance = torch.cov(reduced.T)
    variances = covariance.diagonal()
    assert (variances.diff() < 0).all()
    expected = torch.linalg.eigvalsh(torch.cov(z.T)).flip(0)[:3]
    torch.testing.assert_close(variances, expected)
    assert (covariance - torch.diag(variances)).abs().max() < 1e-12


def test_held_out_rows_are_mapped_by_the_components_of_the_others():
    z = torch.randn(50, 4, generator=torch.Generator().manual_seed(1))
    both, _ = principal_components(z, z, 2)
    _, held_out = principal_components(z, z[:7], 2)
    torch.testing.assert_close(held_out, both[:7])


def test_the_arrays_stay_as_they_are():
    z = torch.randn(20, 3, generator=torch.Generator().manual_seed(2))
    before = z.clone()
    principal_components(z, z, 2)
    assert torch.equal(z, before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_components_keep_the_precision(dtype):
    z = torch.randn(20, 3, generator=torch.Generator().manual_seed(3), dtype=dtype)
    reduced, held_out = principal_components(z, z[:5], 2)
    assert (reduced.dtype, reduced.shape, held_out.shape) == (dtype, (20, 2), (5, 2))
