"""The drawn copies, what they say, and fresh originals given them: all by the full table."""

import numpy as np
import pytest
import torch

from fctestbed.synthesis import (
    Augmenter,
    BitLatents,
    BitsLabel,
    GaussianLatents,
    LinearObservation,
    NoiselessLabel,
    OfficialAugmentation,
    OptimalAugmentation,
    ParityLabel,
    PlanarLabel,
    QualityAugmentation,
    ThresholdLabel,
    UniqueAugmentation,
    WorldSpec,
    augmentation_plan,
    make_dataset,
)
from fctestbed.synthesis.augmentation.information import copies_given_latents

N, ANCHORS, DRAWS = 12_000, 1500, 40
LINEAR = LinearObservation(dim1=12, dim2=11)
TINY = BitLatents(n_shared=2, n_unique1=2, n_unique2=2)
XOR = BitsLabel(unique_ratio=0.4, balance=0.75, synergy_ratio=0.3)
ONE_SHARED = NoiselessLabel(label_bits=2, unique_ratio=0.5, balance=1)
CASES = [
    (XOR, OptimalAugmentation()),
    (XOR, UniqueAugmentation()),
    (XOR, QualityAugmentation(relevant=0.7, irrelevant=0.4)),
    (BitsLabel(unique_ratio=0.5), UniqueAugmentation()),
    (BitsLabel(unique_ratio=0.5), QualityAugmentation(relevant=0.6, irrelevant=0.3)),
    (BitsLabel(unique_ratio=0.5), QualityAugmentation(relevant=1, irrelevant=0)),
    (BitsLabel(unique_ratio=0.5), QualityAugmentation(relevant=0, irrelevant=0.5)),
    (ONE_SHARED, QualityAugmentation(irrelevant=0.4)),
    (ONE_SHARED, QualityAugmentation(relevant=0.5, irrelevant=0.4)),
    (ThresholdLabel(n_relevant=5, unique_ratio=0.6, balance=2 / 3), OptimalAugmentation()),
    (ThresholdLabel(n_relevant=3, unique_ratio=2 / 3), UniqueAugmentation()),
    (PlanarLabel(n_relevant=4, unique_ratio=0.5, n_classes=4), OptimalAugmentation()),
    (PlanarLabel(n_relevant=4, unique_ratio=0.5, balance=0, n_classes=4), UniqueAugmentation()),
    (ParityLabel(n_relevant=4, unique_ratio=0.5), OptimalAugmentation()),
    (ParityLabel(n_relevant=3, unique_ratio=2 / 3), UniqueAugmentation()),
]
PARTS = pytest.mark.parametrize(("label", "augmentation"), CASES, ids=str)


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def tiny(label, **parts):
    return WorldSpec(latents=TINY, observation=LINEAR, label=label, n_train=N, n_test=1, **parts)


def copies_of(datasets, augmentation, n=N, seed=0):
    augmenter = Augmenter([dataset.world for dataset in datasets], augmentation)
    noise = augmenter.draw(generators(*range(seed, seed + len(datasets))), 1, n)
    x1, x2 = (
        torch.tensor(np.stack([getattr(dataset.train, name)[:n] for dataset in datasets]))
        for name in ("x1", "x2")
    )
    latents = tuple(
        torch.tensor(np.stack([dataset.train.latents[block][:n] for dataset in datasets]))
        for block in range(3)
    )
    return augmenter, augmenter.augment(x1, x2, latents, augmenter.at(noise, 0))


def codes(world, *xs):
    """Patterns of the inputs behind x1 and x2 (or x2 alone) of linear worlds, as whole numbers."""
    first = 3 - len(xs)
    bits = np.concatenate(
        [x @ np.linalg.pinv(world.maps[m].matrix) > 0 for m, x in enumerate(xs, start=first)],
        axis=-1,
    )
    return bits @ 2 ** np.arange(bits.shape[-1] - 1, -1, -1)


def table_of(world, augmentation):
    """p(originals, copies): originals along [w_s, w_1, w_2], copies along both inputs."""
    table = copies_given_latents(world, augmentation_plan(world, augmentation))
    return table / len(table)


