"""Task accuracy against the unique ratio: the right half of the FactorCL paper's Figure 1."""

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fctestbed.plotting.curves import (
    add_legend,
    draw_curves,
    draw_exact,
    set_ratio_axis,
    set_value_axis,
    width_for,
)
from fctestbed.plotting.drawing import Drawing, DrawOptions
from fctestbed.plotting.exact import exact_by_ratio
from fctestbed.plotting.intervals import seed_intervals, seeds_note
from fctestbed.plotting.selection import accuracy_rows, n_unfinished, require_rows
from fctestbed.plotting.series import readable_series
from fctestbed.results import Results


def draw_accuracy(results: Results, options: DrawOptions) -> Drawing:
    """Task accuracy of a linear probe on the joint readout against the ratio, a line per method.

    The black line is the Bayes accuracy from both modalities; the dotted one that of always saying
    the most frequent class, where the truth has it.

    Args:
        results: the rows.
        options: not used here but for ``any_variant``.

    Raises:
        NothingToDraw: if no finished run has task accuracy.
    """
    rows, left_out = readable_series(accuracy_rows(results), any_variant=options.any_variant)
    require_rows(rows, "task accuracy")
    points = seed_intervals(rows, "accuracy")
    bayes = rows.groupby("unique_ratio")["bayes_accuracy"].mean().dropna()
    majority = exact_by_ratio(results, "majority_accuracy")
    figure = Figure(figsize=(width_for(points), 2.6), layout="constrained")
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
    note = seeds_note(points["n_seeds"], n_unfinished(results), left_out=left_out)
    add_legend(figure, [*exact, *lines], round(figure.get_figwidth()), note)
    numbers = points.rename(columns={"mean": "accuracy"}).assign(
        bayes_accuracy=points["unique_ratio"].map(bayes),
        majority_accuracy=points["unique_ratio"].map(majority),
    )
    return Drawing(figure, numbers)
