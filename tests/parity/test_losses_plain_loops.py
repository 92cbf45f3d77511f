"""Whole losses against plain loops over samples, written from the papers' equations.

The loops know nothing of stacks, groups or factored critics: every score is the MLP on one
concatenated row, every bound a sum over samples. Values and gradients agree in float64.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from fctestbed.nets import ConcatCritic, Stack, StackedMLP
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
        views=(Views(x1=drawn(RUNS, N, 4, seed=3), x2=drawn(RUNS, N, 3, seed=4)),),
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


def scorer(critic: nn.Module, k: int) -> Callable[[Tensor, Tensor], Tensor]:
    assert isinstance(critic, ConcatCritic)
    layers = [critic.first, *critic.rest]
    return lambda u, v: mlp(layers, k, torch.cat([u, v]))[0]


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


class PlainFactorCL:
    """The loss of one run of the stack, term by term."""

    def __init__(self, name: str, settings: Any, module: nn.Module, k: int, batch: Batch) -> None:
        self.settings, self.module, self.k = settings, module, k
        (view,) = batch.views
        self.supervised = name == "factorcl-sup"
        self.y = batch.y[k].tolist()
        self.codes = one_hot(batch.y[k], N_CLASSES).double()
        self.x = {1: batch.x1, 2: batch.x2}
        self.views = {1: view.x1, 2: view.x2}
        self.conditions = EVERYONE
        if settings.conditioning == "within":
            self.conditions = same(self.y if self.supervised else CONDITIONS[k])
        self.frozen = False

    def head(self, m: int, term: str, x: dict[int, Tensor]) -> list[Tensor]:
        z = encoded(self.module, m, self.k, x[m])
        rows = projected(self.module, f"heads{m}", term, self.k, z)
        return [row.detach() for row in rows] if self.frozen else rows

    def pairs(self, critic: str, u: list[Tensor], v: list[Tensor]) -> Score:
        f = scorer(self.module.get_submodule(critic), self.k)
        return table_of(f, u, v)

    def cross(self, term: str, critic: str) -> Score:
        return self.pairs(critic, self.head(1, term, self.x), self.head(2, term, self.x))

    def conditional(self, term: str, critic: str) -> Score:
        u, v = self.head(1, term, self.x), self.head(2, term, self.x)
        if self.supervised:
            given: list[list[Tensor]] = [list(self.codes), list(self.codes)]
            if self.settings.condition_on == "first":
                given[1] = [row[:0] for row in self.codes]
        else:
            repeated = (
                term == "club_x1x2_cond" and self.settings.conditional_club_views == "repeated"
            )
            beside = self.x if repeated else self.views
            given = [self.head(1, term, beside), self.head(2, term, beside)]
        u, v = (
            [torch.cat([a, b]) for a, b in zip(rows, condition, strict=True)]
            for rows, condition in zip((u, v), given, strict=True)
        )
        return self.pairs(critic, u, v)

    def unimodal(self, m: int) -> Tensor:
        u = self.head(m, "unimodal", self.x)
        if not self.supervised:
            v = self.head(m, "unimodal", self.views)
        elif self.settings.label_input == "onehot":
            v = list(self.codes)
        else:
            v = [torch.tensor([float(label)], dtype=torch.float64) for label in self.y]
        return infonce(self.pairs(f"unimodal{m}", u, v), EVERYONE, self.settings.contrast)

    def terms(self) -> dict[str, Tensor]:
        """Appendix D.1; Eqs. 8 and 9 added up where ``counting`` is ``sum``."""
        s = self.settings
        twice = {"once": 1.0, "sum": 2.0}[s.counting]
        cond, club_cond = (
            self.conditional("nce_x1x2_cond", "nce_x1x2_cond"),
            self.conditional("club_x1x2_cond", "inner.club_x1x2_cond"),
        )
        cross, club = self.cross("nce_x1x2", "nce_x1x2"), self.cross("club_x1x2", "inner.club_x1x2")
        return {
            "nce_x1x2": -infonce(cross, EVERYONE, s.contrast),
            "club_x1x2_cond": nce_club(club_cond, self.conditions, s.club_diagonal),
            "unimodal1": -self.unimodal(1),
            "unimodal2": -self.unimodal(2),
            "club_x1x2": twice * nce_club(club, EVERYONE, s.club_diagonal),
            "nce_x1x2_cond": -twice * infonce(cond, self.conditions, s.contrast),
        }

    def inner(self) -> Tensor:
        """The CLUB critics' own loss: InfoNCE of the same critics, projections held fixed."""
        self.frozen = True
        contrast = self.settings.contrast
        cross = self.cross("club_x1x2", "inner.club_x1x2")
        cond = self.conditional("club_x1x2_cond", "inner.club_x1x2_cond")
        return -infonce(cross, EVERYONE, contrast) - infonce(cond, self.conditions, contrast)


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


