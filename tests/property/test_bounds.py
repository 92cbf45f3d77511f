"""Bounds of score matrices: what they can never exceed, and plain loops written from the papers."""

import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings, strategies as st
from strategies_scores import SCALES, SEEDS, labelled_scores, score_matrices
from torch import Tensor

from fctestbed.bounds import (
    Contrast,
    conditional_infonce_lower_bound_nats,
    conditional_nce_club_estimate_nats,
    infonce_lower_bound_nats,
    label_first_infonce_lower_bound_nats,
    label_infonce_lower_bound_nats,
    nce_club_estimate_nats,
    nt_xent_nats,
)
from fctestbed.objectives import group_by_condition

FEW = settings(max_examples=60, deadline=None)
CONTRASTS: tuple[Contrast, ...] = ("second", "first")
BOTH = pytest.mark.parametrize("contrast", CONTRASTS)
DIAGONALS = pytest.mark.parametrize("keep_diagonal", [False, True])


def tolerance(scores: Tensor) -> float:
    """Rounding of a float64 sum of the scores."""
    return 1e-13 * (1 + float(scores.abs().max())) * scores.numel()


def same_condition(condition: Tensor) -> Tensor:
    return condition.unsqueeze(-1) == condition.unsqueeze(-2)


def log_mean_exp(values: Sequence[float]) -> float:
    top = max(values)
    return top + math.log(sum(math.exp(value - top) for value in values) / len(values))


def plain_infonce(scores: Tensor, members: Sequence[int], contrast: Contrast) -> float:
    """Eq. 10 over some samples, as a sum (not a mean) over anchors."""
    s = scores.tolist()
    return sum(
        s[i][i] - log_mean_exp([s[i][j] if contrast == "second" else s[j][i] for j in members])
        for i in members
    )


def plain_club(scores: Tensor, members: Sequence[int], keep_diagonal: bool) -> float:
    """Eq. 11 over some samples, as a sum over anchors; a product of margins needs another
    sample."""
    s, total = scores.tolist(), 0.0
    for i in members:
        others = [s[i][j] for j in members if keep_diagonal or j != i]
        total += s[i][i] - sum(others) / len(others) if others else 0.0
    return total


def classes(condition: Tensor) -> list[list[int]]:
    row = condition.tolist()
    return [[i for i in range(len(row)) if row[i] == value] for value in sorted(set(row))]


@BOTH
@FEW
@given(scores=score_matrices(stack=2))
def test_infonce_never_exceeds_the_log_of_the_batch(contrast: Contrast, scores: Tensor) -> None:
    values = infonce_lower_bound_nats(scores, contrast=contrast)
    assert (values <= math.log(scores.shape[-1]) + tolerance(scores)).all()


def test_infonce_reaches_the_log_of_the_batch_and_loses_the_positives_excess() -> None:
    perfect = 1e4 * torch.eye(8, dtype=torch.float64)
    assert float(infonce_lower_bound_nats(perfect)) == pytest.approx(math.log(8), rel=1e-12)
    # Positives as likely as a negative: log 8 - log(8) = 0, and below it where they stand back.
    assert float(infonce_lower_bound_nats(-perfect)) < -9000


@BOTH
@FEW
@given(scores=score_matrices(stack=2))
def test_infonce_is_its_plain_loop(contrast: Contrast, scores: Tensor) -> None:
    n = scores.shape[-1]
    expected = [plain_infonce(one, range(n), contrast) / n for one in scores]
    found = infonce_lower_bound_nats(scores, contrast=contrast)
    assert found.tolist() == pytest.approx(expected, abs=tolerance(scores))


@DIAGONALS
@FEW
@given(scores=score_matrices(stack=2))
def test_nce_club_is_its_plain_loop(keep_diagonal: bool, scores: Tensor) -> None:
    n = scores.shape[-1]
    expected = [plain_club(one, range(n), keep_diagonal) / n for one in scores]
    found = nce_club_estimate_nats(scores, keep_diagonal=keep_diagonal)
    assert found.tolist() == pytest.approx(expected, abs=tolerance(scores))


