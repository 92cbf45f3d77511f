"""One training path: a run's result is its own in any stack, at any place, by any neighbour."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_stacks import (
    GRID,
    STEPS,
    TRAIN,
    TRAINED,
    dataset,
    parameters,
    trained,
    training,
    watch,
    world,
)
from torch import Tensor

from fctestbed._adam import FusedAdam
from fctestbed.objectives import METHODS, NetSpec
from fctestbed.synthesis import (
    AugmentationSpec,
    Dataset,
    OfficialAugmentation,
    OptimalAugmentation,
    QualityAugmentation,
    UniqueAugmentation,
    WorldSpec,
    make_dataset,
)
from fctestbed.training import (
    Progress,
    TrainedStack,
    TrainingSpec,
    TrainSpec,
    train_stack,
    trainer,
)

# Rounding of float32 as Adam's first steps magnify it.
SINGLE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}
DOUBLE: dict[str, Any] = {"rtol": 1e-8, "atol": 1e-8}


def readouts(stack: TrainedStack, run: int) -> dict[str, Tensor]:
    """One run's readouts of the same inputs for every run."""
    test = dataset(0.5, 7).test
    x1, x2 = (
        torch.tensor(np.asarray(x), dtype=stack.dtype).expand(len(stack.specs), *x.shape)
        for x in (test.x1, test.x2)
    )
    return {name: values[run] for name, values in stack.readouts(x1, x2).items()}


def assert_same_run(
    one: TrainedStack, run: int, other: TrainedStack, other_run: int, **tolerance: Any
) -> None:
    expected = readouts(other, other_run)
    for name, values in readouts(one, run).items():
        assert values.std() > 0
        torch.testing.assert_close(values, expected[name], **tolerance)


@pytest.mark.parametrize("method", TRAINED)
def test_in_float64_every_parameter_is_the_same_in_a_stack(method: str) -> None:
    specs = [training(method, ratio, seed) for ratio, seed in GRID]
    together = trained(specs, dtype=torch.float64)
    alone = trained(specs[1:2], dtype=torch.float64)
    assert_same_run(alone, 0, together, 1, **DOUBLE)
    expected = parameters(together, 1)
    for name, values in parameters(alone, 0).items():
        assert values.dtype == torch.float64
        torch.testing.assert_close(values, expected[name], **DOUBLE)


def test_float64_and_float32_trainings_agree() -> None:
    spec = training("supcon")
    single, double = trained([spec]), trained([spec], dtype=torch.float64)
    found = readouts(single, 0)["z1"]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), readouts(double, 0)["z1"], **SINGLE)


@pytest.mark.parametrize("method", TRAINED)
def test_another_seed_gives_another_result(method: str) -> None:
    # On the same data, so that the training's own streams make the difference.
    specs = [training(method), training(method, seed=1)]
    data = dataset(0.5, 0)
    stack = train_stack(specs, [data, replace(data, seed=1)])
    one, other = readouts(stack, 0), readouts(stack, 1)
    assert all((one[name] - other[name]).abs().max() > 1e-2 for name in one)


def test_augmentations_of_a_run_do_not_depend_on_its_stack() -> None:
    specs = [
        training("unimodal-ssl", ratio, seed, augmentation=OfficialAugmentation())
        for ratio, seed in GRID
    ]
    # In float64: of small batches float32 products round by the stack, and Adam magnifies that.
    alone, together = (trained(own, dtype=torch.float64) for own in (specs[1:2], specs))
    assert_same_run(alone, 0, together, 1, **DOUBLE)


def test_views_that_give_their_originals_away_leave_nothing_conditional() -> None:
    stack = trained([training("factorcl-ssl", augmentation=OfficialAugmentation())])
    for name in ("club_x1x2_cond", "nce_x1x2_cond"):
        assert {loss for (loss,) in stack.losses_nats[name]} == {0.0}
    optimal = trained([training("factorcl-ssl")])
    assert all(loss != 0 for (loss,) in optimal.losses_nats["nce_x1x2_cond"])