def check_factorcl(name: str, settings: dict[str, Any], nets: NetSpec) -> None:
    method, module = built(name, settings, nets)
    batch = batch_for(method)
    found = method.loss(module, batch)
    plain = [PlainFactorCL(name, method.settings, module, k, batch) for k in range(RUNS)]
    expected = [one.terms() for one in plain]
    assert list(found) == list(expected[0])
    for term, values in found.items():
        loops = [float(one[term].detach()) for one in expected]
        assert values.tolist() == pytest.approx(loops, rel=1e-9, abs=1e-12), term
        assert min(abs(value) for value in loops) > 1e-6, f"{term} shows nothing"
    total = torch.stack([value for one in expected for value in one.values()]).sum()
    assert_same_gradients(torch.stack(list(found.values())).sum(), total, module)
    inner = method.inner_loss(module, batch)
    inner_loops = [one.inner() for one in plain]
    assert inner.tolist() == pytest.approx([float(one.detach()) for one in inner_loops], rel=1e-9)
    assert_same_gradients(inner.sum(), torch.stack(inner_loops).sum(), module)


SHARED_CASES: list[dict[str, Any]] = [
    {},
    {"conditioning": "batch"},
    {"counting": "sum"},
    {"contrast": "first"},
    {"club_diagonal": "kept"},
]


@pytest.mark.parametrize(
    "settings",
    [
        *SHARED_CASES,
        {"condition_on": "first"},
        {"label_input": "scalar"},
        {
            "conditioning": "batch",
            "condition_on": "first",
            "label_input": "scalar",
            "club_diagonal": "kept",
            "contrast": "first",
            "counting": "sum",
        },
    ],
    ids=str,
)
def test_factorcl_sup_is_its_equations(settings: dict[str, Any]) -> None:
    check_factorcl("factorcl-sup", settings, ONE_LAYER)


@pytest.mark.parametrize(
    "settings",
    [
        *SHARED_CASES,
        {"conditional_club_views": "repeated"},
        {
            "conditioning": "batch",
            "conditional_club_views": "repeated",
            "club_diagonal": "kept",
            "contrast": "first",
            "counting": "sum",
        },
    ],
    ids=str,
)
def test_factorcl_ssl_is_its_equations(settings: dict[str, Any]) -> None:
    check_factorcl("factorcl-ssl", settings, ONE_LAYER)


@pytest.mark.parametrize("name", ["factorcl-sup", "factorcl-ssl"])
def test_factorcl_with_deeper_networks_is_its_equations(name: str) -> None:
    check_factorcl(name, {}, TWO_LAYERS)


def test_the_sums_of_equations_8_and_9_are_the_factorised_bounds() -> None:
    """``counting = sum``: minus the loss is S + U1 + U2, each as the paper writes it."""
    method, module = built("factorcl-sup", {"counting": "sum"}, ONE_LAYER)
    batch = batch_for(method)
    loss = torch.stack(list(method.loss(module, batch).values())).sum(0)
    for k in range(RUNS):
        plain = PlainFactorCL("factorcl-sup", method.settings, module, k, batch)
        cross = infonce(plain.cross("nce_x1x2", "nce_x1x2"), EVERYONE, "second")
        club = nce_club(plain.cross("club_x1x2", "inner.club_x1x2"), EVERYONE, "dropped")
        nce_cond = infonce(
            plain.conditional("nce_x1x2_cond", "nce_x1x2_cond"), plain.conditions, "second"
        )
        club_cond = nce_club(
            plain.conditional("club_x1x2_cond", "inner.club_x1x2_cond"),
            plain.conditions,
            "dropped",
        )
        shared = cross - club_cond
        unique1 = plain.unimodal(1) - club + nce_cond
        unique2 = plain.unimodal(2) - club + nce_cond
        assert float((-loss[k]).detach()) == pytest.approx(
            float((shared + unique1 + unique2).detach()), rel=1e-9
        )


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


UNIMODAL_CASES: list[dict[str, Any]] = [{}, {"contrast": "first"}, {"n_heads": 3}]


