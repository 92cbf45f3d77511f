"""Triton's kernels give the plain scores and gradients: interpreted here, compiled on a GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from fctestbed.nets import (
    ConcatCritic,
    PairList,
    Precision,
    Stack,
    pairs,
    products_in,
    triton_kernels,
    triton_launches,
    triton_pairs,
)
from fctestbed.nets.triton_pairs import one_layer_scores, two_layer_scores
from fctestbed.objectives import group_by_condition

DEVICE = "cuda" if triton_kernels.COMPILED else "cpu"
# (stack, rows, columns, width, width of the second layer)
SHAPES = [
    pytest.param((2, 5, 7, 6, 5), id="odd"),
    pytest.param((2, 1, 9, 40, 33), id="one row"),
    pytest.param((1, 9, 1, 3, 70), id="one column"),
    pytest.param((1, 2, 130, 65, 32), id="more columns than a tile"),
    pytest.param((1, 3, 2, 128, 128), id="whole tiles"),
]
CONDITIONS = [
    pytest.param([[0, 1, 1, 2, 1, 0, 3], [5, 5, 5, 5, 5, 2, 2]], id="groups of several sizes"),
    pytest.param([[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0]], id="every sample alone"),
    pytest.param([[1, 1, 1, 1, 1, 1, 1], [0, 1, 2, 3, 4, 5, 6]], id="no pair behind the diagonal"),
    pytest.param([[3], [0]], id="one sample"),
]


def drawn(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(DEVICE, dtype)


def arguments(
    shape: tuple[int, int, int, int, int], dtype: torch.dtype = torch.float64
) -> list[Tensor]:
    stack, rows, columns, width, units = shape
    shapes = (
        (stack, rows, width),
        (stack, columns, width),
        (stack, width, units),
        (stack, units),
        (stack, units),
    )
    return [drawn(*one, seed=seed, dtype=dtype).requires_grad_() for seed, one in enumerate(shapes)]


def plain_scores(a: Tensor, c: Tensor, w2: Tensor, b2: Tensor, w3: Tensor) -> Tensor:
    hidden = (a.unsqueeze(2) + c.unsqueeze(1)).relu()
    second = (hidden @ w2.unsqueeze(1) + b2[:, None, None]).relu()
    return (second * w3[:, None, None]).sum(3)


def with_gradients(scores: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    grad = drawn(*scores.shape, seed=9, dtype=scores.dtype)
    return [scores, *torch.autograd.grad(scores, leaves, grad)]


def largest_gap(found: list[Tensor], expected: list[Tensor]) -> float:
    """The largest distance relative to the expected tensor's norm."""
    gaps = [(x - y).norm() / y.norm() for x, y in zip(found, expected, strict=True)]
    return float(torch.stack(gaps).max().detach())


def listed_of(condition: list[list[int]]) -> PairList:
    return group_by_condition(torch.tensor(condition, device=DEVICE)).pair_list


@pytest.mark.parametrize("shape", SHAPES)
def test_scores_and_gradients_are_the_plain_ones(shape: tuple[int, int, int, int, int]) -> None:
    leaves = arguments(shape)
    found = with_gradients(two_layer_scores(*leaves, None, product="float32"), leaves)
    assert largest_gap(found, with_gradients(plain_scores(*leaves), leaves)) < 1e-13


# A product's rounding, some times over: 2^-8 for bf16 (the interpreter cuts off instead).
@pytest.mark.parametrize(("product", "tolerance"), [("tf32", 2e-3), ("bf16", 2e-2)])
def test_lower_precisions_differ_by_their_rounding(product: Precision, tolerance: float) -> None:
    leaves = arguments((2, 19, 23, 64, 32), torch.float32)
    # Far from zero, so that no unit's activity depends on rounding.
    leaves[3] = (leaves[3].sign() * 100).detach().requires_grad_()
    found = with_gradients(two_layer_scores(*leaves, None, product=product), leaves)
    assert largest_gap(found, with_gradients(plain_scores(*leaves), leaves)) < tolerance
    assert all(tensor.dtype == torch.float32 for tensor in found)


