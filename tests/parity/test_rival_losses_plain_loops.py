"""Losses of Cross+Self, CoMM, FOCAL and DisentangledSSL against plain loops over samples.

Values and gradients agree in float64.
"""

import math
from typing import Any

import pytest
import torch
from plain_loops import Rows, check_simple, encoded, mlp, nt_xent, projected, scorer
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
