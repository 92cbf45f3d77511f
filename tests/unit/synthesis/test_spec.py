"""What a world's specification says and what it refuses."""

import pytest

from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    GaussianLatents,
    LinearObservation,
    MlpObservation,
    NoiselessLabel,
    PlanarLabel,
    ThresholdLabel,
    WorldSpec,
)


def line_of(build):
    with pytest.raises(ValueError, match=r".") as caught:
        build()
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_the_default_world_has_sixteen_classes_and_six_bits_per_block():
    spec = WorldSpec()
    assert (spec.n_classes, spec.block_sizes, spec.relevant) == (16, (6, 6, 6), (2, 1, 1))


def test_xor_slots_have_bits_of_their_own():
    layout = BitsLabel(unique_ratio=0.2, synergy_ratio=0.6).layout
    assert (layout.n_xor, layout.relevant) == (2, (2, 3, 3))
    assert layout.xor_capacity_bits == pytest.approx(0.6)


def test_a_float_just_above_a_whole_number_of_xor_slots_adds_none():
    assert BitsLabel(label_bits=10, unique_ratio=0, synergy_ratio=0.1 + 0.2).layout.n_xor == 3


def test_capacities_are_free_of_rounding_at_their_ends():
    layout = BitsLabel(unique_ratio=0.7, synergy_ratio=0.3).layout
    assert layout.shared_capacity_bits == 0.0


def test_capacities_sum_to_the_label_bits():
    layout = BitsLabel(label_bits=4, unique_ratio=0.37, balance=0.3, synergy_ratio=0.22).layout
    assert sum(layout.capacities_bits) == pytest.approx(4, abs=1e-14)


def test_digests_change_with_every_field_and_the_label_free_one_without_the_label():
    spec = WorldSpec()
    other = spec.with_ratio(0.25)
    assert spec.digest() != other.digest()
    assert spec.without_label_digest() == other.without_label_digest()
    assert spec.without_label_digest() != WorldSpec(n_test=1).without_label_digest()
    assert spec.digest() == WorldSpec.model_validate_json(spec.model_dump_json()).digest()


def test_digests_ignore_whether_a_ratio_came_as_a_whole_number():
    assert BitsLabel(unique_ratio=1).digest() == BitsLabel(unique_ratio=1.0).digest()


def test_a_ratio_that_asks_a_slot_for_more_than_a_bit_is_refused_with_the_range():
    assert line_of(lambda: BitsLabel(unique_ratio=0.9, balance=1)) == (
        "unique_ratio: expected at most 0.5 (at balance 1 and synergy_ratio 0 a slot would carry "
        "more than one bit), got 0.9"
    )
    assert "at most 0.8 " in line_of(lambda: BitsLabel(unique_ratio=0.9, synergy_ratio=0.2))
    BitsLabel(unique_ratio=0.5, balance=1)


@pytest.mark.parametrize("bad", [1, 3, 0, 22])
def test_odd_or_extreme_label_bits_are_refused(bad):
    assert line_of(lambda: BitsLabel(label_bits=bad)).endswith(f"got {bad}")


def test_a_noiseless_ratio_that_splits_bits_is_refused_with_the_nearest():
    assert line_of(lambda: NoiselessLabel(unique_ratio=0.3)) == (
        "unique_ratio: expected a ratio that splits 4 label bits into whole numbers "
        "(nearest that fit: 0, 0.5), got 0.3"
    )
    line = line_of(lambda: NoiselessLabel(unique_ratio=0.5, synergy_ratio=0.3))
    assert line.startswith("synergy_ratio: expected")
    assert "nearest that fit: 0.25, 0.5" in line
    assert "0, 0.5)" in line_of(lambda: NoiselessLabel(unique_ratio=1, synergy_ratio=0.25))


def test_nearest_ratios_can_be_typed_back():
    line = line_of(lambda: ThresholdLabel(n_relevant=6, unique_ratio=0.5))
    assert "nearest that fit: 0.3333333333, 0.6666666667" in line
    assert ThresholdLabel(n_relevant=6, unique_ratio=0.3333333333).relevant == (4, 1, 1)