@pytest.mark.parametrize("product", ["tf32", "bf16"])
def test_factors_that_need_no_rounding_have_exact_products(product: Precision) -> None:
    leaves = [
        tensor.detach().mul(2).round().requires_grad_()
        for tensor in arguments((2, 5, 7, 6, 5), torch.float32)
    ]
    scores, reference = two_layer_scores(*leaves, None, product=product), plain_scores(*leaves)
    grad = torch.ones_like(scores)
    found = [scores, *torch.autograd.grad(scores, leaves, grad)]
    expected = [reference, *torch.autograd.grad(reference, leaves, grad)]
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_listed_pairs_have_the_scores_and_gradients_of_all_pairs(
    condition: list[list[int]],
) -> None:
    n = len(condition[0])
    leaves = arguments((2, n, n, 6, 40))
    listed = listed_of(condition)
    scores = listed.spread(two_layer_scores(*leaves, listed, product="float32"))
    same = torch.tensor(condition, device=DEVICE)
    inside = same.unsqueeze(2) == same.unsqueeze(1)
    expected = plain_scores(*leaves).where(inside, 0)
    assert largest_gap(with_gradients(scores, leaves), with_gradients(expected, leaves)) < 1e-13


@pytest.mark.parametrize("listed", [False, True], ids=["all pairs", "a list"])
@pytest.mark.parametrize("kept_bytes", [0, 1 << 28], ids=["computed again", "kept"])
def test_slabs_of_any_size_give_the_same_gradients(
    monkeypatch: pytest.MonkeyPatch, listed: bool, kept_bytes: int
) -> None:
    condition = [[0, 0, 1, 0, 1, 1, 1], [2, 2, 2, 2, 2, 2, 0]]
    leaves = arguments((2, 7, 7, 6, 40))
    chosen = listed_of(condition) if listed else None
    whole = with_gradients(two_layer_scores(*leaves, chosen, product="float32"), leaves)
    monkeypatch.setattr(triton_pairs, "_KEPT_BYTES", kept_bytes)
    for name, value in (
        ("_SLAB_PAIRS", 15),
        ("_SLAB_LISTED", 8),
        ("_LEAST_PAIRS", 2),
        ("_LISTED_SEGMENT", 3),
        ("_LEAST_ROWS", 1),
        # One run at a time.
        ("_SCRATCH", 1),
    ):
        monkeypatch.setattr(triton_launches, name, value)
    found = with_gradients(two_layer_scores(*leaves, chosen, product="float32"), leaves)
    assert largest_gap(found, whole) < 1e-13


@pytest.mark.parametrize("product", ["tf32", "bf16"])
@pytest.mark.parametrize("listed", [False, True], ids=["all pairs", "a list"])
def test_a_runs_digits_do_not_depend_on_the_stack(product: Precision, listed: bool) -> None:
    condition = torch.tensor([[0, 0, 1, 0, 1, 1, 3], [2, 2, 2, 2, 2, 2, 0]], device=DEVICE)
    leaves = arguments((2, 7, 7, 6, 40), torch.float32)

    def of_runs(runs: slice) -> list[Tensor]:
        own = [leaf[runs].detach().requires_grad_() for leaf in leaves]
        chosen = group_by_condition(condition[runs]).pair_list if listed else None
        scores = two_layer_scores(*own, chosen, product=product)
        scores = scores if chosen is None else chosen.spread(scores)
        grad = drawn(2, 7, 7, seed=9, dtype=torch.float32)[runs]
        return [scores, *torch.autograd.grad(scores, own, grad)]

    together = of_runs(slice(0, 2))
    for run in range(2):
        for one, alone in zip(together, of_runs(slice(run, run + 1)), strict=True):
            assert torch.equal(one[run], alone[0])


@pytest.mark.parametrize("shape", [(2, 5, 7, 6), (1, 1, 70, 65), (2, 33, 1, 3)])
def test_one_hidden_layer_gives_the_plain_scores(shape: tuple[int, int, int, int]) -> None:
    stack, rows, columns, width = shape
    sizes = (stack, rows, width), (stack, columns, width), (stack, width)
    leaves = [drawn(*size, seed=seed).requires_grad_() for seed, size in enumerate(sizes)]
    a, c, w = leaves
    expected = ((a.unsqueeze(2) + c.unsqueeze(1)).relu() * w[:, None, None]).sum(3)
    found = with_gradients(one_layer_scores(*leaves), leaves)
    assert largest_gap(found, with_gradients(expected, leaves)) < 1e-13


