"""The exact information content of a label: its record, and enumeration for functions of bits.

Does not depend on any rule. May import numpy and ``information``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from fctestbed.information import (
    decomposition,
    entropy_bits,
    least_information,
    nats_to_bits,
)

# Decomposed in about a second, which every data set needs for its truth.
MAX_ENTRIES = 1 << 16
_CELLS = 1 << 22

Table = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int16]


@dataclass(frozen=True, kw_only=True)
class Pid:
    """The four atoms of a partial information decomposition of I(X1,X2;Y), in bits.

    Each is within ``gap_bits`` of its exact value; 0 stands for a closed form.

    Source:
        Bertschinger et al. 2014 (BROJA), additive over independent slots.
    """

    redundancy_bits: float
    unique1_bits: float
    unique2_bits: float
    synergy_bits: float
    gap_bits: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LabelInformation:
    """The exact information of a label, in bits; accuracies are probabilities. See ``Truth``."""

    shared_bits: float
    unique1_bits: float
    unique2_bits: float
    total_bits: float
    label_entropy_bits: float
    x1_label_bits: float
    x2_label_bits: float
    bayes_accuracy: float
    bayes_accuracy_x1: float
    bayes_accuracy_x2: float
    majority_accuracy: float
    pid: Pid | None
    pid_note: str | None = None


@dataclass(frozen=True, kw_only=True)
class FunctionInformation:
    """The numbers that determine the content of a label that is a function of the latents.

    H(Y), H(Y|X1) and H(Y|X2) in bits, and the best accuracies from X1, from X2 and without input.
    """

    label_entropy_bits: float
    given_x1_bits: float
    given_x2_bits: float
    bayes_accuracy_x1: float
    bayes_accuracy_x2: float
    majority_accuracy: float


def function_content(
    known: FunctionInformation, pid: Pid | None, pid_note: str | None = None
) -> LabelInformation:
    """y is a function of (X1, X2), so U1 = H(Y|X2), U2 = H(Y|X1) and the total is H(Y)."""
    total, unique1, unique2 = known.label_entropy_bits, known.given_x2_bits, known.given_x1_bits
    return LabelInformation(
        shared_bits=total - unique1 - unique2,
        unique1_bits=unique1,
        unique2_bits=unique2,
        total_bits=total,
        label_entropy_bits=total,
        x1_label_bits=total - unique2,
        x2_label_bits=total - unique1,
        bayes_accuracy=1.0,
        bayes_accuracy_x1=known.bayes_accuracy_x1,
        bayes_accuracy_x2=known.bayes_accuracy_x2,
        majority_accuracy=known.majority_accuracy,
        pid=pid,
        pid_note=pid_note,
    )


def function_pid(
    known: FunctionInformation,
    shape: tuple[int, int, int],
    margins: Callable[[], tuple[Table, Table]],
) -> tuple[Pid | None, str | None]:
    """The PID atoms of a label that is a function of finite sources, or the reason for their lack.

    Args:
        known: the numbers that determine the content of the label.
        shape: numbers of values of x1, of x2 and of y.
        margins: returns p(x1, y) and p(x2, y); not called if the table is too large.
    """
    if math.prod(shape) > MAX_ENTRIES:
        return None, (
            f"the PID atoms are computed for tables p(x1, x2, y) of up to {MAX_ENTRIES} entries; "
            f"this label's has {shape[0]} x {shape[1]} x {shape[2]}"
        )
    try:
        least = least_information(*margins())
    except ValueError as error:
        return None, f"the PID atoms were not found: {error}"
    total = known.label_entropy_bits
    found = decomposition(
        x1_bits=total - known.given_x1_bits,
        x2_bits=total - known.given_x2_bits,
        total_bits=total,
        least=least,
    )
    return Pid(**{field.name: getattr(found, field.name) for field in fields(Pid)}), None


def enumerated_information(
    classes: Classes, probabilities: Table, n_classes: int
) -> FunctionInformation:
    """H(Y), H(Y|X1), H(Y|X2) and best accuracies by a sum over all patterns.

    Args:
        classes: class of every pattern, shape (2^r_s, 2^r_1, 2^r_2).
        probabilities: of the patterns, same shape.
        n_classes: number of classes.
    """
    given_x1, accuracy_x1 = _given_rows(*_rows(1, classes, probabilities), n_classes)
    given_x2, accuracy_x2 = _given_rows(*_rows(2, classes, probabilities), n_classes)
    share = np.bincount(classes.ravel(), weights=probabilities.ravel(), minlength=n_classes)
    return FunctionInformation(
        label_entropy_bits=entropy_bits(share),
        given_x1_bits=given_x1,
        given_x2_bits=given_x2,
        bayes_accuracy_x1=accuracy_x1,
        bayes_accuracy_x2=accuracy_x2,
        majority_accuracy=float(share.max()),
    )


def enumerated_margins(
    classes: Classes, probabilities: Table, n_classes: int
) -> tuple[Table, Table]:
    """p(x1, y) and p(x2, y); x_m is the pattern of the relevant bits of modality m.

    Returns:
        Tables of shapes (2^(r_s + r_1), n_classes) and (2^(r_s + r_2), n_classes).
    """
    first, second = (
        _joint(*_rows(modality, classes, probabilities), n_classes) for modality in (1, 2)
    )
    return first, second


def _rows(modality: int, classes: Classes, probabilities: Table) -> tuple[Classes, Table]:
    """Classes and probabilities with a row for each pattern of the modality."""
    if modality == 2:
        classes, probabilities = classes.transpose(0, 2, 1), probabilities.transpose(0, 2, 1)
    n_columns = classes.shape[2]
    return classes.reshape(-1, n_columns), probabilities.reshape(-1, n_columns)


def _joint(rows: Classes, probabilities: Table, n_classes: int) -> Table:
    """p(row, y), shape (n_rows, n_classes)."""
    cells = np.arange(len(rows))[:, None] * n_classes + rows
    joint = np.bincount(
        cells.ravel(), weights=probabilities.ravel(), minlength=len(rows) * n_classes
    )
    return joint.reshape(-1, n_classes).astype(np.float64, copy=False)


def _given_rows(rows: Classes, probabilities: Table, n_classes: int) -> tuple[float, float]:
    """H(Y | row) in bits and the best accuracy from the row."""
    n_rows, n_columns = rows.shape
    if n_columns == 1:
        return 0.0, 1.0
    entropy_nats = correct = 0.0
    step = max(1, _CELLS // max(n_classes, n_columns))
    for start in range(0, n_rows, step):
        chunk = slice(start, start + step)
        joint = _joint(rows[chunk], probabilities[chunk], n_classes)
        correct += float(joint.max(axis=1).sum())
        row = np.broadcast_to(joint.sum(axis=1, keepdims=True), joint.shape)
        mass = joint[joint > 0]
        entropy_nats -= float(mass @ np.log(mass / row[joint > 0]))
    return float(nats_to_bits(entropy_nats)), correct
