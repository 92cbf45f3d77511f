"""What the plain loops are made of: modules in float64, networks on one row, bounds as sums.

Nothing here knows of stacks, groups or factored critics: a score is the critic's definition on one
pair of rows, a bound a sum over samples.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fctestbed.nets import (
    BilinearCritic,
    ConcatCritic,
    CosineCritic,
    SeparableCritic,
    Stack,
    StackedMLP,
)
from fctestbed.objectives import (
    METHODS,
    Batch,
    DataShape,
    Method,
    NetSpec,
    Views,
    group_by_condition,
)

N, RUNS, N_CLASSES = 12, 2, 5
SHAPE = DataShape(dim1=4, dim2=3, n_classes=N_CLASSES)
ONE_LAYER = NetSpec(
    encoder_hidden=(8,), embed_dim=4, head_hidden=(8,), head_dim=3, critic_hidden=(9,)
)
TWO_LAYERS = NetSpec(
    encoder_hidden=(8, 7), embed_dim=4, head_hidden=(8, 7), head_dim=3, critic_hidden=(9, 8)
)
# Classes of four, three, one and no samples; and even ones.
LABELS = [[0, 3, 0, 1, 0, 3, 4, 3, 0, 4, 4, 3], [2, 1, 0, 2, 1, 0, 3, 1, 0, 3, 2, 3]]
# What the augmented copies of the self-supervised case say of their originals.
CONDITIONS = [[7, 7, 2, 7, 0, 2, 7, 7, 1, 7, 7, 2], [5, 4, 3, 5, 4, 3, 5, 4, 3, 3, 5, 5]]


def drawn(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def built(name: str, settings: dict[str, Any], nets: NetSpec) -> tuple[Method, nn.Module]:
    record = METHODS[name].Settings
    method = METHODS[name](record.model_validate(settings))
    generators = tuple(torch.Generator().manual_seed(seed) for seed in range(RUNS))
    module = method.build(Stack(generators=generators, dtype=torch.float64), SHAPE, nets)
    # Scores of some size: initial critics are nearly constant, and bounds nearly 0.
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(2.5)
    return method, module


def batch_for(method: Method) -> Batch:
    y = torch.tensor(LABELS)
    condition = {"label": y, "views": torch.tensor(CONDITIONS), None: None}[method.conditions_on]
    return Batch(
        x1=drawn(RUNS, N, 4, seed=1),
        x2=drawn(RUNS, N, 3, seed=2),
        y=y,
        views=tuple(
            Views(
                x1=drawn(RUNS, N, 4, seed=3 + 2 * place), x2=drawn(RUNS, N, 3, seed=4 + 2 * place)
            )
            for place in range(method.n_views)
        ),
        groups=None if condition is None else group_by_condition(condition),
    )


def mlp(layers: Sequence[nn.Module], member: int, row: Tensor) -> Tensor:
    """One member's MLP on one row."""
    for position, layer in enumerate(layers):
        row = row @ layer.get_parameter("weight")[member] + layer.get_parameter("bias")[member, 0]
        row = torch.relu(row) if position + 1 < len(layers) else row
    return row


def encoded(module: nn.Module, modality: int, k: int, x: Tensor) -> list[Tensor]:
    encoder = module.get_submodule(f"encoders.modality{modality}")
    assert isinstance(encoder, StackedMLP)
    return [mlp(list(encoder.layers), k, row) for row in x[k]]


def projected(module: nn.Module, bank: str, term: str, k: int, z: list[Tensor]) -> list[Tensor]:
    heads: Any = module.get_submodule(bank)
    member = k * len(heads.names) + heads.names.index(term)
    return [mlp(list(heads.heads.layers), member, row) for row in z]


def once(layers: Sequence[nn.Module], member: int) -> Callable[[Tensor], Tensor]:
    """One member's MLP, run once for each row however many pairs the row is in."""
    seen: dict[int, tuple[Tensor, Tensor]] = {}

    def of(row: Tensor) -> Tensor:
        if id(row) not in seen:
            # With the row itself, so that no other can take its place in memory.
            seen[id(row)] = row, mlp(layers, member, row)
        return seen[id(row)][1]

    return of


