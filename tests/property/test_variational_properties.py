"""Variational functionals and their pseudo-values: identities that hold for any scores."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings, strategies as st
from strategies_scores import SEEDS
from torch import Tensor

from fctestbed.bounds import (
    clamped_logits,
    classifier_objective_nats,
    dv_estimate_nats,
    js_objective_nats,
    nce_club_estimate_nats,
    nwj_lower_bound_nats,
)
from fctestbed.estimators.variational import pseudo_values

FEW = settings(max_examples=60, deadline=None)
FUNCTIONALS = {
    "nwj": nwj_lower_bound_nats,
    "dv": dv_estimate_nats,
    "js": js_objective_nats,
    "classifier_objective": classifier_objective_nats,
}


def smile(scores: Tensor, clip: float = 5.0) -> Tensor:
    return pseudo_values.log_mean_difference(scores.diagonal(), scores.clamp(-clip, clip))


PSEUDO_VALUES: dict[str, Callable[[Tensor], Tensor]] = {
    "infonce": pseudo_values.contrast,
    "l1out": pseudo_values.leave_one_out,
    "club": lambda s: pseudo_values.mean_difference(s.diagonal(), s),
    "nwj": lambda s: pseudo_values.mean_difference(s.diagonal(), (s - 1).exp()),
    "js_nwj": lambda s: pseudo_values.mean_difference(s.diagonal() + 1, s.exp()),
    "dv": lambda s: pseudo_values.log_mean_difference(s.diagonal(), s),
    "smile": smile,
}


def value(name: str, scores: Tensor) -> Tensor:
    """What a reading's pseudo-values estimate: their mean."""
    return PSEUDO_VALUES[name](scores).mean()


@st.composite
def moderate_scores(draw: st.DrawFn, *, stack: int = 1) -> Tensor:
    """Scores [stack, n, n] whose exponentials are finite."""
    n = draw(st.integers(2, 9))
    generator = torch.Generator().manual_seed(draw(SEEDS))
    scores = torch.randn(stack, n, n, generator=generator, dtype=torch.float64)
    scores.diagonal(dim1=-2, dim2=-1).add_(draw(st.sampled_from([-3.0, 0.0, 3.0])))
    return scores * draw(st.sampled_from([1e-3, 1.0, 10.0]))


def plain(scores: Tensor) -> dict[str, float]:
    """Every functional and every reading's value, pair by pair from the papers."""
    n = len(scores)
    f = scores.tolist()
    others = [(i, j) for i in range(n) for j in range(n) if i != j]
    joint = [f[i][i] for i in range(n)]
    product = [f[i][j] for i, j in others]

    def mean(values: list[float]) -> float:
        return math.fsum(values) / len(values)

    def soft(value: float) -> float:
        return max(value, 0.0) + math.log1p(math.exp(-abs(value)))

    partition = mean([math.exp(value) for value in product])
    clipped = mean([math.exp(min(max(value, -5.0), 5.0)) for value in product])
    js = -mean([soft(-value) for value in joint]) - mean([soft(value) for value in product])
    likelihood = -sum(soft(-value) for value in joint) - sum(soft(value) for value in product)
    rows = [math.log(mean([math.exp(value) for value in row])) for row in f]
    out = [
        f[i][i] - math.log(mean([math.exp(f[j][i]) for j in range(n) if j != i])) for i in range(n)
    ]
    return {
        "infonce": mean(joint) - mean(rows),
        "nwj": mean(joint) - partition / math.e,
        "dv": mean(joint) - math.log(partition),
        "js": js,
        "js_nwj": 1 + mean(joint) - partition,
        "smile": mean(joint) - math.log(clipped),
        "classifier_objective": likelihood / n**2,
        "club": mean(joint) - mean(product),
        "l1out": mean(out),
    }


@FEW
@given(scores=moderate_scores())
def test_functionals_are_their_plain_loops(scores: Tensor) -> None:
    expected = plain(scores[0])
    for name, functional in FUNCTIONALS.items():
        # A small n gives log(partition) few terms: rounding is relative to the largest.
        assert float(functional(scores)) == pytest.approx(expected[name], rel=1e-9, abs=1e-9), name


@FEW
@given(scores=moderate_scores(stack=3), seed=SEEDS)
def test_the_order_of_samples_does_not_matter(scores: Tensor, seed: int) -> None:
    order = torch.randperm(scores.shape[-1], generator=torch.Generator().manual_seed(seed))
    turned = scores[:, order][:, :, order]
    for functional in FUNCTIONALS.values():
        torch.testing.assert_close(functional(turned), functional(scores), rtol=1e-9, atol=1e-9)


