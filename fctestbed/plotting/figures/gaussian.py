"""The paper's Gaussian figure, against the training step and against the true information.

From the rows of ``fctestbed gaussian`` alone.
"""

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.interface import Drawing
from fctestbed.plotting.marks import draw_band
from fctestbed.plotting.style import COLORBLIND, DOTS, LONG, PAGE_INCHES, MethodStyle
from fctestbed.plotting.summarise import seed_intervals, seeds_note

LN2 = math.log(2.0)
_ROOM = 1.3

_KNOWN = ["true_bits", "exact_club_bits", "ceiling_bits"]
ROWS_NAME = "gaussian.csv"
COLUMNS = (
    "estimator",
    "dim",
    "seed",
    "step",
    "level_step",
    "true_bits",
    "value_bits",
    "exact_club_bits",
    "ceiling_bits",
)
ESTIMATOR_STYLES: dict[str, MethodStyle] = {
    "vclub": MethodStyle("CLUB (learned)", COLORBLIND["orange"], "s"),
    "nce-club": MethodStyle("NCE-CLUB", COLORBLIND["vermilion"], "^"),
    "infonce": MethodStyle("NCE", COLORBLIND["blue"], "o"),
}
# Values settle after a step of the staircase: a level's number is the mean of its last quarter.
_SETTLED = 0.75


