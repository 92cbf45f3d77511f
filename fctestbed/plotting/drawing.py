"""What a figure function takes and gives. Imports matplotlib's Figure; no state, no pyplot."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure


class NothingToDraw(ValueError):  # noqa: N818 - an answer: the other figures are drawn
    """The results hold no row for this figure; the message is one line."""


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """What may be asked of figures.

    Args:
        heatmap_ratio: unique ratio of the heat map; the nearest one there is is drawn. None: 0.5.
    """

    heatmap_ratio: float | None = None


@dataclass(frozen=True)
class Drawing:
    """A figure and the numbers in it.

    Args:
        figure: the picture.
        numbers: one row per point that is drawn, to be kept beside it.
    """

    figure: Figure
    numbers: pd.DataFrame