@FEW
@given(n=st.integers(1, 9), value=st.floats(-1e3, 1e3), seed=SEEDS)
def test_a_constant_critic_finds_nothing(n: int, value: float, seed: int) -> None:
    scores = torch.full((1, n, n), value, dtype=torch.float64)
    condition = torch.randint(0, 3, (1, n), generator=torch.Generator().manual_seed(seed))
    same = same_condition(condition)
    found = [
        *(infonce_lower_bound_nats(scores, contrast=contrast) for contrast in CONTRASTS),
        *(nce_club_estimate_nats(scores, keep_diagonal=keep) for keep in (False, True)),
        *(
            conditional_infonce_lower_bound_nats(scores, same, contrast=contrast)
            for contrast in CONTRASTS
        ),
        *(
            conditional_nce_club_estimate_nats(scores, same, keep_diagonal=keep)
            for keep in (False, True)
        ),
    ]
    assert [float(one) for one in found] == pytest.approx([0.0] * 8, abs=tolerance(scores))


@BOTH
@FEW
@given(case=labelled_scores())
def test_conditional_infonce_is_its_plain_loop_over_conditions(
    contrast: Contrast, case: tuple[Tensor, Tensor]
) -> None:
    scores, condition = case
    n = scores.shape[-1]
    expected = [
        sum(plain_infonce(one, members, contrast) for members in classes(row)) / n
        for one, row in zip(scores, condition, strict=True)
    ]
    found = conditional_infonce_lower_bound_nats(
        scores, same_condition(condition), contrast=contrast
    )
    assert found.tolist() == pytest.approx(expected, abs=tolerance(scores))


@DIAGONALS
@FEW
@given(case=labelled_scores())
def test_conditional_nce_club_is_its_plain_loop_over_conditions(
    keep_diagonal: bool, case: tuple[Tensor, Tensor]
) -> None:
    scores, condition = case
    n = scores.shape[-1]
    expected = [
        sum(plain_club(one, members, keep_diagonal) for members in classes(row)) / n
        for one, row in zip(scores, condition, strict=True)
    ]
    found = conditional_nce_club_estimate_nats(
        scores, same_condition(condition), keep_diagonal=keep_diagonal
    )
    assert found.tolist() == pytest.approx(expected, abs=tolerance(scores))


@BOTH
@FEW
@given(case=labelled_scores())
def test_conditional_infonce_never_exceeds_the_log_of_the_conditions_sizes(
    contrast: Contrast, case: tuple[Tensor, Tensor]
) -> None:
    scores, condition = case
    n = scores.shape[-1]
    found = conditional_infonce_lower_bound_nats(
        scores, same_condition(condition), contrast=contrast
    )
    most = [
        sum(len(members) * math.log(len(members)) for members in classes(row)) / n
        for row in condition
    ]
    assert (found <= torch.tensor(most, dtype=torch.float64) + tolerance(scores)).all()


@FEW
@given(scores=score_matrices(stack=2))
def test_one_condition_for_all_is_no_condition(scores: Tensor) -> None:
    stack, n = scores.shape[:2]
    same = torch.ones(stack, n, n, dtype=torch.bool)
    for contrast in CONTRASTS:
        torch.testing.assert_close(
            conditional_infonce_lower_bound_nats(scores, same, contrast=contrast),
            infonce_lower_bound_nats(scores, contrast=contrast),
        )
    for keep in (False, True):
        torch.testing.assert_close(
            conditional_nce_club_estimate_nats(scores, same, keep_diagonal=keep),
            nce_club_estimate_nats(scores, keep_diagonal=keep),
            rtol=1e-9,
            atol=1e-9,
        )