def test_threshold_and_planar_split_their_relevant_latents():
    assert ThresholdLabel(n_relevant=8, unique_ratio=0.75, balance=1 / 3).relevant == (2, 2, 4)
    assert PlanarLabel(unique_ratio=0).relevant == (6, 0, 0)


def test_a_label_that_asks_for_more_bits_than_a_block_has_is_refused():
    line = line_of(lambda: WorldSpec(label=BitsLabel(label_bits=14)))
    assert line.startswith("latents.n_shared: expected at least 14,")
    assert "relevant latents of w_s (raise latents.n_shared" in line
    assert line.endswith("got 6")
    line = line_of(
        lambda: WorldSpec(
            latents=BitLatents(n_unique2=2), label=ThresholdLabel(n_relevant=6, unique_ratio=1)
        )
    )
    assert line.startswith("latents.n_unique2: expected at least 3")


def test_planar_labels_of_gaussian_latents_are_refused():
    line = line_of(lambda: WorldSpec(latents=GaussianLatents(), label=PlanarLabel()))
    assert line.startswith(
        "label: expected bits, noiseless, threshold or parity with gaussian latents"
    )


def test_planar_labels_too_wide_to_enumerate_are_refused_with_the_count():
    label = {"kind": "planar", "n_relevant": 23, "unique_ratio": 0}
    line = line_of(lambda: WorldSpec.model_validate({"latents": {"n_shared": 30}, "label": label}))
    assert line == (
        "label.n_relevant: expected at most 22 for a planar label, whose truth is enumerated, "
        "got 23"
    )


def test_maps_too_narrow_for_gaussian_latents_are_refused():
    latents = GaussianLatents()
    line = line_of(lambda: WorldSpec(latents=latents, observation=LinearObservation(dim2=11)))
    assert line.startswith("observation.dim2: expected at least 12, because modality 2")
    line = line_of(lambda: WorldSpec(latents=latents, observation=MlpObservation(hidden_dim=11)))
    assert line.startswith("observation.hidden_dim: expected at least 12")
    line = line_of(lambda: WorldSpec(latents=latents, observation=MlpObservation(dim1=24)))
    assert line.startswith("observation.dim1: expected at least 25")
    WorldSpec(observation=LinearObservation(dim1=1, dim2=1))


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"label": {"kind": "bits", "x": 1}},
            "label.x: expected one of unique_ratio, balance, kind, label_bits, synergy_ratio, "
            "got the unknown key 'x'",
        ),
        (
            {"foo": 2},
            "foo: expected one of latents, observation, label, n_train, n_test, "
            "got the unknown key 'foo'",
        ),
        (
            {"label": {"kind": "foo"}},
            "label.kind: expected one of bits, noiseless, threshold, planar, parity, function, "
            "got 'foo'",
        ),
        (
            {"label": {"kind": "bits", "unique_ratio": 2}},
            "label.unique_ratio: expected less than or equal to 1, got 2",
        ),
        ({"n_train": 0, "n_test": 0}, "n_train: expected greater than 0, got 0 (and 1 more)"),
        (
            {"observation": {"kind": "linear", "entries": "x"}},
            "observation.entries: expected 'normal' or 'uniform', got 'x'",
        ),
        (
            {"label": {"kind": "bits", "unique_ratio": float("nan")}},
            "label.unique_ratio: expected a finite number, got nan",
        ),
        (
            {"label": {"kind": "bits", "unique_ratio": 0.9, "balance": 0}},
            "label.unique_ratio: expected at most 0.5 (at balance 0 and synergy_ratio 0 a slot "
            "would carry more than one bit), got 0.9",
        ),
    ],
)
def test_errors_are_one_line_with_path_expectation_and_what_came(given, line):
    assert line_of(lambda: WorldSpec.model_validate(given)) == line


def test_a_table_without_a_kind_is_one_of_the_default_kind():
    spec = WorldSpec.model_validate({"label": {"label_bits": 4}, "observation": {"noise": 0.5}})
    assert spec == WorldSpec(label=BitsLabel(label_bits=4), observation=MlpObservation(noise=0.5))
