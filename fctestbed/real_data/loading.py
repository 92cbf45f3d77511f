"""From a file of arrays to two modalities and a label.

May import this package's sources, features, labels, splitting and known data sets.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fctestbed._messages import did_you_mean, one_line
from fctestbed.real_data.features import features_of
from fctestbed.real_data.known import KNOWN, KnownData, known_by_file
from fctestbed.real_data.labels import class_names, classes_of, label_column
from fctestbed.real_data.multimodal import SPLITS, Multimodal, RealSplit
from fctestbed.real_data.sources import file_sha256, read_tree
from fctestbed.real_data.splitting import (
    Pairs,
    one_shape,
    split_samples,
    standardised,
    with_valid,
)

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
    features: Pairs = {}
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
        features, values = split_samples(
            features[""],
            values[""],
            mimic=mimic,
            valid_share=valid_share,
            test_share=test_share,
            notes=notes,
        )
    elif "valid" not in features:
        features, values = with_valid(features, values, valid_share, notes)
    names_of_classes = class_names(values["train"], rule)
    shapes = one_shape(features, names, notes)
    if standardise if standardise is not None else (known is not None and known.standardise):
        features = standardised(features)
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
