"""What copies hold of their originals: the definitions of the paper, met exactly."""

from itertools import product

import numpy as np
import pytest

from fctestbed.information import binary_entropy_bits, bsc_flip_probability
from fctestbed.synthesis import (
    BitLatents,
    BitsLabel,
    GaussianLatents,
    NoiselessLabel,
    OfficialAugmentation,
    OptimalAugmentation,
    ParityLabel,
    PlanarLabel,
    QualityAugmentation,
    ThresholdLabel,
    UniqueAugmentation,
    WorldSpec,
    world_truth,
)
from fctestbed.synthesis.augmentation.information import (
    augmentation_information_bits,
    copies_given_latents,
    enumerated_augmentation_information_bits,
)
from fctestbed.synthesis.augmentation.plan import augmentation_plan

SMALL = BitLatents(n_shared=3, n_unique1=2, n_unique2=2)
FIELDS = ("x1_bits", "x2_bits", "joint_bits", "x2_given_x1_bits")
WORDS = [
    BitsLabel(unique_ratio=ratio, balance=balance, synergy_ratio=synergy)
    for ratio, balance, synergy in [
        (0, 0.5, 0),
        (0.5, 0.5, 0),
        (1, 0.5, 0),
        (0.4, 0.75, 0.3),
        (0, 0.5, 0.5),
    ]
]
CLASSES = [
    ThresholdLabel(n_relevant=4, unique_ratio=0.5),
    ThresholdLabel(n_relevant=3, unique_ratio=1 / 3, balance=1),
    PlanarLabel(n_relevant=4, unique_ratio=0.5, balance=0, n_classes=4),
    ParityLabel(n_relevant=4, unique_ratio=0.5),
]


def numbers(information):
    return [getattr(information, field) for field in FIELDS]


@pytest.mark.parametrize("label", [*WORDS, *CLASSES], ids=str)
def test_unique_copies_meet_their_two_equations(label):
    world = WorldSpec(latents=SMALL, label=label)
    truth = world_truth(world)
    kept = enumerated_augmentation_information_bits(world, UniqueAugmentation())
    assert kept.x1_bits == pytest.approx(truth.x1_label_bits, abs=1e-9)
    assert kept.x2_given_x1_bits == pytest.approx(truth.unique2_bits, abs=1e-9)


@pytest.mark.parametrize("label", WORDS, ids=str)
def test_leaving_the_shared_block_alone_costs_what_y_does_not_say_of_it(label):
    """The practical reading of Eq. 18 misses Definition 4 by the rest of the shared block."""
    world = WorldSpec(latents=SMALL, label=label)
    truth = world_truth(world)
    kept = augmentation_information_bits(world, UniqueAugmentation())
    rest_bits = 3 - truth.pid.redundancy_bits
    assert kept.joint_bits == pytest.approx(truth.total_bits + rest_bits, abs=1e-9)


def test_optimal_copies_of_an_xor_slot_miss_the_equation_of_unique_ones():
    world = WorldSpec(latents=SMALL, label=BitsLabel(unique_ratio=0.4, synergy_ratio=0.3))
    truth = world_truth(world)
    optimal = augmentation_information_bits(world, OptimalAugmentation())
    missing_bits = truth.unique2_bits - optimal.x2_given_x1_bits
    assert missing_bits == pytest.approx(truth.pid.synergy_bits, abs=1e-9)
    assert missing_bits == pytest.approx(0.6, abs=1e-9)


@pytest.mark.parametrize("label", WORDS, ids=str)
@pytest.mark.parametrize(
    "augmentation",
    [
        OptimalAugmentation(),
        UniqueAugmentation(),
        QualityAugmentation(relevant=0.7, irrelevant=0.4),
        QualityAugmentation(relevant=1, irrelevant=0),
    ],
    ids=str,
)
def test_the_closed_form_agrees_with_the_full_table(label, augmentation):
    world = WorldSpec(latents=BitLatents(n_shared=2, n_unique1=3, n_unique2=2), label=label)
    closed = augmentation_information_bits(world, augmentation)
    table = enumerated_augmentation_information_bits(world, augmentation)
    assert numbers(closed) == pytest.approx(numbers(table), abs=1e-9)


@pytest.mark.parametrize("label", CLASSES, ids=str)
@pytest.mark.parametrize("augmentation", [OptimalAugmentation(), UniqueAugmentation()], ids=str)
def test_irrelevant_latents_of_a_class_need_no_table(label, augmentation):
    world = WorldSpec(latents=BitLatents(n_shared=3, n_unique1=2, n_unique2=3), label=label)
    small = augmentation_information_bits(world, augmentation)
    whole = enumerated_augmentation_information_bits(world, augmentation)
    assert numbers(small) == pytest.approx(numbers(whole), abs=1e-9)


def test_quality_goes_from_nothing_over_optimal_to_all_that_is_irrelevant():
    world = WorldSpec(label=BitsLabel(unique_ratio=0.4, synergy_ratio=0.3))
    assert numbers(
        augmentation_information_bits(world, QualityAugmentation(relevant=0, irrelevant=1))
    ) == pytest.approx([0, 0, 0, 0])
    optimal = numbers(augmentation_information_bits(world, OptimalAugmentation()))
    best = augmentation_information_bits(world, QualityAugmentation(relevant=1, irrelevant=1))
    assert numbers(best) == optimal
    everything = augmentation_information_bits(world, QualityAugmentation(irrelevant=0))
    # Of six bits a block, two of w_s and two of each w_m are relevant.
    assert numbers(everything) == pytest.approx(np.add(optimal, [8, 8, 12, 4]))