@FEW
@given(n=st.integers(1, 9), seed=SEEDS, scale=SCALES)
def test_samples_alone_in_their_condition_give_exactly_nothing(
    n: int, seed: int, scale: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = scale * torch.randn(1, n, n, generator=generator, dtype=torch.float64)
    same = same_condition(torch.randperm(n, generator=generator).unsqueeze(0))
    scores.requires_grad_()
    values = [
        *(
            conditional_infonce_lower_bound_nats(scores, same, contrast=contrast)
            for contrast in CONTRASTS
        ),
        *(
            conditional_nce_club_estimate_nats(scores, same, keep_diagonal=keep)
            for keep in (False, True)
        ),
    ]
    assert all(float(value.detach()) == 0 for value in values)
    (gradient,) = torch.autograd.grad(torch.stack(values).sum(), scores)
    assert (gradient == 0).all()


@FEW
@given(case=labelled_scores())
def test_gradients_stay_inside_the_allowed_pairs(case: tuple[Tensor, Tensor]) -> None:
    scores, condition = case
    scores, same = scores.clone().requires_grad_(), same_condition(condition)
    values = [
        *(
            conditional_infonce_lower_bound_nats(scores, same, contrast=contrast)
            for contrast in CONTRASTS
        ),
        *(
            conditional_nce_club_estimate_nats(scores, same, keep_diagonal=keep)
            for keep in (False, True)
        ),
    ]
    (gradient,) = torch.autograd.grad(torch.stack(values).sum(), scores)
    assert gradient.isfinite().all()
    assert (gradient[~same] == 0).all()


@FEW
@given(case=labelled_scores(stack=3))
def test_groups_hold_every_pair_of_a_condition_once(case: tuple[Tensor, Tensor]) -> None:
    _, condition = case
    stack, n = condition.shape
    groups = group_by_condition(condition)
    assert groups.place.numel() <= stack * n * n
    assert torch.equal(groups.same, same_condition(condition))
    members = groups.index.unsqueeze(3) * n + groups.index.unsqueeze(2)
    for k in range(stack):
        real = groups.place[k] < n * n
        assert torch.equal(groups.place[k][real], members[k].flatten()[real])
        placed = torch.zeros(n * n, dtype=torch.long).index_add_(
            0, groups.place[k][real], torch.ones(int(real.sum()), dtype=torch.long)
        )
        assert (placed <= 1).all()
        assert (placed.view(n, n)[groups.same[k]] == 1).all()


@FEW
@given(case=labelled_scores(stack=3))
def test_scores_inside_groups_are_spread_to_their_places(case: tuple[Tensor, Tensor]) -> None:
    scores, condition = case
    groups = group_by_condition(condition)
    runs = torch.arange(3).view(-1, 1, 1, 1)
    inside = scores[runs, groups.index.unsqueeze(3), groups.index.unsqueeze(2)].flatten(0, 1)
    # Whatever padding holds must not be seen.
    padding = (groups.place == groups.same[0].numel()).view(inside.shape)
    inside[padding] = torch.nan
    inside.requires_grad_()
    spread = groups.spread(inside)
    assert torch.equal(spread[groups.same], scores[groups.same])
    (gradient,) = torch.autograd.grad(spread[groups.same].sum(), inside)
    assert (gradient[padding] == 0).all()
    assert gradient.sum() == groups.same.sum()
    rows = torch.arange(scores.shape[-1] * 3.0).view(3, -1, 1)
    gathered = groups.gather(rows).view(groups.index.shape)
    assert torch.equal(
        gathered, rows.squeeze(2).gather(1, groups.index.flatten(1)).view_as(gathered)
    )


def test_even_conditions_are_padded_and_skewed_ones_taken_whole() -> None:
    even = torch.arange(32).remainder(8).unsqueeze(0)
    assert group_by_condition(even).index.shape == (1, 8, 4)
    skewed = torch.zeros(1, 32, dtype=torch.long)
    skewed[0, :3] = torch.tensor([1, 2, 3])
    assert group_by_condition(skewed).index.shape == (1, 1, 32)


N_CLASSES = 4
LABEL_BOUNDS = (label_infonce_lower_bound_nats, label_first_infonce_lower_bound_nats)


@st.composite
def label_scores(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Scores [2, n, classes] and labels [2, n]."""
    n = draw(st.integers(1, 9))
    scores = draw(score_matrices(stack=2, rows=n, columns=N_CLASSES))
    rows = st.lists(st.integers(0, N_CLASSES - 1), min_size=n, max_size=n)
    return scores, torch.tensor([draw(rows), draw(rows)])


@FEW
@given(case=label_scores())
def test_label_infonce_is_infonce_over_all_pairs(case: tuple[Tensor, Tensor]) -> None:
    scores, labels = case
    scores = scores.clone().requires_grad_()
    n = labels.shape[1]
    expanded = scores.gather(2, labels.unsqueeze(1).expand(-1, n, -1))
    for contrast, label_bound in zip(CONTRASTS, LABEL_BOUNDS, strict=True):
        found = label_bound(scores, labels)
        expected = infonce_lower_bound_nats(expanded, contrast=contrast)
        gradients = [
            torch.autograd.grad(value.sum(), scores, retain_graph=True)[0]
            for value in (found, expected)
        ]
        allowance = tolerance(scores.detach())
        torch.testing.assert_close(found, expected, rtol=0, atol=allowance)
        torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-9, atol=allowance)


@FEW
@given(case=label_scores())
def test_label_infonce_never_exceeds_the_entropy_of_the_batchs_labels(
    case: tuple[Tensor, Tensor],
) -> None:
    scores, labels = case
    n = labels.shape[1]
    entropies = [-sum(len(m) / n * math.log(len(m) / n) for m in classes(row)) for row in labels]
    found = label_infonce_lower_bound_nats(scores, labels)
    assert (found <= torch.tensor(entropies, dtype=torch.float64) + tolerance(scores)).all()
    first = label_first_infonce_lower_bound_nats(scores, labels)
    assert (first <= math.log(n) + tolerance(scores)).all()


def unit(*shape: int, seed: int) -> Tensor:
    features = torch.randn(
        *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return torch.nn.functional.normalize(features, dim=-1)


def contrastive(
    view1: Tensor, view2: Tensor, *, temperature: float, labels: Tensor | None = None
) -> Tensor:
    """NT-Xent, or SupCon with labels, of the inner products of features over a temperature."""
    features = torch.cat([view1, view2], -2)
    return nt_xent_nats(features @ features.transpose(-1, -2) / temperature, labels=labels)


def plain_contrastive(
    view1: Tensor, view2: Tensor, temperature: float, labels: Sequence[int] | None
) -> float:
    """Chen et al. 2020, Eq. 1, and Khosla et al. 2020, Eq. 2, anchor by anchor."""
    z = torch.cat([view1, view2]).tolist()
    n = len(view1)
    y = None if labels is None else [*labels, *labels]
    total = 0.0
    for i in range(2 * n):
        similarity = [sum(p * q for p, q in zip(z[i], z[j], strict=True)) for j in range(2 * n)]
        others = [j for j in range(2 * n) if j != i]
        denominator = sum(math.exp(similarity[j] / temperature) for j in others)
        positives = [(i + n) % (2 * n)] if y is None else [j for j in others if y[j] == y[i]]
        total += sum(
            -math.log(math.exp(similarity[p] / temperature) / denominator) for p in positives
        ) / len(positives)
    return total / (2 * n)


views = st.tuples(st.integers(1, 7), SEEDS, st.sampled_from([0.07, 0.5, 1.0, 10.0]))


@FEW
@given(case=views)
def test_nt_xent_is_its_plain_loop(case: tuple[int, int, float]) -> None:
    n, seed, temperature = case
    view1, view2 = unit(2, n, 3, seed=seed), unit(2, n, 3, seed=seed + 1)
    found = contrastive(view1, view2, temperature=temperature)
    expected = [plain_contrastive(view1[k], view2[k], temperature, None) for k in range(2)]
    assert found.tolist() == pytest.approx(expected, rel=1e-9)


@FEW
@given(case=views, data=st.data())
def test_supcon_is_its_plain_loop(case: tuple[int, int, float], data: st.DataObject) -> None:
    n, seed, temperature = case
    view1, view2 = unit(2, n, 3, seed=seed), unit(2, n, 3, seed=seed + 1)
    rows = st.lists(st.integers(0, 3), min_size=n, max_size=n)
    labels = [data.draw(rows), data.draw(rows)]
    found = contrastive(view1, view2, temperature=temperature, labels=torch.tensor(labels))
    expected = [plain_contrastive(view1[k], view2[k], temperature, labels[k]) for k in range(2)]
    assert found.tolist() == pytest.approx(expected, rel=1e-9)


@FEW
@given(case=views)
def test_supcon_of_labels_that_all_differ_is_simclr(case: tuple[int, int, float]) -> None:
    n, seed, temperature = case
    view1, view2 = (unit(1, n, 3, seed=seed + m).requires_grad_() for m in (0, 1))
    labels = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).unsqueeze(0)
    simclr = contrastive(view1, view2, temperature=temperature)
    supcon = contrastive(view1, view2, temperature=temperature, labels=labels)
    torch.testing.assert_close(supcon, simclr, rtol=1e-12, atol=1e-12)
    for one, other in zip(
        torch.autograd.grad(supcon, (view1, view2)),
        torch.autograd.grad(simclr, (view1, view2)),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@FEW
@given(case=labelled_scores(stack=1, n_classes=3), seed=SEEDS)
def test_the_order_of_the_batch_does_not_matter(case: tuple[Tensor, Tensor], seed: int) -> None:
    scores, condition = case
    n = scores.shape[-1]
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    view1, view2 = unit(1, n, 3, seed=seed), unit(1, n, 3, seed=seed + 1)

    def every_value(
        scores: Tensor, condition: Tensor, view1: Tensor, view2: Tensor, columns: Tensor
    ) -> list[Tensor]:
        same = same_condition(condition)
        of_classes = scores[:, :, columns]
        return [
            infonce_lower_bound_nats(scores),
            nce_club_estimate_nats(scores),
            conditional_infonce_lower_bound_nats(scores, same),
            conditional_nce_club_estimate_nats(scores, same),
            label_infonce_lower_bound_nats(of_classes, condition),
            label_first_infonce_lower_bound_nats(of_classes, condition),
            contrastive(view1, view2, temperature=0.5),
            contrastive(view1, view2, temperature=0.5, labels=condition),
        ]

    some = torch.arange(3).remainder(n)
    straight = every_value(scores, condition, view1, view2, some)
    places = order.argsort()
    turned = every_value(
        scores[:, order][:, :, order],
        condition[:, order],
        view1[:, order],
        view2[:, order],
        places[some],
    )
    for one, other in zip(turned, straight, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=tolerance(scores))


@FEW
@given(case=labelled_scores(stack=3), seed=SEEDS)
def test_members_of_a_stack_have_the_values_they_have_alone(
    case: tuple[Tensor, Tensor], seed: int
) -> None:
    scores, condition = case
    n = scores.shape[-1]
    view1, view2 = unit(3, n, 3, seed=seed), unit(3, n, 3, seed=seed + 1)

    def every_value(members: slice) -> Tensor:
        same = same_condition(condition[members])
        return torch.stack(
            [
                infonce_lower_bound_nats(scores[members]),
                nce_club_estimate_nats(scores[members]),
                conditional_infonce_lower_bound_nats(scores[members], same),
                conditional_nce_club_estimate_nats(scores[members], same),
                contrastive(view1[members], view2[members], temperature=0.5),
                contrastive(
                    view1[members], view2[members], temperature=0.5, labels=condition[members]
                ),
            ]
        )

    together = every_value(slice(0, 3))
    for k in range(3):
        torch.testing.assert_close(
            every_value(slice(k, k + 1))[:, 0], together[:, k], rtol=1e-9, atol=tolerance(scores)
        )


@FEW
@given(case=labelled_scores())
def test_bounds_leave_their_arguments_as_they_are(case: tuple[Tensor, Tensor]) -> None:
    scores, condition = case
    n, same = scores.shape[-1], same_condition(condition)
    view1, view2 = unit(2, n, 3, seed=0), unit(2, n, 3, seed=1)
    arguments = [scores, condition, same, view1, view2]
    before = [argument.clone() for argument in arguments]
    infonce_lower_bound_nats(scores)
    nce_club_estimate_nats(scores)
    conditional_infonce_lower_bound_nats(scores, same)
    conditional_nce_club_estimate_nats(scores, same)
    contrastive(view1, view2, temperature=0.5, labels=condition)
    for argument, copy in zip(arguments, before, strict=True):
        assert torch.equal(argument, copy)