@pytest.mark.parametrize(
    "augmentation",
    [OptimalAugmentation(), UniqueAugmentation(), QualityAugmentation(relevant=0.5)],
    ids=str,
)
def test_fresh_originals_given_the_views_are_negatives_that_teach(
    augmentation: AugmentationSpec,
) -> None:
    seen: list[tuple[Tensor, Tensor]] = []
    method = METHODS["factorcl-ssl"]
    loss = method.loss

    def watched(self: Any, module: Any, batch: Any) -> Any:
        assert batch.groups is None
        seen.append((batch.x2, batch.x2_negatives))
        return loss(self, module, batch)

    spec = training(
        "factorcl-ssl",
        augmentation=augmentation,
        settings={"conditioning": "exact", "n_negatives": 5},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method, "loss", watched)
        stack = trained([spec])
    assert stack.diverged == [None]
    assert [tuple(drawn.shape) for _, drawn in seen] == [(1, 64, 5, 5)] * STEPS
    # As in the data: the law of x2 is the law of its draws over all views.
    x2, drawn = (torch.cat(parts).flatten(0, -2) for parts in zip(*seen, strict=True))
    error = x2.std(0) * (1 / len(x2) ** 0.5 + 1 / (len(drawn) / 5) ** 0.5)
    assert ((x2.mean(0) - drawn.mean(0)).abs() < 5 * error).all()
    assert not torch.equal(seen[0][1], seen[1][1])
    assert all(loss != 0 for (loss,) in stack.losses_nats["nce_x1x2_cond"])


def test_originals_drawn_given_views_that_give_them_away_teach_nothing() -> None:
    spec = training(
        "factorcl-ssl",
        augmentation=OfficialAugmentation(),
        settings={"conditioning": "exact"},
    )
    stack = trained([spec], dtype=torch.float64)
    for name in ("club_x1x2_cond", "nce_x1x2_cond"):
        assert all(abs(loss) < 1e-12 for (loss,) in stack.losses_nats[name])


def spoiled(data: Dataset) -> Dataset:
    x1 = data.train.x1.copy()
    x1[:, 2] = np.nan
    return replace(data, train=replace(data.train, x1=x1))


@pytest.mark.parametrize("method", TRAINED)
def test_a_run_that_diverges_has_a_reason_and_leaves_the_others_untouched(method: str) -> None:
    # Optimal views are made of the latents: a method that reads views alone would not see x1.
    own = {"augmentation": OfficialAugmentation()} if METHODS[method].n_views else {}
    specs = [training(method, ratio, seed, **own) for ratio, seed in GRID]
    sets = [dataset(ratio, seed) for ratio, seed in GRID]
    healthy = train_stack(specs, sets)
    ill = train_stack(specs, [sets[0], spoiled(sets[1]), sets[2]])
    assert ill.diverged == [None, "loss was not finite, or exploded, by step 1", None]
    assert all(math.isnan(losses[1]) for losses in ill.losses_nats["total"])
    for run in (0, 2):
        for name, values in parameters(ill, run).items():
            assert torch.equal(values, parameters(healthy, run)[name]), name


def test_a_loss_that_explodes_is_a_divergence() -> None:
    spec = training("supervised", train=TRAIN.model_copy(update={"learning_rate": 1e6}))
    stack = trained([spec])
    assert stack.diverged[0] is not None
    assert "exploded" in stack.diverged[0]


def test_a_stack_of_diverged_runs_ends_at_once() -> None:
    reports: list[Progress] = []
    stack = train_stack([training("simclr")], [spoiled(dataset(0.5, 0))], report=reports.append)
    assert stack.diverged == ["loss was not finite, or exploded, by step 1"]
    assert [report.step for report in reports] == [1]


@pytest.mark.parametrize(
    "other",
    [
        training("supcon"),
        training("simclr", nets=NetSpec(embed_dim=3)),
        training("simclr", train=TrainSpec(steps=3, batch_size=64)),
    ],
    ids=["method", "nets", "train"],
)
def test_trainings_of_two_shapes_are_refused_in_one_stack(other: TrainingSpec) -> None:
    with pytest.raises(ValueError, match=r"^specs: expected trainings of one shape, got 2 shapes$"):
        trained([training("simclr"), other])


def test_a_stack_needs_trainings_and_a_data_set_for_each() -> None:
    with pytest.raises(ValueError, match=r"^specs: expected trainings of one shape, got 0 shapes$"):
        train_stack([], [])
    with pytest.raises(ValueError, match=r"^datasets: expected 2, one per training, got 1$"):
        train_stack([training("simclr"), training("simclr", seed=1)], [dataset(0.5, 0)])


@pytest.mark.parametrize("method", TRAINED)
def test_training_lowers_the_loss(method: str) -> None:
    train = TrainSpec(steps=60, batch_size=64, learning_rate=3e-3)
    spec = training(method, nets=NetSpec(), train=train)
    totals = [loss for (loss,) in trained([spec]).losses_nats["total"]]
    assert np.mean(totals[-10:]) < np.mean(totals[:5]) - 0.1


def test_losses_are_logged_by_term_and_add_up() -> None:
    stack = trained([training("factorcl-sup"), training("factorcl-sup", 0.2, 1)])
    assert stack.logged_steps == list(range(1, STEPS + 1))
    assert list(stack.losses_nats) == [
        "nce_x1x2",
        "club_x1x2_cond",
        "unimodal1",
        "unimodal2",
        "club_x1x2",
        "nce_x1x2_cond",
        "total",
    ]
    terms = [np.array(values) for values in stack.losses_nats.values()]
    assert all(values.shape == (STEPS, 2) for values in terms)
    np.testing.assert_allclose(sum(terms[:-1]), terms[-1], atol=1e-5)
    assert stack.seconds > 0


