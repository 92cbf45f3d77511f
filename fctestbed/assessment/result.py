"""A measured representation: its rows, its figure, its page, and how they are written.

May import ``fctestbed.plotting`` and ``fctestbed.results``.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from fctestbed.assessment.page import FIGURE, measurement_page
from fctestbed.plotting import draw_measured, write_figure
from fctestbed.results import Results, check_directory, export_results, write_atomically

PAGE = "report.md"


@dataclass(frozen=True)
class Measurement:
    """What was measured of a representation and of what it is compared with.

    Attributes:
        results: all rows, as ``load_results`` gives those of a sweep.
        name: the representation's name in the column ``method``.
        warnings: one line for each quantity that could not be measured, and for each method that
            is left out.
    """

    results: Results
    name: str
    warnings: tuple[str, ...] = ()

    @property
    def captured(self) -> pd.DataFrame:
        """Information in bits, with the columns of a sweep's rows (``CAPTURED_COLUMNS``)."""
        return self.results.captured

    @property
    def accuracy(self) -> pd.DataFrame:
        """Task accuracy as fractions (``ACCURACY_COLUMNS``)."""
        return self.results.accuracy

    @property
    def scores(self) -> pd.DataFrame:
        """Numbers that need no label, each in its own unit (``SCORE_COLUMNS``)."""
        return self.results.scores

    def own(self) -> pd.DataFrame:
        """The rows of ``captured`` that are the representation's."""
        return self.captured[self.captured["method"] == self.name].reset_index(drop=True)

    def plot(self, *, rate: float | None = None) -> Figure:
        """The figure: label bits along the rate, and bits of each block at one rate.

        Args:
            rate: a measured rate in bits; None for the one nearest to twice the label's bits.

        Returns:
            A figure of matplotlib, whose axes can be changed.

        Raises:
            ValueError: one line, for a rate that was not measured.
        """
        return draw_measured(self.results, self.name, rate).figure

    def page(self, *, rate: float | None = None) -> str:
        """The one-page summary in Markdown, see ``plot``."""
        return measurement_page(self.results, self.name, self.warnings, rate)

    def save(self, out: str | Path, *, rate: float | None = None) -> list[Path]:
        """Write the rows (as ``export_results``, so that ``load_results`` reads them), the figure
        (PNG, PDF and CSV) and the page.

        Args:
            out: the directory; made if missing, files of these names are replaced.
            rate: as ``plot``.

        Returns:
            The files written.

        Raises:
            ValueError: one line, for a rate that was not measured or a directory that cannot be
                written; nothing is written then.
        """
        # Drawn before anything is written.
        page, drawing = self.page(rate=rate), draw_measured(self.results, self.name, rate)
        try:
            check_directory(out)
        except ValueError as error:
            raise ValueError(f"out: {error}") from error
        return [
            *export_results(self.results, out),
            *write_figure(FIGURE, drawing, out),
            write_atomically(Path(out) / PAGE, page.encode()),
        ]

    def _repr_html_(self) -> str:
        """The label's rows as a table, for notebooks."""
        label = self.captured[
            (self.captured["quantity"] == "label") & (self.captured["readout"] == "joint")
        ]
        shown = ["method", "estimator", "rate_bits", "value_bits", "low_bits", "high_bits"]
        table = label[[*shown, "true_bits"]].round(3)
        return str(table.to_html(index=False, na_rep=""))