def scorer(critic: nn.Module, k: int) -> Callable[[Tensor, Tensor], Tensor]:
    """One member's score of a pair of rows, by the definition of the critic's family."""
    if isinstance(critic, ConcatCritic):
        layers = [critic.first, *critic.rest]
        return lambda u, v: mlp(layers, k, torch.cat([u, v]))[0]
    if isinstance(critic, SeparableCritic):
        g, h = (once(list(part.layers), k) for part in (critic.g, critic.h))
        return lambda u, v: g(u) @ h(v)
    if isinstance(critic, BilinearCritic):
        return lambda u, v: u @ critic.weight[k] @ v
    assert isinstance(critic, CosineCritic)
    maps = [[] if isinstance(part, nn.Identity) else [part] for part in (critic.g, critic.h)]

    def cosine(u: Tensor, v: Tensor) -> Tensor:
        u, v = mlp(maps[0], k, u), mlp(maps[1], k, v)
        lengths = u.norm() * v.norm() if critic.normalize else 1.0
        return u @ v / lengths / critic.temperature

    return cosine


Score = Callable[[int, int], Tensor]
Rows = list[Tensor]


def table_of(f: Callable[[Tensor, Tensor], Tensor], u: list[Tensor], v: list[Tensor]) -> Score:
    table = [[f(u_i, v_j) for v_j in v] for u_i in u]
    return lambda i, j: table[i][j]


EVERYONE = [list(range(N))]


def same(condition: Sequence[int]) -> list[list[int]]:
    return [[i for i in range(N) if condition[i] == c] for c in sorted(set(condition))]


def infonce(f: Score, conditions: list[list[int]], contrast: str) -> Tensor:
    """Eq. 10, and Eqs. 13 and 15: the mean over samples of the bound inside their condition."""
    total = torch.zeros((), dtype=torch.float64)
    for members in conditions:
        for i in members:
            partition = torch.stack(
                [(f(i, j) if contrast == "second" else f(j, i)).exp() for j in members]
            )
            total = total + f(i, i) - (partition.sum() / len(members)).log()
    return total / N


def nce_club(f: Score, conditions: list[list[int]], diagonal: str) -> Tensor:
    """Eq. 11, and Eqs. 14 and 16; a sample alone in its condition has no product of margins."""
    total = torch.zeros((), dtype=torch.float64)
    for members in conditions:
        for i in members:
            others = [f(i, j) for j in members if diagonal == "kept" or j != i]
            if others:
                total = total + f(i, i) - torch.stack(others).sum() / len(others)
    return total / N


def nt_xent(f: Callable[[Tensor, Tensor], Tensor], view1: Rows, view2: Rows) -> Tensor:
    """Chen et al. 2020, Eq. 1, over the 2n anchors of two views."""
    z = [*view1, *view2]
    n = len(view1)
    total = torch.zeros((), dtype=torch.float64)
    for i in range(2 * n):
        scores = {j: f(z[i], z[j]) for j in range(2 * n) if j != i}
        total = total + torch.stack(list(scores.values())).logsumexp(0) - scores[(i + n) % (2 * n)]
    return total / (2 * n)


def assert_same_gradients(found: Tensor, expected: Tensor, module: nn.Module) -> None:
    names = [name for name, _ in module.named_parameters()]
    gradients = (
        torch.autograd.grad(value, list(module.parameters()), allow_unused=True)
        for value in (found, expected)
    )
    reached = 0
    for name, one, other in zip(names, *gradients, strict=True):
        assert (one is None) == (other is None), name
        if one is not None and other is not None:
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)
            reached += 1
    assert reached


def check_simple(
    name: str,
    settings: dict[str, Any],
    plain: Callable[[Method, nn.Module, int, Batch], dict[str, Tensor]],
) -> None:
    method, module = built(name, settings, ONE_LAYER)
    batch = batch_for(method)
    found = method.loss(module, batch)
    expected = [plain(method, module, k, batch) for k in range(RUNS)]
    assert list(found) == list(expected[0])
    for term, values in found.items():
        loops = [float(one[term].detach()) for one in expected]
        assert values.tolist() == pytest.approx(loops, rel=1e-9, abs=1e-12), term
    total = torch.stack([value for one in expected for value in one.values()]).sum()
    assert_same_gradients(torch.stack(list(found.values())).sum(), total, module)
