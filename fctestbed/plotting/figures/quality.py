"""Label bits against the quality of augmentations."""

import json
import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import Axis
from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.marks import draw_curves, draw_exact, set_value_axis
from fctestbed.plotting.run_details import RunDetails, run_details, total_label_bits, with_detail
from fctestbed.plotting.select import LABEL, n_unfinished, quantity_rows, require_rows
from fctestbed.plotting.style import PAGE_INCHES
from fctestbed.plotting.summarise import (
    SERIES,
    Ratios,
    bits_columns,
    pooled_intervals,
    seeds_note,
    within,
)
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import Results

# Each panel varies one chance of quality augmentations, with the other one at its optimum, 1.
CHANCES = {
    "relevant": "quality: chance that a relevant bit survives",
    "irrelevant": "quality: chance that an irrelevant bit is redrawn",
}
TITLES = {
    "relevant": "irrelevant bits always redrawn",
    "irrelevant": "relevant bits always survive",
}
_TOTAL = "Exact total $I(X_1,X_2;Y)$"


def quality_rows(results: Results, yardstick: Yardstick) -> pd.DataFrame:
    """Label bits of finished runs that were trained on quality augmentations.

    Returns:
        Columns of ``quantity_rows`` and ``relevant, irrelevant, views_bits`` (exact
        I(X1,X2;X1',X2') in bits, NaN where it is not known); ``variant`` names the settings in
        which runs of a method differ, and is empty where they differ in quality only. Of two
        variants with the same settings and quality the first by name is kept.
    """
    details = {
        run_id: run
        for run_id, run in run_details(results).items()
        if run.augmentation.get("kind") == "quality"
    }
    rows = with_detail(quantity_rows(results, LABEL, yardstick), details, "run")
    changing = {
        method: _changing_settings(own["run"].tolist()) for method, own in rows.groupby("method")
    }
    named = rows["variant"]
    rows["variant"] = [
        ", ".join(f"{name} = {run.settings.get(name)}" for name in changing[method])
        for method, run in zip(rows["method"], rows["run"], strict=True)
    ]
    for name in CHANCES:
        # A run without the chance has it at its optimum.
        rows[name] = [float(run.augmentation.get(name, 1.0)) for run in rows["run"]]
    rows["views_bits"] = [run.views_bits for run in rows["run"]]
    keys = [*SERIES, *CHANCES, "unique_ratio", "seed"]
    again = rows.loc[named.sort_values(kind="stable").index].duplicated(keys)
    return rows[~again.sort_index()].drop(columns="run")


def draw_quality(results: Results, options: DrawOptions) -> Drawing:
    """A line per method, a panel per chance; below, exact I(X1,X2;X1',X2') where it is known.

    Optimal views would have I(X1,X2;X1',X2') = I(X1,X2;Y) (Liang et al. 2023, Definition 4), which
    is the black line.

    Args:
        results: the rows.
        options: ``table_ratio`` for one ratio instead of the mean, ``yardstick``.

    Raises:
        NothingToDraw: if finished runs have no two qualities along a chance.
    """
    yardstick = options.yardstick_of(results)
    rows = quality_rows(results, yardstick)
    panels = {name: own for name in CHANCES if (own := _along(rows, name))[name].nunique() > 1}
    require_rows(pd.concat(panels.values()) if panels else rows.iloc[:0], "two qualities of views")
    ratios = Ratios.of(rows, options.table_ratio)
    total = ratios.mean(total_label_bits(results))
    known_views = bool(rows["views_bits"].notna().any())
    n_rows = 1 + known_views
    figure = Figure(figsize=(PAGE_INCHES, 2.6 + 1.2 * known_views), layout="constrained")
    grid = figure.subplots(
        n_rows, len(panels), squeeze=False, sharex="col", height_ratios=(2, 1)[:n_rows]
    )
    handles: dict[str, Line2D] = {}
    tables = []
    for column, (name, own) in enumerate(panels.items()):
        points = pooled_intervals(own, "value_bits", [*SERIES, name], ratios)
        require_rows(points, "qualities at every ratio")
        points = within(points, yardstick.least_bits, min(total, yardstick.limit_bits))
        views = _views(own, name, ratios)
        x = Axis.of(points[name])
        top = grid[0, column]
        exact = _constant(total, points[name])
        drawn = [
            *draw_exact(top, exact, _TOTAL, x),
            *draw_curves(top, points, x),
        ]
        set_value_axis(top, points, [exact])
        top.set_title(TITLES[name])
        if known_views:
            drawn += _draw_views(grid[1, column], views, exact, x)
        grid[-1, column].set_xlabel(CHANCES[name])
        for line in drawn:
            handles.setdefault(str(line.get_label()), line)
        tables.append(
            points.rename(columns={name: "quality"}).assign(
                knob=name, views_bits=points[name].map(views).to_numpy(), total_bits=total
            )
        )
    limits = [axes.get_ylim() for axes in grid[0]]
    for axes in grid[0]:
        axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    grid[0, 0].set_ylabel(f"label bits {yardstick.text}")
    if known_views:
        grid[1, 0].set_ylabel("exact (bits)")
    numbers = pd.concat(tables, ignore_index=True)
    note = f"{ratios.note}; {seeds_note(numbers['n_seeds'], n_unfinished(results))}"
    add_legend(figure, list(handles.values()), 4, note + options.world_note)
    numbers.insert(0, "unique_ratio", ratios.name)
    return Drawing(figure, bits_columns(numbers, yardstick))


def _along(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    (other,) = set(CHANCES) - {name}
    return rows[rows[other] == 1.0]


def _changing_settings(runs: list[RunDetails]) -> list[str]:
    """Names of settings that differ between runs of a method."""
    values: dict[str, set[str]] = {}
    for run in runs:
        for name, value in run.settings.items():
            values.setdefault(name, set()).add(json.dumps(value, sort_keys=True))
    return sorted(name for name, found in values.items() if len(found) > 1)


def _views(rows: pd.DataFrame, name: str, ratios: Ratios) -> pd.Series:
    """Exact I(X1,X2;X1',X2') in bits along one chance; values where it is unknown are absent."""
    by_quality = {
        quality: ratios.mean(own.groupby("unique_ratio")["views_bits"].mean())
        for quality, own in rows.groupby(name)
    }
    return pd.Series(by_quality, dtype=float).dropna()


def _constant(value: float, places: pd.Series) -> pd.Series:
    known = sorted(set(places)) if math.isfinite(value) else []
    return pd.Series(value, index=known, dtype=float)


def _draw_views(axes: Axes, views: pd.Series, total: pd.Series, x: Axis) -> list[Line2D]:
    draw_exact(axes, total, _TOTAL, x)
    lines = draw_exact(axes, views, "Exact $I(X_1,X_2;X_1',X_2')$", x, "--")
    top = max((float(line.max()) for line in (views, total) if len(line)), default=1.0)
    axes.set_ylim(-0.06 * top, 1.1 * top)
    return lines
