"""Readouts at one width."""

from dataclasses import replace

import pytest
import torch
from raw_stacks import measured

from fctestbed.measurement import MeasureSpec
from fctestbed.measurement.width import principal_components
from fctestbed.synthesis import WorldSpec, make_dataset

WORLD = WorldSpec.model_validate(
    {
        "n_train": 600,
        "n_test": 400,
        "observation": {"kind": "linear", "dim1": 12, "dim2": 12},
        "latents": {"n_shared": 3, "n_unique1": 2, "n_unique2": 2},
    }
)


@pytest.fixture(scope="module")
def dataset():
    return make_dataset(WORLD, 0)


def found_at(dataset, width):
    (found,) = measured(dataset, spec=MeasureSpec(equal_width=width, rate=None))
    return found


def test_equal_width_is_the_first_components_of_the_joint_readout(dataset):
    narrow = found_at(dataset, 4)
    assert [row.readout for row in narrow.accuracy] == ["z1", "z2", "joint", "joint@4"]
    whole, reduced = (
        next(r for r in narrow.captured if (r.readout, r.quantity) == (name, "label"))
        for name in ("joint", "joint@4")
    )
    # Seven bits do not fit into four components.
    assert reduced.value_bits < whole.value_bits - 0.1
    assert reduced.true_bits == whole.true_bits


def test_a_joint_readout_of_the_asked_width_has_the_same_numbers_under_both_names(dataset):
    found = found_at(dataset, 24)
    assert [row.readout for row in found.accuracy] == ["z1", "z2", "joint", "joint@24"]
    for rows in (found.captured, found.accuracy):
        whole, equal = (
            [replace(row, readout="any") for row in rows if row.readout == name]
            for name in ("joint", "joint@24")
        )
        assert whole
        assert whole == equal


@pytest.mark.parametrize("width", [None, 1000])
def test_no_width_or_one_that_is_not_there_gives_no_further_readout(dataset, width):
    assert [row.readout for row in found_at(dataset, width).accuracy] == ["z1", "z2", "joint"]


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
