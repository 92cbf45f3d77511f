"""Figures of what is no sweep: estimators on laws and readouts, dockets, explanations, benchmarks.

May import pandas and all of this package.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from fctestbed.plotting.figures import (
    BENCH_FIGURES,
    DRAWN_FIGURES,
    GAUSSIAN_FIGURES,
    KINDS,
    READOUT_FIGURES,
    docket_pages,
    docket_table,
    draw_calibration,
    draw_docket,
    draw_overview,
    draw_waterfall,
)
from fctestbed.plotting.files import check_formats, draw_rows, write_all
from fctestbed.plotting.interface import Drawing
from fctestbed.plotting.style import house_style


def draw_readout_figures(
    rows: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw the figures of estimators on readouts that the rows allow.

    Args:
        rows: of ``calibrate-readouts``.
        out_dir: made if missing; files of these names are replaced.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written; none where the rows hold no estimate.

    Raises:
        ValueError: one line, for rows that lack columns or have several noises, or a directory that
            cannot be written.
    """
    return draw_rows(READOUT_FIGURES, rows, out_dir, formats)


def draw_docket_figures(
    verdicts: pd.DataFrame,
    cells: pd.DataFrame,
    out_dir: str | Path,
    formats: Sequence[str] = ("png", "pdf"),
) -> list[Path]:
    """Draw the verdicts of a docket as ``docket``, with the table as Markdown; those that do not
    fit a page are in ``docket_2`` and so on.

    Args:
        verdicts: a row for each claim and condition, as ``fctestbed.judge`` returns them.
        cells: a row for each cell of them.
        out_dir: made if missing; files of these names are replaced.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for no verdict, an unknown format or a directory that cannot be
            written.
    """
    check_formats(formats)
    with house_style():
        drawings = {}
        for place, page in enumerate(docket_pages(verdicts), start=1):
            own = cells[cells["claim"].isin(page["claim"])]
            name = "docket" if place == 1 else f"docket_{place}"
            drawings[name] = replace(draw_docket(page, own), markdown="")
        drawings["docket"] = replace(drawings["docket"], markdown=docket_table(verdicts))
        return write_all(drawings.items(), out_dir, formats)


def draw_fault_figures(
    rows: pd.DataFrame,
    steps: pd.DataFrame,
    out_dir: str | Path,
    formats: Sequence[str] = ("png", "pdf"),
) -> list[Path]:
    """Draw an explanation: ``waterfall_METHOD`` for each method, and ``overview``.

    Args:
        rows: of ``fctestbed.explain``.
        steps: of ``fctestbed.faults.all_steps``.
        out_dir: made if missing; files of these names are replaced.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    written = draw_rows({"overview": draw_overview}, steps, out_dir, formats)
    for method, own in rows.groupby("method", sort=False):
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in str(method))
        written += draw_rows({f"waterfall_{name}": draw_waterfall}, own, out_dir, formats)
    return written


def draw_gaussian_figures(
    rows: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw the Gaussian figure against the training step and by level.

    Args:
        rows: the result of ``gaussian_rows``.
        out_dir: directory for ``gaussian.*`` and ``gaussian_levels.*``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    return draw_rows(GAUSSIAN_FIGURES, rows, out_dir, formats)


def draw_calibration_figures(
    summary: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw a calibration: a figure for each kind of pair and each number of samples.

    Args:
        summary: the result of ``fctestbed.calibration.summarise``.
        out_dir: directory for ``calibration_<kind>_<n>.<format>`` and ``.csv``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for an unknown format, a directory that cannot be written, or a
            summary without any estimate.
    """
    figures: dict[str, Callable[[pd.DataFrame], Drawing]] = {
        f"calibration_{kind}_{n}": partial(draw_calibration, kind=kind, n=int(n))
        for kind in KINDS
        for n in sorted(summary["n"].unique())
    }
    written = draw_rows(figures, summary, out_dir, formats)
    if not written:
        raise ValueError("calibration: expected estimates to draw, got none")
    return written


def draw_drawn_figures(
    cells: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw a calibration on drawn laws: coverage and share of intervals.

    Args:
        cells: the result of ``fctestbed.calibration.drawn_cells``.
        out_dir: directory for ``drawn_laws.<format>`` and ``.csv``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written; none where no law has intervals to judge by.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    return draw_rows(DRAWN_FIGURES, cells, out_dir, formats)


def draw_bench_figures(
    report: Mapping[str, Any], out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw a benchmark: ratios and shares of the matrix rate, and growth along axes.

    Args:
        report: what ``fctestbed.experiments.bench_report`` returned, or its JSON file's content.
        out_dir: directory for ``bench.*`` and ``bench_growth.*``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written; none where nothing can be drawn.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    written = []
    for name, (part, draw) in BENCH_FIGURES.items():
        rows = pd.DataFrame(report[part])
        if not rows.empty:
            written += draw_rows({name: draw}, rows, out_dir, formats)
    return written
