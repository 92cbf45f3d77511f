"""The audit: the change in captured bits by each departure of the official code from the paper.

Every run of a departing variant is paired with the ``paper`` run of the same method, ratio and
seed; the differences of captured bits are averaged over ratios within each seed, then over seeds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fctestbed.plotting.axes import UNIQUE_RATIO
from fctestbed.plotting.captions import add_note
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.marks import draw_dot, set_dots_axis
from fctestbed.plotting.run_details import RunDetails, series_details
from fctestbed.plotting.select import (
    LABEL,
    SHARED,
    UNIQUE,
    flagged,
    n_unfinished,
    quantity_rows,
    require_rows,
)
from fctestbed.plotting.style import PAGE_INCHES, literal, method_order, style_of
from fctestbed.plotting.summarise import (
    SERIES,
    Ratios,
    pooled_intervals,
    seed_intervals,
    seeds_note,
)
from fctestbed.plotting.table import Column, markdown_table, plus_minus
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import PAPER, Results

OFFICIAL = "official"
_QUANTITIES = {"label": LABEL, "shared": SHARED, "unique": UNIQUE}
_TITLES = {"label": "label", "shared": "shared block $w_s$", "unique": "unique $w_1$ and $w_2$"}
_ROW_INCHES = 0.17
_MOST_TICKS = 5


@dataclass(frozen=True)
class _Departure:
    method: str
    variant: str
    label: str


def departures_in(results: Results) -> list[_Departure]:
    """Variants that differ from the paper's run of their method, in drawing order.

    Single departures of the official code come first, then other single changes, then variants of
    several; ``official`` is the last of a method. Variants that change only the critic or the
    quality of augmentations have their own figures and are left out.
    """
    details = series_details(results)
    found = []
    for (method, variant), run in details.items():
        paper = details.get((method, PAPER))
        if paper is None or variant == PAPER:
            continue
        changed = _changed(run, paper)
        if set(changed) <= {"critic"} or run.augmentation.get("kind") == "quality":
            continue
        label = variant
        if variant == OFFICIAL:
            label = f"official: all {len(changed)}" if len(changed) > 1 else "official"
        elif len(changed) == 1:
            label = " = ".join(str(part) for part in next(iter(changed.items())))
            label = label.replace("True", "true").replace("False", "false")
        several = len(changed) > 1
        ours = not set(changed) <= set(run.departures)
        order = (method_order(method), variant == OFFICIAL, several, ours, label)
        found.append((order, _Departure(method, variant, label)))
    return [departure for _, departure in sorted(found, key=lambda entry: entry[0])]


def _changed(run: RunDetails, paper: RunDetails) -> dict[str, Any]:
    """Departures, settings and views in which a run differs from the paper's, with its values."""
    changed = {
        name: value
        for own, other in ((run.departures, paper.departures), (run.settings, paper.settings))
        for name, value in own.items()
        if name not in other or other[name] != value
    }
    if run.augmentation != paper.augmentation:
        changed["views"] = run.augmentation.get("kind", "none")
    return changed


def paired_changes(results: Results, quantity: str, yardstick: Yardstick) -> pd.DataFrame:
    """Differences from the paper's variant, run by run.

    Args:
        results: the rows.
        quantity: ``label``, ``shared`` or ``unique`` (both unique blocks).
        yardstick: whose bits, of the joint readout.

    Returns:
        Columns ``method, variant, unique_ratio, seed, value_bits, paper_bits, change_bits``: one
        row for each run that has a finished partner.
    """
    rows = quantity_rows(results, _QUANTITIES[quantity], yardstick)
    key = ["method", "unique_ratio", "seed"]
    paper = rows[rows["variant"] == PAPER][[*key, "value_bits"]]
    pairs = rows[rows["variant"] != PAPER].merge(
        paper.rename(columns={"value_bits": "paper_bits"}), on=key, validate="many_to_one"
    )
    pairs["change_bits"] = pairs["value_bits"] - pairs["paper_bits"]
    names = ["method", "variant", "unique_ratio", "seed"]
    return pairs[[*names, "value_bits", "paper_bits", "change_bits"]]


def draw_audit(results: Results, options: DrawOptions) -> Drawing:
    """Change in captured bits by departure: a panel per quantity, a row per departure.

    A filled mark is a change whose 95 % interval over seeds excludes 0. The numbers have each ratio
    as well as the mean over them.

    Args:
        results: the rows.
        options: ``table_ratio`` for one ratio instead of the mean, ``yardstick``.

    Raises:
        NothingToDraw: if no finished run of a departing variant has a partner.
    """
    yardstick = options.yardstick_of(results)
    departures = departures_in(results)
    shown = {(one.method, one.variant) for one in departures}
    changes = {}
    for quantity in _QUANTITIES:
        pairs = paired_changes(results, quantity, yardstick)
        departing = [key in shown for key in zip(pairs["method"], pairs["variant"], strict=True)]
        if any(departing):
            changes[quantity] = flagged(pairs, departing)
    require_rows(next(iter(changes.values()), pd.DataFrame()), "departures and the paper's variant")
    ratios = Ratios.of(pd.concat(changes.values()), options.table_ratio)
    points = {
        quantity: pooled_intervals(pairs, "change_bits", SERIES, ratios)
        for quantity, pairs in changes.items()
    }
    n_intervals = sum(int(table["low"].notna().sum()) for table in points.values())
    n_seeds = pd.concat([table["n_seeds"] for table in points.values()])
    require_rows(n_seeds.to_frame(), "departures and the paper's variant at every ratio")
    note = f"against the paper's variant, seed by seed; {ratios.note}; "
    note += f"{seeds_note(n_seeds, n_unfinished(results))}{options.note_of(yardstick)}"
    if n_intervals:
        note += f"; filled: 0 is outside (by chance about {n_intervals / 20:.1f} of {n_intervals})"
    figure = _figure(departures, points, note)
    return Drawing(
        figure,
        _numbers(departures, changes, ratios).assign(**yardstick.columns),
        _markdown(departures, points, note),
    )


