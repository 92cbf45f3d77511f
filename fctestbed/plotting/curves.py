"""One panel of curves: methods along an axis with their exact lines.

May import pandas and matplotlib.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from math import inf
from typing import Self

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import Axis, AxisValue, World
from fctestbed.plotting.marks import draw_curves, draw_exact


@dataclass(frozen=True)
class ExactLine:
    """An exact number along the horizontal axis.

    Args:
        column: its name among a figure's numbers.
        label: its name in the legend.
        values: the number, indexed by values of the axis; empty where it is not known.
        limit: the line is not drawn above it.
    """

    column: str
    label: str
    values: pd.Series
    limit: float = inf

    @property
    def drawn(self) -> pd.Series:
        """The numbers that are drawn."""
        return self.values.clip(upper=self.limit)


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

    @property
    def fixed(self) -> tuple[tuple[str, AxisValue], ...]:
        """The axes that all points of the panel share, with their values, where several vary."""
        return self.world.values if self.world else ()

    def draw(self, axes: Axes, x: Axis) -> list[Line2D]:
        """Draw the exact lines and the curves; return them, labelled, in legend order."""
        exact = [
            drawn
            for line, dash in zip(self.exact, ("-", ":"), strict=False)
            for drawn in draw_exact(axes, line.drawn, line.label, x, dash)
        ]
        return [*exact, *draw_curves(axes, self.points, x)]

    def of_methods(self, methods: Collection[str]) -> Self:
        """The same panel with the curves of some methods only."""
        return replace(self, points=self.points[self.points["method"].isin(methods)])