@FEW
@given(scores=moderate_scores(stack=3))
def test_members_of_a_stack_have_the_values_they_have_alone(scores: Tensor) -> None:
    for functional in FUNCTIONALS.values():
        alone = torch.cat([functional(scores[k : k + 1]) for k in range(3)])
        torch.testing.assert_close(functional(scores), alone, rtol=1e-12, atol=1e-12)


@FEW
@given(scores=moderate_scores())
def test_nwj_is_never_above_dv_and_meets_it_at_the_best_constant(scores: Tensor) -> None:
    dv = dv_estimate_nats(scores)
    assert (nwj_lower_bound_nats(scores) <= dv + 1e-9).all()
    log_partition = scores.diagonal(dim1=-2, dim2=-1).mean(-1) - dv
    best = scores + (1 - log_partition).view(-1, 1, 1)
    torch.testing.assert_close(nwj_lower_bound_nats(best), dv, rtol=1e-9, atol=1e-9)


@FEW
@given(scores=moderate_scores(), shift=st.floats(-20, 20))
def test_a_constant_changes_neither_dv_nor_club_nor_leave_one_out(
    scores: Tensor, shift: float
) -> None:
    for name in ("dv", "club", "l1out"):
        torch.testing.assert_close(
            value(name, scores[0] + shift), value(name, scores[0]), rtol=1e-9, atol=1e-8
        )


@FEW
@given(scores=moderate_scores(), seed=SEEDS)
def test_a_term_in_one_argument_alone_changes_neither_club_nor_its_own_side(
    scores: Tensor, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    term = torch.randn(scores.shape[-1], generator=generator, dtype=torch.float64)
    (scores,) = scores
    for moved in (scores + term, scores + term.unsqueeze(1)):
        torch.testing.assert_close(
            value("club", moved), value("club", scores), rtol=1e-9, atol=1e-9
        )
    torch.testing.assert_close(
        value("l1out", scores + term), value("l1out", scores), rtol=1e-9, atol=1e-9
    )


@FEW
@given(scores=moderate_scores())
def test_smile_without_a_clip_is_dv_and_club_is_nce_club(scores: Tensor) -> None:
    (alone,) = scores
    unclipped = smile(alone, clip=math.inf).mean()
    torch.testing.assert_close(unclipped, dv_estimate_nats(alone), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        value("club", alone), nce_club_estimate_nats(alone), rtol=1e-9, atol=1e-9
    )


@FEW
@given(scores=moderate_scores(), clip=st.floats(0.1, 20))
def test_smile_s_partition_lies_inside_the_clip(scores: Tensor, clip: float) -> None:
    (alone,) = scores
    partition = alone.diagonal().mean() - smile(alone, clip).mean()
    assert partition.abs() <= clip + 1e-9


@FEW
@given(scores=moderate_scores(), clamp=st.floats(1e-6, 0.1))
def test_clamped_logits_never_exceed_the_clamp_s_log_odds(scores: Tensor, clamp: float) -> None:
    most = math.log((1 - clamp) / clamp)
    assert (clamped_logits(100 * scores, clamp).abs() <= most + 1e-9).all()


@FEW
@given(scores=moderate_scores())
def test_js_is_never_above_zero_and_constant_critics_say_nothing(scores: Tensor) -> None:
    assert (js_objective_nats(scores) <= 0).all()
    flat = torch.full_like(scores, 0.3)
    for name in ("dv", "club", "l1out"):
        assert float(value(name, flat[0])) == pytest.approx(0.0, abs=1e-12)
    assert (nwj_lower_bound_nats(flat) <= 0).all()


@FEW
@given(scores=moderate_scores())
def test_the_mean_of_pseudo_values_is_the_plain_loop(scores: Tensor) -> None:
    expected = plain(scores[0])
    for name, reading in PSEUDO_VALUES.items():
        values = reading(scores[0])
        assert values.shape == (scores.shape[-1],)
        assert float(values.mean()) == pytest.approx(expected[name], rel=1e-9, abs=1e-9), name


@pytest.mark.parametrize("name", PSEUDO_VALUES)
def test_pseudo_values_spread_as_the_jackknife_says(name: str) -> None:
    n = 150
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(n, generator=generator, dtype=torch.float64)
    y = 0.6 * x + 0.8 * torch.randn(n, generator=generator, dtype=torch.float64)
    scores = 0.9 * torch.outer(x, y) - 0.2 * (x.unsqueeze(1) ** 2 + y**2)
    without = []
    for k in range(n):
        kept = torch.arange(n) != k
        without.append(float(value(name, scores[kept][:, kept])))
    jackknife = (torch.tensor(without).var(correction=0) * (n - 1)).sqrt()
    found = PSEUDO_VALUES[name](scores).std() / math.sqrt(n)
    # Both are exact to first order; they differ at second order, by about 1/n of the terms.
    assert float(found) == pytest.approx(float(jackknife), rel=0.08)
