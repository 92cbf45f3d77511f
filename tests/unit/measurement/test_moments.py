import numpy as np
import pytest
import torch

from fctestbed.measurement.channel.moments import Moments


def rows(n, n_values, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(n, n_values, generator=generator) @ torch.randn(
        n_values, n_values, generator=generator
    )
    return 6 + mixed / n_values


def moments(parts):
    found = Moments(parts[0].shape[1])
    for part in parts:
        found.add(part)
    return found


def test_means_and_their_covariance_are_those_of_numpy():
    values = rows(3000, 12)
    found = moments(values.split(700))
    expected = np.cov(values.double().numpy().T) / 3000
    assert found.n == 3000
    assert found.mean.numpy() == pytest.approx(values.double().numpy().mean(0), abs=1e-7)
    assert found.covariance_of_mean.numpy() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("n_values", [1, 7, 40, 83])
def test_no_result_depends_on_what_else_is_in_a_row(n_values):
    values = rows(777, 83, seed=1)
    whole = moments(values.split(256))
    some = torch.arange(83).flip(0)[:n_values]
    part = moments(values[:, some].contiguous().split(256))
    assert torch.equal(part.mean, whole.mean[some])
    assert torch.equal(part.covariance_of_mean, whole.covariance_of_mean[some][:, some])


def test_no_result_depends_on_the_order_of_rows_after_the_first():
    values = rows(500, 9, seed=2)
    turned = torch.cat([values[:100], values[100:].flip(0)])
    one, other = moments(values.split(100)), moments(turned.split(100))
    assert torch.equal(one.mean, other.mean)
    assert torch.equal(one.covariance_of_mean, other.covariance_of_mean)
