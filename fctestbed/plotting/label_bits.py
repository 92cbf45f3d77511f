"""Label bits captured against the unique ratio: the headline figure."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fctestbed.plotting.curves import (
    add_legend,
    draw_curves,
    draw_exact,
    set_ratio_axis,
    set_value_axis,
    width_for,
)
from fctestbed.plotting.drawing import LINEAR_PROBE, Drawing, DrawOptions
from fctestbed.plotting.exact import exact_by_ratio
from fctestbed.plotting.intervals import seed_intervals, seeds_note
from fctestbed.plotting.selection import LABEL, n_unfinished, quantity_rows, require_rows
from fctestbed.plotting.series import readable_series
from fctestbed.plotting.style import COLUMN_INCHES
from fctestbed.results import Results

_NEAR = 0.85
_CROWD = 4


def total_label_bits(results: Results) -> pd.Series:
    """Exact I(X1,X2;Y) in bits by ratio: from the truth, else as the label's rows have it."""
    total = exact_by_ratio(results, "total_bits")
    if not total.empty:
        return total
    rows = quantity_rows(results, LABEL, LINEAR_PROBE)
    return rows.groupby("unique_ratio")["true_bits"].mean().dropna()


def draw_label_bits(results: Results, options: DrawOptions) -> Drawing:
    """Label bits captured (usable information) against the ratio, a line per method.

    The exact total I(X1,X2;Y) is the black line; the exact shared part S, which is all that a
    method blind to unique information can have, the black dotted one. Where four methods or more
    crowd close to the total, a second panel shows that part alone.

    Args:
        results: the rows.
        options: ``estimator`` chooses whose bits.

    Raises:
        NothingToDraw: if no finished run has label bits.
    """
    rows, left_out = readable_series(
        quantity_rows(results, LABEL, options.estimator), any_variant=options.any_variant
    )
    require_rows(rows, "label bits")
    points = seed_intervals(rows, "value_bits")
    total = total_label_bits(results)
    shared = exact_by_ratio(results, "shared_bits")
    crowded = _crowded(points, total)
    figure, panels = _panels(width_for(points), 1 + crowded)
    axes = panels[0]
    exact = [
        *draw_exact(axes, total, "Exact total"),
        *draw_exact(axes, shared, "Exact shared part", ":"),
    ]
    lines = draw_curves(axes, points)
    axes.set_ylabel("captured of the label (bits)")
    set_value_axis(axes, points, [total, shared])
    if crowded:
        _draw_near_total(panels[1], points, total)
    for panel in panels if figure.get_figwidth() > COLUMN_INCHES else panels[-1:]:
        set_ratio_axis(panel, points["unique_ratio"])
    note = seeds_note(points["n_seeds"], n_unfinished(results), left_out=left_out)
    columns = round(figure.get_figwidth())
    add_legend(figure, [*exact, *lines], columns, note + options.estimator_note)
    numbers = points.rename(
        columns={"mean": "captured_bits", "low": "low_bits", "high": "high_bits"}
    ).assign(
        total_bits=points["unique_ratio"].map(total),
        shared_bits=points["unique_ratio"].map(shared),
    )
    return Drawing(figure, numbers)


def _panels(width: float, number: int) -> tuple[Figure, list[Axes]]:
    """Panels one below the other in a column, side by side on a page."""
    if width == COLUMN_INCHES:
        figure = Figure(figsize=(width, 2.6 if number == 1 else 4.0), layout="constrained")
        ratios = (3, 2)[:number]
        grid = figure.subplots(number, 1, sharex=True, squeeze=False, height_ratios=ratios)
        return figure, list(grid[:, 0])
    figure = Figure(figsize=(width, 2.8), layout="constrained")
    return figure, list(figure.subplots(1, number, squeeze=False)[0])


def _crowded(points: pd.DataFrame, total: pd.Series) -> bool:
    """Whether four lines or more keep, at most of their ratios, close to the total."""
    if len(total) < 2 or total.min() <= 0:
        return False
    share = points["mean"] / points["unique_ratio"].map(total)
    near = (share > _NEAR).groupby([points["method"], points["variant"]]).mean()
    return bool((near > 0.5).sum() >= _CROWD)


def _draw_near_total(axes: Axes, points: pd.DataFrame, total: pd.Series) -> None:
    """The lines once more, from 85 % of the least total up, without bands: those would cover it."""
    draw_exact(axes, total, "Exact total")
    draw_curves(axes, points, bands=False)
    bottom, top = _NEAR * float(total.min()), float(total.max())
    axes.set_ylim(bottom, max(top, float(points["mean"].max())) + 0.06 * (top - bottom))
    axes.set_ylabel("near the total, means (bits)")
