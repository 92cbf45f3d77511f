"""Sweeps whose axes vary one at a time: their baseline, and the rows along one axis.

The baseline is the combination of values around which the axes vary. It is read from the rows, so
that exported tables suffice. May import numpy, pandas and ``fctestbed.results``.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from fctestbed.plotting.axes import Axis, AxisValue, at_values, varying_axes
from fctestbed.results import Results


def baseline_of(results: Results) -> dict[str, AxisValue]:
    """The values around which several axes vary one at a time.

    It has the most frequent value of each axis. The axes vary one at a time if every combination
    of their values differs from it in one of them at most.

    Args:
        results: the rows.

    Returns:
        A value for each axis that varies, the unique ratio aside; empty for fewer than two of them,
        and where combinations differ in more than one.
    """
    spec = results.sweep_spec
    if spec.get("axes") and not spec.get("one_at_a_time"):
        # Runs of an unfinished grid of all combinations may look like others.
        return {}
    axes = [axis for axis in varying_axes(results) if axis.name in results.axes]
    if len(axes) < 2:
        return {}
    combinations = results.runs[[axis.name for axis in axes]].drop_duplicates()
    usual = {axis.name: _most_frequent(combinations[axis.name], axis) for axis in axes}
    differs = [combinations[name] != value for name, value in usual.items()]
    is_one = np.sum(differs, axis=0) <= 1
    return usual if is_one.all() else {}


def _most_frequent(column: pd.Series, axis: Axis) -> AxisValue:
    return max(axis.values, key=lambda value: int((column == value).sum()))


def at_baseline(
    results: Results, baseline: Mapping[str, AxisValue], along: str | None = None
) -> Results:
    """The rows with every axis but one at its value in the baseline.

    Args:
        results: the rows.
        baseline: what ``baseline_of`` returned.
        along: the axis that varies; None for none of the baseline's.
    """
    return at_values(results, {name: own for name, own in baseline.items() if name != along})
