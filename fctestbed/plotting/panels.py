"""Figures of curves as panels: one for each world, on shared scales.

May import pandas and matplotlib.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import (
    UNIQUE_RATIO,
    Axis,
    World,
    other_axes,
    split_worlds,
    with_world,
)
from fctestbed.plotting.interface import NothingToDraw
from fctestbed.plotting.marks import draw_curves, draw_exact, set_horizontal_axis, set_value_axis
from fctestbed.plotting.select import n_unfinished
from fctestbed.plotting.style import PAGE_INCHES
from fctestbed.plotting.summarise import seeds_note
from fctestbed.results import Results

MOST_PANELS = 12
"""Of one figure; ``draw_figures`` writes several files of a figure with more."""
_PANEL_INCHES = 1.75


@dataclass(frozen=True)
class ExactLine:
    """An exact number along the horizontal axis.

    Args:
        column: its name among a figure's numbers.
        label: its name in the legend.
        values: the number, indexed by values of the axis; empty where it is not known.
    """

    column: str
    label: str
    values: pd.Series


@dataclass(frozen=True)
class CurvePanel:
    """The curves of one world.

    Args:
        points: what ``seed_intervals`` returned for ``method, variant`` and the horizontal axis.
        exact: exact lines; the first is drawn solid, the second dotted.
        left_out: a note on what is not drawn.
        world: the world, where there are several.
    """

    points: pd.DataFrame
    exact: tuple[ExactLine, ...]
    left_out: str = ""
    world: World | None = None

    def draw(self, axes: Axes, x: Axis) -> list[Line2D]:
        """Draw the exact lines and the curves; returns them, labelled, in legend order."""
        exact = [
            drawn
            for line, dash in zip(self.exact, ("-", ":"), strict=False)
            for drawn in draw_exact(axes, line.values, line.label, x, dash)
        ]
        return [*exact, *draw_curves(axes, self.points, x)]


def curve_panels(
    results: Results, x: str, panel_of: Callable[[Results], CurvePanel]
) -> list[CurvePanel]:
    """A panel for each world that has rows.

    Args:
        results: the rows.
        x: name of the horizontal axis; all combinations of values of the others are worlds.
        panel_of: a world's panel, from its rows.

    Raises:
        NothingToDraw: if no world has rows.
    """
    worlds = split_worlds(results, other_axes(results, x))
    if len(worlds) < 2:
        return [panel_of(results)]
    panels, missing = [], None
    for world in worlds:
        try:
            panel = panel_of(world.results)
        except NothingToDraw as error:
            missing = error
            continue
        panels.append(replace(panel, world=world))
    if not panels and missing is not None:
        raise missing
    return panels


def shared_axis(panels: Sequence[CurvePanel], x: str) -> Axis:
    """The horizontal axis with the values of all panels' points."""
    return Axis.of(pd.concat([panel.points[x] for panel in panels]))


def set_shared_scale(grid: Sequence[Axes], panels: Sequence[CurvePanel]) -> None:
    """One vertical scale for panels, as ``set_value_axis`` sets it for one."""
    points = pd.concat([panel.points for panel in panels])
    lines = [line.values for panel in panels for line in panel.exact]
    for axes in grid:
        set_value_axis(axes, points, lines)


def draw_small_multiples(
    bands: Mapping[str, Sequence[CurvePanel]], x: Axis, label: str
) -> tuple[Figure, list[Line2D]]:
    """One panel for each world, on shared scales, as wide as a page.

    Args:
        bands: panels by title; each band has a vertical scale of its own.
        x: the horizontal axis.
        label: of the vertical axes.

    Returns:
        The figure, and its lines with different labels for the legend.
    """
    n = max(map(len, bands.values()))
    columns = 2 if n in (2, 4) else 3
    n_rows = -(-n // columns)
    height = _PANEL_INCHES * n_rows * len(bands) + 0.2
    figure = Figure(figsize=(PAGE_INCHES, height), layout="constrained")
    grid = figure.subplots(n_rows * len(bands), columns, squeeze=False)
    handles: dict[str, Line2D] = {}
    for place, (title, panels) in enumerate(bands.items()):
        n = len(panels)
        rows = grid[place * n_rows : (place + 1) * n_rows]
        for axes, panel in zip(rows.flat, panels, strict=False):
            for line in panel.draw(axes, x):
                handles.setdefault(str(line.get_label()), line)
            name = panel.world.title if panel.world else ""
            axes.set_title("\n".join(part for part in (title, name) if part))
            short = "unique ratio" if x.name == UNIQUE_RATIO else None
            set_horizontal_axis(axes, x, label=short)
            axes.tick_params(labelleft=axes in rows[:, 0])
        set_shared_scale(list(rows.flat)[:n], panels)
        for index, axes in enumerate(rows.flat):
            if index >= n:
                axes.remove()
            elif index + columns < n or place + 1 < len(bands):
                # The lowest panel of each column has the axis' name and numbers.
                axes.set_xlabel("")
                axes.tick_params(labelbottom=False)
        for axes in rows[:, 0]:
            axes.set_ylabel(label)
    return figure, list(handles.values())


def curve_numbers(panels: Sequence[CurvePanel], x: str, order: Sequence[str]) -> pd.DataFrame:
    """The points of all panels with their exact numbers, and a column per axis where several vary.

    Args:
        panels: the panels.
        x: name of the horizontal axis.
        order: all axes in the order of their columns.
    """
    tables = []
    for panel in panels:
        exact = {line.column: panel.points[x].map(line.values) for line in panel.exact}
        own = panel.points.assign(**exact)
        tables.append(own if panel.world is None else with_world(own, panel.world, order))
    return pd.concat(tables, ignore_index=True)


def panels_note(results: Results, panels: Sequence[CurvePanel]) -> str:
    """The note of a figure of panels: seeds, intervals, what is missing, which axes panels have."""
    n_seeds = pd.concat([panel.points["n_seeds"] for panel in panels])
    left_out = next((panel.left_out for panel in panels if panel.left_out), "")
    note = seeds_note(n_seeds, n_unfinished(results), left_out=left_out)
    names = [name for panel in panels[:1] if panel.world for name, _ in panel.world.values]
    return f"{note}; a panel for each {' and '.join(names)}" if names else note
