"""Whole losses against plain loops over samples, written from the papers' equations.

Values and gradients agree in float64.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from plain_loops import (
    CONDITIONS,
    EVERYONE,
    LABELS,
    N_CLASSES,
    ONE_LAYER,
    RUNS,
    TWO_LAYERS,
    N,
    Rows,
    Score,
    assert_same_gradients,
    batch_for,
    built,
    check_simple,
    encoded,
    infonce,
    mlp,
    nce_club,
    projected,
    same,
    scorer,
    table_of,
)
from torch import Tensor, nn
from torch.nn.functional import one_hot

from fctestbed.objectives import Batch, Method, NetSpec, group_by_condition


class PlainFactorCL:
    """The loss of one run of the stack, term by term."""

    def __init__(self, name: str, settings: Any, module: nn.Module, k: int, batch: Batch) -> None:
        self.settings, self.module, self.k = settings, module, k
        self.supervised = name == "factorcl-sup"
        self.y = batch.y[k].tolist()
        self.codes = one_hot(batch.y[k], N_CLASSES).double()
        self.x = {1: batch.x1, 2: batch.x2}
        self.views = {} if self.supervised else {1: batch.views[0].x1, 2: batch.views[0].x2}
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
            source = self.x if repeated else self.views
            given = [self.head(1, term, source), self.head(2, term, source)]
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
        assert min(abs(value) for value in loops) > 1e-6, f"{term} is too near 0 to compare"
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


CRITICS = ["separable", "bilinear", "cosine"]


@pytest.mark.parametrize("critic", CRITICS)
@pytest.mark.parametrize("name", ["factorcl-sup", "factorcl-ssl"])
def test_factorcl_with_any_critic_is_its_equations(name: str, critic: str) -> None:
    check_factorcl(name, {"critic": critic, "temperature": 0.5}, ONE_LAYER)


UNIMODAL_CASES: list[dict[str, Any]] = [
    {},
    {"contrast": "first"},
    {"n_heads": 3},
    *({"critic": critic} for critic in CRITICS),
]


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
