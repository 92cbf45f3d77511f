"""What a training is: its identity, what may share a stack, and what is refused in one line."""

from typing import Any, get_args

import pytest

from fctestbed._records import InvalidSpec
from fctestbed.nets import Precision
from fctestbed.objectives import METHODS, NetSpec
from fctestbed.synthesis import (
    AugmentationSpec,
    BitLatents,
    BitsLabel,
    GaussianLatents,
    NoiselessLabel,
    OfficialAugmentation,
    OptimalAugmentation,
    QualityAugmentation,
    ThresholdLabel,
    UniqueAugmentation,
    WorldSpec,
)
from fctestbed.training import TrainingSpec, TrainSpec

SSL = ["factorcl-ssl", "unimodal-ssl"]
SUPERVISED = ["supcon", "factorcl-sup", "unimodal-sup", "supervised"]


def training(method: str, ratio: float = 0.5, **parts: Any) -> TrainingSpec:
    world = WorldSpec(label=BitsLabel(unique_ratio=ratio), n_train=256, n_test=16)
    parts = {"world": world, "train": TrainSpec(steps=5, batch_size=64), **parts}
    return TrainingSpec(method=method, **parts)


def refusal(method: str, **parts: Any) -> str:
    with pytest.raises(InvalidSpec) as caught:
        training(method, **parts)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_label_free_trainings_are_one_over_all_labels() -> None:
    for method in ("simclr", "untrained", "raw"):
        assert training(method, 0.1).key == training(method, 0.9).key
        assert not training(method).depends_on_label
    for method in SSL:
        official = [
            training(method, ratio, augmentation=OfficialAugmentation()) for ratio in (0.1, 0.9)
        ]
        assert official[0].key == official[1].key
        assert not official[0].depends_on_label


def test_trainings_that_see_the_label_are_of_their_own() -> None:
    for method in SUPERVISED:
        assert training(method, 0.1).key != training(method, 0.9).key
        assert training(method).depends_on_label
    for method in SSL:
        optimal = [
            training(method, ratio, augmentation=OptimalAugmentation()) for ratio in (0.1, 0.9)
        ]
        assert optimal[0].key != optimal[1].key
        assert optimal[0].depends_on_label


@pytest.mark.parametrize(
    "augmentation", [UniqueAugmentation(), QualityAugmentation(relevant=0.5)], ids=str
)
def test_every_augmentation_but_the_official_one_sees_the_label(
    augmentation: AugmentationSpec,
) -> None:
    specs = [training("unimodal-ssl", ratio, augmentation=augmentation) for ratio in (0.1, 0.9)]
    assert specs[0].key != specs[1].key
    assert specs[0].depends_on_label


EXACT: dict[str, Any] = {"settings": {"conditioning": "exact"}}


def test_exact_conditioning_needs_a_world_whose_originals_can_be_drawn() -> None:
    sizes = {"n_train": 256, "n_test": 16}
    gaussian = WorldSpec(latents=GaussianLatents(), **sizes)
    assert refusal("factorcl-ssl", world=gaussian, **EXACT) == (
        "latents: expected bits to draw originals exactly given their copies (conditioning "
        "exact), got gaussian"
    )
    many = WorldSpec(label=ThresholdLabel(n_relevant=18), **sizes)
    assert refusal("factorcl-ssl", world=many, **EXACT).startswith(
        "label.n_relevant: expected at most 16 for a threshold label to list the originals"
    )
    # Nothing is drawn where views give their original away.
    training("factorcl-ssl", world=gaussian, augmentation=OfficialAugmentation(), **EXACT)
    training("factorcl-ssl", world=WorldSpec(label=ThresholdLabel(), **sizes), **EXACT)


def test_a_label_free_training_does_not_care_about_the_labels_kind() -> None:
    world = WorldSpec(label=NoiselessLabel(label_bits=4, unique_ratio=0.5), n_train=256, n_test=16)
    assert training("simclr").key == training("simclr", world=world).key


