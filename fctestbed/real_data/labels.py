"""Labels of real data as classes. Imports numpy only."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

LabelRule = Literal["sign", "nonzero-sign", "round", "values"]
LABEL_RULES: tuple[str, ...] = get_args(LabelRule)
_MOST_CLASSES = 100


@dataclass(frozen=True, eq=False)
class Classes:
    """Labels of one split.

    Attributes:
        rows: the samples that have a class, [n].
        y: their classes, from 0 on, [n].
    """

    rows: NDArray[np.int64]
    y: NDArray[np.int64]


def label_column(name: str, label: Any) -> NDArray[Any]:
    """One number for each sample.

    Args:
        name: the array's name; after a colon the column that is the label.
        label: the array, [n], [n, 1], [n, 1, 1], or [n, columns] where the name has a column.

    Raises:
        ValueError: one line, for another shape, text or NaN.
    """
    array = np.asarray(label)
    column = name.partition(":")[2]
    if column:
        if array.ndim != 2 or not column.isdigit() or int(column) >= array.shape[1]:
            raise ValueError(
                f"label: expected a column of an array [n, columns], got {name} of shape "
                f"{array.shape}"
            )
        array = array[:, int(column)]
    if array.dtype.kind not in "biuf":
        raise ValueError(f"label: expected numbers in {name}, got {array.dtype}")
    if array.ndim < 1 or array.size != len(array):
        raise ValueError(
            f"label: expected one number a sample in {name} ({name.partition(':')[0]}:0 is its "
            f"first column), got shape {array.shape}"
        )
    flat = array.reshape(-1)
    if not np.isfinite(flat).all():
        raise ValueError(f"label: expected finite numbers in {name}, got NaN or infinity")
    return flat


def class_names(values: NDArray[Any], rule: str) -> tuple[str, ...]:
    """The names of the classes, in their order, by the training samples' labels.

    Args:
        values: labels of the training samples, [n].
        rule: ``sign``: 0 and above against below (the paper's of MOSI and MOSEI); ``nonzero-sign``:
            the same without zeros; ``round``: to whole numbers; ``values``: each value is a class.

    Raises:
        ValueError: one line, for an unknown rule, one class or too many.
    """
    if rule not in LABEL_RULES:
        raise ValueError(f"label_rule: expected one of {', '.join(LABEL_RULES)}, got {rule!r}")
    if rule in ("sign", "nonzero-sign"):
        names: tuple[str, ...] = (
            "negative",
            "positive" if rule == "nonzero-sign" else "not negative",
        )
        n_found = len(np.unique(classes_of(values, rule, names).y))
    else:
        names = tuple(dict.fromkeys(f"{value:g}" for value in np.unique(_rounded(values, rule))))
        n_found = len(names)
    if not 2 <= n_found <= _MOST_CLASSES:
        raise ValueError(
            f"label: expected 2 to {_MOST_CLASSES} classes in the training samples by the rule "
            f"{rule}, got {n_found}"
        )
    return names


def classes_of(values: NDArray[Any], rule: str, names: tuple[str, ...]) -> Classes:
    """Classes of samples.

    Args:
        values: their labels, [n].
        rule: as ``class_names``.
        names: the classes that the training samples have.

    Raises:
        ValueError: one line, for a label that no training sample has.
    """
    rows = np.arange(len(values))
    if rule == "sign":
        return Classes(rows, (values >= 0).astype(np.int64))
    if rule == "nonzero-sign":
        rows = np.flatnonzero(values != 0)
        return Classes(rows, (values[rows] > 0).astype(np.int64))
    places = {name: place for place, name in enumerate(names)}
    given = [f"{value:g}" for value in _rounded(values, rule)]
    strange = next((name for name in given if name not in places), None)
    if strange is not None:
        raise ValueError(
            f"label: expected classes that training samples have ({', '.join(names)}), got "
            f"{strange}"
        )
    return Classes(rows, np.array([places[name] for name in given], np.int64))


def _rounded(values: NDArray[Any], rule: str) -> NDArray[np.float64]:
    # Adding 0 makes -0 the same as 0.
    return (np.round(values) if rule == "round" else values.astype(np.float64)) + 0.0
