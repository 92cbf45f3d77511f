"""Augmented copies: what they keep, what they redraw, and what is refused."""

import numpy as np
import pytest
import torch

from fctestbed.information import bsc_flip_probability
from fctestbed.synthesis import (
    Augmenter,
    BitLatents,
    BitsLabel,
    GaussianLatents,
    LinearObservation,
    MlpObservation,
    NoiselessLabel,
    OfficialAugmentation,
    OptimalAugmentation,
    ParityLabel,
    PlanarLabel,
    ThresholdLabel,
    World,
    WorldSpec,
    augmentation_plan,
    make_dataset,
    slots_of,
)

N = 8_000
LINEAR = LinearObservation(dim1=30, dim2=25)


def batch_of(dataset, n):
    split = dataset.train
    x1, x2 = (torch.tensor(x[None, :n]) for x in (split.x1, split.x2))
    return x1, x2, tuple(torch.tensor(w[None, :n]) for w in split.latents)


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def augmented(dataset, spec, n=N, seed=0):
    augmenter = Augmenter([dataset.world], spec)
    noise = augmenter.draw(generators(seed), 1, n)
    return augmenter.augment(*batch_of(dataset, n), augmenter.at(noise, 0))


def inputs_of(dataset, out):
    """The latents [w_m, w_s] behind augmented copies of a linear world, by its pseudo-inverse."""
    return [
        x[0].numpy() @ np.linalg.pinv(dataset.world.maps[m].matrix)
        for m, x in ((1, out.x1), (2, out.x2))
    ]


def test_optimal_copies_carry_slots_through_their_channels():
    label = BitsLabel(unique_ratio=0.4, balance=0.75, synergy_ratio=0.3)
    dataset = make_dataset(WorldSpec(observation=LINEAR, label=label), 0)
    out = augmented(dataset, OptimalAugmentation())
    z1, z2 = (z > 0 for z in inputs_of(dataset, out))
    w = [block[:N].astype(bool) for block in dataset.train.latents]
    written = slots_of(out.condition[0].numpy(), 5).astype(bool)
    # Inputs are [w_m, w_s]: shared bits follow the six unique ones.
    np.testing.assert_array_equal(written[:, :2], z1[:, 6:8])
    np.testing.assert_array_equal(written[:, :2], z2[:, 6:8])
    np.testing.assert_array_equal(written[:, 2], z1[:, 0])
    np.testing.assert_array_equal(written[:, 3], z2[:, 0])
    np.testing.assert_array_equal(written[:, 4], z1[:, 1] ^ z2[:, 1])
    clean = np.stack([w[0][:, 0], w[0][:, 1], w[1][:, 0], w[2][:, 0], w[1][:, 1] ^ w[2][:, 1]], 1)
    expected = bsc_flip_probability([0.3, 0.3, 0.6, 0.2, 0.6])
    error = np.sqrt(expected * (1 - expected) / N)
    assert np.all(np.abs((written != clean).mean(axis=0) - expected) <= 5 * error)


def test_all_else_is_redrawn_for_each_modality():
    label = BitsLabel(unique_ratio=0.4, balance=0.75, synergy_ratio=0.3)
    dataset = make_dataset(WorldSpec(observation=LINEAR, label=label), 0)
    z1, z2 = (z > 0 for z in inputs_of(dataset, augmented(dataset, OptimalAugmentation())))
    w_s, w_1, w_2 = (block[:N].astype(bool) for block in dataset.train.latents)
    agreements = [
        (z1[:, 1:6] == w_1[:, 1:]).mean(axis=0),
        (z2[:, 1:6] == w_2[:, 1:]).mean(axis=0),
        (z1[:, 8:] == w_s[:, 2:]).mean(axis=0),
        (z2[:, 8:] == w_s[:, 2:]).mean(axis=0),
        (z1[:, 8:] == z2[:, 8:]).mean(axis=0),
    ]
    # Fair coins: five standard errors of a share of one half.
    assert np.all(np.abs(np.concatenate(agreements) - 0.5) <= 5 * 0.5 / N**0.5)


@pytest.mark.parametrize("latents", [BitLatents(), GaussianLatents()])
def test_thresholds_are_written_into_all_relevant_latents(latents):
    spec = WorldSpec(latents=latents, observation=LINEAR, label=ThresholdLabel())
    dataset = make_dataset(spec, 0)
    out = augmented(dataset, OptimalAugmentation())
    y = dataset.train.y[:N]
    np.testing.assert_array_equal(out.condition[0].numpy(), y)
    for z in inputs_of(dataset, out):
        for place in (0, 1, 6, 7):
            np.testing.assert_array_equal(z[:, place] > 0, y)
        assert abs((z[:, 3] > 0).mean() - 0.5) < 5 * 0.5 / N**0.5