def modality2_given_copies(world, augmentation):
    """p(inputs of modality 2 | copies), one row per pattern of the copies."""
    joint = table_of(world, augmentation).reshape(4, 4, 4, -1).sum(axis=1)
    # From [w_s, w_2] to [w_2, w_s].
    joint = joint.transpose(1, 0, 2).reshape(16, -1).T
    total = joint.sum(axis=1, keepdims=True)
    return np.divide(joint, total, out=np.zeros_like(joint), where=total > 0)


def chi_square(counts, expected):
    """Pearson's statistic of multinomial rows, minus its mean and over its standard deviation.

    Of n draws over m cells of chances p the mean is m - 1 and the variance
    2 (m - 1) + (sum 1/p - m^2 - 2 m + 2) / n.
    """
    n, possible = counts.sum(axis=1), expected > 0
    m = possible.sum(axis=1)
    chances = np.where(possible, expected, 1)
    wanted = np.maximum(n[:, None] * chances, 1e-300)
    terms = np.where(possible, (counts - n[:, None] * chances) ** 2 / wanted, 0)
    inverse = np.where(possible, 1 / chances, 0).sum(axis=1)
    drawn = n > 0
    variance = 2 * (m - 1) + (inverse - m**2 - 2 * m + 2) / np.maximum(n, 1)
    excess = terms.sum(axis=1) - (m - 1)
    return excess[drawn].sum() / np.sqrt(variance[drawn].sum())


@PARTS
def test_copies_are_drawn_by_the_table_of_their_plan(label, augmentation):
    dataset = make_dataset(tiny(label), 0)
    _, out = copies_of([dataset], augmentation)
    found = codes(dataset.world, out.x1[0].numpy(), out.x2[0].numpy())
    w_s, w_1, w_2 = dataset.train.latents
    states = np.concatenate([w_s, w_1, w_2], axis=1) @ (2 ** np.arange(5, -1, -1))
    table = table_of(dataset.spec, augmentation)
    assert (table[states, found] > 0).all()
    counts = np.zeros_like(table)
    np.add.at(counts, (states, found), 1)
    rows = table * len(table)
    # Cells that no draw can hit leave no variance: the statistic is of the others.
    if not np.isin(rows, (0, 1)).all():
        assert abs(chi_square(counts, rows)) < 5


@PARTS
def test_where_the_condition_is_equal_the_originals_have_one_law(label, augmentation):
    dataset = make_dataset(tiny(label), 0)
    _, out = copies_of([dataset], augmentation)
    found = codes(dataset.world, out.x1[0].numpy(), out.x2[0].numpy())
    joint = table_of(dataset.spec, augmentation)
    posterior = (joint / np.maximum(joint.sum(axis=0), 1e-300)).T[found]
    condition = out.condition[0].numpy()
    _, first, group = np.unique(condition, return_index=True, return_inverse=True)
    np.testing.assert_allclose(posterior, posterior[first][group], atol=1e-12)
    assert len(first) < N / 2


@PARTS
def test_fresh_originals_follow_their_exact_law_given_the_copies(label, augmentation):
    dataset = make_dataset(tiny(label), 0)
    augmenter, out = copies_of([dataset], augmentation, n=ANCHORS)
    noise = augmenter.draw_originals(generators(9), 1, ANCHORS, DRAWS)
    x2 = augmenter.originals(out, augmenter.at(noise, 0))
    assert x2.shape == (1, ANCHORS, DRAWS, 11)
    given = codes(dataset.world, out.x1[0].numpy(), out.x2[0].numpy())
    drawn = codes(dataset.world, x2[0].numpy())
    expected = modality2_given_copies(dataset.spec, augmentation)
    assert (expected[given[:, None], drawn] > 0).all()
    counts = np.zeros_like(expected)
    np.add.at(counts, (np.repeat(given, DRAWS), drawn.ravel()), 1)
    if not np.isin(expected, (0, 1)).all():
        assert abs(chi_square(counts, expected)) < 5


