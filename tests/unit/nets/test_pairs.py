"""Scores of all pairs are the MLP's on concatenated rows, by every path and at every tile size."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from fctestbed.nets import ConcatCritic, Stack, cpu_pairs, pairs
from fctestbed.nets.pairs import mlp_pairs, relu_dot_pairs
from fctestbed.objectives import group_by_condition

HIDDEN = [(6,), (6, 5), (6, 5, 4)]


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def stack_of(size: int, dtype: torch.dtype = torch.float64) -> Stack:
    generators = tuple(torch.Generator().manual_seed(seed) for seed in range(size))
    return Stack(generators=generators, dtype=dtype)


def reference(critic: ConcatCritic, u: Tensor, v: Tensor, member: int) -> Tensor:
    """One member's MLP on every concatenated pair, [rows, columns]."""
    hidden = torch.stack([torch.cat([u_i, v_j]) for u_i in u for v_j in v])
    *before, last = [critic.first, *critic.rest]
    for layer in before:
        weight, bias = layer.get_parameter("weight"), layer.get_parameter("bias")
        hidden = torch.relu(hidden @ weight[member] + bias[member])
    out = hidden @ last.get_parameter("weight")[member] + last.get_parameter("bias")[member]
    return out.view(len(u), len(v))


def scores_and_gradients(
    score: Callable[[Tensor, Tensor], Tensor], critic: ConcatCritic, u: Tensor, v: Tensor
) -> list[Tensor]:
    """Scores, and gradients of a weighted sum of them wrt u, v and every parameter."""
    u, v = u.clone().requires_grad_(), v.clone().requires_grad_()
    scores = score(u, v)
    total = (scores * drawn(*scores.shape, seed=9, dtype=scores.dtype)).sum()
    return [scores, *torch.autograd.grad(total, [u, v, *critic.parameters()])]


