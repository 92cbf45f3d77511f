"""The exact law of worlds of bits against their truth and against samples."""

import numpy as np
import pytest
import torch

from fctestbed import WorldSpec
from fctestbed.faults.law import exact_law
from fctestbed.information import mutual_information_bits
from fctestbed.synthesis import (
    Augmenter,
    OfficialAugmentation,
    OptimalAugmentation,
    UniqueAugmentation,
    augmentation_information_bits,
    make_dataset,
    world_truth,
)


def _world(**fields: object) -> WorldSpec:
    return WorldSpec.model_validate(
        {
            "latents": {"n_shared": 2, "n_unique1": 2, "n_unique2": 1},
            "observation": {"kind": "bits"},
            "label": {"label_bits": 2, "unique_ratio": 0.4, "balance": 0.25},
            "n_train": 8192,
            "n_test": 16,
            **fields,
        }
    )


LABELS = [
    {"label_bits": 2, "unique_ratio": 0.4},
    {"kind": "parity", "n_relevant": 2, "unique_ratio": 1.0},
    {"kind": "noiseless", "label_bits": 2, "unique_ratio": 1.0},
]


@pytest.mark.parametrize("label", LABELS)
def test_the_laws_information_is_the_worlds_truth(label: dict[str, object]) -> None:
    spec = _world(label=label)
    table = exact_law(spec).with_label.numpy()
    truth = world_truth(spec)
    assert table.sum() == pytest.approx(1)
    for marginal, expected in (
        (table.sum(2), truth.x1_x2_bits),
        (table.sum(1), truth.x1_label_bits),
        (table.sum(0), truth.x2_label_bits),
        (table.reshape(-1, table.shape[2]), truth.total_bits),
    ):
        assert mutual_information_bits(marginal) == pytest.approx(expected, abs=1e-12)


def _patterns(x: torch.Tensor, n_shared: int) -> torch.Tensor:
    bits = torch.cat([x[..., -n_shared:], x[..., :-n_shared]], -1) > 0
    return (bits * 2 ** torch.arange(bits.shape[-1] - 1, -1, -1)).sum(-1)


@pytest.mark.parametrize("augmentation", [OptimalAugmentation(), UniqueAugmentation()])
def test_samples_have_the_laws_frequencies(augmentation: object) -> None:
    spec = _world()
    law = exact_law(spec, augmentation)
    data = make_dataset(spec, 0)
    split = data.train
    x1, x2 = (torch.from_numpy(x.copy()).unsqueeze(0) for x in (split.x1, split.x2))
    blocks = tuple(torch.from_numpy(block.copy()).unsqueeze(0) for block in split.latents)
    augmenter = Augmenter([data.world], augmentation)
    noise = augmenter.draw([torch.Generator().manual_seed(0)], 1, len(split))
    copies = augmenter.augment(x1, x2, blocks, augmenter.at(noise, 0))
    one, two, copy1, copy2 = (_patterns(x, 2).flatten() for x in (x1, x2, copies.x1, copies.x2))
    y = torch.from_numpy(split.y.copy())
    n = len(split)
    for columns, table in (((one, two, y), law.with_label), ((one, two, copy1, copy2), law.copies)):
        sizes = table.shape
        index = torch.zeros(n, dtype=torch.long)
        for column, size in zip(columns, sizes, strict=True):
            index = index * size + column
        shares = torch.bincount(index, minlength=table.numel()) / n
        assert not shares[table.flatten() == 0].any()
        # Pearson's statistic of so many cells is within 5 standard deviations of their number.
        held = table.flatten() > 0
        p = table.flatten()[held]
        statistic = float((n * (shares[held] - p) ** 2 / p).sum())
        # Rare cells add their share of the fourth moment.
        spread = np.sqrt(2 * len(p) + float((1 / p).sum()) / n)
        assert abs(statistic - len(p)) < 5 * spread
    if isinstance(augmentation, OptimalAugmentation):
        found = law.copy_conditions[copy1, copy2]
        same = {}
        for mine, own in zip(found.tolist(), copies.condition.flatten().tolist(), strict=True):
            assert same.setdefault(mine, own) == own
        assert len(set(same.values())) == len(same)


@pytest.mark.parametrize("augmentation", [OptimalAugmentation(), UniqueAugmentation()])
def test_copies_hold_what_the_closed_form_says(augmentation: object) -> None:
    spec = _world()
    law = exact_law(spec, augmentation)
    exact = augmentation_information_bits(spec, augmentation)
    assert mutual_information_bits(law.with_copy1.numpy()) == pytest.approx(exact.x1_bits)
    assert mutual_information_bits(law.with_copy2.numpy()) == pytest.approx(exact.x2_bits)
    assert mutual_information_bits(law.pair_with_copy.numpy()) == pytest.approx(exact.joint_bits)
    assert torch.allclose(law.two_copies, law.two_copies.T)


def test_conditions_need_the_optimal_augmentation() -> None:
    with pytest.raises(ValueError, match=r"augmentation: expected optimal, .* got unique"):
        _ = exact_law(_world(), UniqueAugmentation()).copy_conditions


@pytest.mark.parametrize(
    ("fields", "augmentation", "line"),
    [
        ({"latents": {"kind": "gaussian"}}, None, "latents: expected bits, whose law"),
        (
            {"latents": {"n_shared": 6, "n_unique1": 6, "n_unique2": 6}},
            None,
            r"p\(x1, x2, y\) of at most 16777216 cells, got 268435456 .* from 2 on",
        ),
        (
            {"latents": {"n_shared": 4, "n_unique1": 3, "n_unique2": 3}},
            OptimalAugmentation(),
            r"p\(x1, x2, x1', x2'\) of at most 16777216 cells, got 268435456",
        ),
        ({}, OfficialAugmentation(), "augmentation: expected optimal, unique or quality"),
    ],
)
def test_worlds_that_cannot_be_enumerated_are_refused(
    fields: dict[str, object], augmentation: object, line: str
) -> None:
    with pytest.raises(ValueError, match=line):
        exact_law(_world(**fields), augmentation)
