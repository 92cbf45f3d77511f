"""Compiled layers are torch's, and a map does not depend on the others."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from torch import Tensor

from fctestbed.nets import ConcatCritic, Stack, StackedMLP, layers_on_one_thread
from fctestbed.nets.cpu_layers import first_layer, perceptron, runs_compiled


def drawn(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def stack_of(*seeds: int, dtype: torch.dtype = torch.float32) -> Stack:
    generators = tuple(torch.Generator().manual_seed(seed) for seed in seeds)
    return Stack(generators=generators, dtype=dtype)


def layers_of(n_members: int, *dims: int) -> list[Tensor]:
    sizes = [size for pair in pairwise(dims) for size in (pair, (1, pair[1]))]
    return [
        drawn(n_members, *size, seed=seed).requires_grad_() for seed, size in enumerate(sizes, 10)
    ]


@pytest.mark.parametrize("dims", [(3, 2), (3, 5, 2), (2, 4, 3, 1)])
def test_perceptrons_of_shared_inputs_pass_gradcheck(dims: tuple[int, ...]) -> None:
    x = drawn(2, 4, dims[0], seed=1).requires_grad_()
    inputs, places = np.array([0, 0, 1, 1]), np.array([0, 2, 3, 5])

    def outputs(x: Tensor, *layers: Tensor) -> Tensor:
        return perceptron(x, list(zip(layers[::2], layers[1::2], strict=True)), inputs, places)

    # Members 1 and 4 are no map: their gradients are zero.
    assert torch.autograd.gradcheck(outputs, (x, *layers_of(6, *dims)))


def test_a_critics_first_layer_passes_gradcheck() -> None:
    u, v = (drawn(2, n, dim, seed=n).requires_grad_() for n, dim in ((3, 2), (4, 3)))
    weight, bias = layers_of(2, 5, 4)
    assert torch.autograd.gradcheck(first_layer, (u, v, weight, bias))
    # Encoders and heads are constants of an inner loop.
    constant = u.detach(), v.detach()
    assert torch.autograd.gradcheck(lambda *own: first_layer(*constant, *own), (weight, bias))


@pytest.mark.parametrize("chosen", [None, [2, 0]])
@pytest.mark.parametrize("dims", [(5, 3), (5, 16, 9, 2)])
def test_compiled_perceptrons_equal_torchs(dims: tuple[int, ...], chosen: list[int] | None) -> None:
    compiled = StackedMLP(stack_of(*range(6)), dims)
    plain = StackedMLP(stack_of(*range(6), dtype=torch.float64), dims)
    x = drawn(2, 7, dims[0], seed=1)
    found, expected = x.float().requires_grad_(), x.requires_grad_()
    out = compiled(found, 3, chosen), plain(expected, 3, chosen)
    assert out[0].dtype == torch.float32
    for one in out:
        one.square().sum().backward()
    pairs = zip(
        (out[0], found.grad, *(p.grad for p in compiled.parameters())),
        (out[1], expected.grad, *(p.grad for p in plain.parameters())),
        strict=True,
    )
    for own, theirs in pairs:
        torch.testing.assert_close(own.double(), theirs, rtol=1e-4, atol=1e-5)


def test_a_perceptron_and_its_gradients_are_the_same_in_any_stack() -> None:
    dims, x = (20, 64, 64, 8), drawn(3, 128, 20, seed=1, dtype=torch.float32)
    together, alone = StackedMLP(stack_of(1, 2, 3), dims), StackedMLP(stack_of(2), dims)
    of_all, of_one = together(x), alone(x[1:2])
    assert torch.equal(of_all[1], of_one[0])
    of_all.square().sum().backward()
    of_one.square().sum().backward()
    for theirs, own in zip(together.parameters(), alone.parameters(), strict=True):
        assert torch.equal(theirs.grad[1], own.grad[0])


def test_a_critics_compiled_features_equal_those_of_each_argument_alone() -> None:
    critic = ConcatCritic(stack_of(1, 2), 3, 5, (16,))
    u, v = (drawn(2, 6, dim, seed=dim, dtype=torch.float32) for dim in (3, 5))
    rows, columns = critic.features(u, v)
    torch.testing.assert_close(rows, critic.rows(u))
    torch.testing.assert_close(columns, critic.columns(v))


def test_nan_in_an_input_is_propagated_through_hidden_layers() -> None:
    x = drawn(1, 4, 3, seed=1, dtype=torch.float32)
    x[0, 2, 1] = torch.nan
    out = StackedMLP(stack_of(1), (3, 8, 2))(x)
    assert out.isnan().any(2).tolist() == [[False, False, True, False]]


def test_narrow_layers_in_float32_on_a_cpu_are_compiled() -> None:
    x, narrow, wide = torch.zeros(1, 2, 128), torch.empty(1, 128, 128), torch.empty(1, 128, 129)
    assert runs_compiled(x, [narrow, narrow])
    assert not runs_compiled(x, [narrow, wide])
    assert not runs_compiled(x.double(), [narrow])
    assert not runs_compiled(x.to("meta"), [narrow])


def test_wide_layers_equal_narrow_ones_to_rounding() -> None:
    wide = StackedMLP(stack_of(1), (200, 100, 3))
    x = drawn(1, 5, 200, seed=1, dtype=torch.float32)
    plain = StackedMLP(stack_of(1, dtype=torch.float64), (200, 100, 3))
    torch.testing.assert_close(wide(x).double(), plain(x.double()), rtol=1e-4, atol=1e-5)


def test_compiled_products_have_one_thread_inside_and_their_own_afterwards() -> None:
    def threads() -> dict[str, int]:
        return {
            library["filepath"]: library["num_threads"]
            for library in threadpool_info()
            if library["user_api"] == "blas"
        }

    with threadpool_limits(2, user_api="blas"):
        before = threads()
        assert set(before.values()) == {2}
        with layers_on_one_thread():
            assert set(threads().values()) == {1}
        assert threads() == before