def test_progress_is_reported_with_the_losses_of_each_run() -> None:
    reports: list[Progress] = []
    train = TrainSpec(steps=120, batch_size=64)
    specs = [training("simclr", seed=seed, train=train) for seed in (0, 1)]
    stack = trained(specs, report=reports.append)
    assert [report.step for report in reports] == stack.logged_steps == list(range(2, 121, 2))
    assert {report.steps for report in reports} == {120}
    totals = [tuple(losses) for losses in stack.losses_nats["total"]]
    assert [report.losses_nats for report in reports] == totals


@pytest.mark.parametrize("method", ["raw", "untrained"])
def test_an_untrained_method_is_built_and_left_as_it_is(method: str) -> None:
    reports: list[Progress] = []
    stack = trained([training(method, train=None)], report=reports.append)
    assert stack.diverged == [None]
    assert not reports
    assert not stack.losses_nats
    assert set(readouts(stack, 0)) == {"z1", "z2"}


def test_training_moves_what_it_should_and_freezes_the_result() -> None:
    spec = training("factorcl-sup")
    before, after = trained([spec.model_copy(update={"train": None})]), trained([spec])
    assert before.logged_steps == []
    for (name, start), end in zip(
        before.module.named_parameters(), after.module.parameters(), strict=True
    ):
        assert (start != end).any(), name
        assert not end.requires_grad


def test_the_callers_arrays_stay_as_they_are() -> None:
    data = make_dataset(world(0.5), 3)
    names = ("x1", "x2", "y", "w_s", "w_1", "w_2")
    before = {name: getattr(data.train, name).copy() for name in names}
    for method in ("supcon", "factorcl-ssl"):
        stack = train_stack([training(method, seed=3)], [data])
        inputs = [torch.tensor(x[None]) for x in (data.test.x1, data.test.x2)]
        copies = [x.clone() for x in inputs]
        stack.readouts(*inputs)
        stack.heads(*inputs)
        assert all(torch.equal(x, copy) for x, copy in zip(inputs, copies, strict=True))
    for name in names:
        np.testing.assert_array_equal(getattr(data.train, name), before[name])


def rates(monkeypatch: pytest.MonkeyPatch, spec: TrainingSpec) -> list[float]:
    """Learning rates of all Adam steps, in their order."""
    seen: list[float] = []
    step = FusedAdam.step

    def watched(self: FusedAdam) -> None:
        seen.append(float(self.rate))
        step(self)

    monkeypatch.setattr(FusedAdam, "step", watched)
    trained([spec])
    return seen


def test_a_cosine_schedule_warms_up_and_falls_to_almost_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = TrainSpec(steps=10, batch_size=64, learning_rate=0.01, warmup=4)
    seen = rates(monkeypatch, training("simclr", train=train))
    expected = [
        0.01 * min(1, (step + 1) / 4) * (1 + math.cos(math.pi * step / 10)) / 2
        for step in range(10)
    ]
    assert seen == pytest.approx(expected)
    assert seen[-1] < 0.03 * 0.01


def test_a_constant_schedule_keeps_the_rate_after_its_warmup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = TrainSpec(steps=5, batch_size=64, learning_rate=0.01, warmup=2, schedule="constant")
    assert rates(monkeypatch, training("simclr", train=train)) == [0.005, 0.01, 0.01, 0.01, 0.01]


def test_club_critics_learn_as_often_and_as_fast_as_they_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = TrainSpec(steps=2, batch_size=64, learning_rate=0.01, schedule="constant")
    settings = {"inner_steps": 3, "inner_rate": 5.0}
    seen = rates(monkeypatch, training("factorcl-sup", train=train, settings=settings))
    assert seen == pytest.approx([0.01, 0.05, 0.05, 0.05] * 2)


def test_club_critics_learn_on_fresh_batches_or_on_the_same() -> None:
    seen: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for inner_batch in ("fresh", "same"):
        spec = training("factorcl-sup", settings={"inner_batch": inner_batch})
        pairs: list[tuple[Tensor, Tensor]] = []
        method = METHODS["factorcl-sup"]
        with pytest.MonkeyPatch.context() as patch:
            watch(patch, method, pairs)
            trained([spec])
        assert len(pairs) == STEPS
        seen[inner_batch] = pairs
    assert not any(torch.equal(outer, inner) for outer, inner in seen["fresh"])
    assert all(torch.equal(outer, inner) for outer, inner in seen["same"])