@pytest.mark.parametrize("latents", [BitLatents(), GaussianLatents()])
def test_a_parity_is_written_once_into_each_modality(latents):
    spec = WorldSpec(latents=latents, observation=LINEAR, label=ParityLabel())
    dataset = make_dataset(spec, 0)
    out = augmented(dataset, OptimalAugmentation())
    y = dataset.train.y[:N]
    np.testing.assert_array_equal(out.condition[0].numpy(), y)
    for z in inputs_of(dataset, out):
        np.testing.assert_array_equal(z[:, 6] > 0, y)
        for place in (0, 1, 7):
            assert abs(((z[:, place] > 0) == y).mean() - 0.5) < 5 * 0.5 / N**0.5


def test_planar_classes_are_written_in_binary():
    label = PlanarLabel(n_relevant=6, unique_ratio=1 / 3, n_classes=20)
    dataset = make_dataset(WorldSpec(observation=LINEAR, label=label), 0)
    out = augmented(dataset, OptimalAugmentation())
    y = dataset.train.y[:N]
    np.testing.assert_array_equal(out.condition[0].numpy(), y)
    digits = slots_of(y, 5)
    for z in inputs_of(dataset, out):
        np.testing.assert_array_equal(z[:, [6, 7, 8, 9, 0]] > 0, digits)


def test_gaussian_slots_keep_signs_and_redraw_magnitudes():
    label = NoiselessLabel(unique_ratio=0)
    spec = WorldSpec(latents=GaussianLatents(), observation=LINEAR, label=label)
    dataset = make_dataset(spec, 0)
    z1, z2 = inputs_of(dataset, augmented(dataset, OptimalAugmentation()))
    w_s = dataset.train.w_s[:N]
    np.testing.assert_array_equal(z1[:, 6:10] > 0, w_s[:, :4] > 0)
    magnitudes = [np.abs(z[:, 6]) for z in (w_s[:, :1].repeat(7, 1), z1, z2)]
    correlations = np.corrcoef(magnitudes)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 5 / N**0.5
    # The variance stays 1/2: the standard error of a mean of n squares is v sqrt(2 / n).
    assert np.mean(z1[:, 6] ** 2) == pytest.approx(0.5, abs=5 * 0.5 * (2 / N) ** 0.5)


def test_observation_noise_is_fresh():
    quiet = WorldSpec(observation=MlpObservation(), label=NoiselessLabel(unique_ratio=0))
    noisy = quiet.model_copy(update={"observation": MlpObservation(noise=0.2)})
    dataset = make_dataset(noisy, 0)
    first, second = (augmented(dataset, OptimalAugmentation(), seed=seed) for seed in (0, 1))
    assert torch.equal(first.condition, second.condition)
    assert not torch.equal(first.x1, second.x1)


def test_official_copies_are_one_of_four():
    dataset = make_dataset(WorldSpec(), 0)
    x, _, _ = batch_of(dataset, N)
    out = augmented(dataset, OfficialAugmentation())
    assert out.condition is None
    same = (out.x1 == x).all(-1)[0]
    swapped = (out.x1 == torch.cat([x[..., 50:], x[..., :50]], -1)).all(-1)[0]
    noisy = ((out.x1 - x).abs() < 0.1).all(-1)[0] & ~same
    dropped = ((out.x1 == x) | (out.x1 == 0)).all(-1)[0] & ~same
    shares = [mask.double().mean().item() for mask in (same, swapped, noisy, dropped)]
    # Five standard errors of a quarter; a drop leaves all as it is with chance 0.9^100 = 3e-5.
    assert shares == pytest.approx([0.25] * 4, abs=5 * (0.25 * 0.75 / N) ** 0.5)
    assert sum(shares) == pytest.approx(1.0)
    zeros = (out.x1[0, dropped] == 0).double().mean().item()
    assert zeros == pytest.approx(0.1, abs=5 * (0.09 / (N / 4 * 100)) ** 0.5)
    deviation = (out.x1 - x)[0, noisy].std().item()
    assert deviation == pytest.approx(0.01, rel=5 / (2 * N / 4 * 100) ** 0.5)


def test_official_changes_are_independent_of_the_other_modality():
    dataset = make_dataset(WorldSpec(), 0)
    x1, x2, _ = batch_of(dataset, N)
    out = augmented(dataset, OfficialAugmentation())
    both = ((out.x1 == x1).all(-1) & (out.x2 == x2).all(-1)).double().mean().item()
    assert both == pytest.approx(1 / 16, abs=5 * (1 / 16 / N) ** 0.5)


