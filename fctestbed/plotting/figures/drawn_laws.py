"""Coverage of intervals on drawn laws against how often there is one, a panel for each n.

From the cells of a calibration alone.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fctestbed.plotting.captions import add_note
from fctestbed.plotting.interface import Drawing, NothingToDraw
from fctestbed.plotting.style import (
    COLORBLIND,
    COLUMN_INCHES,
    NOTE_COLOR,
    PAGE_INCHES,
    TEXT_POINTS,
    literal,
)

_LEAST = 0.90
_LEVEL = 0.95
# Of the vertical positions of an estimator's laws, in rows.
_SPREAD = 0.62
_KIND_MARKS = {"continuous": "", "mixed": " (classes)", "discrete": " (tables)"}
_SMOOTH = "smooth"


def draw_drawn_laws(cells: pd.DataFrame) -> Drawing:
    """How often the intervals of each law hold the truth, and how often there is an interval.

    Each mark is a law with enough intervals to judge by; filled marks are smooth laws. Columns are
    numbers of samples.

    Args:
        cells: the result of ``drawn_cells``: columns ``case, group, kind, estimator, n,
            repetitions, intervals, coverage, judged, ...``.

    Raises:
        NothingToDraw: if no law is judged.
    """
    judged = cells[cells["judged"].astype(bool)]
    if judged.empty:
        raise NothingToDraw("cells: expected laws with intervals, got none")
    given = cells.groupby(["estimator", "kind"])["intervals"].transform("sum") > 0
    shown = cells[given]
    rows = list(dict.fromkeys(zip(shown["estimator"], shown["kind"], strict=True)))
    sizes = sorted(shown["n"].unique())
    figure = Figure(
        figsize=(
            max(COLUMN_INCHES, PAGE_INCHES * min(1.0, len(sizes) / 3)),
            1.4 + 0.85 * len(rows),
        ),
        layout="constrained",
    )
    panels = figure.subplots(2, len(sizes), sharey=True, sharex="row", squeeze=False)
    for column, n in enumerate(sizes):
        here = shown[shown["n"] == n]
        for place, (name, kind) in enumerate(rows):
            own = here[(here["estimator"] == name) & (here["kind"] == kind)]
            _draw_coverage(panels[0, column], own[own["judged"].astype(bool)], place)
            _draw_given(panels[1, column], own, place)
        panels[0, column].set_title(f"n = {n}")
        panels[0, column].axvline(_LEAST, color=NOTE_COLOR, linewidth=0.8, linestyle="--")
        panels[0, column].axvline(_LEVEL, color=NOTE_COLOR, linewidth=0.5)
        panels[0, column].set_xlabel("intervals that hold the truth")
        panels[1, column].set_xlabel("share of data sets with an interval")
        panels[1, column].set_xlim(-0.04, 1.04)
    low = min(float(judged["coverage"].min()), 0.8)
    panels[0, 0].set_xlim(low - 0.02, 1.012)
    for axes in panels[:, 0]:
        axes.set_yticks(
            range(len(rows)), [f"{literal(name)}{_KIND_MARKS[kind]}" for name, kind in rows]
        )
        axes.set_ylim(len(rows) - 0.5, -0.5)
    add_note(
        figure,
        "a mark is a law drawn at random, filled if smooth; above: laws with an interval in a "
        "sixth of the data sets or more, dashed: the 90 % that are asked for, with the number of "
        "laws that keep to it, thin: 95 %; below: all laws, bars: means over all laws and, in "
        "blue, over smooth ones",
    )
    return Drawing(figure, cells.reset_index(drop=True))


def _draw_coverage(axes: Axes, laws: pd.DataFrame, place: int) -> None:
    """The number of laws that keep to 90 % is below the left end of a row."""
    _draw_marks(axes, laws, laws["coverage"], place)
    kept = int((laws["coverage"] >= _LEAST).sum())
    axes.annotate(
        f"{kept} of {len(laws)}",
        (0.02, place + 0.3),
        xycoords=("axes fraction", "data"),
        va="center",
        fontsize=TEXT_POINTS,
    )


def _draw_given(axes: Axes, laws: pd.DataFrame, place: int) -> None:
    smooth = laws[_is_smooth(laws)]
    for part, colour, side in ((laws, NOTE_COLOR, -1), (smooth, COLORBLIND["blue"], 1)):
        if len(part):
            share = (part["intervals"] / part["repetitions"]).mean()
            ends = place + np.array([0.0, 0.42]) * side
            axes.plot([share, share], ends, color=colour, linewidth=2.0, solid_capstyle="butt")
    _draw_marks(axes, laws, laws["intervals"] / laws["repetitions"], place)


def _draw_marks(axes: Axes, laws: pd.DataFrame, values: pd.Series, place: int) -> None:
    """Marks in the order of the laws from the top of a row to its bottom, so that few overlap."""
    heights = place + _SPREAD * (np.linspace(0, 1, max(len(laws), 2))[: len(laws)] - 0.5)
    filled = _is_smooth(laws).to_numpy()
    for some, face in ((filled, COLORBLIND["blue"]), (~filled, "none")):
        axes.scatter(
            values.to_numpy()[some],
            heights[some],
            s=7,
            facecolors=face,
            edgecolors=COLORBLIND["blue"],
            linewidths=0.5,
            alpha=0.8,
        )


def _is_smooth(laws: pd.DataFrame) -> pd.Series:
    return laws["group"].str.endswith(_SMOOTH)
