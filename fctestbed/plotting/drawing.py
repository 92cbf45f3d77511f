"""What a figure function takes and gives. Imports matplotlib's Figure; no state, no pyplot."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure

LINEAR_PROBE = "linear_probe"


class NothingToDraw(ValueError):  # noqa: N818 - an answer: the other figures are drawn
    """The results hold no row for this figure; the message is one line."""


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """What may be asked of figures.

    Args:
        heatmap_ratio: unique ratio of the heat map; the nearest one there is is drawn. None: 0.5.
        table_ratio: unique ratio of the tables, likewise. None: the mean over all ratios.
        estimator: whose bits are drawn; ``linear_probe`` by default.
        any_variant: whether a method of more variants than can be shown, the paper's not among
            them, is shown by the first one. Else it is left to the figures that compare variants.
    """

    heatmap_ratio: float | None = None
    table_ratio: float | None = None
    estimator: str = LINEAR_PROBE
    any_variant: bool = False

    @property
    def estimator_note(self) -> str:
        """For a figure's foot, starting with a semicolon; empty for the default estimator."""
        return "" if self.estimator == LINEAR_PROBE else f"; estimator {self.estimator}"


@dataclass(frozen=True)
class Drawing:
    """A figure and the numbers in it.

    Args:
        figure: the picture.
        numbers: one row per point that is drawn, to be kept beside it.
        markdown: the same as a table for a text; empty where a table would not serve.
    """

    figure: Figure
    numbers: pd.DataFrame
    markdown: str = ""
