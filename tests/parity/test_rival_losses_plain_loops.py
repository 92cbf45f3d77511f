"""Losses of Cross+Self, CoMM, FOCAL and DisentangledSSL against plain loops over samples.

Values and gradients agree in float64.
"""

import math
from typing import Any

import pytest
import torch
from plain_loops import (
    EVERYONE,
    Rows,
    check_simple,
    encoded,
    infonce,
    mlp,
    nt_xent,
    projected,
    scorer,
    table_of,
)
from scipy.special import ive
from torch import Tensor, nn

from fctestbed.nets import MlpFusion, TransformerFusion
from fctestbed.objectives import Batch, Method

CRITICS: list[dict[str, Any]] = [
    {"critic": critic} for critic in ("concat", "separable", "bilinear", "cosine")
]


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *(("cross-self", settings) for settings in CRITICS),
        ("cross-self", {"normalize": False, "temperature": 40.0}),
        ("cross-self", {"cross_view": "mutated"}),
        ("cross-self-fact", {}),
        ("cross-self-fact", {"cross_view": "mutated"}),
    ],
    ids=str,
)
def test_cross_self_is_three_nt_xents(name: str, settings: dict[str, Any]) -> None:
    cross, within = ("cross", "self") if name == "cross-self-fact" else ("projection",) * 2

    def plain(method: Method, module: nn.Module, k: int, batch: Batch) -> dict[str, Tensor]:
        (view,) = batch.views
        x = {(1, False): batch.x1, (2, False): batch.x2, (1, True): view.x1, (2, True): view.x2}

        def head(name: str, m: int, augmented: bool) -> Rows:
            return projected(module, f"heads{m}", name, k, encoded(module, m, k, x[m, augmented]))

        mutated = method.settings.cross_view == "mutated"
        f, f1, f2 = (scorer(module.get_submodule(c), k) for c in ("cross", "self1", "self2"))
        return {
            "cross": nt_xent(f, head(cross, 1, mutated), head(cross, 2, mutated)),
            "self1": nt_xent(f1, head(within, 1, False), head(within, 1, True)),
            "self2": nt_xent(f2, head(within, 2, False), head(within, 2, True)),
        }

    check_simple(name, settings, plain)


def normed(layer: nn.Module, k: int, row: Tensor) -> Tensor:
    centred = row - row.mean()
    scaled = centred / (centred.square().mean() + 1e-5).sqrt()
    return scaled * layer.get_parameter("gain")[k] + layer.get_parameter("offset")[k]


def affine(layer: nn.Module, k: int, row: Tensor) -> Tensor:
    return mlp([layer], k, row)


def transformer_layer(fusion: TransformerFusion, k: int, tokens: Rows) -> Tensor:
    """A whole pre-norm layer: every token asks, and the class token's output is taken."""
    seen = [normed(fusion.before_attention, k, token) for token in tokens]
    keys_values = [affine(fusion.key_value, k, token) for token in seen]
    width = len(tokens[0])
    size = width // fusion.n_heads
    outputs = []
    for token, own in zip(tokens, seen, strict=True):
        query, gathered = affine(fusion.query, k, own), []
        for head in range(fusion.n_heads):
            place = slice(head * size, (head + 1) * size)
            scores = [query[place] @ kv[:width][place] / math.sqrt(size) for kv in keys_values]
            weights = torch.stack(scores).exp()
            values = torch.stack([kv[width:][place] for kv in keys_values])
            gathered.append(weights / weights.sum() @ values)
        attended = token + affine(fusion.attended, k, torch.cat(gathered))
        hidden = mlp(list(fusion.mlp.layers), k, normed(fusion.before_mlp, k, attended))
        outputs.append(normed(fusion.last, k, attended + hidden))
    return outputs[0]