def test_kernels_pass_gradcheck() -> None:
    leaves = arguments((1, 3, 2, 4, 3))
    assert torch.autograd.gradcheck(
        lambda *tensors: two_layer_scores(*tensors, None, product="float32"),
        leaves,
        fast_mode=True,
    )
    listed = listed_of([[0, 1, 0]])
    leaves = arguments((1, 3, 3, 4, 3))
    assert torch.autograd.gradcheck(
        lambda *tensors: two_layer_scores(*tensors, listed, product="float32"),
        leaves,
        fast_mode=True,
    )
    one = [leaves[0], leaves[1], drawn(1, 4, seed=7).requires_grad_()]
    assert torch.autograd.gradcheck(one_layer_scores, one, fast_mode=True)


@pytest.mark.parametrize("product", ["float32", "bf16"])
def test_nan_reaches_its_own_scores_alone(product: Precision) -> None:
    leaves = arguments((2, 5, 5, 6, 5), torch.float32)
    clean = two_layer_scores(*leaves, None, product=product)
    with torch.no_grad():
        leaves[0][1, 2, 0] = torch.nan
    spoiled = two_layer_scores(*leaves, None, product=product)
    touched = torch.zeros(2, 5, 5, dtype=torch.bool, device=DEVICE)
    touched[1, 2] = True
    assert spoiled[touched].isnan().all()
    assert torch.equal(spoiled[~touched], clean[~touched])
    grad_w2 = torch.autograd.grad(spoiled.sum(), leaves[2])[0]
    assert grad_w2[1].isnan().any()
    assert grad_w2[0].isfinite().all()


@pytest.mark.parametrize("hidden", [(6,), (6, 5)])
@pytest.mark.parametrize("grouped", [False, True], ids=["all pairs", "groups"])
def test_critics_in_tf32_give_the_scores_of_other_devices(
    monkeypatch: pytest.MonkeyPatch, hidden: tuple[int, ...], grouped: bool
) -> None:
    generators = tuple(torch.Generator().manual_seed(seed) for seed in range(2))
    critic = ConcatCritic(Stack(generators=generators), 4, 2, hidden).to(DEVICE)
    u, v = (drawn(2, 7, dim, seed=dim, dtype=torch.float32).requires_grad_() for dim in (4, 2))
    groups = group_by_condition(
        torch.tensor([[0, 1, 1, 2, 1, 0, 3], [5, 5, 5, 5, 5, 2, 2]], device=DEVICE)
    )
    leaves = [u, v, *critic.parameters()]

    def found() -> list[Tensor]:
        if grouped:
            scores = critic.pairs_within(critic.rows(u), critic.columns(v), groups)
            return with_gradients(scores.where(groups.same, 0), leaves)
        return with_gradients(critic(u, v), leaves)

    expected = found()
    calls: list[str] = []

    def triton_of(device: torch.device) -> object:
        calls.append(str(device))
        return triton_pairs

    monkeypatch.setattr(pairs, "_triton_pairs", triton_of)
    if len(hidden) == 2:
        monkeypatch.setattr(pairs, "_has_cpu_tiles", lambda features: False)
    with products_in("tf32"):
        assert largest_gap(found(), expected) < 2e-3
    assert calls


@pytest.fixture(scope="module")
def compiled_sizes() -> dict[tuple[str, int], dict[str, int]]:
    """Shared memory of each kernel, by product and capability; all are compiled in one process."""
    script = Path(__file__).with_name("compile_kernels.py")
    environment = {key: value for key, value in os.environ.items() if key != "TRITON_INTERPRET"}
    asked = [(product, capability) for product in ("tf32", "bf16") for capability in (80, 90)]
    done = subprocess.run(
        [sys.executable, str(script), *(f"{product}:{number}" for product, number in asked)],
        capture_output=True,
        text=True,
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    sizes: dict[tuple[str, int], dict[str, int]] = {place: {} for place in asked}
    for line in done.stdout.splitlines():
        product, number, kernel, size = line.split()
        own = sizes[product, int(number)]
        own[kernel] = max(own.get(kernel, 0), int(size))
    return sizes


@pytest.mark.slow
@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("product", ["tf32", "bf16"])
def test_kernels_of_official_widths_compile_and_fit(
    product: Precision, capability: int, compiled_sizes: dict[tuple[str, int], dict[str, int]]
) -> None:
    """No GPU is needed to compile for one. What the kernels need of shared memory is what
    ``LEAST_SHARED_BYTES`` asks of a device."""
    sizes = compiled_sizes[product, capability]
    assert {"score_kernel", "dense_inputs_kernel", "listed_inputs_kernel", "weights_kernel"} <= set(
        sizes
    )
    assert max(sizes.values()) <= triton_pairs.LEAST_SHARED_BYTES
