"""Bias and coverage of estimators on known truths, a table of cases and estimators as a picture.

From a calibration's summary alone; never estimates.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from fctestbed.plotting.draw import check_formats, write_drawing
from fctestbed.plotting.drawing import Drawing, NothingToDraw
from fctestbed.plotting.style import house_style

# Blue below the truth, white on it, orange above: told apart by every kind of colour vision.
_BIAS = LinearSegmentedColormap.from_list("bias", ["#0173b2", "#ffffff", "#de8f05"])
_COVERAGE = LinearSegmentedColormap.from_list("coverage", ["#cc78bc", "#ffffff"])
_BIAS_RANGE = 0.5
_KINDS = {
    "discrete": "discrete pairs",
    "continuous": "continuous pairs",
    "mixed": "a continuous X, a discrete Y",
}


def draw_calibration_figures(
    summary: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Write a figure and its numbers for each kind of pair and each number of samples.

    Args:
        summary: what ``summarise`` gave.
        out_dir: directory for ``calibration_<kind>_<n>.<format>`` and ``.csv``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Raises:
        ValueError: one line, for an unknown format, a directory that cannot be written, or a
            summary without any estimate.
    """
    check_formats(formats)
    written = []
    for kind in _KINDS:
        for n in sorted(summary["n"].unique()):
            with house_style():
                try:
                    drawing = draw_calibration(summary, kind, int(n))
                except NothingToDraw:
                    continue
                name = f"calibration_{kind}_{n}"
                written += write_drawing(drawing, Path(out_dir), name, formats)
    if not written:
        raise ValueError("calibration: expected estimates to draw, got none")
    return written


def draw_calibration(summary: pd.DataFrame, kind: str, n: int) -> Drawing:
    """Mean error in bits, and how often the 95 % interval holds the truth, case by estimator.

    Args:
        summary: what ``summarise`` gave: columns ``case, group, kind, true_bits, estimator, n,
            bias_bits, coverage, seconds, ...``.
        kind: ``discrete``, ``continuous`` or ``mixed``.
        n: the number of samples.

    Raises:
        NothingToDraw: if the summary has no estimate of this kind at this number of samples.
    """
    rows = summary[(summary["kind"] == kind) & (summary["n"] == n) & (summary["repetitions"] > 0)]
    if rows.empty:
        raise NothingToDraw(f"summary: expected estimates of {kind} cases at n = {n}, got none")
    estimators = list(dict.fromkeys(rows["estimator"]))
    cases = list(dict.fromkeys(zip(rows["case"], rows["true_bits"], strict=True)))
    covered = [
        name for name in estimators if rows.loc[rows["estimator"] == name, "coverage"].notna().any()
    ]
    height = 1.5 + 0.24 * len(cases)
    widths = [len(estimators), max(1, len(covered))]
    figure = Figure(figsize=(3.4 + 0.34 * sum(widths), height), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=widths)
    bias = _cells(rows, cases, estimators, "bias_bits")
    _draw_cells(left, bias, _BIAS, (-_BIAS_RANGE, _BIAS_RANGE), [f"{v:+.2f}" for v in bias.flat])
    coverage = _cells(rows, cases, covered, "coverage")
    _draw_cells(right, coverage, _COVERAGE, (0.5, 0.95), [f"{100 * v:.0f}" for v in coverage.flat])
    seconds = rows.groupby("estimator")["seconds"].mean()
    left.set_xticks(
        range(len(estimators)),
        [f"{name}  {_duration(seconds[name])}" for name in estimators],
        rotation=90,
    )
    right.set_xticks(range(len(covered)), covered, rotation=90)
    left.set_yticks(range(len(cases)), [f"{name}: {truth:.3g}" for name, truth in cases])
    left.set_title("mean error (bits)")
    right.set_title("95 % intervals that hold the truth (%)")
    figure.supxlabel(
        f"{_KINDS[kind]}, n = {n}; after each case its truth in bits, after each estimator its "
        "mean time; grey: not made for the case, or refused",
        fontsize=6.0,
        color="#555555",
    )
    return Drawing(figure, rows.reset_index(drop=True))


def _cells(
    rows: pd.DataFrame, cases: Sequence[tuple[str, float]], estimators: Sequence[str], column: str
) -> np.ndarray:
    values = rows.set_index(["case", "estimator"])[column]
    return np.array(
        [[values.get((case, name), np.nan) for name in estimators] for case, _ in cases],
        dtype=float,
    ).reshape(len(cases), len(estimators))


def _draw_cells(
    axes: Axes,
    values: np.ndarray,
    colors: LinearSegmentedColormap,
    limits: tuple[float, float],
    texts: Sequence[str],
) -> None:
    axes.set_facecolor("#dddddd")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    if not values.size:
        return
    axes.imshow(values, cmap=colors, vmin=limits[0], vmax=limits[1], aspect="auto")
    n_columns = values.shape[1]
    for place, (value, text) in enumerate(zip(values.flat, texts, strict=True)):
        if np.isfinite(value):
            row, column = divmod(place, n_columns)
            axes.text(column, row, text, ha="center", va="center", fontsize=5.0)
    axes.set_xticks(np.arange(1, n_columns) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, values.shape[0]) - 0.5, minor=True)
    axes.grid(visible=True, which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="minor", length=0)


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.2g} ms"
