"""What copies hold of their originals, over all small worlds: definitions, bounds, monotony."""

import pytest
from hypothesis import given, settings, strategies as st
from strategies import (
    bits_labels,
    function_labels,
    noiseless_labels,
    parity_labels,
    planar_labels,
    threshold_labels,
    worlds,
)

from fctestbed.synthesis import QualityAugmentation, UniqueAugmentation, world_truth
from fctestbed.synthesis.augmentation.information import (
    augmentation_information_bits,
    enumerated_augmentation_information_bits,
)

FEW = settings(max_examples=25, deadline=None)
FIELDS = ("x1_bits", "x2_bits", "joint_bits", "x2_given_x1_bits")
WORDS = st.one_of(bits_labels(), noiseless_labels())
CHANCES = st.integers(0, 20).map(lambda count: count / 20)


def numbers(information):
    return [getattr(information, field) for field in FIELDS]


def quality(world, relevant, irrelevant):
    augmentation = QualityAugmentation(relevant=relevant, irrelevant=irrelevant)
    return numbers(augmentation_information_bits(world, augmentation))


@FEW
@given(worlds(st.one_of(bits_labels(), noiseless_labels(), threshold_labels(), parity_labels())))
def test_unique_copies_keep_of_x2_what_y_says_of_it_given_x1(world):
    truth = world_truth(world)
    kept = enumerated_augmentation_information_bits(world, UniqueAugmentation())
    assert kept.x1_bits == pytest.approx(truth.x1_label_bits, abs=1e-9)
    assert kept.x2_given_x1_bits == pytest.approx(truth.unique2_bits, abs=1e-9)


@FEW
@given(worlds(st.one_of(planar_labels(), function_labels())))
def test_unique_copies_of_classes_meet_their_equations_or_are_refused(world):
    truth, needed = world_truth(world), (world.n_classes - 1).bit_length()
    n_shared, n_1, n_2 = world.relevant
    if 0 < n_shared + n_1 < needed or 0 < n_2 < needed:
        with pytest.raises(ValueError, match=f"expected at least {needed} relevant latents in "):
            augmentation_information_bits(world, UniqueAugmentation())
        return
    kept = enumerated_augmentation_information_bits(world, UniqueAugmentation())
    assert kept.x1_bits == pytest.approx(truth.x1_label_bits, abs=1e-9)
    assert kept.x2_given_x1_bits == pytest.approx(truth.unique2_bits, abs=1e-9)


@FEW
@given(worlds(WORDS), CHANCES, CHANCES)
def test_the_closed_form_of_quality_is_that_of_its_table(world, relevant, irrelevant):
    augmentation = QualityAugmentation(relevant=relevant, irrelevant=irrelevant)
    table = enumerated_augmentation_information_bits(world, augmentation)
    assert quality(world, relevant, irrelevant) == pytest.approx(numbers(table), abs=1e-9)


@FEW
@given(worlds(WORDS), CHANCES, CHANCES, CHANCES)
def test_information_grows_with_what_survives_and_with_what_is_left(world, low, high, other):
    low, high = sorted((low, high))
    for worse, better in (
        (quality(world, low, other), quality(world, high, other)),
        (quality(world, other, high), quality(world, other, low)),
    ):
        assert all(less <= more + 1e-12 for less, more in zip(worse, better, strict=True))


@FEW
@given(worlds(WORDS), CHANCES, CHANCES)
def test_copies_hold_no_more_than_the_label_says_and_the_irrelevant_bits(
    world, relevant, irrelevant
):
    truth = world_truth(world)
    x1, x2, joint, x2_given_x1 = quality(world, relevant, irrelevant)
    free_s, free_1, free_2 = (
        (1 - irrelevant) * (size - read)
        for size, read in zip(world.block_sizes, world.relevant, strict=True)
    )
    assert x1 <= truth.x1_label_bits + free_s + free_1 + 1e-9
    assert x2 <= truth.x2_label_bits + free_s + free_2 + 1e-9
    assert joint <= truth.total_bits + free_s + free_1 + free_2 + 1e-9
    assert x2_given_x1 <= truth.unique2_bits + free_2 + 1e-9
    assert max(x1, x2) <= joint + 1e-9