def test_given_certain_copies_the_original_itself_is_drawn():
    dataset = make_dataset(tiny(NoiselessLabel(label_bits=3, unique_ratio=1 / 3, balance=0)), 0)
    augmenter, out = copies_of([dataset], QualityAugmentation(irrelevant=0))
    noise = augmenter.draw_originals(generators(9), 1, N, 2)
    x2 = augmenter.originals(out, augmenter.at(noise, 0))[0].numpy()
    for draw in range(2):
        np.testing.assert_allclose(x2[:, draw], dataset.train.x2[:N], atol=1e-5)


def test_official_copies_give_their_original_away():
    dataset = make_dataset(tiny(XOR), 0)
    augmenter, out = copies_of([dataset], OfficialAugmentation(), n=8)
    noise = augmenter.draw_originals(generators(9), 3, 8, 4)
    x2 = augmenter.originals(out, augmenter.at(noise, 2))
    assert torch.equal(x2, torch.tensor(dataset.train.x2[None, :8, None]).expand(1, 8, 4, 11))


def test_observation_noise_of_fresh_originals_is_fresh():
    noisy = LinearObservation(dim1=12, dim2=11, noise=0.2)
    spec = tiny(NoiselessLabel(label_bits=4, unique_ratio=0.5)).model_copy(
        update={"observation": noisy}
    )
    dataset = make_dataset(spec, 0)
    augmenter, out = copies_of([dataset], QualityAugmentation(irrelevant=0), n=ANCHORS)
    noise = augmenter.draw_originals(generators(9), 1, ANCHORS, DRAWS)
    x2 = augmenter.originals(out, augmenter.at(noise, 0))[0]
    # The latents are certain here: what is left is the noise, of as many standard deviations.
    spread = x2.std(dim=1)
    # A root of a variance is low by a quarter of 2 / (draws - 1) of itself.
    error = 5 / (2 * ANCHORS * DRAWS * 11) ** 0.5
    assert spread.mean() == pytest.approx(0.2 * (1 - 0.5 / (2 * (DRAWS - 1))), rel=error)
    assert not torch.equal(x2[:, 0], x2[:, 1])


def test_conditions_of_more_bits_than_a_whole_number_are_told_apart():
    latents = BitLatents(n_shared=30, n_unique1=30, n_unique2=30)
    wide = LinearObservation(dim1=70, dim2=70)
    spec = WorldSpec(latents=latents, observation=wide, n_train=64, n_test=1)
    dataset = make_dataset(spec, 0)
    _, out = copies_of([dataset] * 2, QualityAugmentation(irrelevant=0.5), n=64)
    assert (out.condition == torch.arange(64)).all()
    # The same copies twice are the same condition, at the place of the first.
    _, twice = copies_of([dataset], QualityAugmentation(relevant=0, irrelevant=0), n=64)
    assert len(twice.condition.unique()) == 64
    halves = make_dataset(spec, 0)
    for name in ("w_s", "w_1", "w_2"):
        block = getattr(halves.train, name).copy()
        block[32:] = block[:32]
        object.__setattr__(halves.train, name, block)
    _, same = copies_of([halves], QualityAugmentation(relevant=0, irrelevant=0), n=64)
    kept = same.condition[0]
    # With no relevant bit surviving, only the irrelevant ones are said.
    assert torch.equal(kept[32:], kept[:32])
    assert torch.equal(kept[:32], torch.arange(32))


def test_copies_that_say_nothing_leave_one_condition():
    dataset = make_dataset(tiny(XOR), 0)
    _, out = copies_of([dataset], QualityAugmentation(relevant=0), n=16)
    assert (out.condition == 0).all()


def test_the_best_quality_is_optimal_number_for_number():
    dataset = make_dataset(tiny(XOR), 0)
    _, best = copies_of([dataset], QualityAugmentation())
    _, optimal = copies_of([dataset], OptimalAugmentation())
    assert torch.equal(best.x1, optimal.x1)
    assert torch.equal(best.x2, optimal.x2)
    assert torch.equal(best.condition, optimal.condition)


