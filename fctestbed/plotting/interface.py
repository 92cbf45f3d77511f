"""The interface of figure functions: their options, result and exception.

May import pandas and matplotlib's Figure, but not pyplot, which has global state.
"""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

from fctestbed.plotting.axes import AxisValue, value_text
from fctestbed.plotting.yardstick import Yardstick, choose_yardstick
from fctestbed.results import Results


class NothingToDraw(ValueError):  # noqa: N818 - an answer: the other figures are drawn
    """The results hold no row for this figure; the message is one line."""


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """Options of figure functions.

    Args:
        heatmap_ratio: unique ratio of the heat map; the nearest one in the rows is drawn. None:
            0.5.
        table_ratio: unique ratio of the tables; the nearest one in the rows is used. None: the mean
            over all ratios.
        curve_ratios: unique ratios of the curves along the rate; the nearest ones in the rows are
            drawn. None: the lowest, the middle and the highest one.
        yardstick: whose bits are drawn; None: as ``choose_yardstick`` chooses.
        x: name of the horizontal axis of curves; None: as ``axes.horizontal_axis`` chooses.
        any_variant: whether a method with more variants than fit a figure, none of them the
            paper's, is drawn with its first variant. By default it is left out, because the figures
            that compare variants draw it.
        world: the values of varying axes that all rows of the figure share, by axis, for the
            figure's note. ``draw_figures`` sets it where it writes several files of one figure.
        inches: the width that is asked for, by which figures choose their panels; None for each
            figure's own.
    """

    heatmap_ratio: float | None = None
    table_ratio: float | None = None
    curve_ratios: tuple[float, ...] | None = None
    yardstick: Yardstick | None = None
    x: str | None = None
    any_variant: bool = False
    world: tuple[tuple[str, AxisValue], ...] = ()
    inches: float | None = None

    def yardstick_of(self, results: Results) -> Yardstick:
        """The yardstick that was asked for, or else the default one of these rows."""
        return self.yardstick or choose_yardstick(results)

    def note_of(self, yardstick: Yardstick) -> str:
        """Yardstick and world for a figure's note, starting with a semicolon."""
        return f"; {yardstick.text}{self.world_note}"

    @property
    def world_note(self) -> str:
        """The world alone, for figures whose axis names the yardstick, or that have none."""
        return "".join(f"; {name} = {value_text(value)}" for name, value in self.world)


@dataclass(frozen=True)
class Drawing:
    """A figure and its numbers.

    Args:
        figure: the picture.
        numbers: one row per point drawn, for the picture's CSV file.
        markdown: the same as a Markdown table; empty for figures that are not tables.
    """

    figure: Figure
    numbers: pd.DataFrame
    markdown: str = ""
