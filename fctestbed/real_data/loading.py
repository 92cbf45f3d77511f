"""From a file of arrays to two modalities and a label.

May import this package's sources, features, labels and known data sets.
"""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed._messages import did_you_mean, one_line
from fctestbed.real_data.features import (
    Features,
    ModalityShape,
    features_of,
    shape_of,
    to_length,
)
from fctestbed.real_data.known import KNOWN, KnownData, known_by_file
from fctestbed.real_data.labels import class_names, classes_of, label_column
from fctestbed.real_data.multimodal import SPLITS, Multimodal, RealSplit
from fctestbed.real_data.sources import file_sha256, read_tree

PLAIN = "plain"
_FEWEST = 4


def load_multimodal(
    path: str | Path,
    *,
    dataset: str | None = None,
    modality1: str | None = None,
    modality2: str | None = None,
    label: str | None = None,
    label_rule: str | None = None,
    nonfinite: str = "zero",
    max_steps: int | None = None,
    standardise: bool | None = None,
    valid_share: float = 0.1,
    test_share: float | None = None,
) -> Multimodal:
    """Load two modalities and a label.

    Known data sets have defaults for the names of arrays and the label's rule. A pickle is read
    without running any of it.

    Args:
        path: a pickle (.pkl, .pickle, .pk, .p), .npz, .h5, or a directory of .npy files; with
            arrays in splits (``train``, ``valid``, ``test``), or without.
        dataset: ``mosi``, ``mosei``, ``ur-funny``, ``mustard``, ``mimic``, ``irfl`` or ``plain``;
            by default what the file's name says, else ``plain``.
        modality1: the array of modality 1, [n, features] or [n, steps, features].
        modality2: the array of modality 2.
        label: the array of the label, one number a sample; ``name:3`` is column 3 of it.
        label_rule: ``sign``, ``nonzero-sign``, ``round`` or ``values``, as ``class_names``.
        nonfinite: ``zero`` or ``refuse``, as ``features_of``.
        max_steps: most steps of sequences; the last ones are kept.
        standardise: whether each feature gets mean 0 and variance 1 over the training samples;
            MIMIC's do by default.
        valid_share: share of the training samples that becomes the valid split where the file has
            none.
        test_share: share of all samples that becomes the test split where the file has none.

    Returns:
        The data; all numbers of a sample are one row. The rows of a split are shuffled only where
        the file has no splits, always in the same way.

    Raises:
        ValueError: one line, for a file that cannot be read, arrays that are missing or do not
            pair, a label without classes, or settings that are impossible.
        OSError: the file cannot be opened.
    """
    try:
        return _loaded(
            _path(path),
            _dataset(_path(path), dataset),
            {"modality1": modality1, "modality2": modality2, "label": label},
            label_rule=label_rule,
            nonfinite=nonfinite,
            max_steps=max_steps,
            standardise=standardise,
            shares=(valid_share, test_share),
        )
    except ValueError as error:
        raise ValueError(one_line(str(error))) from error


def _loaded(
    path: Path,
    dataset: str,
    given: Mapping[str, str | None],
    *,
    label_rule: str | None,
    nonfinite: str,
    max_steps: int | None,
    standardise: bool | None,
    shares: tuple[float, float | None],
) -> Multimodal:
    valid_share, test_share = shares
    known = KNOWN.get(dataset)
    names = _names(dataset, known, given)
    rule = label_rule or (known.label_rule if known else "values")
    for field, share in (("valid_share", valid_share), ("test_share", test_share)):
        is_number = isinstance(share, int | float) and not isinstance(share, bool)
        if share is not None and not (is_number and 0 < share < 1):
            raise ValueError(f"{field}: expected a share between 0 and 1, got {share!r}")
    tree = read_tree(path)
    notes: list[str] = []
    # Labels before features, which take longer.
    parts = _parts(path, tree, names)
    labels = {split: label_column(names[2], arrays[2]) for split, arrays in parts.items()}
    features: dict[str, tuple[Features, Features]] = {}
    for split, arrays in parts.items():
        both = []
        for name, value in zip(names[:2], arrays[:2], strict=True):
            where = name if split is None else f"{split}/{name}"
            array, replaced = features_of(where, value, nonfinite=nonfinite, max_steps=max_steps)
            if replaced.count:
                notes.append(
                    f"{where}: {replaced.count:,} of {replaced.of:,} numbers were NaN or infinite "
                    "and are 0"
                )
            if len(array) != len(labels[split]):
                raise ValueError(
                    f"{where}: expected {len(labels[split])} samples as in the label, got "
                    f"{len(array)}"
                )
            both.append(array)
        features[split or ""] = both[0], both[1]
    values = {split or "": own for split, own in labels.items()}
    if "" in features:
        mimic = known is not None and known.mimic_split
        features, values = _split(
            features[""],
            values[""],
            mimic=mimic,
            valid_share=valid_share,
            test_share=test_share,
            notes=notes,
        )
    elif "valid" not in features:
        features, values = _with_valid(features, values, valid_share, notes)
    names_of_classes = class_names(values["train"], rule)
    shapes = _one_shape(features, names, notes)
    if standardise if standardise is not None else (known is not None and known.standardise):
        _standardise(features)
        notes.append("features are standardised by the training samples")
    splits = {}
    for split in SPLITS:
        classes = classes_of(values[split], rule, names_of_classes)
        if len(classes.rows) < len(values[split]):
            notes.append(
                f"{split}: {len(values[split]) - len(classes.rows)} samples without a class are "
                "left out"
            )
        if len(classes.rows) < _FEWEST:
            raise ValueError(
                f"{path}: expected at least {_FEWEST} {split} samples, got {len(classes.rows)}"
            )
        x1, x2 = (array[classes.rows].reshape(len(classes.rows), -1) for array in features[split])
        splits[split] = RealSplit(x1, x2, classes.y)
    return Multimodal(
        dataset=dataset,
        source=path.name,
        file_sha256=file_sha256(path),
        modality1=names[0],
        modality2=names[1],
        label=names[2],
        label_rule=rule,
        shape1=shapes[0],
        shape2=shapes[1],
        classes=names_of_classes,
        notes=tuple(notes),
        **splits,
    )


