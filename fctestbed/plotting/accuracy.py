"""Task accuracy against the unique ratio: the right half of the FactorCL paper's Figure 1."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fctestbed.plotting.curves import (
    add_legend,
    draw_curves,
    draw_exact,
    finished,
    n_unfinished,
    require_rows,
    set_ratio_axis,
    set_value_axis,
)
from fctestbed.plotting.drawing import Drawing, DrawOptions
from fctestbed.plotting.exact import exact_by_ratio
from fctestbed.plotting.intervals import seed_intervals, seeds_note
from fctestbed.plotting.label_bits import HEADLINE_READOUT
from fctestbed.plotting.style import COLUMN_INCHES
from fctestbed.results import Results


def accuracy_rows(results: Results) -> pd.DataFrame:
    """One row per finished run: the joint readout's, of a linear probe if there are several."""
    rows = finished(results.accuracy)
    rows = rows[rows["readout"] == HEADLINE_READOUT]
    probes = sorted(rows["probe"].unique(), key=lambda probe: ("linear" not in probe, probe))
    return rows[rows["probe"] == probes[0]] if probes else rows


def draw_accuracy(results: Results, options: DrawOptions) -> Drawing:
    """Task accuracy of a linear probe on the joint readout against the ratio, a line per method.

    The black line is the Bayes accuracy from both modalities; the dotted one that of always saying
    the most frequent class, where the truth has it.

    Args:
        results: the rows.
        options: not used here.

    Raises:
        NothingToDraw: if no finished run has task accuracy.
    """
    rows = accuracy_rows(results)
    require_rows(rows, "task accuracy")
    points = seed_intervals(rows, "accuracy")
    bayes = rows.groupby("unique_ratio")["bayes_accuracy"].mean().dropna()
    majority = exact_by_ratio(results, "majority_accuracy")
    figure = Figure(figsize=(COLUMN_INCHES, 2.6), layout="constrained")
    axes = figure.subplots()
    exact = [
        *draw_exact(axes, bayes, "Bayes optimum"),
        *draw_exact(axes, majority, "Majority class", ":"),
    ]
    lines = draw_curves(axes, points)
    axes.set_ylabel("task accuracy (%)")
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=""))
    set_ratio_axis(axes, points["unique_ratio"])
    set_value_axis(axes, points, [bayes, majority])
    note = seeds_note(points["n_seeds"], n_unfinished(results))
    add_legend(figure, [*exact, *lines], 3, note)
    numbers = points.rename(columns={"mean": "accuracy"}).assign(
        bayes_accuracy=points["unique_ratio"].map(bayes),
        majority_accuracy=points["unique_ratio"].map(majority),
    )
    return Drawing(figure, numbers)
