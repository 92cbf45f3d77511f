"""Classes and amounts: which of the two an argument's numbers are taken as, and what says so.

May import numpy and the checked inputs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed.estimators.base import Estimate
from fctestbed.estimators.inputs import Floats, column_codes

ARGUMENTS = ("x", "y", "given")

# Integer columns of more values than this are amounts, not names of classes.
MAX_CLASSES = 64
# Most values of a column that is taken as classes because the caller says so.
_MAX_NAMED_CLASSES = 1024
# Amounts of so few values, each seen so often, are mentioned; so are classes of more values.
_FEW_VALUES = 20
_OFTEN = 5


@dataclass(frozen=True)
class Columns:
    """One variable's samples, as networks and probes take them.

    Attributes:
        values: real columns unchanged, [n, dim]; class columns one-hot, side by side.
        classes: the number of values of each class column; empty where the columns are real.
        doubt: what speaks against taking them so; empty where nothing does.
    """

    values: Floats
    classes: tuple[int, ...]
    doubt: str = ""

    @property
    def taken_as(self) -> str:
        """``amounts``, or ``classes`` with their number."""
        return classes_text(self.classes) if self.classes else "amounts"


def columns(
    name: str, array: NDArray[Any], *, classes: Sequence[str] = (), amounts: Sequence[str] = ()
) -> Columns:
    """One argument's checked samples [n, dim], real or one-hot.

    Args:
        name: the argument's name.
        array: its samples.
        classes: names of the arguments that are classes whatever their type.
        amounts: names of those that are amounts. The columns of others are classes where they are
            whole numbers of at most ``MAX_CLASSES`` values, truth values, or zeros and ones.

    Raises:
        ValueError: one line, for a constant column, and for classes of which hardly any repeats.
    """
    coded, sizes = column_codes(name, array)
    if name in classes:
        _check_sizes(name, sizes, len(array))
    elif name in amounts:
        return Columns(array.astype(np.float64), ())
    else:
        whole = array.dtype.kind in "biu" and max(sizes) <= MAX_CLASSES
        if not whole and not ((array == 0) | (array == 1)).all():
            doubt = "" if array.dtype.kind in "biu" else _doubt_of_amounts(name, sizes, len(array))
            return Columns(array.astype(np.float64), (), doubt)
    one_hot = [np.eye(size)[code] for size, code in zip(sizes, coded.T, strict=True)]
    doubt = "" if name in classes else _doubt_of_classes(name, sizes)
    return Columns(np.concatenate(one_hot, axis=1), sizes, doubt)


def doubt_of_targets(name: str, array: NDArray[Any]) -> str:
    """What speaks against taking columns for several targets; empty where nothing does.

    Columns of two values of which at most one has its upper value in each sample are one variable,
    one-hot.
    """
    if array.shape[1] < 2 or array.dtype.kind not in "biuf":
        return ""
    low, high = array.min(axis=0), array.max(axis=0)
    upper = array == high
    if not (upper | (array == low)).all() or (upper.sum(axis=1) > 1).any():
        return ""
    return (
        f"{name}: {array.shape[1]} one-hot columns, taken as so many targets, not as one of as "
        f"many classes"
    )


def check_roles(
    classes: object, amounts: object, *, may_be_amounts: Sequence[str] = ("x", "y")
) -> None:
    """Refuse settings ``classes`` and ``amounts`` that are not different names of arguments.

    Args:
        classes: names of the arguments that are classes.
        amounts: names of those that are amounts.
        may_be_amounts: the arguments that the estimator can take as amounts.

    Raises:
        ValueError: one line naming the setting.
    """
    found: dict[str, Sequence[str]] = {}
    for setting, value, known in (
        ("classes", classes, ARGUMENTS),
        ("amounts", amounts, may_be_amounts),
    ):
        if not isinstance(value, tuple | list) or any(name not in known for name in value):
            raise ValueError(
                f"{setting}: expected some of {', '.join(known)}, in a tuple, got {value!r}"
            )
        found[setting] = value
    both = [name for name in found["classes"] if name in found["amounts"]]
    if both:
        raise ValueError(f"amounts: expected none of classes, got {both[0]!r} in both")


def with_roles(
    estimate: Estimate, taken_as: Mapping[str, str], doubts: Iterable[str] = ()
) -> Estimate:
    """The estimate with what its arguments were taken as, and doubts added to its note.

    Args:
        estimate: the estimate.
        taken_as: texts such as ``classes (5)`` by argument.
        doubts: lines; empty ones are left out.
    """
    return replace(
        estimate,
        note="; ".join(filter(None, [estimate.note, *doubts])),
        **{f"{name}_as": text for name, text in taken_as.items()},
    )


def classes_text(sizes: Sequence[int]) -> str:
    """``classes (5)``; with their range and the number of columns where there are several."""
    least, most = min(sizes), max(sizes)
    numbers = str(most) if least == most else f"{least} to {most}"
    return f"classes ({numbers}{'' if len(sizes) == 1 else f' in each of {len(sizes)} columns'})"


def _check_sizes(name: str, sizes: Sequence[int], n: int) -> None:
    most = min(_MAX_NAMED_CLASSES, n // 2)
    if max(sizes) > most:
        raise ValueError(
            f"{name}: expected at most {most} classes in a column of {n} samples, got {max(sizes)}"
        )


def _doubt_of_amounts(name: str, sizes: Sequence[int], n: int) -> str:
    if max(sizes) > min(_FEW_VALUES, n // _OFTEN):
        return ""
    return f"{name}: floats of few values ({max(sizes)}), taken as amounts, not as classes"


def _doubt_of_classes(name: str, sizes: Sequence[int]) -> str:
    if max(sizes) <= _FEW_VALUES:
        return ""
    return f"{name}: whole numbers of many values ({max(sizes)}), taken as classes, not as amounts"