def _path(path: str | Path) -> Path:
    if not isinstance(path, str | Path):
        raise ValueError(f"path: expected a path, got {path!r}")
    return Path(path)


def _dataset(path: Path, dataset: str | None) -> str:
    if dataset is None:
        return known_by_file(path) or PLAIN
    known = (*KNOWN, PLAIN)
    if not isinstance(dataset, str) or dataset not in known:
        raise ValueError(
            f"dataset: expected one of {', '.join(known)}, got {dataset!r}"
            f"{did_you_mean(dataset, known)}"
        )
    return dataset


def _names(
    dataset: str, known: KnownData | None, given: Mapping[str, str | None]
) -> tuple[str, str, str]:
    names = {}
    for field, value in given.items():
        name = value or (getattr(known, field) if known else None)
        if name is not None and not isinstance(name, str):
            raise ValueError(f"{field}: expected the name of an array, got {name!r}")
        if name is None:
            raise ValueError(
                f"{field}: expected the name of an array, which {dataset} data have no default "
                "for, got none"
            )
        names[field] = name
    return names["modality1"], names["modality2"], names["label"]


def _parts(
    path: Path, tree: Mapping[str, Any], names: tuple[str, str, str]
) -> dict[str | None, tuple[Any, Any, Any]]:
    """The two modalities and the label of each split; of None where there are no splits."""
    split_trees: dict[str | None, Mapping[str, Any]] = {
        split: tree[split] for split in SPLITS if isinstance(tree.get(split), Mapping)
    }
    if split_trees and not {"train", "test"} <= set(split_trees):
        raise ValueError(
            f"{path}: expected the splits train and test, got {', '.join(map(str, split_trees))}"
        )
    found = {}
    for split, own in (split_trees or {None: tree}).items():
        arrays = []
        for field, name in zip(("modality1", "modality2", "label"), names, strict=True):
            key = name.partition(":")[0]
            if key not in own:
                where = "" if split is None else f" of {split}"
                raise ValueError(
                    one_line(
                        f"{field}: expected one of the arrays{where} ({', '.join(own)}), got "
                        f"{key!r}{did_you_mean(key, tuple(own))}"
                    )
                )
            arrays.append(own[key])
        found[split] = arrays[0], arrays[1], arrays[2]
    return found


def _split(
    both: tuple[Features, Features],
    values: NDArray[Any],
    *,
    mimic: bool,
    valid_share: float,
    test_share: float | None,
    notes: list[str],
) -> tuple[dict[str, tuple[Features, Features]], dict[str, NDArray[Any]]]:
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


def _with_valid(
    features: dict[str, tuple[Features, Features]],
    values: dict[str, NDArray[Any]],
    valid_share: float,
    notes: list[str],
) -> tuple[dict[str, tuple[Features, Features]], dict[str, NDArray[Any]]]:
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


def _one_shape(
    features: dict[str, tuple[Features, Features]],
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


def _standardise(features: dict[str, tuple[Features, Features]]) -> None:
    moments = []
    for array in features["train"]:
        axes = tuple(range(array.ndim - 1))
        mean, deviation = array.mean(axes, np.float64), array.std(axes, np.float64)
        moments.append((mean, np.where(deviation > 0, deviation, 1.0)))
    for split, both in features.items():
        first, second = (
            ((array - mean) / deviation).astype(np.float32)
            for array, (mean, deviation) in zip(both, moments, strict=True)
        )
        features[split] = first, second
