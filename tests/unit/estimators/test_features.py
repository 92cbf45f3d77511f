"""Features of linear probes: rows that repeat, columns that vary, whitening."""

import numpy as np
import pytest
import torch

from fctestbed.estimators.features import distinct_rows, whitened


def normal(*shape, seed=0, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def repeated(n_rows, n, dim, dtype=torch.float32):
    of_sample = torch.randint(n_rows, (n,), generator=torch.Generator().manual_seed(1))
    return normal(n_rows, dim, dtype=dtype)[of_sample]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("dim", [1, 5])
def test_rows_that_repeat_are_taken_once_and_samples_find_theirs(dtype, dim):
    z = repeated(20, 200, dim, dtype)
    rows = distinct_rows(z)
    assert len(rows.values) == len(np.unique(z.numpy(), axis=0))
    assert rows.n_samples == 200
    assert torch.equal(rows.by_sample(rows.values), z)
    assert rows.counts.dtype == dtype
    assert int(rows.counts.sum()) == 200
    numbers = normal(200, 3, seed=2).double()
    sums = rows.summed(numbers)
    for place, row in enumerate(rows.values):
        own = (z == row).all(1)
        assert rows.counts[place] == own.sum()
        torch.testing.assert_close(sums[place].double(), numbers[own].sum(0), rtol=1e-5, atol=1e-5)


def test_rows_that_hardly_repeat_are_left_as_they_are():
    z = torch.cat([normal(90, 4), normal(90, 4)[:10]])
    rows = distinct_rows(z)
    assert rows.of_sample is None
    assert rows.values is z
    assert rows.n_samples == 100
    assert torch.equal(rows.counts, torch.ones(100))


def test_rows_of_one_projection_that_differ_are_not_taken_for_one():
    # Projections of numbers of 1e-30 beside 1 are rounded away.
    z = torch.ones(50, 2)
    z[:, 1] = 1e-30 * torch.arange(50)
    assert distinct_rows(z).of_sample is None


def test_samples_without_columns_have_rows_of_their_own():
    assert distinct_rows(torch.zeros(7, 0)).n_samples == 7


@pytest.mark.parametrize("n_rows", [30, 100_000])
def test_whitened_samples_have_no_mean_and_unit_covariance(n_rows):
    z = repeated(n_rows, 2000, 5) @ normal(5, 5, seed=3) + 7
    fit, held_out = whitened(z, z[:10])
    samples = fit.by_sample(fit.values).double()
    torch.testing.assert_close(samples.T @ samples / 2000, torch.eye(6).double(), atol=1e-4, rtol=0)
    mean = samples[:, :-1].mean(0)
    torch.testing.assert_close(mean, torch.zeros(5).double(), atol=1e-5, rtol=0)
    found = held_out.by_sample(held_out.values).double()
    torch.testing.assert_close(found, samples[:10], atol=1e-5, rtol=0)
