"""Fusion of two modalities into one code, of both or of one alone."""

import pytest
import torch
from torch import Tensor

from fctestbed.nets import Fusion, FusionKind, MlpFusion, Stack, TransformerFusion

RUNS, N, DIM = 3, 6, 5


def built(kind: FusionKind, width: int = 12, runs: int = RUNS) -> Fusion:
    generators = tuple(torch.Generator().manual_seed(seed) for seed in range(runs))
    stack = Stack(generators=generators)
    return (
        MlpFusion(stack, DIM, (7,), width)
        if kind == "mlp"
        else TransformerFusion(stack, DIM, width)
    )


def drawn(seed: int) -> Tensor:
    return torch.randn(RUNS, N, DIM, generator=torch.Generator().manual_seed(seed))


KINDS = pytest.mark.parametrize("kind", ["mlp", "transformer"])


@KINDS
def test_codes_of_both_and_of_each_modality_differ(kind: FusionKind) -> None:
    fusion, z1, z2 = built(kind), drawn(0), drawn(1)
    codes = [fusion(z1, z2), fusion(z1, None), fusion(None, z2), fusion(z2, z1)]
    for place, code in enumerate(codes):
        assert code.shape == (RUNS, N, 12)
        assert all((code - other).abs().max() > 1e-2 for other in codes[:place])


@KINDS
def test_samples_and_runs_do_not_mix(kind: FusionKind) -> None:
    fusion, z1, z2 = built(kind), drawn(0), drawn(1)
    changed = z1.clone()
    changed[1, 2] += 1
    moved = (fusion(changed, z2) != fusion(z1, z2)).any(2)
    assert moved.nonzero().tolist() == [[1, 2]]


@KINDS
def test_a_run_is_the_same_alone(kind: FusionKind) -> None:
    z1, z2 = drawn(0), drawn(1)
    together, alone = built(kind)(z1, z2), built(kind, runs=1)(z1[:1], z2[:1])
    torch.testing.assert_close(alone[0], together[0])


def test_an_absent_modality_is_zeros_to_the_mlp_and_no_token_to_the_transformer() -> None:
    z1, zeros = drawn(0), torch.zeros(RUNS, N, DIM)
    mlp, transformer = built("mlp"), built("transformer")
    assert torch.equal(mlp(z1, None), mlp(z1, zeros))
    assert (transformer(z1, None) - transformer(z1, zeros)).abs().max() > 1e-2


@pytest.mark.parametrize(("width", "heads"), [(16, 8), (12, 4), (10, 2), (7, 1)])
def test_attention_has_eight_heads_where_they_divide_the_width(width: int, heads: int) -> None:
    fusion = built("transformer", width)
    assert isinstance(fusion, TransformerFusion)
    assert fusion.n_heads == heads
    assert fusion(drawn(0), None).shape == (RUNS, N, width)
