"""A sweep's results with figures on demand. May import pandas and ``fctestbed.plotting``."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from fctestbed.interactive.tables import html_table
from fctestbed.plotting import FIGURES, DrawOptions, choose_yardstick, house_style, summary_table
from fctestbed.results import Results, load_results as load_tables


class SweepResults(Results):
    """A sweep's results: tables of pandas, and figures.

    ``results.captured.query("method == 'simclr'")`` selects rows; ``results.plot()`` draws the
    first figure. In a notebook the results show their summary.
    """

    @property
    def summary(self) -> pd.DataFrame:
        """Label bits read, by method and value of the sweep's axis.

        Columns ``method, variant, <axis>, label_bits, half_interval_bits, n_seeds, total_bits``;
        the interval is of 95 % over seeds (Student t).
        """
        rows = summary_table(self)
        axis = rows[0].axis if rows else "unique_ratio"
        return pd.DataFrame(
            [
                {
                    "method": row.method,
                    "variant": row.variant,
                    axis: row.value,
                    "label_bits": row.label_bits,
                    "half_interval_bits": row.half_interval_bits,
                    "n_seeds": row.n_seeds,
                    "total_bits": row.total_bits,
                    **({"world": row.world} if row.world else {}),
                }
                for row in rows
            ]
        )

    def plot(
        self,
        figure: str = "label_bits",
        *,
        rate: float | None = None,
        estimator: str | None = None,
        x: str | None = None,
        heatmap_ratio: float | None = None,
        table_ratio: float | None = None,
        curve_ratios: Sequence[float] | None = None,
    ) -> list[Axes]:
        """Draw one figure.

        Args:
            figure: a name of ``fctestbed.FIGURES``, such as ``label_bits``, ``rate_curves``,
                ``r90``, ``blocks``, ``accuracy``, ``latent_bits``.
            rate: the measured rate in bits at which it reads; None for the default one.
            estimator: the estimator whose bits are drawn; None for readings at a rate.
            x: the horizontal axis of curves.
            heatmap_ratio: unique ratio of the heat map.
            table_ratio: unique ratio of tables; None for the mean over all.
            curve_ratios: unique ratios of curves along the rate.

        Returns:
            The figure's axes, which may be changed; ``axes[0].figure`` is the figure, for
            ``savefig`` or to be shown by a notebook.

        Raises:
            ValueError: one line, for an unknown figure, rate or estimator, or rows that do not have
                what the figure shows.
        """
        if figure not in FIGURES:
            raise ValueError(f"figure: expected one of {', '.join(FIGURES)}, got {figure!r}")
        options = DrawOptions(
            yardstick=choose_yardstick(self, estimator, rate),
            x=x,
            heatmap_ratio=heatmap_ratio,
            table_ratio=table_ratio,
            curve_ratios=None if curve_ratios is None else tuple(curve_ratios),
        )
        with house_style():
            return list(FIGURES[figure](self, options).figure.axes)

    def _repr_html_(self) -> str:
        runs = self.runs["status"].value_counts().to_dict()
        counted = ", ".join(f"{number} {status}" for status, number in runs.items())
        return html_table(self.summary, f"Label bits of a sweep's runs ({counted})", self.notes)


def load_results(directory: str | Path) -> SweepResults:
    """Read a sweep's results, as ``fctestbed.results.load_results``, with figures on demand.

    Args:
        directory: a sweep's directory, its SQLite file, or a directory of exported files.

    Raises:
        StoreRefused: one line, if the store cannot be read, or a run of it is not as it was stored.
        ValueError: one line, if there are no results, or the exported files are unreadable, cut off
            or not as their checksums say.
    """
    tables = load_tables(directory)
    return SweepResults(**{one.name: getattr(tables, one.name) for one in fields(Results)})