def gaussian_rows(directory: str | Path) -> pd.DataFrame:
    """Rows of the staircase that ``fctestbed gaussian --out DIR`` wrote.

    Raises:
        ValueError: one line, if there are none, or they are not such rows.
    """
    path = Path(directory) / ROWS_NAME
    try:
        rows = pd.read_csv(io.BytesIO(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"gaussian: expected a directory with {ROWS_NAME}, got {directory} ({error})"
        ) from error
    missing = [name for name in COLUMNS if name not in rows.columns]
    if missing or rows.empty:
        what = f"without {', '.join(missing)}" if missing else "without a row"
        raise ValueError(f"gaussian: expected rows of the staircase, got {path} {what}")
    return rows


def draw_staircase(rows: pd.DataFrame) -> Drawing:
    """Each estimator against the training step, a panel for each d: the paper's Figure 3.

    The black steps are the true information, the dashed ones the exact CLUB, the dotted line the
    ceiling of NCE. Bits on the left axes, nats (the paper's unit) on the right ones.
    """
    points = _over_seeds(rows, ["dim", "estimator", "step", *_KNOWN])

    def draw(axes: Axes, own: pd.DataFrame) -> None:
        known = own.drop_duplicates("step").sort_values("step")
        known = pd.concat([known.iloc[:1].assign(step=0), known])
        _exact_lines(axes, known["step"].to_numpy(dtype=float), known, drawstyle="steps-pre")
        for name, style in ESTIMATOR_STYLES.items():
            curve = own[own["estimator"] == name].sort_values("step")
            x = curve["step"].to_numpy(dtype=float)
            axes.plot(x, curve["mean"], color=style.color, linewidth=0.9, zorder=3)
            _draw_band(axes, x, curve, style)
        axes.set_xlabel("training step")
        axes.set_xlim(0, float(known["step"].max()))

    return _panels(points, draw, markers=False)


def gaussian_levels(rows: pd.DataFrame) -> pd.DataFrame:
    """Each estimator's settled value at each level: the mean over the last quarter of its steps.

    Returns:
        Columns ``dim, estimator, true_bits, exact_club_bits, ceiling_bits``, then ``mean, n_seeds,
        low, high`` in bits over seeds.
    """
    steps = rows.groupby("dim")["level_step"].transform("max")
    settled = rows[rows["level_step"] > _SETTLED * steps]
    of_runs = settled.groupby(["dim", "estimator", "seed", *_KNOWN])["value_bits"].mean()
    points = _over_seeds(of_runs.reset_index(), ["dim", "estimator", *_KNOWN])
    return points.sort_values(["dim", "estimator", "true_bits"], ignore_index=True)


def draw_levels(rows: pd.DataFrame) -> Drawing:
    """``gaussian_levels`` against the true information, a panel for each d."""

    def draw(axes: Axes, own: pd.DataFrame) -> None:
        known = own.drop_duplicates("true_bits").sort_values("true_bits")
        _exact_lines(axes, known["true_bits"].to_numpy(dtype=float), known, drawstyle="default")
        for name, style in ESTIMATOR_STYLES.items():
            curve = own[own["estimator"] == name]
            x = curve["true_bits"].to_numpy(dtype=float)
            axes.plot(
                x,
                curve["mean"],
                color=style.color,
                marker=style.marker,
                markersize=3.8,
                markeredgecolor="white",
                markeredgewidth=0.4,
                linewidth=1.2,
                zorder=3,
            )
            _draw_band(axes, x, curve, style)
        axes.set_xlabel("true information (bits)")

    return _panels(gaussian_levels(rows), draw, markers=True)


def _over_seeds(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    table = seed_intervals(rows, "value_bits", keys)
    return table[[*keys, "mean", "n_seeds", "low", "high"]]


def _exact_lines(axes: Axes, x: np.ndarray, known: pd.DataFrame, *, drawstyle: str) -> None:
    lines = {"true_bits": "-", "exact_club_bits": LONG}
    for column, dash in lines.items():
        axes.plot(
            x,
            known[column].to_numpy(dtype=float),
            color="black",
            linestyle=dash,
            linewidth=1.0,
            drawstyle=drawstyle,
            zorder=2.5,
        )


def _draw_band(axes: Axes, x: np.ndarray, curve: pd.DataFrame, style: MethodStyle) -> None:
    if curve["low"].notna().any():
        draw_band(axes, x, curve, style, zorder=2)


def _panels(
    points: pd.DataFrame, draw: Callable[[Axes, pd.DataFrame], None], *, markers: bool
) -> Drawing:
    """A panel for each d, two in a row, on one scale; legend and note below."""
    dims = sorted(points["dim"].unique())
    columns = min(2, len(dims))
    n_rows = -(-len(dims) // columns)
    figure = Figure(figsize=(PAGE_INCHES, 0.4 + 2.0 * n_rows), layout="constrained")
    grid = figure.subplots(n_rows, columns, sharex=True, sharey=True, squeeze=False)
    panels = list(grid.flat)
    # The exact CLUB of few dimensions would flatten all other curves; it is cut off there.
    measured = float(points[["mean", "true_bits"]].to_numpy().max())
    top = 1.04 * min(float(points["exact_club_bits"].max()), _ROOM * measured)
    bottom = min(0.0, float(points["mean"].min()))
    caps = points.loc[np.isfinite(points["ceiling_bits"]), "ceiling_bits"]
    for place, (axes, dim) in enumerate(zip(panels, dims, strict=False)):
        for cap in sorted(caps.unique()):
            axes.axhline(cap, color=COLORBLIND["blue"], linestyle=DOTS, linewidth=0.9, zorder=2.4)
        draw(axes, points[points["dim"] == dim])
        axes.set_title(f"d = {dim}")
        axes.set_ylim(bottom, top)
        # Only outer panels have the labels of shared axes.
        axes.label_outer()
        if place % columns == 0:
            axes.set_ylabel("information (bits)")
        if place % columns == columns - 1:
            nats = axes.secondary_yaxis(
                "right", functions=(lambda bits: bits * LN2, lambda nats: nats / LN2)
            )
            nats.set_ylabel("information (nats)")
    for axes in panels[len(dims) :]:
        axes.remove()
    add_legend(figure, _handles(markers=markers), 3, seeds_note(points["n_seeds"], 0))
    return Drawing(figure, points)


def _handles(*, markers: bool) -> list[Line2D]:
    exact: list[tuple[str, str, Any]] = [
        ("True information", "black", "-"),
        ("Exact CLUB, d (exp(2I/d) - 1) nats", "black", LONG),
        ("Ceiling of NCE, log N", COLORBLIND["blue"], DOTS),
    ]
    return [
        *(
            Line2D([], [], color=color, linestyle=dash, linewidth=1.0, label=label)
            for label, color, dash in exact
        ),
        *(
            Line2D(
                [],
                [],
                color=style.color,
                marker=style.marker if markers else "",
                markersize=3.8,
                label=style.text,
            )
            for style in ESTIMATOR_STYLES.values()
        ),
    ]
