"""The verdicts of a docket, and how far each cell of a claim is inside what is predicted.

From the tables of a docket's verdicts and cells alone.
"""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.captions import add_legend, text_inches
from fctestbed.plotting.interface import Drawing, NothingToDraw
from fctestbed.plotting.style import COLORBLIND, LABEL_POINTS, PAGE_INCHES, TEXT_POINTS, literal

VERDICT_COLORS = {
    "holds": COLORBLIND["blue"],
    "fails": COLORBLIND["vermilion"],
    "not decided": "#8c8c8c",
}
_MARKERS = {"holds": "o", "fails": "X", "not decided": "D"}
_ROW_INCHES = 0.26
_MOST_ROWS = 31
_SPREAD = 0.6
_GAP_POINTS = 4.0
_MOST_CHARACTERS = 44
# In smallest effects that matter: linear up to here, then logarithmic.
_LINEAR = 2.0
_FARTHEST = 60.0
_TRAINED, _OPTIMUM = "trained", "optimum"
_NOTE = (
    "a mark is a cell; thick: its own interval, from which holds is decided; thin: the "
    "simultaneous 95 % interval, from which fails is decided"
)


def draw_docket(verdicts: pd.DataFrame, cells: pd.DataFrame) -> Drawing:
    """A row for each claim as it is stated, and below it one for each broken assumption.

    The horizontal axis is the distance of a cell's mean difference from the end of the region that
    is predicted, in units of the smallest effect that matters, positive inside. Marks are of
    trained networks; the verdict at the optimum of the objectives is a word beside theirs.

    Args:
        verdicts: of ``judge``.
        cells: of ``judge``.

    Raises:
        NothingToDraw: for no verdict.
    """
    if verdicts.empty:
        raise NothingToDraw("verdicts: expected claims that were judged, got none")
    at_optimum = _by_condition(verdicts[verdicts["evidence"] == _OPTIMUM])
    verdicts = verdicts[verdicts["evidence"] == _TRAINED]
    drawn = cells[cells["evidence"] == _TRAINED]
    figure = Figure(figsize=(PAGE_INCHES, 1.0 + _ROW_INCHES * len(verdicts)), layout="constrained")
    axes = figure.subplots()
    # Both columns of verdicts, in points to the right of the panel.
    widest = max(text_inches(word, TEXT_POINTS, bold=True) for word in VERDICT_COLORS)
    offsets = (_GAP_POINTS, 2.5 * _GAP_POINTS + 72 * widest)
    for place, row in enumerate(verdicts.to_dict(orient="records")):
        own = drawn[(drawn["claim"] == row["claim"]) & (drawn["broken"] == row["broken"])]
        _draw_cells(axes, own, place)
        optimum = at_optimum.get((row["claim"], row["broken"]))
        for at, word in zip(offsets, (str(row["verdict"]), _word(optimum)), strict=True):
            axes.annotate(
                word,
                (1.0, place),
                xycoords=("axes fraction", "data"),
                xytext=(at, 0.0),
                textcoords="offset points",
                va="center",
                fontsize=TEXT_POINTS,
                weight="normal" if row["broken"] else "bold",
                color=VERDICT_COLORS.get(word, "#8c8c8c"),
            )
        if place and not row["broken"]:
            axes.axhline(place - 0.5, color="#d0d0d0", linewidth=0.5)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.axvspan(0.0, 1.15 * _FARTHEST, color=COLORBLIND["blue"], alpha=0.06, linewidth=0)
    axes.set_xscale("symlog", linthresh=_LINEAR, linscale=0.8)
    ticks = [-50, -10, -2, -1, 0, 1, 2, 10, 50]
    axes.set_xticks(ticks, [f"{tick}" for tick in ticks])
    axes.minorticks_off()
    # Room for marks at the ends.
    axes.set_xlim(-1.15 * _FARTHEST, 1.15 * _FARTHEST)
    axes.set_yticks(range(len(verdicts)), [_name(row) for _, row in verdicts.iterrows()])
    axes.set_ylim(len(verdicts) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(
        "distance into the predicted region, in smallest effects that matter", fontsize=LABEL_POINTS
    )
    handles = [
        Line2D([], [], color=color, marker=_MARKERS[name], markersize=3.5, label=f"cell: {name}")
        for name, color in VERDICT_COLORS.items()
    ]
    add_legend(figure, handles, 3, _NOTE)
    if at_optimum:
        for at, head in zip(offsets, (_TRAINED, _OPTIMUM), strict=True):
            axes.annotate(
                head,
                (1.0, 1.0),
                xycoords="axes fraction",
                xytext=(at, 0.0),
                textcoords="offset points",
                va="bottom",
                fontsize=TEXT_POINTS,
                style="italic",
            )
    return Drawing(figure, cells.reset_index(drop=True))


def docket_pages(verdicts: pd.DataFrame) -> list[pd.DataFrame]:
    """The verdicts in parts that each fit a page; a claim's rows stay together.

    Args:
        verdicts: of ``judge``.
    """
    trained = verdicts[verdicts["evidence"] == _TRAINED]
    pages: list[list[str]] = [[]]
    n_rows = 0
    for claim, n_own in trained.groupby("claim", sort=False).size().items():
        if pages[-1] and n_rows + n_own > _MOST_ROWS:
            pages.append([])
            n_rows = 0
        pages[-1].append(str(claim))
        n_rows += n_own
    return [verdicts[verdicts["claim"].isin(claims)] for claims in pages]


def docket_table(verdicts: pd.DataFrame) -> str:
    """The verdicts as a Markdown table.

    Args:
        verdicts: of ``judge``.
    """
    at_optimum = _by_condition(verdicts[verdicts["evidence"] == _OPTIMUM])
    verdicts = verdicts[verdicts["evidence"] == _TRAINED]
    lines = [
        "| claim | source | assumption broken | verdict | cells that hold | seeds | would decide "
        "| at the optimum |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in verdicts.to_dict(orient="records"):
        needed = row["seeds_to_decide"]
        is_open = row["verdict"] == "not decided" and row["n_seeds"] > 1
        seeds = "over 1000" if is_open else ""
        seeds = f"{int(needed)} seeds" if np.isfinite(needed) else seeds
        source = "" if row["broken"] else str(row["source"]).replace("|", r"\|")
        lines.append(
            f"| {row['claim']} | {source} | {row['broken']} | {row['verdict']} "
            f"| {row['n_hold']} of {row['n_cells']} | {row['n_seeds']} | {seeds} "
            f"| {_optimum_text(at_optimum.get((row['claim'], row['broken'])))} |"
        )
    return "\n".join(lines) + "\n"


_Row = dict[Any, Any]


def _by_condition(verdicts: pd.DataFrame) -> dict[tuple[str, str], _Row]:
    return {(row["claim"], row["broken"]): row for row in verdicts.to_dict(orient="records")}


def _word(optimum: _Row | None) -> str:
    """The verdict at the optimum; a dash where there is none."""
    if optimum is None:
        return ""
    verdict = str(optimum["verdict"])
    return verdict if verdict in VERDICT_COLORS else "\N{EN DASH}"


def _name(row: pd.Series) -> str:
    name = f"without: {row['broken']}" if row["broken"] else str(row["claim"])
    return literal(textwrap.shorten(name, _MOST_CHARACTERS, placeholder=" ..."))


def _draw_cells(axes: Axes, cells: pd.DataFrame, place: int) -> None:
    heights = place + _SPREAD * (np.linspace(0, 1, max(len(cells), 2))[: len(cells)] - 0.5)
    if len(cells) == 1:
        heights = np.array([float(place)])
    for height, (_, cell) in zip(heights, cells.iterrows(), strict=True):
        color = VERDICT_COLORS[cell["verdict"]]
        for low, high, width in (("low", "high", 0.5), ("own_low", "own_high", 1.4)):
            ends = _depths(cell, cell[f"{low}_bits"], cell[f"{high}_bits"])
            axes.plot(ends, [height, height], color=color, linewidth=width, alpha=0.8)
        (depth, _) = _depths(cell, cell["difference_bits"], cell["difference_bits"])
        axes.plot([depth], [height], _MARKERS[cell["verdict"]], color=color, markersize=2.6)


def _depths(cell: pd.Series, low: float, high: float) -> tuple[float, float]:
    """The least and the greatest distance into the region, of the points of an interval."""
    start, end = cell["region_low_bits"], cell["region_high_bits"]

    def depth(point: float) -> float:
        inside = min(point - start, end - point) / cell["smallest_effect_bits"]
        return float(np.clip(np.nan_to_num(inside), -_FARTHEST, _FARTHEST))

    centre = (start + end) / 2 if np.isfinite(start) and np.isfinite(end) else None
    deepest = max(depth(low), depth(high))
    if centre is not None and low <= centre <= high:
        deepest = depth(centre)
    return min(depth(low), depth(high)), deepest


def _optimum_text(optimum: _Row | None) -> str:
    """The verdict at the optimum with the cells that hold, or why there is none."""
    if optimum is None:
        return ""
    reason = str(optimum["reason"]).replace("|", r"\|")
    if str(optimum["verdict"]) not in VERDICT_COLORS:
        return f"none: {reason}"
    text = f"{optimum['verdict']}, {optimum['n_hold']} of {optimum['n_cells']}"
    return f"{text}: {reason}" if reason else text