def assert_all_close(found: list[Tensor], expected: list[Tensor], **tolerance: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        assert other.abs().max() > 0
        torch.testing.assert_close(one, other, **tolerance)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_scores_are_the_mlps_on_concatenated_rows(hidden: tuple[int, ...]) -> None:
    critic = ConcatCritic(stack_of(3), 4, 2, hidden)
    u, v = drawn(3, 5, 4, seed=1), drawn(3, 7, 2, seed=2)

    def plain(u: Tensor, v: Tensor) -> Tensor:
        return torch.stack([reference(critic, u[k], v[k], k) for k in range(3)])

    assert_all_close(
        scores_and_gradients(critic, critic, u, v), scores_and_gradients(plain, critic, u, v)
    )


@pytest.mark.parametrize("hidden", HIDDEN)
def test_groups_are_scored_by_the_critic_of_their_run(hidden: tuple[int, ...]) -> None:
    stack, groups, n = 2, 3, 4
    critic = ConcatCritic(stack_of(stack), 3, 3, hidden)
    u, v = drawn(stack, groups * n, 3, seed=1), drawn(stack, groups * n, 3, seed=2)

    def grouped(u: Tensor, v: Tensor) -> Tensor:
        rows = critic.rows(u).view(stack * groups, n, -1)
        columns = critic.columns(v).view(stack * groups, n, -1)
        return critic.pairs(rows, columns)

    def plain(u: Tensor, v: Tensor) -> Tensor:
        return torch.stack(
            [
                reference(critic, u[k, g * n : (g + 1) * n], v[k, g * n : (g + 1) * n], k)
                for k in range(stack)
                for g in range(groups)
            ]
        )

    assert_all_close(
        scores_and_gradients(grouped, critic, u, v), scores_and_gradients(plain, critic, u, v)
    )


TOLERANCES = [
    (torch.float64, {"rtol": 1e-12, "atol": 1e-12}),
    # Sums of up to 77 terms of size 10 at most, in another order.
    (torch.float32, {"rtol": 1e-4, "atol": 1e-4}),
]


def kernel_and_tiles(
    a: Tensor, c: Tensor, w: Tensor
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Scores and gradients by the compiled loop and by the tiles of other devices."""
    leaves = [tensor.clone().requires_grad_() for tensor in (a, c, w)]
    scores = relu_dot_pairs(*leaves)
    grad = drawn(*scores.shape, seed=9, dtype=a.dtype)
    found = scores, *torch.autograd.grad(scores, leaves, grad)
    with torch.no_grad():
        tiles = pairs._forward_tiles(a, c, w), *pairs._backward_tiles(a, c, w, grad)
    return found, tiles


@pytest.mark.parametrize(("dtype", "tolerance"), TOLERANCES)
# A tile of one row, of some rows, of one run, of two runs, of everything.
@pytest.mark.parametrize("tile_elements", [1, 150, 400, 900, 1 << 26])
def test_the_compiled_loop_equals_the_tiles(
    monkeypatch: pytest.MonkeyPatch,
    dtype: torch.dtype,
    tolerance: dict[str, Any],
    tile_elements: int,
) -> None:
    monkeypatch.setattr(pairs, "_TILE_ELEMENTS", tile_elements)
    a, c, w = (
        drawn(*shape, seed=seed, dtype=dtype)
        for seed, shape in enumerate(((3, 11, 5), (3, 7, 5), (3, 5)))
    )
    before = [tensor.clone() for tensor in (a, c, w)]
    found, tiles = kernel_and_tiles(a, c, w)
    for one, other in zip(found, tiles, strict=True):
        assert one.dtype == dtype
        torch.testing.assert_close(one, other, **tolerance)
    for tensor, copy in zip((a, c, w), before, strict=True):
        assert torch.equal(tensor, copy)


@pytest.mark.parametrize("rows", [1, 2, 7, 64])
@pytest.mark.parametrize("tile_elements", [1, 13, 100, 1000, 10**6])
def test_tiles_cover_every_row_once_and_keep_to_their_size(
    monkeypatch: pytest.MonkeyPatch, rows: int, tile_elements: int
) -> None:
    monkeypatch.setattr(pairs, "_TILE_ELEMENTS", tile_elements)
    stack, row_elements = 5, 12
    seen = torch.zeros(stack, rows, dtype=torch.long)
    for k, i in pairs._tiles(stack, rows, row_elements):
        seen[k, i] += 1
        elements = seen[k, i].numel() * row_elements
        assert elements <= max(tile_elements, row_elements)
    assert (seen == 1).all()


def deep_arguments(hidden: tuple[int, ...]) -> tuple[list[Tensor], list[tuple[Tensor, Tensor]]]:
    """Leaves of a critic's pair scores: a, c and the last weight; and the layers between."""
    widths = [*hidden, 1]
    shapes = [(3, 5, hidden[0]), (3, 7, hidden[0]), (3, hidden[-1])]
    ends = [drawn(*shape, seed=seed).requires_grad_() for seed, shape in enumerate(shapes)]
    layers = [
        (
            drawn(3, n_in, n_out, seed=10 + n_out).requires_grad_(),
            drawn(3, 1, n_out, seed=20 + n_out).requires_grad_(),
        )
        for n_in, n_out in pairwise(widths[:-1])
    ]
    return ends, layers


@pytest.mark.parametrize("hidden", HIDDEN[1:])
@pytest.mark.parametrize("tile_elements", [1, 100, 300, 500])
def test_deep_critics_give_the_same_scores_in_recomputed_tiles(
    monkeypatch: pytest.MonkeyPatch, hidden: tuple[int, ...], tile_elements: int
) -> None:
    (a, c, w), layers = deep_arguments(hidden)
    leaves = [a, c, w, *(tensor for layer in layers for tensor in layer)]
    grad = drawn(3, 5, 7, seed=9)
    whole = mlp_pairs(a, c, layers, w)
    expected = [whole, *torch.autograd.grad(whole, leaves, grad)]
    calls: list[int] = []
    original = checkpoint

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return original(*args, **kwargs)

    monkeypatch.setattr(pairs, "checkpoint", counted)
    monkeypatch.setattr(pairs, "_TILE_ELEMENTS", tile_elements)
    tiled = pairs._torch_tiles(a, c, layers, w)
    assert_all_close(
        [tiled, *torch.autograd.grad(tiled, leaves, grad)], expected, rtol=1e-12, atol=1e-12
    )
    assert len(calls) > 1


@pytest.mark.parametrize("tile", [1, 3, 8, 34, 35, 512])
def test_every_tile_size_of_the_cpu_gives_the_scores_of_torchs_tiles(
    monkeypatch: pytest.MonkeyPatch, tile: int
) -> None:
    (a, c, w), layers = deep_arguments((6, 5))
    leaves = [a, c, w, *(tensor for layer in layers for tensor in layer)]
    grad = drawn(3, 5, 7, seed=9)
    plain = pairs._torch_tiles(a, c, layers, w)
    monkeypatch.setattr(cpu_pairs, "_TILE", tile)
    tiled = mlp_pairs(a, c, layers, w)
    assert_all_close(
        [tiled, *torch.autograd.grad(tiled, leaves, grad)],
        [plain, *torch.autograd.grad(plain, leaves, grad)],
        rtol=1e-12,
        atol=1e-12,
    )


CONDITIONS = [
    ("groups of several sizes", [[0, 1, 1, 2, 1, 0, 3], [5, 5, 5, 5, 5, 2, 2]]),
    ("every sample alone", [[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0]]),
    ("one group", [[4, 4, 4, 4, 4, 4, 4], [1, 1, 1, 1, 1, 1, 1]]),
    ("one sample", [[3], [0]]),
]


@pytest.mark.parametrize("condition", [c for _, c in CONDITIONS], ids=[n for n, _ in CONDITIONS])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_pairs_within_groups_have_the_scores_and_gradients_of_all_pairs(
    condition: list[list[int]], hidden: tuple[int, ...]
) -> None:
    groups = group_by_condition(torch.tensor(condition))
    n = len(condition[0])
    critic = ConcatCritic(stack_of(2), 4, 2, hidden)
    u, v = drawn(2, n, 4, seed=1), drawn(2, n, 2, seed=2)

    def within(u: Tensor, v: Tensor) -> Tensor:
        scores = critic.pairs_within(critic.rows(u), critic.columns(v), groups)
        return scores.where(groups.same, 0)

    def among_all(u: Tensor, v: Tensor) -> Tensor:
        scores: Tensor = critic(u, v)
        return scores.where(groups.same, 0)

    assert_all_close(
        scores_and_gradients(within, critic, u, v),
        scores_and_gradients(among_all, critic, u, v),
        rtol=1e-12,
        atol=1e-12,
    )


def test_a_pair_list_holds_each_pair_of_a_group_once_and_says_where() -> None:
    condition = torch.tensor([[0, 1, 1, 2, 1, 0, 3], [5, 5, 5, 5, 5, 2, 2]])
    pairs = group_by_condition(condition).pair_list
    for run, values in enumerate(condition.tolist()):
        listed = [
            (i, j)
            for i, j in zip(pairs.rows[run].tolist(), pairs.columns[run].tolist(), strict=True)
            if i >= 0
        ]
        expected = [(i, j) for i in range(7) for j in range(7) if values[i] == values[j]]
        assert sorted(listed) == expected
        for side, places in enumerate((pairs.row_pairs, pairs.column_pairs)):
            for own, (start, stride, count) in enumerate(places[run].tolist()):
                found = [listed[start + t * stride] for t in range(count)]
                assert found == [pair for pair in listed if pair[side] == own]


def test_padding_of_a_pair_list_changes_no_digit_of_a_run() -> None:
    condition = torch.tensor([[0, 1, 1, 2, 1, 0, 3], [5, 5, 5, 5, 5, 2, 2]])
    shapes = (2, 7, 6), (2, 7, 6), (2, 6, 5), (2, 1, 5), (2, 5)
    tensors = [drawn(*shape, seed=k, dtype=torch.float32) for k, shape in enumerate(shapes)]

    def of_runs(runs: slice) -> list[Tensor]:
        listed = group_by_condition(condition[runs]).pair_list
        leaves = [tensor[runs].clone().requires_grad_() for tensor in tensors]
        a, c, weight, bias, w = leaves
        scores = listed.spread(pairs.listed_pairs(a, c, [(weight, bias)], w, listed))
        grad = drawn(2, 7, 7, seed=9, dtype=torch.float32)[runs]
        return [scores, *torch.autograd.grad(scores, leaves, grad)]

    together = of_runs(slice(0, 2))
    for run in range(2):
        for one, alone in zip(together, of_runs(slice(run, run + 1)), strict=True):
            assert torch.equal(one[run], alone[0])


# 70: wide enough for vectorised loops and their remainder.
@pytest.mark.parametrize("hidden", [(6,), (70,), (6, 5)])
@pytest.mark.parametrize("argument", [0, 1])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_nan_and_infinity_in_an_input_reach_its_scores_alone(
    hidden: tuple[int, ...], argument: int, value: float
) -> None:
    critic = ConcatCritic(stack_of(2, torch.float32), 3, 3, hidden)
    clean = [drawn(2, 5, 3, seed=seed, dtype=torch.float32) for seed in (1, 2)]
    spoiled = [tensor.clone() for tensor in clean]
    spoiled[argument][1, 2] = value
    expected, scores = critic(*clean), critic(*spoiled)
    touched = torch.zeros(2, 5, 5, dtype=torch.bool)
    touched[1].select(argument, 2).fill_(True)
    assert not scores[touched].isfinite().any()
    torch.testing.assert_close(scores[~touched], expected[~touched])


def test_nan_in_a_weight_or_a_gradient_is_propagated() -> None:
    a, c, w = drawn(1, 3, 2, seed=1), drawn(1, 3, 2, seed=2), drawn(1, 2, seed=3)
    leaves = [tensor.requires_grad_() for tensor in (a, c, w)]
    grad = torch.ones(1, 3, 3, dtype=torch.float64)
    grad[0, 1, 2] = torch.nan
    grad_a, grad_c, grad_w = torch.autograd.grad(relu_dot_pairs(*leaves), leaves, grad)
    active = (a[0, 1] + c[0, 2]).detach() > 0
    assert active.any()
    assert grad_a[0, 1, active].isnan().all()
    assert grad_c[0, 2, active].isnan().all()
    assert grad_w[0, active].isnan().all()
    assert not grad_a[0, 0].isnan().any()
    spoiled = torch.full_like(w, torch.nan)
    assert relu_dot_pairs(a, c, spoiled).isnan().all()


@pytest.mark.parametrize(("n_rows", "width"), [(1, 1), (2, 4), (5, 6), (8, 64)])
def test_many_columns_have_the_scores_of_few(n_rows: int, width: int) -> None:
    a, c, w = (
        drawn(*shape, seed=seed)
        for seed, shape in enumerate(((2, n_rows, width), (2, 70, width), (2, width)), start=1)
    )
    wide, narrow = relu_dot_pairs(a, c, w), relu_dot_pairs(a, c, w, is_padded=True)
    torch.testing.assert_close(wide, narrow, rtol=1e-12, atol=1e-12)
    c[1, 3, 0] = torch.nan
    spoiled = relu_dot_pairs(a, c, w).isnan()
    assert spoiled[1, :, 3].all()
    assert spoiled.sum() == n_rows


def test_pair_scores_pass_gradcheck() -> None:
    a, c, w = (
        drawn(*shape, seed=seed).requires_grad_()
        for seed, shape in enumerate(((2, 3, 4), (2, 2, 4), (2, 4)), start=1)
    )
    assert torch.autograd.gradcheck(relu_dot_pairs, (a, c, w))


@pytest.mark.parametrize("hidden", HIDDEN[1:])
def test_scores_of_deep_critics_pass_gradcheck(hidden: tuple[int, ...]) -> None:
    (a, c, w), layers = deep_arguments(hidden)

    def deep(a: Tensor, c: Tensor, w: Tensor, *middle: Tensor) -> Tensor:
        return mlp_pairs(a, c, list(zip(middle[::2], middle[1::2], strict=True)), w)

    middle = (tensor for layer in layers for tensor in layer)
    assert torch.autograd.gradcheck(deep, (a, c, w, *middle))


def test_scores_of_listed_pairs_pass_gradcheck() -> None:
    (a, _, w), layers = deep_arguments((6, 5))
    groups = group_by_condition(torch.tensor([[0, 1, 1, 0, 1], [2, 2, 2, 2, 2], [0, 1, 2, 3, 4]]))

    def listed(a: Tensor, c: Tensor, w: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return pairs.listed_pairs(a, c, [(weight, bias)], w, groups.pair_list)

    c = drawn(3, 5, 6, seed=8).requires_grad_()
    assert torch.autograd.gradcheck(listed, (a, c, w, *layers[0]))


@pytest.mark.parametrize("hidden", HIDDEN[:2])
def test_critics_leave_their_inputs_as_they_are(hidden: tuple[int, ...]) -> None:
    critic = ConcatCritic(stack_of(2), 3, 3, hidden)
    u, v = drawn(2, 5, 3, seed=1), drawn(2, 5, 3, seed=2)
    rows, columns = critic.rows(u), critic.columns(v)
    before = [tensor.clone() for tensor in (u, v, rows, columns)]
    critic(u, v).sum().backward()
    critic.pairs(rows, columns).sum().backward()
    for tensor, copy in zip((u, v, rows, columns), before, strict=True):
        assert torch.equal(tensor, copy)


def test_arguments_may_be_views_of_any_stride() -> None:
    a, c = drawn(4, 2, 3, seed=1).transpose(0, 1), drawn(2, 3, 5, seed=2).transpose(1, 2)
    w = drawn(1, 3, seed=3).expand(2, 3)
    torch.testing.assert_close(
        relu_dot_pairs(a, c, w), relu_dot_pairs(*(t.contiguous() for t in (a, c, w)))
    )
