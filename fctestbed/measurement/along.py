"""Bits along training: at which steps encoders are measured, and the rows of one step.

Owns the choice of the steps and of the meters. May import the meters.
"""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from fctestbed.measurement.spec import MeasureSpec
from fctestbed.results import AlongRow
from fctestbed.synthesis import Dataset
from fctestbed.training import Readouts


def along_steps(n: int, steps: int) -> tuple[int, ...]:
    """Different numbers of training steps, evenly on a logarithmic scale as far as whole numbers
    can be.

    Args:
        n: how many.
        steps: steps of the whole training, the last of the numbers.

    Returns:
        ``n`` increasing numbers from 1 to ``steps``; ``steps`` alone for n = 1.

    Raises:
        ValueError: if n is not from 1 to ``steps``.
    """
    if not 1 <= n <= steps:
        raise ValueError(f"along: expected from 1 to {steps} steps, got {n}")
    found: list[int] = []
    for place, step in enumerate(np.geomspace(1, steps, n) if n > 1 else [steps]):
        # At the dense end each number is followed by the next; room stays for those to come.
        least = found[-1] + 1 if found else 1
        found.append(min(max(round(float(step)), least), steps - (n - 1 - place)))
    return tuple(found)


def measure_along(
    readouts: Readouts, labelled: Sequence[Dataset], spec: MeasureSpec, step: int
) -> list[tuple[AlongRow, ...]]:
    """The rows of an encoder as it is after some steps, for each data set that it serves.

    Args:
        readouts: the readouts, finite.
        labelled: the data sets, which differ only in their labels.
        spec: how to measure; only the meters that are ``along`` training.
        step: the number of training steps.
    """
    found: list[tuple[AlongRow, ...]] = [() for _ in labelled]
    for meter in spec.meters:
        if meter.along:
            for place, measured in enumerate(meter.measure(readouts, labelled)):
                rows = (AlongRow(step=step, **asdict(row)) for row in measured.captured)
                found[place] = (*found[place], *rows)
    return found
