"""Label bits captured against the unique ratio: the headline figure."""

import pandas as pd
from matplotlib.figure import Figure

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
from fctestbed.plotting.style import COLUMN_INCHES
from fctestbed.results import Results

HEADLINE_READOUT = "joint"
HEADLINE_ESTIMATOR = "linear_probe"


def label_rows(results: Results) -> pd.DataFrame:
    """The headline's rows, one per finished run: the label, read from the joint readout."""
    rows = finished(results.captured)
    return rows[
        (rows["quantity"] == "label")
        & (rows["readout"] == HEADLINE_READOUT)
        & (rows["estimator"] == HEADLINE_ESTIMATOR)
    ]


def total_label_bits(results: Results) -> pd.Series:
    """Exact I(X1,X2;Y) in bits by ratio: from the truth, else as the label's rows have it."""
    total = exact_by_ratio(results, "total_bits")
    if not total.empty:
        return total
    return label_rows(results).groupby("unique_ratio")["true_bits"].mean().dropna()


def draw_label_bits(results: Results, options: DrawOptions) -> Drawing:
    """Label bits captured (usable information, linear probe) against the ratio, a line per method.

    The exact total I(X1,X2;Y) is the black line; the exact shared part S, which is all that a
    method blind to unique information can have, the black dotted one.

    Args:
        results: the rows.
        options: not used here.

    Raises:
        NothingToDraw: if no finished run has label bits.
    """
    rows = label_rows(results)
    require_rows(rows, "label bits")
    points = seed_intervals(rows, "value_bits")
    total = total_label_bits(results)
    shared = exact_by_ratio(results, "shared_bits")
    figure = Figure(figsize=(COLUMN_INCHES, 2.6), layout="constrained")
    axes = figure.subplots()
    exact = [
        *draw_exact(axes, total, "Exact total"),
        *draw_exact(axes, shared, "Exact shared part", ":"),
    ]
    lines = draw_curves(axes, points)
    axes.set_ylabel("captured of the label (bits)")
    set_ratio_axis(axes, points["unique_ratio"])
    set_value_axis(axes, points, [total, shared])
    note = seeds_note(points["n_seeds"], n_unfinished(results))
    add_legend(figure, [*exact, *lines], 3, note)
    numbers = points.rename(
        columns={"mean": "captured_bits", "low": "low_bits", "high": "high_bits"}
    ).assign(
        total_bits=points["unique_ratio"].map(total),
        shared_bits=points["unique_ratio"].map(shared),
    )
    return Drawing(figure, numbers)