@pytest.mark.parametrize("spec", [OfficialAugmentation(), OptimalAugmentation()])
def test_inputs_stay_as_they_are(spec):
    dataset = make_dataset(WorldSpec(n_train=64), 0)
    augmenter = Augmenter([dataset.world], spec)
    x1, x2, latents = batch_of(dataset, 64)
    noise = augmenter.draw(generators(0), 1, 64)
    before = [t.clone() for t in (x1, x2, *latents, noise)]
    augmenter.augment(x1, x2, latents, augmenter.at(noise, 0))
    for now, old in zip((x1, x2, *latents, noise), before, strict=True):
        assert torch.equal(now, old)


@pytest.mark.parametrize("spec", [OfficialAugmentation(), OptimalAugmentation()])
@pytest.mark.parametrize(
    "labels",
    [
        [BitsLabel(unique_ratio=ratio) for ratio in (0, 0.5, 1)],
        [NoiselessLabel(unique_ratio=ratio) for ratio in (0, 0.5, 1)],
        [ThresholdLabel(unique_ratio=ratio) for ratio in (0, 1 / 3, 1)],
        [PlanarLabel(unique_ratio=ratio, n_classes=8) for ratio in (0, 1 / 3, 1)],
        [PlanarLabel(flow_seed=seed, n_classes=8) for seed in (0, 1, 0)],
        [ParityLabel(unique_ratio=ratio) for ratio in (0, 1 / 3, 1)],
    ],
)
def test_a_run_does_not_depend_on_its_stack(spec, labels):
    base = make_dataset(WorldSpec(n_train=32), 0)
    datasets = [base.with_label(label) for label in labels]
    stack = Augmenter([dataset.world for dataset in datasets], spec, dtype=torch.float64)
    parts = [batch_of(dataset, 32) for dataset in datasets]
    x1, x2 = (torch.cat([part[m] for part in parts]).double() for m in (0, 1))
    latents = tuple(torch.cat([part[2][block] for part in parts]) for block in range(3))
    noise = stack.draw(generators(7, 8, 9), 2, 32)
    together = stack.augment(x1, x2, latents, stack.at(noise, 1))
    for k, (dataset, part) in enumerate(zip(datasets, parts, strict=True)):
        single = Augmenter([dataset.world], spec, dtype=torch.float64)
        own = single.draw(generators(7 + k), 2, 32)
        alone = single.augment(part[0].double(), part[1].double(), part[2], single.at(own, 1))
        torch.testing.assert_close(together.x1[k], alone.x1[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(together.x2[k], alone.x2[0], rtol=0, atol=1e-12)
        if together.condition is not None:
            assert torch.equal(together.condition[k], alone.condition[0])


@pytest.mark.parametrize("batch_size", [32, 27])
@pytest.mark.parametrize("spec", [OfficialAugmentation(), OptimalAugmentation()])
def test_steps_drawn_at_once_or_in_turn_are_the_same(spec, batch_size):
    augmenter = Augmenter([World(WorldSpec(), 0)], spec)
    (generator,) = generators(0)
    at_once = augmenter.draw(generators(0), 5, batch_size)
    in_turn = [augmenter.draw([generator], n, batch_size) for n in (2, 1, 2)]
    assert torch.equal(at_once, torch.cat(in_turn))


def test_worlds_of_different_shapes_do_not_stack():
    worlds = [World(WorldSpec(label=BitsLabel(label_bits=bits)), 0) for bits in (2, 4)]
    with pytest.raises(ValueError, match=r"worlds\[1\]: expected number of classes 16 as in"):
        Augmenter(worlds, OptimalAugmentation())
    with pytest.raises(ValueError, match="worlds: expected at least one, got none"):
        Augmenter([], OptimalAugmentation())


def test_wrong_numbers_of_generators_steps_and_samples_are_refused():
    augmenter = Augmenter([World(WorldSpec(), 0)], OptimalAugmentation())
    with pytest.raises(ValueError, match="generators: expected 1, one per world, got 2"):
        augmenter.draw(generators(0, 1), 1, 8)
    with pytest.raises(ValueError, match="n_steps: expected at least 1, got 0"):
        augmenter.draw(generators(0), 0, 8)
    with pytest.raises(ValueError, match="batch_size: expected at least 1, got 0"):
        augmenter.draw(generators(0), 1, 0)


def test_a_modality_without_relevant_latents_is_given_no_class():
    label = PlanarLabel(unique_ratio=1, balance=1)
    plan = augmentation_plan(WorldSpec(label=label), OptimalAugmentation())
    assert (plan.places[1] == 12).all()
