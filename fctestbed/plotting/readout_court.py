"""All figures and tables of estimators on readouts, as files. Never estimates."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from fctestbed.plotting.draw import write_drawing
from fctestbed.plotting.drawing import Drawing, NothingToDraw
from fctestbed.plotting.estimator_panels import draw_estimators_on_readouts
from fctestbed.plotting.estimator_verdicts import draw_verdicts
from fctestbed.plotting.style import house_style
from fctestbed.plotting.table1 import draw_table1

READOUT_FIGURES: dict[str, Callable[[pd.DataFrame], Drawing]] = {
    "estimators_on_readouts": draw_estimators_on_readouts,
    "estimator_verdicts": draw_verdicts,
    "table1": draw_table1,
}


def draw_readout_court(
    rows: pd.DataFrame, out_dir: Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw what the rows allow, the numbers beside each as CSV and tables as Markdown too.

    Args:
        rows: of ``calibrate --readouts``.
        out_dir: made if missing; files of these names are replaced.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written; none where the rows hold no estimate.

    Raises:
        ValueError: one line, for rows that lack columns or have several noises, or a directory that
            cannot be written.
    """
    written: list[Path] = []
    with house_style():
        for name, draw in READOUT_FIGURES.items():
            try:
                drawing = draw(rows)
            except NothingToDraw:
                continue
            written += write_drawing(drawing, out_dir, name, formats)
    return written