@pytest.mark.parametrize(
    ("method", "settings", "augmentation"),
    [
        ("supcon", {}, None),
        ("factorcl-sup", {"inner_rate": 30.0}, None),
        ("factorcl-ssl", {"inner_rate": 30.0}, OptimalAugmentation()),
        ("factorcl-ssl", {"inner_rate": 30.0, "conditioning": "exact"}, OptimalAugmentation()),
        ("factorcl-ssl", {"conditioning": "exact", "n_negatives": 3}, UniqueAugmentation()),
        ("unimodal-ssl", {}, QualityAugmentation(relevant=0.7, irrelevant=0.5)),
        ("cross-self-fact", {}, None),
        ("comm", {"fusion": "mlp"}, None),
        ("comm", {"fusion": "transformer"}, None),
        ("focal", {}, None),
        ("disentangled-ssl", {}, None),
    ],
    ids=str,
)
def test_at_the_default_widths_a_run_is_bit_for_bit_the_same_in_any_stack(
    method: str, settings: dict[str, Any], augmentation: AugmentationSpec | None
) -> None:
    world = WorldSpec(n_train=1024, n_test=8)
    base = make_dataset(world, 0)
    datasets = [base.with_label(base.spec.label.with_ratio(ratio)) for ratio in (0.2, 0.5, 0.8)]
    specs = [
        TrainingSpec(
            method=method,
            settings=settings,
            train=TrainSpec(steps=10),
            augmentation=augmentation,
            world=dataset.spec,
        )
        for dataset in datasets
    ]
    together = train_stack(specs, datasets)
    alone = train_stack(specs[1:2], datasets[1:2])
    for parameter, expected in zip(
        together.module.parameters(), alone.module.parameters(), strict=True
    ):
        assert torch.equal(parameter.view(3, -1)[1], expected.view(1, -1)[0])


def test_with_two_hidden_layers_in_the_critics_a_run_is_bit_for_bit_the_same_in_any_stack() -> None:
    world = WorldSpec(n_train=1024, n_test=8)
    base = make_dataset(world, 0)
    datasets = [base.with_label(base.spec.label.with_ratio(ratio)) for ratio in (0.2, 0.5, 0.8)]
    specs = [
        TrainingSpec(
            method="factorcl-sup",
            nets=NetSpec(critic_hidden=(64, 64)),
            train=TrainSpec(steps=6),
            world=one.spec,
        )
        for one in datasets
    ]
    together = train_stack(specs, datasets)
    alone = train_stack(specs[1:2], datasets[1:2])
    for parameter, expected in zip(
        together.module.parameters(), alone.module.parameters(), strict=True
    ):
        assert torch.equal(parameter.view(3, -1)[1], expected.view(1, -1)[0])


def test_data_of_another_world_or_seed_are_refused() -> None:
    spec, data = training("supcon"), dataset(0.5, 0)
    message = r"datasets\.1: expected seed 0, its training's, got 1"
    with pytest.raises(ValueError, match=message):
        train_stack([spec, spec], [data, dataset(0.5, 1)])
    smaller = make_dataset(world(0.5).model_copy(update={"n_test": 64}), 0)
    for other in (smaller, dataset(1.0, 0)):
        with pytest.raises(ValueError, match=r"datasets\.0: expected data of its training's world"):
            train_stack([spec], [other])
    # SimCLR does not depend on the label.
    train_stack([training("simclr")], [dataset(1.0, 0)])


def test_a_precision_that_the_device_cannot_do_is_refused_before_any_training() -> None:
    spec = training("simclr", train=TRAIN.model_copy(update={"precision": "bf16"}))
    with pytest.raises(ValueError, match=r"^train.precision: expected float32 on cpu, got 'bf16'$"):
        train_stack([spec], [dataset(0.5, 0)])


def test_only_steps_have_the_precision_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "check_precision", lambda *arguments, **options: None)
    matmul = torch.backends.cuda.matmul
    before, seen, visited = matmul.fp32_precision, [], []
    spec = training("simclr", train=TRAIN.model_copy(update={"precision": "tf32"}))
    method = METHODS["simclr"]
    loss = method.loss

    def watched(self: Any, module: Any, batch: Any) -> Any:
        seen.append(matmul.fp32_precision)
        return loss(self, module, batch)

    monkeypatch.setattr(method, "loss", watched)
    trained_in_tf32 = train_stack(
        [spec],
        [dataset(0.5, 0)],
        visit=lambda stack, step: visited.append(matmul.fp32_precision),
        visited_steps=(1, 2),
    )
    assert trained_in_tf32.diverged == [None]
    assert seen == ["tf32"] * STEPS
    assert visited == [before] * 2
    assert matmul.fp32_precision == before