def test_half_a_chance_to_survive_is_a_channel_of_its_own():
    label = BitsLabel(unique_ratio=0.5)
    kept = augmentation_information_bits(
        WorldSpec(label=label), QualityAugmentation(relevant=0.5, irrelevant=1)
    )
    flip = 0.5 * bsc_flip_probability([0.5])[0] + 0.25
    assert kept.x2_given_x1_bits == pytest.approx(1 - binary_entropy_bits(flip))


def branched(copies, where, outcomes):
    """Partly known copies with the bits of one unit put at their places, by (bits, chance)."""
    out = {}
    for copy, p in copies.items():
        for values, chance in outcomes:
            new = list(copy)
            for position, value in zip(where, values, strict=True):
                new[position] = value
            out[tuple(new)] = out.get(tuple(new), 0.0) + p * chance
    return out


def fresh(n_copies, chance):
    return [(values, chance / 2**n_copies) for values in product((0, 1), repeat=n_copies)]


def quality_table(world, relevant, irrelevant):
    """p(copies | originals) of a world of word slots, from the definition of quality alone."""
    layout, (n_s, n_1, n_2) = world.label.layout, world.block_sizes
    counts = (layout.n_shared, layout.n_unique1, layout.n_unique2, layout.n_xor)
    slots = [(kind, k) for kind, n in zip("s12x", counts, strict=True) for k in range(n)]
    flips = bsc_flip_probability(layout.capacities_bits)
    width = 2 * n_s + n_1 + n_2
    table = np.zeros((2 ** (n_s + n_1 + n_2), 2**width))

    def places(kind, k):
        """Along [w_1, w_s, w_2, w_s]."""
        in_2 = n_1 + n_s
        return {"s": (n_1 + k, in_2 + n_2 + k), "1": (k,), "2": (in_2 + k,)}[kind]

    for row, bits in enumerate(product((0, 1), repeat=n_s + n_1 + n_2)):
        w = {"s": bits[:n_s], "1": bits[n_s : n_s + n_1], "2": bits[n_s + n_1 :]}
        copies = {(None,) * width: 1.0}
        for (kind, k), flip in zip(slots, flips, strict=True):
            if kind == "x":
                i, j = layout.n_unique1 + k, layout.n_unique2 + k
                where, clean = places("1", i) + places("2", j), w["1"][i] ^ w["2"][j]
            else:
                where, clean = places(kind, k), w[kind][k]
            outcomes = fresh(len(where), 1 - relevant)
            for value, chance in ((clean, relevant * (1 - flip)), (1 - clean, relevant * flip)):
                if kind == "x":
                    outcomes += [((pad, value ^ pad), chance / 2) for pad in (0, 1)]
                else:
                    outcomes.append(((value,) * len(where), chance))
            copies = branched(copies, where, outcomes)
        for kind, start in zip("s12", layout.relevant, strict=True):
            for k in range(start, len(w[kind])):
                where = places(kind, k)
                same = ((w[kind][k],) * len(where), 1 - irrelevant)
                copies = branched(copies, where, [same, *fresh(len(where), irrelevant)])
        for copy, p in copies.items():
            table[row, int("".join(map(str, copy)), 2)] += p
    return table


@pytest.mark.parametrize("synergy", [0.0, 0.3])
def test_the_plan_of_quality_is_its_definition(synergy):
    label = BitsLabel(unique_ratio=0.4, balance=0.75, synergy_ratio=synergy)
    latents = BitLatents(n_shared=2, n_unique1=2, n_unique2=2)
    world = WorldSpec(latents=latents, label=label)
    plan = augmentation_plan(world, QualityAugmentation(relevant=0.7, irrelevant=0.4))
    found = copies_given_latents(world, plan)
    np.testing.assert_allclose(found, quality_table(world, 0.7, 0.4), atol=1e-12)


def test_information_is_refused_without_a_table():
    with pytest.raises(ValueError, match="augmentation: expected optimal, unique or quality, got"):
        augmentation_information_bits(WorldSpec(), OfficialAugmentation())
    with pytest.raises(ValueError, match="latents: expected bits to enumerate, got gaussian"):
        augmentation_information_bits(WorldSpec(latents=GaussianLatents()), UniqueAugmentation())
    label = ThresholdLabel(n_relevant=18)
    with pytest.raises(ValueError, match=r"expected a table of at most 2\^24 cells, got 2\^42"):
        augmentation_information_bits(WorldSpec(label=label), OptimalAugmentation())


@pytest.mark.parametrize(
    ("world", "augmentation", "message"),
    [
        (
            WorldSpec(label=ThresholdLabel()),
            QualityAugmentation(),
            "augmentation: expected a bits or noiseless label for quality, .* got threshold",
        ),
        (
            WorldSpec(latents=GaussianLatents(), label=NoiselessLabel()),
            QualityAugmentation(),
            "augmentation: expected bit latents for quality, .* got gaussian",
        ),
        (
            WorldSpec(label=PlanarLabel()),
            OptimalAugmentation(),
            "at least 5 relevant latents in modality 1 to write 20 classes of the planar label "
            "into for optimal .* got 4",
        ),
        (
            WorldSpec(label=PlanarLabel(n_relevant=6, unique_ratio=1 / 3)),
            UniqueAugmentation(),
            "at least 5 relevant latents in w_2 to write 20 classes of the planar label into for "
            "unique .* got 1",
        ),
    ],
)
def test_labels_that_an_augmentation_cannot_keep_are_refused(world, augmentation, message):
    with pytest.raises(ValueError, match=message) as caught:
        augmentation_plan(world, augmentation)
    assert "\n" not in str(caught.value)
    assert augmentation.kind in str(caught.value)
    assert world.label.kind in str(caught.value) or world.latents.kind in str(caught.value)
