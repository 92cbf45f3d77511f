"""Label bits by method and critic family: separates the critic's effect from the objective's."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.marks import draw_dot, set_dots_axis
from fctestbed.plotting.run_details import (
    run_details,
    total_label_bits,
    unfinished_runs,
    with_detail,
)
from fctestbed.plotting.select import LABEL, flagged, n_unfinished, quantity_rows, require_rows
from fctestbed.plotting.style import (
    COLUMN_INCHES,
    NOTE_COLOR,
    TEXT_POINTS,
    literal,
    style_of,
    table_order,
)
from fctestbed.plotting.summarise import Ratios, bits_columns, pooled_intervals, seeds_note, within
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import PAPER, Results

CRITIC_MARKERS = {"cosine": "o", "separable": "s", "bilinear": "^", "concat": "D"}
_OTHER_MARKERS = ("v", "P", "X", "h", "p", "*")
_KEYS = ["method", "critic"]
_ROW_INCHES = 0.13
_STATUS_TEXT: dict[str, Any] = {"fontsize": TEXT_POINTS, "color": NOTE_COLOR, "style": "italic"}


def critic_rows(results: Results, yardstick: Yardstick) -> pd.DataFrame:
    """Label bits of finished runs that score pairs, one per method, critic, ratio and seed.

    Runs with departures are left out: the audit draws them. Of two variants with the same critic
    the paper's is kept, else the first by name.

    Returns:
        Columns of ``quantity_rows`` and ``critic``.
    """
    details = run_details(results)
    critics = {
        run_id: str(run.settings["critic"])
        for run_id, run in details.items()
        if isinstance(run.settings.get("critic"), str)
    }
    rows = with_detail(quantity_rows(results, LABEL, yardstick), critics, "critic")
    plain = [
        variant == PAPER or not details[run_id].departures
        for run_id, variant in zip(rows["run_id"], rows["variant"], strict=True)
    ]
    rows = flagged(rows, plain).assign(other=lambda table: table["variant"] != PAPER)
    rows = rows.sort_values(["other", "variant"], kind="stable")
    return rows.drop_duplicates([*_KEYS, "unique_ratio", "seed"]).drop(columns="other")


def draw_critics(results: Results, options: DrawOptions) -> Drawing:
    """A row per method, a mark per critic family; the exact total is the black line.

    A filled mark is the method's default critic, which runs of the paper's variant have; without
    such runs all marks are filled.

    Args:
        results: the rows.
        options: ``table_ratio`` for one ratio instead of the mean, ``yardstick``.

    Raises:
        NothingToDraw: if no method was run with two critics.
    """
    yardstick = options.yardstick_of(results)
    rows = critic_rows(results, yardstick)
    counts = rows.groupby("method")["critic"].nunique()
    compared = rows["method"].isin(counts[counts > 1].index)
    require_rows(rows[compared], "one method with two critics")
    ratios = Ratios.of(rows, options.table_ratio)
    points = pooled_intervals(rows, "value_bits", _KEYS, ratios)
    require_rows(points, "critics at every ratio")
    own = rows[rows["variant"] == PAPER]
    default = set(zip(own["method"], own["critic"], strict=True))
    # Without runs of the paper's variant the methods' default critics are not known.
    points["default"] = [
        key in default for key in zip(points["method"], points["critic"], strict=True)
    ]
    total = ratios.mean(total_label_bits(results))
    points = within(points, yardstick.least_bits, min(total, yardstick.limit_bits))
    markers = _markers(points)
    note = f"{ratios.note}; {seeds_note(points['n_seeds'], n_unfinished(results))}"
    note += options.world_note
    if default:
        note += "; filled: the method's own critic"
    figure = _figure(
        points,
        markers,
        total,
        label=f"label bits {yardstick.text}",
        note=note,
        unread=_unread(results, points),
    )
    numbers = bits_columns(points, yardstick).assign(total_bits=total)
    numbers.insert(2, "unique_ratio", ratios.name)
    return Drawing(figure, numbers)


def _unread(results: Results, points: pd.DataFrame) -> dict[tuple[str, str], str]:
    """The status of each (method, critic) that has runs, all of them unfinished."""
    read = set(zip(points["method"], points["critic"], strict=True))
    methods = set(points["method"])
    found: dict[tuple[str, str], str] = {}
    for run in unfinished_runs(results):
        critic = run.settings.get("critic")
        key = (run.method, str(critic))
        if run.method in methods and isinstance(critic, str) and key not in read:
            found[key] = run.status
    return found


def _markers(points: pd.DataFrame) -> dict[str, str]:
    found = set(points["critic"])
    known = {critic: mark for critic, mark in CRITIC_MARKERS.items() if critic in found}
    others = sorted(found - set(known))
    return known | {
        critic: _OTHER_MARKERS[place % len(_OTHER_MARKERS)] for place, critic in enumerate(others)
    }


def _figure(
    points: pd.DataFrame,
    markers: dict[str, str],
    total: float,
    *,
    label: str,
    note: str,
    unread: Mapping[tuple[str, str], str],
) -> Figure:
    methods = sorted(points["method"].unique(), key=table_order)
    step = len(markers) + 1.0
    height = 0.8 + _ROW_INCHES * step * len(methods)
    figure = Figure(figsize=(COLUMN_INCHES, height), layout="constrained")
    axes = figure.subplots()
    handles = []
    if total == total:  # noqa: PLR0124 - NaN: not known at every ratio
        handles.append(axes.axvline(total, color="black", linewidth=1.1, label="Exact total"))
    for point in points.to_dict(orient="records"):
        place = step * methods.index(point["method"]) + list(markers).index(point["critic"])
        style = style_of(point["method"])
        filled = bool(point["default"]) or not points["default"].any()
        draw_dot(axes, place, point, style, marker=markers[point["critic"]], filled=filled)
    for (method, critic), status in unread.items():
        if critic in markers:
            place = step * methods.index(method) + list(markers).index(critic)
            axes.text(0.0, place, f"{literal(critic)}: {status}", va="center", **_STATUS_TEXT)
    for row in range(1, len(methods)):
        axes.axhline(step * row - 1.0, color="#cccccc", linewidth=0.5)
    middle = (len(markers) - 1) / 2
    labels = [style_of(method).text for method in methods]
    axes.set_yticks([step * row + middle for row in range(len(methods))], labels)
    axes.set_ylim(step * len(methods) - 1.0, -1.0)
    axes.set_xlabel(label)
    set_dots_axis(axes, points, [0.0, total] if handles else [0.0])
    handles += [
        Line2D([], [], color=NOTE_COLOR, marker=mark, linestyle="none", label=literal(critic))
        for critic, mark in markers.items()
    ]
    add_legend(figure, handles, 3, note)
    return figure
