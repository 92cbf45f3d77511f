"""Figures of curves as panels: one for each world, on shared scales.

May import pandas and matplotlib.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import (
    UNIQUE_RATIO,
    Axis,
    AxisValue,
    horizontal_axis,
    other_axes,
    split_worlds,
    with_world,
)
from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.curves import CurvePanel
from fctestbed.plotting.ends import name_ends
from fctestbed.plotting.grouped import draw_by_group, needs_groups
from fctestbed.plotting.interface import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.marks import set_horizontal_axis, set_value_axis
from fctestbed.plotting.select import n_unfinished
from fctestbed.plotting.style import LABEL_POINTS, PAGE_INCHES, literal
from fctestbed.plotting.summarise import SERIES, seeds_note
from fctestbed.results import Results

MOST_PANELS = 12
"""Of one figure; ``draw_figures`` writes several files of a figure with more."""
_PANEL_INCHES = 1.75
_NARROWEST_INCHES = 1.6


PanelOf = Callable[[Results, str], CurvePanel]
SeedsNote = Callable[..., str]
Scale = Callable[[Axes, pd.DataFrame, Sequence[pd.Series]], None]
OneWorld = Callable[[Sequence[CurvePanel], Axis], tuple[Figure, list[Line2D]]]


def draw_curve_figure(
    results: Results,
    options: DrawOptions,
    bands: Mapping[str, PanelOf],
    one_world: OneWorld,
    *,
    label: str,
    note: str,
    columns: int | None = None,
    seeds: SeedsNote = seeds_note,
    scale: Scale = set_value_axis,
) -> Drawing:
    """A figure of curves along one axis; small multiples where other axes vary too.

    One world with many methods has a panel for each kind of method, with the controls in each. In
    a single panel a few curves are named at their ends, where there is room, instead of by a
    legend.

    Args:
        results: the rows.
        options: ``x`` chooses the horizontal axis, ``inches`` the figure's width.
        bands: functions from one world's rows and the axis to a panel, by the panel's title.
        one_world: the function that draws the figure of a single world with few methods.
        label: of the vertical axes.
        note: for the end of the figure's note.
        columns: of the legend; None for one per inch of the figure's width.
        seeds: says what the points and intervals are: ``seeds_note`` or ``medians_note``.
        scale: sets the vertical axis of several panels from their points and exact lines.

    Returns:
        The drawing; its numbers have the panels' points and their exact numbers.

    Raises:
        NothingToDraw: if no world has rows.
    """
    x = horizontal_axis(results, options.x)
    inches = options.inches or PAGE_INCHES
    drawn = {title: _panels(results, x, panel_of) for title, panel_of in bands.items()}
    panels = [panel for band in drawn.values() for panel in band]
    axis = Axis.of(pd.concat([panel.points[x] for panel in panels]))
    alone = len(panels) == len(bands)
    if alone and needs_groups(panels):
        titled = {title: band[0] for title, band in drawn.items()}
        figure, lines = draw_by_group(titled, axis, label, scale, inches)
    elif alone:
        figure, lines = one_world(panels, axis)
    else:
        figure, lines = _small_multiples(drawn, axis, label, scale, inches)
    if alone and axis.is_numeric and len(figure.axes) == 1 and name_ends(figure.axes[0], lines):
        lines = []
    note = f"{_note(results, panels, x, seeds)}{note}"
    add_legend(figure, lines, columns or round(figure.get_figwidth()), note)
    return Drawing(figure, _numbers(results, panels, x))


def _panels(results: Results, x: str, panel_of: PanelOf) -> list[CurvePanel]:
    """A panel for each world that has rows.

    Raises:
        NothingToDraw: if no world has rows.
    """
    worlds = split_worlds(results, other_axes(results, x))
    if len(worlds) < 2:
        return [panel_of(results, x)]
    panels, missing = [], None
    for world in worlds:
        try:
            panel = panel_of(world.results, x)
        except NothingToDraw as error:
            missing = error
            continue
        panels.append(replace(panel, world=world))
    if not panels and missing is not None:
        raise missing
    return panels


def _small_multiples(
    bands: Mapping[str, Sequence[CurvePanel]], x: Axis, label: str, scale: Scale, inches: float
) -> tuple[Figure, list[Line2D]]:
    """One panel per world; the panels of a band, by title, have one scale.

    If every combination of values of several axes has a panel, one axis' values are the columns.
    """
    n = max(map(len, bands.values()))
    most = max(1, int(inches / _NARROWEST_INCHES))
    columns = min(2 if n in (2, 4) else 3, most)
    worlds = [tuple(panel.fixed for panel in band) for band in bands.values()]
    across = _column_axis(worlds[0], most) if len(set(worlds)) == 1 else None
    if across is not None:
        columns = len(across.values)
        bands = {title: _by_rows(band, across.name) for title, band in bands.items()}
    n_rows = -(-n // columns)
    height = _PANEL_INCHES * n_rows * len(bands) + 0.2
    figure = Figure(figsize=(inches, height), layout="constrained")
    grid = figure.subplots(n_rows * len(bands), columns, squeeze=False)
    handles: dict[str, Line2D] = {}
    for place, (title, panels) in enumerate(bands.items()):
        n = len(panels)
        rows = grid[place * n_rows : (place + 1) * n_rows]
        for axes, panel in zip(rows.flat, panels, strict=False):
            for line in panel.draw(axes, x):
                handles.setdefault(str(line.get_label()), line)
            name = literal(panel.world.title) if panel.world else ""
            axes.set_title("\n".join(part for part in (title, name) if part))
            short = "unique ratio" if x.name == UNIQUE_RATIO else None
            set_horizontal_axis(axes, x, label=short)
            axes.tick_params(labelleft=axes in rows[:, 0])
        points = pd.concat([panel.points for panel in panels])
        exact = [line.drawn for panel in panels for line in panel.exact]
        for axes in list(rows.flat)[:n]:
            scale(axes, points, exact)
        for index, axes in enumerate(rows.flat):
            if index >= n:
                axes.remove()
            elif index + columns < n or place + 1 < len(bands):
                # The lowest panel of each column has the axis' name and numbers.
                axes.set_xlabel("")
                axes.tick_params(labelbottom=False)
    figure.supylabel(label, fontsize=LABEL_POINTS)
    return figure, list(handles.values())


def _column_axis(worlds: Sequence[tuple[tuple[str, AxisValue], ...]], most: int) -> Axis | None:
    """The axis whose values are the columns: the last of those with the most values that fit.

    None for worlds that differ in one axis only, or that lack a combination of values.
    """
    axes = [
        Axis(name, tuple(dict.fromkeys(dict(world)[name] for world in worlds)))
        for name, _ in worlds[0]
    ]
    fit = [axis for axis in axes if len(axis.values) <= most]
    if len(axes) < 2 or not fit or len(worlds) != prod(len(axis.values) for axis in axes):
        return None
    return max(reversed(fit), key=lambda axis: len(axis.values))


def _by_rows(panels: Sequence[CurvePanel], across: str) -> list[CurvePanel]:
    """Panels of all combinations of values such that the values of one axis follow each other."""
    rows: dict[tuple[tuple[str, AxisValue], ...], list[CurvePanel]] = {}
    for panel in panels:
        others = tuple((name, value) for name, value in panel.fixed if name != across)
        rows.setdefault(others, []).append(panel)
    return [panel for row in rows.values() for panel in row]


def _numbers(results: Results, panels: Sequence[CurvePanel], x: str) -> pd.DataFrame:
    """The points of all panels with their exact numbers and the values of their axes."""
    order = (UNIQUE_RATIO, *results.axes)
    tables = []
    for panel in panels:
        own = panel.points.copy()
        if UNIQUE_RATIO not in (x, *(name for name, _ in panel.fixed)):
            own.insert(len(SERIES), UNIQUE_RATIO, results.runs[UNIQUE_RATIO].iloc[0])
        own = own.assign(**{line.column: own[x].map(line.values) for line in panel.exact})
        tables.append(own if panel.world is None else with_world(own, panel.world, order))
    return pd.concat(tables, ignore_index=True)


def _note(results: Results, panels: Sequence[CurvePanel], x: str, seeds: SeedsNote) -> str:
    """Seeds, intervals, what is missing, the axes of panels."""
    n_seeds = pd.concat([panel.points["n_seeds"] for panel in panels])
    left_out = next((panel.left_out for panel in panels if panel.left_out), "")
    note = seeds(n_seeds, n_unfinished(results), left_out=left_out)
    names = [name for name, _ in panels[0].fixed]
    if len({panel.fixed for panel in panels}) > 1:
        shown = ["unique ratio" if name == UNIQUE_RATIO else name for name in names]
        note += f"; a panel for each {' and '.join(shown)}"
    elif panels[0].world:
        # The other worlds have no finished run.
        note += f"; {panels[0].world.note}"
    if UNIQUE_RATIO not in (x, *names):
        note += f"; unique ratio {results.runs[UNIQUE_RATIO].iloc[0]:g}"
    return note
