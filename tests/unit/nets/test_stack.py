"""Stacked layers are torch's, member by member, in any stack."""

import math

import pytest
import torch
from torch import Tensor, nn

from fctestbed.nets import Stack, StackedLinear, StackedMLP


def stack_of(*seeds: int, dtype: torch.dtype = torch.float64) -> Stack:
    generators = tuple(torch.Generator().manual_seed(seed) for seed in seeds)
    return Stack(generators=generators, dtype=dtype)


def inputs(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def linear_of(layer: StackedLinear, member: int) -> nn.Linear:
    """torch's layer with one member's parameters."""
    n_in, n_out = layer.weight.shape[1:]
    linear = nn.utils.skip_init(nn.Linear, n_in, n_out, dtype=layer.weight.dtype)
    with torch.no_grad():
        linear.weight.copy_(layer.weight[member].T)
        linear.bias.copy_(layer.bias[member, 0])
    return linear


def test_a_stacked_linear_layer_is_torchs_member_by_member() -> None:
    layer = StackedLinear(stack_of(1, 2, 3), 4, 5)
    x = inputs(3, 7, 4).requires_grad_()
    out = layer(x)
    weights = inputs(3, 7, 5, seed=9)
    (out * weights).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is not None
    assert layer.bias.grad is not None
    for member in range(3):
        linear = linear_of(layer, member)
        alone = x[member].detach().requires_grad_()
        expected = linear(alone)
        (expected * weights[member]).sum().backward()
        torch.testing.assert_close(out[member], expected)
        torch.testing.assert_close(x.grad[member], alone.grad)
        torch.testing.assert_close(layer.weight.grad[member].T, linear.weight.grad)
        torch.testing.assert_close(layer.bias.grad[member, 0], linear.bias.grad)


@pytest.mark.parametrize("dims", [(4, 3), (4, 6, 3), (4, 6, 5, 3)])
def test_a_stacked_mlp_is_a_chain_of_torchs_layers_member_by_member(dims: tuple[int, ...]) -> None:
    mlp = StackedMLP(stack_of(1, 2, 3), dims)
    x = inputs(3, 7, dims[0])
    before = x.clone()
    out = mlp(x)
    assert torch.equal(x, before)
    for member in range(3):
        chain: list[nn.Module] = []
        for layer in mlp.layers:
            assert isinstance(layer, StackedLinear)
            chain += [linear_of(layer, member), nn.ReLU()]
        torch.testing.assert_close(out[member], nn.Sequential(*chain[:-1])(x[member]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_initial_values_do_not_depend_on_the_stack(dtype: torch.dtype) -> None:
    dims = (5, 4, 3)
    together = StackedMLP(stack_of(1, 2, 3, dtype=dtype), dims)
    for member, seed in enumerate((1, 2, 3)):
        alone = StackedMLP(stack_of(seed, dtype=dtype), dims)
        for (name, theirs), own in zip(
            together.named_parameters(), alone.parameters(), strict=True
        ):
            assert theirs.dtype == dtype
            assert torch.equal(theirs[member], own[0]), name


def test_initial_values_do_not_depend_on_the_precision_beyond_its_rounding() -> None:
    single, double = (
        StackedLinear(stack_of(1, dtype=dtype), 5, 4) for dtype in (torch.float32, torch.float64)
    )
    torch.testing.assert_close(single.weight.double(), double.weight, rtol=1e-6, atol=1e-7)


def test_members_with_different_generators_have_different_initial_values() -> None:
    layer = StackedLinear(stack_of(1, 2), 5, 4)
    assert not torch.equal(layer.weight[0], layer.weight[1])


def test_each_layer_draws_new_numbers_from_the_generators() -> None:
    mlp = StackedMLP(stack_of(1), (4, 4, 4))
    first, second = mlp.layers
    assert not torch.equal(first.get_parameter("weight"), second.get_parameter("weight"))


def test_initial_values_are_spread_as_torchs() -> None:
    n_in, n_out = 16, 512
    layer = StackedLinear(stack_of(0), n_in, n_out)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        linear = nn.Linear(n_in, n_out)
    bound = 1 / math.sqrt(n_in)
    for values in (layer.weight[0], layer.bias[0], linear.weight, linear.bias):
        uniform = values.detach() / bound
        assert 0.98 < uniform.max() <= 1
        assert -1 <= uniform.min() < -0.98
        # Five standard errors; a uniform number has sd 1 / sqrt(3), its square sd sqrt(4 / 45).
        errors = 5 / math.sqrt(uniform.numel())
        assert abs(uniform.mean()) < errors / math.sqrt(3)
        assert abs((uniform**2).mean() - 1 / 3) < errors * math.sqrt(4 / 45)


def test_members_do_not_depend_on_each_other() -> None:
    mlp = StackedMLP(stack_of(1, 2, 3), (4, 6, 3))
    x = inputs(3, 5, 4).requires_grad_()
    (gradient,) = torch.autograd.grad(mlp(x)[1].sum(), x, retain_graph=False)
    assert gradient[1].abs().sum() > 0
    assert gradient[0].abs().sum() == 0
    assert gradient[2].abs().sum() == 0
    spoiled = x.detach().clone()
    spoiled[1] = torch.nan
    out = mlp(spoiled)
    assert torch.equal(out[0], mlp(x)[0])
    assert torch.equal(out[2], mlp(x)[2])
    assert out[1].isnan().all()