def plain_unimodal(
    method: Method,
    module: nn.Module,
    k: int,
    m: int,
    arguments: Callable[[str], tuple[Rows, Rows]],
) -> Tensor:
    """-NCE of modality m, the mean over its heads."""
    bounds = []
    for place in range(method.settings.n_heads):
        u, v = arguments(f"unimodal{place}")
        f = scorer(module.get_submodule(f"critics{m}.{place}"), k)
        bounds.append(infonce(table_of(f, u, v), EVERYONE, method.settings.contrast))
    return -sum(bounds, torch.zeros(())) / len(bounds)


@pytest.mark.parametrize("settings", [*UNIMODAL_CASES, {"label_input": "scalar"}], ids=str)
def test_unimodal_sup_is_its_equations(settings: dict[str, Any]) -> None:
    def plain(method: Method, module: nn.Module, k: int, batch: Batch) -> dict[str, Tensor]:
        v = list(one_hot(batch.y[k], N_CLASSES).double())
        if method.settings.label_input == "scalar":
            v = list(batch.y[k].double().unsqueeze(1))
        terms = {}
        for m, x in ((1, batch.x1), (2, batch.x2)):
            z = encoded(module, m, k, x)

            def arguments(head: str, m: int = m, z: Rows = z) -> tuple[Rows, Rows]:
                return projected(module, f"heads{m}", head, k, z), v

            terms[f"nce_x{m}y"] = plain_unimodal(method, module, k, m, arguments)
        return terms

    check_simple("unimodal-sup", settings, plain)


@pytest.mark.parametrize("settings", UNIMODAL_CASES, ids=str)
def test_unimodal_ssl_is_its_equations(settings: dict[str, Any]) -> None:
    def plain(method: Method, module: nn.Module, k: int, batch: Batch) -> dict[str, Tensor]:
        terms = {}
        (views,) = batch.views
        for m, x, view in ((1, batch.x1, views.x1), (2, batch.x2, views.x2)):
            both = [encoded(module, m, k, inputs) for inputs in (x, view)]

            def arguments(head: str, m: int = m, both: list[Rows] = both) -> tuple[Rows, Rows]:
                u, v = (projected(module, f"heads{m}", head, k, z) for z in both)
                return u, v

            terms[f"nce_x{m}x{m}"] = plain_unimodal(method, module, k, m, arguments)
        return terms

    check_simple("unimodal-ssl", settings, plain)


def test_supervised_is_the_cross_entropy_of_a_linear_classifier_on_both_encoders() -> None:
    def plain(method: Method, module: nn.Module, k: int, batch: Batch) -> dict[str, Tensor]:
        z1, z2 = encoded(module, 1, k, batch.x1), encoded(module, 2, k, batch.x2)
        classifier = [module.get_submodule("classifier")]
        total = torch.zeros((), dtype=torch.float64)
        for i in range(N):
            logits = mlp(classifier, k, torch.cat([z1[i], z2[i]]))
            total = total - (logits[batch.y[k, i]].exp() / logits.exp().sum()).log()
        return {"cross_entropy": total / N}

    check_simple("supervised", {}, plain)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("name", ["simclr", "supcon"])
def test_simclr_and_supcon_are_their_equations(name: str, normalize: bool) -> None:
    """Chen et al. 2020, Eq. 1; Khosla et al. 2020, Eq. 2."""
    # Unnormalised features are large: plain exponentials need a high temperature.
    temperature = 0.7 if normalize else 40.0
    settings = {"temperature": temperature, "normalize": normalize}

    def plain(method: Method, module: nn.Module, k: int, batch: Batch) -> dict[str, Tensor]:
        z = [
            row / row.norm() if normalize else row
            for m, x in ((1, batch.x1), (2, batch.x2))
            for row in projected(module, f"head{m}", "projection", k, encoded(module, m, k, x))
        ]
        y = [*LABELS[k], *LABELS[k]]
        total = torch.zeros((), dtype=torch.float64)
        for i in range(2 * N):
            others = [j for j in range(2 * N) if j != i]
            weights = {j: (z[i] @ z[j] / temperature).exp() for j in others}
            positives = [j for j in others if j % N == i % N or (name == "supcon" and y[j] == y[i])]
            partition = torch.stack(list(weights.values())).sum()
            logs = torch.stack([(weights[p] / partition).log() for p in positives])
            total = total - logs.sum() / len(positives)
        return {"supcon" if name == "supcon" else "nt_xent": total / (2 * N)}

    check_simple(name, settings, plain)


def test_the_cases_reach_padded_groups_and_whole_batches() -> None:
    assert group_by_condition(torch.tensor(LABELS)).index.shape == (RUNS, 4, 4)
    assert group_by_condition(torch.tensor(CONDITIONS)).index.shape == (RUNS, 1, N)