def fused(fusion: nn.Module, k: int, z1: Tensor | None, z2: Tensor | None) -> Tensor:
    if isinstance(fusion, MlpFusion):
        zeros = torch.zeros(4, dtype=torch.float64)
        parts = [zeros if z is None else z for z in (z1, z2)]
        return mlp(list(fusion.mlp.layers), k, torch.cat(parts))
    assert isinstance(fusion, TransformerFusion)
    tokens = [fusion.token[k, 0, 0]]
    for z, converter in ((z1, fusion.converter1), (z2, fusion.converter2)):
        if z is not None:
            tokens.append(affine(converter, k, z))
    return transformer_layer(fusion, k, tokens)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"critic": "bilinear"},
        {"fusion": "transformer"},
        {"single_view": "augmented"},
        {"fusion": "transformer", "single_view": "augmented", "reduction": "mean"},
    ],
    ids=str,
)
def test_comm_aligns_fused_codes_with_each_other_and_with_single_ones(
    settings: dict[str, Any],
) -> None:
    def plain(method: Method, module: nn.Module, k: int, batch: Batch) -> dict[str, Tensor]:
        fusion, head = module.get_submodule("fusion"), module.get_submodule("head")
        f = scorer(module.get_submodule("critic"), k)

        def embedded(source: Any, which: str) -> Rows:
            z1, z2 = encoded(module, 1, k, source.x1), encoded(module, 2, k, source.x2)
            return [
                mlp(
                    list(head.get_submodule("layers").children()),
                    k,
                    fused(fusion, k, a if "1" in which else None, b if "2" in which else None),
                )
                for a, b in zip(z1, z2, strict=True)
            ]

        first, second = batch.views
        z_first, z_second = embedded(first, "12"), embedded(second, "12")
        terms = {"fused": nt_xent(f, z_first, z_second)}
        for m in "12":
            if method.settings.single_view == "original":
                meets_first = meets_second = embedded(batch, m)
            else:
                meets_first, meets_second = embedded(second, m), embedded(first, m)
            terms[f"single{m}"] = 0.5 * (
                nt_xent(f, meets_first, z_first) + nt_xent(f, meets_second, z_second)
            )
        share = 3 if method.settings.reduction == "mean" else 1
        return {name: term / share for name, term in terms.items()}

    check_simple("comm", settings, plain)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    return a @ b / a.norm() / b.norm()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"critic": "separable"},
        {"shared_weight": 0.5, "private_weight": 2.0, "orthogonality_weight": 0.7},
    ],
    ids=str,
)
def test_focal_is_its_shared_private_and_orthogonality_losses(settings: dict[str, Any]) -> None:
    def plain(method: Method, module: nn.Module, k: int, batch: Batch) -> dict[str, Tensor]:
        def halves(m: int, x: Tensor) -> tuple[Rows, Rows]:
            rows = projected(module, f"head{m}", "embedding", k, encoded(module, m, k, x))
            return [row[:3] for row in rows], [row[3:] for row in rows]

        def score(critic: str) -> Any:
            return scorer(module.get_submodule(critic), k)

        (s1a, u1a), (s1b, u1b) = (halves(1, view.x1) for view in batch.views)
        (s2a, u2a), (s2b, u2b) = (halves(2, view.x2) for view in batch.views)
        shared = nt_xent(score("shared"), s1a, s2a) + nt_xent(score("shared"), s1b, s2b)
        private = nt_xent(score("private1"), u1a, u1b) + nt_xent(score("private2"), u2a, u2b)
        orthogonality = torch.zeros((), dtype=torch.float64)
        for one, other in ((s1a, u1a), (s2a, u2a), (u1a, u2a), (s1b, u1b), (s2b, u2b), (u1b, u2b)):
            for a, b in zip(one, other, strict=True):
                orthogonality = orthogonality + max(cosine(a, b), torch.zeros(())) / len(one)
        weights = method.settings
        return {
            "shared": weights.shared_weight * shared,
            "private": weights.private_weight * private,
            "orthogonality": weights.orthogonality_weight * orthogonality,
        }

    check_simple("focal", settings, plain)


def unit(row: Tensor) -> Tensor:
    return row / row.norm()


def clip(f: Any, u: Rows, v: Rows) -> Tensor:
    """Minus the mean of both ways' InfoNCE."""
    table = table_of(f, u, v)
    both = infonce(table, EVERYONE, "second") + infonce(table, EVERYONE, "first")
    return -both / 2


@pytest.mark.parametrize(
    "settings",
    [
        {"beta": 0.03, "kappa": 20.0, "temperature": 0.3},
        {"critic": "concat", "orthogonality_weight": 0.2},
        {"critic": "bilinear"},
    ],
    ids=str,
)
def test_disentangled_ssl_is_its_two_steps(settings: dict[str, Any]) -> None:
    def plain(method: Method, module: nn.Module, k: int, batch: Batch) -> dict[str, Tensor]:
        chosen = method.settings
        length = float(ive(2, chosen.kappa) / ive(1, chosen.kappa))

        def shared(m: int, x: Tensor) -> Rows:
            layers = list(module.get_submodule(f"shared.modality{m}.layers").children())
            return [unit(mlp(layers, k, row)) for row in x[k]]

        def specific(m: int, x: Tensor, codes: Rows) -> Rows:
            layers = list(module.get_submodule(f"specific{m}.layers").children())
            return [mlp(layers, k, torch.cat([row, c])) for row, c in zip(x[k], codes, strict=True)]

        mu1, mu2 = shared(1, batch.x1), shared(2, batch.x2)
        divergence = torch.stack(
            [chosen.kappa * length * (1 - a @ b) for a, b in zip(mu1, mu2, strict=True)]
        ).mean()
        cross = clip(
            scorer(module.get_submodule("cross"), k),
            [length * mu for mu in mu1],
            [length * mu for mu in mu2],
        )
        joint: dict[int, list[Rows]] = {1: [], 2: []}
        overlap = torch.zeros((), dtype=torch.float64)
        for view in batch.views:
            c = {1: shared(1, view.x1), 2: shared(2, view.x2)}
            c = {m: [row.detach() for row in rows] for m, rows in c.items()}
            for m, x in ((1, view.x1), (2, view.x2)):
                own = specific(m, x, c[m])
                pairs = zip(own, c[3 - m], strict=True)
                joint[m].append([unit(torch.cat([s, other])) for s, other in pairs])
                table = torch.zeros(4, 4, dtype=torch.float64)
                for s, code in zip(own, c[m], strict=True):
                    table = table + torch.outer(unit(s), code)
                overlap = overlap + table.square().sum().sqrt() / 2
        steps = {
            f"specific{m}": clip(scorer(module.get_submodule(f"critic{m}"), k), *joint[m])
            for m in (1, 2)
        }
        return {
            "cross": cross,
            "divergence": chosen.beta * divergence,
            **steps,
            "orthogonality": chosen.orthogonality_weight * overlap,
        }

    check_simple("disentangled-ssl", settings, plain)
