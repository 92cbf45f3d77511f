"""Splits of samples: drawn where a file has none, of one shape, standardised.

Imports numpy and this package's features only.
"""

import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed.real_data.features import Features, ModalityShape, shape_of, to_length

Pairs = dict[str, tuple[Features, Features]]
"""The two modalities of each split."""


def split_samples(
    both: tuple[Features, Features],
    values: NDArray[Any],
    *,
    mimic: bool,
    valid_share: float,
    test_share: float | None,
    notes: list[str],
) -> tuple[Pairs, dict[str, NDArray[Any]]]:
    """Splits of samples that have none."""
    n = len(values)
    if test_share is None and not mimic:
        raise ValueError(
            "test_share: expected the share of the samples that are the test split, which the file "
            "does not have, got none"
        )
    if test_share is None:
        # MultiBench's loader of MIMIC: Python's shuffle, seed 10; a tenth is valid, a tenth test.
        order = list(range(n))
        random.Random(10).shuffle(order)
        shuffled = np.array(order)
        valid, test, train = np.split(shuffled, [n // 10, n // 5])
        notes.append("splits are those of MultiBench's loader of MIMIC")
    else:
        shuffled = np.random.default_rng(0).permutation(n)
        n_test, n_valid = round(test_share * n), round(valid_share * (n - round(test_share * n)))
        test, valid, train = np.split(shuffled, [n_test, n_test + n_valid])
        notes.append(
            f"splits are drawn once from all samples: {len(train)} train, {len(valid)} valid, "
            f"{len(test)} test"
        )
    rows = {"train": train, "valid": valid, "test": test}
    return (
        {split: (both[0][own], both[1][own]) for split, own in rows.items()},
        {split: values[own] for split, own in rows.items()},
    )


def with_valid(
    features: Pairs,
    values: dict[str, NDArray[Any]],
    valid_share: float,
    notes: list[str],
) -> tuple[Pairs, dict[str, NDArray[Any]]]:
    """A valid split of training samples, where the file has none."""
    n = len(values["train"])
    shuffled = np.random.default_rng(0).permutation(n)
    valid, train = np.split(shuffled, [round(valid_share * n)])
    notes.append(f"the valid split is {len(valid)} of {n} training samples, drawn once")
    x1, x2 = features["train"]
    return (
        {**features, "train": (x1[train], x2[train]), "valid": (x1[valid], x2[valid])},
        {**values, "train": values["train"][train], "valid": values["train"][valid]},
    )


def one_shape(
    features: Pairs,
    names: tuple[str, str, str],
    notes: list[str],
) -> tuple[ModalityShape, ModalityShape]:
    """Give the sequences of all splits the length of the training split's."""
    shapes = []
    for place, name in enumerate(names[:2]):
        expected = shape_of(features["train"][place])
        for split, both in features.items():
            array = both[place]
            found = shape_of(array)
            same = found.features == expected.features and (
                (found.steps is None) == (expected.steps is None)
            )
            if not same:
                raise ValueError(
                    f"{split}/{name}: expected samples of shape {expected} as in train, got {found}"
                )
            if expected.steps is not None and found.steps != expected.steps:
                changed = to_length(array, expected.steps)
                features[split] = (changed, both[1]) if place == 0 else (both[0], changed)
                notes.append(
                    f"{split}/{name}: {found.steps} steps became {expected.steps}, as in train"
                )
        shapes.append(expected)
    return shapes[0], shapes[1]


def standardised(features: Pairs) -> Pairs:
    """Features of mean 0 and variance 1 over the training samples; constant ones become 0."""
    moments = []
    for array in features["train"]:
        axes = tuple(range(array.ndim - 1))
        mean, deviation = array.mean(axes, np.float64), array.std(axes, np.float64)
        moments.append((mean, np.where(deviation > 0, deviation, 1.0)))
    found = {}
    for split, both in features.items():
        first, second = (
            ((array - mean) / deviation).astype(np.float32)
            for array, (mean, deviation) in zip(both, moments, strict=True)
        )
        found[split] = first, second
    return found