def _figure(departures: list[_Departure], points: dict[str, pd.DataFrame], note: str) -> Figure:
    places, ticks, place = {}, [], 0.0
    for index, one in enumerate(departures):
        if index == 0 or one.method != departures[index - 1].method:
            place += 0.35 if index else 0.0
            ticks.append((place, style_of(one.method).text, True))
            place += 1.0
        places[one.method, one.variant] = place
        ticks.append((place, literal(one.label), False))
        place += 1.0
    figure = Figure(figsize=(PAGE_INCHES, 0.85 + _ROW_INCHES * place), layout="constrained")
    panels = figure.subplots(1, len(points), sharey=True, squeeze=False)[0]
    for axes, (quantity, table) in zip(panels, points.items(), strict=True):
        _draw_panel(axes, table, places)
        axes.set_title(_TITLES[quantity])
        axes.set_xlabel("change (bits)")
    first = panels[0]
    first.set_ylim(place - 0.4, -0.6)
    first.set_yticks([y for y, _, _ in ticks], [label for _, label, _ in ticks])
    for label, (_, _, heading) in zip(first.get_yticklabels(), ticks, strict=True):
        label.set_fontweight("bold" if heading else "normal")
    add_note(figure, note)
    return figure


def _draw_panel(axes: Axes, table: pd.DataFrame, places: dict[tuple[str, str], float]) -> None:
    axes.axvline(0, color="black", linewidth=0.8, zorder=1.5)
    points = _by_key(table)
    for (method, variant), place in places.items():
        if (point := points.get((method, variant))) is not None:
            style = style_of(method)
            marker = "D" if variant == OFFICIAL else style.marker
            draw_dot(axes, place, point, style, marker=marker, filled=_is_certain(point))
    set_dots_axis(axes, table, [0.0])
    axes.xaxis.set_major_locator(MaxNLocator(_MOST_TICKS, steps=[1, 2, 5, 10]))


def _by_key(table: pd.DataFrame) -> dict[tuple[str, str], Mapping[Any, Any]]:
    return {(row["method"], row["variant"]): row for row in table.to_dict(orient="records")}


def _is_certain(point: Mapping[Any, Any]) -> bool:
    return bool(point["low"] > 0 or point["high"] < 0)


def _numbers(
    departures: list[_Departure], changes: dict[str, pd.DataFrame], ratios: Ratios
) -> pd.DataFrame:
    tables = []
    for quantity, pairs in changes.items():
        means = pooled_intervals(pairs, "change_bits", SERIES, ratios)
        paper = pooled_intervals(pairs, "paper_bits", SERIES, ratios)
        pooled = means.assign(unique_ratio=ratios.name, paper_bits=paper["mean"])
        each = seed_intervals(pairs, "change_bits", [*SERIES, UNIQUE_RATIO])
        each["paper_bits"] = seed_intervals(pairs, "paper_bits", [*SERIES, UNIQUE_RATIO])["mean"]
        each["unique_ratio"] = [f"{ratio:g}" for ratio in each["unique_ratio"]]
        several = each if len(ratios.values) > 1 else each.iloc[:0]
        tables.append(pd.concat([pooled, several]).assign(quantity=quantity))
    labels = pd.DataFrame(departures).assign(order=range(len(departures)))
    table = pd.concat(tables).merge(labels.rename(columns={"label": "departure"}), on=SERIES)
    table = table.sort_values(["order", "quantity"], kind="stable")
    table = table.rename(columns={"mean": "change_bits", "low": "low_bits", "high": "high_bits"})
    names = ["method", "variant", "departure", "quantity", "unique_ratio", "change_bits"]
    return table[[*names, "low_bits", "high_bits", "paper_bits", "n_seeds"]].reset_index(drop=True)


def _markdown(departures: list[_Departure], points: dict[str, pd.DataFrame], note: str) -> str:
    columns = [
        Column("method", tuple(style_of(one.method).label for one in departures), left=True),
        Column("departure", tuple(one.label for one in departures), left=True),
    ]
    keys = [(one.method, one.variant) for one in departures]
    for quantity, table in points.items():
        known = _by_key(table)
        cells = tuple(_cell(known[key]) if key in known else "" for key in keys)
        columns.append(Column(f"{quantity} (bits)", cells))
    return markdown_table(columns, note.replace("filled:", "bold:"))


def _cell(point: Mapping[Any, Any]) -> str:
    text = plus_minus(point["mean"], point["high"] - point["mean"], signed=True)
    return f"**{text}**" if _is_certain(point) else text
