"""Names at the ends of curves, in place of a legend where there are few.

May import matplotlib, scipy, and ``style`` and ``captions`` of this package.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from fctestbed.plotting.captions import text_inches
from fctestbed.plotting.style import TEXT_POINTS

MOST_NAMED = 7
"""Lines of a panel that are named at their ends: five curves and two exact lines."""
_LINE_POINTS = 1.25 * TEXT_POINTS
_GAP_POINTS = 9.0
# A name may be this far from its curve's end, in lines of text.
_FARTHEST = 2.5
_WIDEST = 0.34
_DARKER = 0.7
_SAME = 1e-6


def name_ends(axes: Axes, lines: Sequence[Line2D]) -> bool:
    """Write the label of each line beside its right end; names that would overlap are moved apart,
    each joined to its curve.

    Args:
        axes: the only panel of its figure, with its final limits.
        lines: labelled lines in data coordinates.

    Returns:
        Whether the names are there; False, and nothing drawn, where there are too many lines, they
        end at different places, their ends are too close to each other or the names are too long.
    """
    figure = axes.get_figure(root=True)
    if figure is None or not 0 < len(lines) <= MOST_NAMED:
        return False
    names = [str(line.get_label()) for line in lines]
    if max(text_inches(name, TEXT_POINTS) for name in names) > _WIDEST * figure.get_figwidth():
        return False
    ends = np.array([_end(line) for line in lines])
    if not np.isfinite(ends).all() or np.ptp(ends[:, 0]) > _SAME:
        return False
    # The panel's height in points is known once the figure is laid out.
    figure.draw_without_rendering()
    height = axes.bbox.height * 72.0 / figure.dpi
    places = axes.transAxes.inverted().transform(axes.transData.transform(ends))
    heights = _apart(places[:, 1] * height, height)
    if np.abs(heights - places[:, 1] * height).max() > _FARTHEST * _LINE_POINTS:
        return False
    for line, name, end, shift in zip(
        lines, names, ends, heights - places[:, 1] * height, strict=True
    ):
        color = to_rgb(line.get_color())
        axes.annotate(
            name,
            tuple(end),
            xytext=(_GAP_POINTS, shift),
            textcoords="offset points",
            va="center",
            fontsize=TEXT_POINTS,
            # Light colours have too little contrast for text.
            color=tuple(_DARKER * part for part in color),
            arrowprops={
                "arrowstyle": "-", "color": color, "linewidth": 0.6, "shrinkA": 1.0, "shrinkB": 2.0,
                # From the left end of the text.
                "relpos": (0.0, 0.5),
            },
            annotation_clip=False,
        )  # fmt: skip
    return True


def _end(line: Line2D) -> tuple[float, float]:
    """The line's last point; NaN for none."""
    x, y = (np.asarray(values, dtype=float) for values in line.get_data())
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(known):
        return float("nan"), float("nan")
    last = known[np.argmax(x[known])]
    return float(x[last]), float(y[last])


def _apart(wanted: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """Heights in the same order, a line of text apart and inside the panel, whose squared distances
    from those wanted are least."""
    order = np.argsort(wanted, kind="stable")
    steps = _LINE_POINTS * np.arange(len(wanted))
    placed = isotonic_regression(wanted[order] - steps).x
    placed = np.clip(placed, 0.0, max(0.0, height - steps[-1])) + steps
    heights = np.empty_like(placed)
    heights[order] = placed
    return heights
