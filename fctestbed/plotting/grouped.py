"""Curves of many methods in one world: a panel for each kind of method, the controls in each.

May import pandas and matplotlib.
"""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import UNIQUE_RATIO, Axis
from fctestbed.plotting.captions import LEGEND_SPACING, ROW_INCHES
from fctestbed.plotting.curves import CurvePanel
from fctestbed.plotting.marks import set_horizontal_axis
from fctestbed.plotting.style import (
    LABEL_POINTS,
    MOST_IN_A_COLUMN,
    PAGE_INCHES,
    panel_group,
    series_styles,
)

_PANEL_INCHES = 2.1
_NARROWEST_INCHES = 1.65
_LEGEND_COLUMN_INCHES = 1.5

Scale = Callable[[Axes, pd.DataFrame, Sequence[pd.Series]], None]


def needs_groups(panels: Sequence[CurvePanel]) -> bool:
    """Whether a panel has too many curves, of methods of two kinds or more."""
    crowded = any(len(series_styles(panel.points)) > MOST_IN_A_COLUMN for panel in panels)
    return crowded and len(_groups(panels)) > 1


def draw_by_group(
    bands: Mapping[str, CurvePanel],
    x: Axis,
    label: str,
    scale: Scale,
    inches: float = PAGE_INCHES,
) -> tuple[Figure, list[Line2D]]:
    """A column for each kind of method and a row for each band; a band has one scale.

    Each column has a legend of its methods. Controls are drawn in all columns. Where the columns do
    not fit the width, they continue below.

    Args:
        bands: panels of one world by title.
        x: the horizontal axis.
        label: of the vertical axes.
        scale: sets a vertical axis from the points and exact lines of its row.
        inches: width of the figure.

    Returns:
        The figure, and the lines that all columns share (exact lines, controls) for its legend.
    """
    groups = list(_groups(list(bands.values())).items())
    n_columns = max(1, min(len(groups), int(inches / _NARROWEST_INCHES)))
    n_rows = -(-len(groups) // n_columns)
    legend_columns = max(1, int(inches / n_columns / _LEGEND_COLUMN_INCHES))
    n_methods = max(len(methods) for _, (methods, _) in groups)
    legend_inches = ROW_INCHES * -(-n_methods // legend_columns)
    height = (_PANEL_INCHES * len(bands) + legend_inches) * n_rows + 0.3
    figure = Figure(figsize=(inches, height), layout="constrained")
    grid = figure.subplots(len(bands) * n_rows, n_columns, squeeze=False)
    shared: dict[str, Line2D] = {}
    short = "unique ratio" if x.name == UNIQUE_RATIO else None
    for place, (group, (methods, controls)) in enumerate(groups):
        row, column = divmod(place, n_columns)
        own_axes = grid[row * len(bands) : (row + 1) * len(bands), column]
        for axes, (band, panel) in zip(own_axes, bands.items(), strict=True):
            own: list[Line2D] = []
            named = _labels(panel.points, methods)
            for line in panel.of_methods([*methods, *controls]).draw(axes, x):
                if line.get_label() in named:
                    own.append(line)
                else:
                    shared.setdefault(str(line.get_label()), line)
            axes.set_title(f"{band}\n{group}" if band else group)
            set_horizontal_axis(axes, x, label=short)
            scale(axes, panel.points, [line.drawn for line in panel.exact])
            axes.tick_params(labelleft=column == 0)
            if axes is own_axes[-1]:
                _add_panel_legend(axes, own, legend_columns)
            else:
                axes.set_xlabel("")
                axes.tick_params(labelbottom=False)
    for axes in grid[(n_rows - 1) * len(bands) :, len(groups) - (n_rows - 1) * n_columns :].flat:
        axes.remove()
    figure.supylabel(label, fontsize=LABEL_POINTS)
    return figure, list(shared.values())


def _groups(panels: Sequence[CurvePanel]) -> dict[str, tuple[list[str], list[str]]]:
    """The methods of each kind that has any, and the controls, in drawing order."""
    points = pd.concat([panel.points for panel in panels])
    methods = list(dict.fromkeys(method for method, _ in series_styles(points)))
    kinds = {method: panel_group(method) for method in methods}
    controls = [method for method in methods if kinds[method] is None]
    found: dict[str, tuple[list[str], list[str]]] = {}
    for kind in sorted({kind for kind in kinds.values() if kind is not None}):
        own = [method for method in methods if kinds[method] == kind]
        found[kind.title] = (own, controls)
    return found


def _labels(points: pd.DataFrame, methods: Sequence[str]) -> set[str]:
    styles = series_styles(points)
    return {style.text for (method, _), style in styles.items() if method in methods}


def _add_panel_legend(axes: Axes, lines: Sequence[Line2D], columns: int) -> None:
    """The legend of one column's methods, below its lowest panel."""
    axes.legend(
        handles=list(lines),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.24),
        ncols=min(columns, len(lines)),
        **LEGEND_SPACING,
    )
