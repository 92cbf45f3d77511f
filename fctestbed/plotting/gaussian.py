"""The paper's Gaussian figure, from the rows of ``fctestbed gaussian``; and the same by level.

Reads rows only: nothing is trained.
"""

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.special import stdtrit

from fctestbed.plotting.curves import add_legend
from fctestbed.plotting.draw import check_formats, write_drawing
from fctestbed.plotting.drawing import Drawing
from fctestbed.plotting.intervals import CONFIDENCE, seeds_note
from fctestbed.plotting.style import (
    COLORBLIND,
    DOTS,
    LONG,
    PAGE_INCHES,
    MethodStyle,
    house_style,
)

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
# Values settle after a step of the staircase: its last quarter is what a level's number is read
# from.
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


def draw_gaussian_figures(
    rows: pd.DataFrame, out_dir: str | Path, formats: Sequence[str] = ("png", "pdf")
) -> list[Path]:
    """Draw the staircase and the levels, and write the plotted numbers beside each as CSV.

    Args:
        rows: what ``gaussian_rows`` gave.
        out_dir: directory for ``gaussian.*`` and ``gaussian_levels.*``.
        formats: of ``png``, ``pdf`` and ``svg``.

    Returns:
        The files written.

    Raises:
        ValueError: one line, for an unknown format or a directory that cannot be written.
    """
    check_formats(formats)
    drawn = {"gaussian": draw_staircase, "gaussian_levels": draw_levels}
    with house_style():
        return [
            path
            for name, draw in drawn.items()
            for path in write_drawing(draw(rows), Path(out_dir), name, formats)
        ]


def draw_staircase(rows: pd.DataFrame) -> Drawing:
    """Each estimator against the training step, a panel for each d: the paper's Figure 3.

    The black steps are the true information, the dashed ones the exact CLUB, the dotted line what
    NCE cannot exceed. Bits on the left axes, nats (the paper's unit) on the right ones.
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
            _band(axes, x, curve, style)
        axes.set_xlabel("training step")
        axes.set_xlim(0, float(known["step"].max()))

    return _panels(points, draw, markers=False)


def draw_levels(rows: pd.DataFrame) -> Drawing:
    """Each estimator's settled value against the true information, a panel for each d.

    Settled: the mean over the last quarter of a level's steps.
    """
    steps = rows.groupby("dim")["level_step"].transform("max")
    settled = rows[rows["level_step"] > _SETTLED * steps]
    of_runs = settled.groupby(["dim", "estimator", "seed", *_KNOWN])["value_bits"].mean()
    points = _over_seeds(of_runs.reset_index(), ["dim", "estimator", *_KNOWN])
    points = points.sort_values(["dim", "estimator", "true_bits"], ignore_index=True)

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
            _band(axes, x, curve, style)
        axes.set_xlabel("true information (bits)")

    return _panels(points, draw, markers=True)


def _over_seeds(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Mean and 95 % interval (Student's) over seeds; NaN ends for one seed."""
    groups = rows.groupby(keys, as_index=False)["value_bits"]
    table = groups.agg(mean="mean", std="std", n_seeds="count")
    counts = table["n_seeds"].to_numpy(dtype=float)
    half = np.full(len(table), math.nan)
    several = counts > 1
    spread = table["std"].to_numpy(dtype=float)[several] / np.sqrt(counts[several])
    half[several] = stdtrit(counts[several] - 1, (1 + CONFIDENCE) / 2) * spread
    return table.drop(columns="std").assign(low=table["mean"] - half, high=table["mean"] + half)


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


def _band(axes: Axes, x: np.ndarray, curve: pd.DataFrame, style: MethodStyle) -> None:
    if curve["low"].notna().any():
        low, high = (curve[end].to_numpy(dtype=float) for end in ("low", "high"))
        axes.fill_between(x, low, high, color=style.color, alpha=0.2, linewidth=0, zorder=2)


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
    # The exact CLUB of few dimensions would flatten all else; it leaves the picture there.
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
        # Panels that share an axis show its label once, the lowest ones below.
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
                label=style.label,
            )
            for style in ESTIMATOR_STYLES.values()
        ),
    ]
