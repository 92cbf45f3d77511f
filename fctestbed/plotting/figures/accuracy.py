"""Task accuracy along an axis: the right half of the FactorCL paper's Figure 1."""

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fctestbed.plotting.axes import UNIQUE_RATIO, horizontal_axis
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.marks import set_horizontal_axis, set_value_axis
from fctestbed.plotting.panels import (
    CurvePanel,
    ExactLine,
    curve_numbers,
    curve_panels,
    draw_small_multiples,
    panels_note,
    shared_axis,
)
from fctestbed.plotting.run_details import exact_along
from fctestbed.plotting.select import accuracy_rows, readable_series, require_rows
from fctestbed.plotting.style import add_legend, width_for
from fctestbed.plotting.summarise import SERIES, seed_intervals
from fctestbed.results import Results

_LABEL = "task accuracy (%)"


def draw_accuracy(results: Results, options: DrawOptions) -> Drawing:
    """Task accuracy of a linear probe on the joint readout along an axis, a line per method.

    The black line is the Bayes accuracy from both modalities; the dotted one the accuracy of the
    most frequent class, where the truth has it. Where several axes vary, there is a panel for each
    combination of values of the others.

    Args:
        results: the rows.
        options: ``x`` chooses the axis; the estimator is not used.

    Raises:
        NothingToDraw: if no finished run has task accuracy.
    """
    x_name = horizontal_axis(results, options.x)

    def panel_of(rows_of: Results) -> CurvePanel:
        rows, left_out = readable_series(
            accuracy_rows(rows_of, along=x_name), any_variant=options.any_variant
        )
        require_rows(rows, "task accuracy")
        points = seed_intervals(rows, "accuracy", [*SERIES, x_name])
        bayes = rows.groupby(x_name)["bayes_accuracy"].mean().dropna()
        majority = exact_along(rows_of, "majority_accuracy", x_name)
        exact = (
            ExactLine("bayes_accuracy", "Bayes optimum", bayes),
            ExactLine("majority_accuracy", "Majority class", majority),
        )
        return CurvePanel(points, exact, left_out)

    panels = curve_panels(results, x_name, panel_of)
    x = shared_axis(panels, x_name)
    if len(panels) == 1:
        figure = Figure(figsize=(width_for(panels[0].points), 2.6), layout="constrained")
        axes = figure.subplots()
        lines = panels[0].draw(axes, x)
        axes.set_ylabel(_LABEL)
        set_horizontal_axis(axes, x)
        set_value_axis(axes, panels[0].points, [line.values for line in panels[0].exact])
    else:
        figure, lines = draw_small_multiples({"": panels}, x, _LABEL)
    for axes in figure.axes:
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=""))
    note = panels_note(results, panels) + options.world_note
    add_legend(figure, lines, round(figure.get_figwidth()), note)
    numbers = curve_numbers(panels, x_name, (UNIQUE_RATIO, *results.axes))
    return Drawing(figure, numbers.rename(columns={"mean": "accuracy"}))