CHANGES: list[dict[str, Any]] = [
    {"seed": 1},
    {"nets": NetSpec(embed_dim=7)},
    {"train": TrainSpec(steps=6, batch_size=64)},
    {"train": TrainSpec(steps=5, batch_size=64, learning_rate=4e-3)},
    {"train": TrainSpec(steps=5, batch_size=64, schedule="constant")},
    {"settings": {"temperature": 0.2}},
    {"settings": {"normalize": False}},
    {"world": WorldSpec(n_train=512, n_test=16)},
    {"world": WorldSpec(n_train=256, n_test=16, latents=BitLatents(n_shared=5))},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_whatever_else_changes_a_training_changes_its_key(change: dict[str, Any]) -> None:
    assert training("simclr").key != training("simclr", **change).key
    assert training("supcon").key != training("simclr").key


def test_settings_written_out_are_the_defaults_left_out() -> None:
    written = METHODS["factorcl-sup"].Settings().model_dump()
    one, other = training("factorcl-sup"), training("factorcl-sup", settings=written)
    assert one == other
    assert one.key == other.key
    assert TrainingSpec.model_validate_json(one.model_dump_json()).key == one.key


def test_float32_is_no_part_of_an_identity_and_other_precisions_are() -> None:
    assert "precision" not in TrainSpec().model_dump()
    assert TrainSpec.model_validate(TrainSpec(precision="tf32").model_dump()).precision == "tf32"
    specs = [
        TrainingSpec(method="simclr", train=TrainSpec(precision=precision))
        for precision in get_args(Precision)
    ]
    assert specs[0].key == TrainingSpec(method="simclr", train=TrainSpec()).key
    assert len({spec.key for spec in specs}) == len({spec.stack_key for spec in specs}) == 3


def test_parts_that_a_method_does_not_have_cannot_change_its_identity() -> None:
    raw = training("raw", nets=NetSpec(embed_dim=3), augmentation=OfficialAugmentation())
    assert (raw.nets, raw.train, raw.augmentation) == (None, None, None)
    assert raw.key == training("raw", train=TrainSpec(steps=99)).key
    assert training("untrained").train is None
    assert training("simclr", augmentation=OfficialAugmentation()).augmentation is None
    assert training("factorcl-ssl").augmentation == OptimalAugmentation()


def test_ratios_and_seeds_share_a_stack_and_shapes_do_not() -> None:
    for method in METHODS:
        stack = {
            training(method, ratio, seed=seed).stack_key for ratio in (0, 1) for seed in (0, 1)
        }
        assert len(stack) == 1
    assert training("simclr").stack_key != training("supcon").stack_key
    for change in CHANGES[1:]:
        assert training("simclr").stack_key != training("simclr", **change).stack_key
    classes = WorldSpec(label=BitsLabel(label_bits=4), n_train=256, n_test=16)
    assert training("supervised").stack_key != training("supervised", world=classes).stack_key
    # As many classes, but another rule, of which an optimal augmentation keeps another word.
    rule = WorldSpec(label=NoiselessLabel(label_bits=4), n_train=256, n_test=16)
    assert training("factorcl-ssl").stack_key != training("factorcl-ssl", world=rule).stack_key


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    assert refusal("simclr2") == (
        f"method: expected one of {', '.join(METHODS)} or an import path "
        "package.module:ClassName, got 'simclr2': did you mean simclr?"
    )


def test_unknown_settings_are_refused_with_the_known_ones() -> None:
    assert refusal("simclr", settings={"temprature": 1}) == (
        "settings: expected one of critic, temperature, learn_temperature, normalize, got the "
        "unknown key 'temprature'"
    )
    assert refusal("supervised", settings={"temperature": 1}) == (
        "settings: expected none, as supervised has none, got the unknown key 'temperature'"
    )


def test_settings_outside_their_range_are_refused_by_name() -> None:
    assert refusal("simclr", settings={"temperature": -1}) == (
        "settings.temperature: expected greater than 0, got -1"
    )
    assert refusal("factorcl-ssl", settings={"counting": "twice"}).startswith(
        "settings.counting: expected 'once' or 'sum', got 'twice'"
    )


def test_a_batch_larger_than_the_training_set_is_refused() -> None:
    assert refusal("simclr", train=TrainSpec(batch_size=257)) == (
        "train.batch_size: expected at most the 256 training samples, got 257"
    )
    assert training("simclr", train=TrainSpec(batch_size=256)).train is not None


def test_a_batch_too_small_for_the_classes_is_refused_with_what_to_change() -> None:
    assert refusal("factorcl-sup", train=TrainSpec(batch_size=63)) == (
        "train.batch_size: expected at least 64 for factorcl-sup, whose negatives share the label "
        "(4 samples for each of its 16 classes), got 63: enlarge the batch or ask for fewer label "
        "bits"
    )
    small = TrainSpec(batch_size=63)
    for method in ("supcon", "factorcl-ssl"):
        assert training(method, train=small).train == small
    whole_batch = training("factorcl-sup", train=small, settings={"conditioning": "batch"})
    assert whole_batch.train == small


@pytest.mark.parametrize(
    "part",
    [
        {"steps": 0},
        {"batch_size": 1},
        {"learning_rate": 0.0},
        {"learning_rate": float("inf")},
        {"warmup": -1},
        {"schedule": "linear"},
        {"epochs": 3},
    ],
    ids=str,
)
def test_optimisation_outside_its_range_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec, match=next(iter(part))):
        TrainSpec(**part)


def test_the_data_shape_is_the_worlds() -> None:
    shape = training("simclr").data_shape
    assert (shape.dim1, shape.dim2, shape.n_classes) == (100, 100, 16)
