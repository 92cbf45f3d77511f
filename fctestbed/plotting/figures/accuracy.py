"""Task accuracy along an axis: the right half of the FactorCL paper's Figure 1."""

from collections.abc import Sequence
from dataclasses import replace

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from fctestbed.plotting.axes import Axis
from fctestbed.plotting.curves import CurvePanel, ExactLine
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.marks import set_horizontal_axis, set_value_axis
from fctestbed.plotting.panels import draw_curve_figure
from fctestbed.plotting.run_details import exact_along, label_kinds
from fctestbed.plotting.select import accuracy_rows, readable_series, require_rows
from fctestbed.plotting.style import width_for
from fctestbed.plotting.summarise import SERIES, seed_intervals, within
from fctestbed.results import Results

_LABEL = "task accuracy (%)"
_NOISE = "label slots whose channel has little capacity are noise: there the optimum is lower"


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

    def panel_of(world: Results, x: str) -> CurvePanel:
        rows, left_out = readable_series(
            accuracy_rows(world, along=x), any_variant=options.any_variant
        )
        require_rows(rows, "task accuracy")
        bayes = rows.groupby(x)["bayes_accuracy"].mean().dropna()
        majority = exact_along(world, "majority_accuracy", x)
        exact = (
            ExactLine("bayes_accuracy", "Bayes optimum", bayes),
            ExactLine("majority_accuracy", "Majority class", majority),
        )
        points = seed_intervals(rows, "accuracy", [*SERIES, x])
        points = within(points, 0.0, points[x].map(bayes).fillna(1.0))
        return CurvePanel(points, exact, left_out)

    note = _noise_note(results) + options.world_note
    drawing = draw_curve_figure(
        results, options, {"": panel_of}, _one_world, label=_LABEL, note=note
    )
    for axes in drawing.figure.axes:
        axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=""))
    return replace(drawing, numbers=drawing.numbers.rename(columns={"mean": "accuracy"}))


def _noise_note(results: Results) -> str:
    """Why the Bayes accuracy depends on the unique ratio, where the label's slots are channels."""
    limits = results.accuracy.groupby("unique_ratio")["bayes_accuracy"].mean().dropna()
    if label_kinds(results) != {"bits"} or limits.round(6).nunique() < 2:
        return ""
    return f"; {_NOISE}"


def _one_world(panels: Sequence[CurvePanel], x: Axis) -> tuple[Figure, list[Line2D]]:
    (panel,) = panels
    figure = Figure(figsize=(width_for(panel.points), 2.6), layout="constrained")
    axes = figure.subplots()
    lines = panel.draw(axes, x)
    axes.set_ylabel(_LABEL)
    set_horizontal_axis(axes, x)
    set_value_axis(axes, panel.points, [line.drawn for line in panel.exact])
    return figure, lines
