"""Sweeps whose axes vary one at a time: their baseline, and the rows along one axis.

The baseline is the combination of values around which the axes vary. The sweep says that they do,
the rows have the values. May import pandas and ``fctestbed.results``.
"""

from collections.abc import Mapping

import pandas as pd

from fctestbed.plotting.axes import Axis, AxisValue, at_values, varying_axes
from fctestbed.results import Results


def baseline_of(results: Results) -> dict[str, AxisValue]:
    """The values around which several axes vary one at a time.

    It has the most frequent value of each axis.

    Args:
        results: the rows.

    Returns:
        A value for each axis that varies, the unique ratio aside; empty for fewer than two of them,
        for sweeps of all combinations of their values, and where ``sweep_spec`` is not known.
    """
    if not results.sweep_spec.get("one_at_a_time"):
        # Runs of an unfinished grid of all combinations may look the same.
        return {}
    axes = [axis for axis in varying_axes(results) if axis.name in results.axes]
    if len(axes) < 2:
        return {}
    combinations = results.runs[[axis.name for axis in axes]].drop_duplicates()
    return {axis.name: _most_frequent(combinations[axis.name], axis) for axis in axes}


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