def test_gaussian_shared_latents_are_left_as_they_are():
    spec = WorldSpec(
        latents=GaussianLatents(n_shared=2, n_unique1=2, n_unique2=2),
        observation=LINEAR,
        label=NoiselessLabel(label_bits=2, unique_ratio=1),
        n_train=N,
    )
    dataset = make_dataset(spec, 0)
    _, out = copies_of([dataset], UniqueAugmentation())
    assert out.condition is None
    z1, z2 = (
        x[0].numpy() @ np.linalg.pinv(dataset.world.maps[m].matrix)
        for m, x in ((1, out.x1), (2, out.x2))
    )
    np.testing.assert_allclose(z2[:, 2:], dataset.train.w_s[:N], atol=1e-4)
    np.testing.assert_array_equal(z2[:, 0] > 0, dataset.train.w_2[:N, 0] > 0)
    np.testing.assert_array_equal(z1[:, 0] > 0, dataset.train.w_1[:N, 0] > 0)
    others = np.corrcoef(np.abs(z2[:, 0]), np.abs(dataset.train.w_2[:N, 0]))[0, 1]
    assert abs(others) < 5 / N**0.5


@pytest.mark.parametrize(
    "augmentation",
    [UniqueAugmentation(), QualityAugmentation(relevant=0.6, irrelevant=0.3)],
    ids=str,
)
def test_copies_and_originals_of_a_run_do_not_depend_on_its_stack(augmentation):
    base = make_dataset(tiny(BitsLabel()), 0)
    datasets = [base.with_label(BitsLabel(unique_ratio=ratio)) for ratio in (0, 0.5, 1)]
    stack, together = copies_of(datasets, augmentation, n=32)
    draws = stack.draw_originals(generators(5, 6, 7), 2, 32, 3)
    originals = stack.originals(together, stack.at(draws, 1))
    for k, dataset in enumerate(datasets):
        single, alone = copies_of([dataset], augmentation, n=32, seed=k)
        assert torch.equal(together.condition[k], alone.condition[0])
        torch.testing.assert_close(together.x2[k], alone.x2[0])
        own = single.draw_originals(generators(5 + k), 2, 32, 3)
        torch.testing.assert_close(originals[k], single.originals(alone, single.at(own, 1))[0])


def test_draws_of_originals_at_once_or_in_turn_are_the_same():
    dataset = make_dataset(tiny(XOR), 0)
    augmenter, _ = copies_of([dataset], UniqueAugmentation(), n=8)
    at_once = augmenter.draw_originals(generators(0), 5, 9, 3)
    (generator,) = generators(0)
    in_turn = [augmenter.draw_originals([generator], n, 9, 3) for n in (2, 1, 2)]
    assert torch.equal(at_once, torch.cat(in_turn))


def test_originals_that_cannot_be_drawn_exactly_are_refused():
    gaussian = GaussianLatents()
    dataset = make_dataset(WorldSpec(latents=gaussian, n_train=8, n_test=1), 0)
    augmenter, _ = copies_of([dataset], OptimalAugmentation(), n=8)
    with pytest.raises(ValueError, match=r"^latents: expected bits to draw originals exactly"):
        augmenter.draw_originals(generators(0), 1, 8, 2)
    many = WorldSpec(label=ThresholdLabel(n_relevant=18), n_train=8, n_test=1)
    augmenter, _ = copies_of([make_dataset(many, 0)], OptimalAugmentation(), n=8)
    with pytest.raises(ValueError, match=r"^label.n_relevant: expected at most 16 for a threshold"):
        augmenter.draw_originals(generators(0), 1, 8, 2)
    augmenter, _ = copies_of([make_dataset(tiny(XOR), 0)], OptimalAugmentation(), n=8)
    with pytest.raises(ValueError, match="n_draws: expected at least 1, got 0"):
        augmenter.draw_originals(generators(0), 1, 8, 0)
    with pytest.raises(ValueError, match="generators: expected 1, one per world, got 2"):
        augmenter.draw_originals(generators(0, 1), 1, 8, 2)
