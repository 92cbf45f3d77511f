"""Shared, unique and label bits against the steps of the training: which come first."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import UNIQUE_RATIO, Axis, require_one_world
from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.marks import draw_curves, set_horizontal_axis, set_value_axis
from fctestbed.plotting.select import (
    LABEL,
    SHARED,
    UNIQUE,
    chosen_ratios,
    n_unfinished,
    readable_series,
    require_rows,
)
from fctestbed.plotting.style import PAGE_INCHES
from fctestbed.plotting.summarise import SERIES, bits_columns, seed_intervals, seeds_note, within
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import JOINT, Results

_STEP = "step"
_PANELS = {
    "label bits": LABEL,
    "shared bits": SHARED,
    "unique bits": UNIQUE,
}
_ROW_INCHES = 1.9


def draw_along(results: Results, options: DrawOptions) -> Drawing:
    """Label, shared and unique bits of the joint readout against the steps of the training, a row
    of panels for each of some unique ratios, a line per method.

    The black line is the most that can be read: the exact bits, and at a rate R no more than R.

    Args:
        results: the rows; of a sweep with ``measurement.along``.
        options: ``curve_ratios`` chooses the rows of panels, ``yardstick`` whose bits.

    Raises:
        NothingToDraw: if no finished run was measured along its training by the yardstick.
    """
    yardstick = options.yardstick_of(results)
    require_one_world(results, UNIQUE_RATIO)
    rows = yardstick.rows(results.along)
    rows = rows[(rows["readout"] == JOINT) & (rows["status"] == "ok")]
    require_rows(rows, "bits along training")
    rows, left_out = readable_series(rows, any_variant=options.any_variant)
    require_rows(rows, "bits along training of a variant to show")
    ratios = chosen_ratios(rows, options.curve_ratios)
    rows = rows[rows[UNIQUE_RATIO].isin(ratios)]
    points = pd.concat(
        [
            _points(rows, quantities, yardstick).assign(quantity=name)
            for name, quantities in _PANELS.items()
        ],
        ignore_index=True,
    )
    figure, lines = _figure(points, ratios, yardstick)
    note = seeds_note(points["n_seeds"], n_unfinished(results), left_out=left_out)
    add_legend(figure, lines, 6, f"{note}{options.world_note}")
    return Drawing(figure, bits_columns(points, yardstick))


def _points(rows: pd.DataFrame, quantities: Sequence[str], yardstick: Yardstick) -> pd.DataFrame:
    """The mean over seeds, with its interval, of the bits of some quantities, and the most that can
    be read of them."""
    keys = ["run_id", "seed", *SERIES, UNIQUE_RATIO, _STEP]
    own = rows[rows["quantity"].isin(quantities)].groupby(keys)[["value_bits", "true_bits"]]
    sums = own.sum(min_count=len(quantities)).reset_index().dropna(subset=["value_bits"])
    by = [*SERIES, UNIQUE_RATIO, _STEP]
    points = seed_intervals(sums, "value_bits", by)
    most = sums.groupby(by)["true_bits"].mean().clip(upper=yardstick.limit_bits)
    points = points.merge(most.rename("most_bits").reset_index(), on=by)
    return within(points, yardstick.least_bits, points["most_bits"])


def _figure(
    points: pd.DataFrame, ratios: Sequence[float], yardstick: Yardstick
) -> tuple[Figure, list[Line2D]]:
    size = (PAGE_INCHES, _ROW_INCHES * len(ratios) + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(ratios), len(_PANELS), squeeze=False, sharex=True)
    x = Axis.of(points[_STEP])
    handles: dict[str, Line2D] = {}
    for place, (row, ratio) in enumerate(zip(grid, ratios, strict=True)):
        for axes, name in zip(row, _PANELS, strict=True):
            own = points[(points["quantity"] == name) & (points[UNIQUE_RATIO] == ratio)]
            most = own["most_bits"].iloc[:1]
            label = yardstick.most_text("exact bits")
            for height in most:
                line = axes.axhline(height, color="black", linewidth=1.1, label=label)
                handles.setdefault(label, line)
            for curve in draw_curves(axes, own, x):
                handles.setdefault(str(curve.get_label()), curve)
            is_last = place == len(ratios) - 1
            set_horizontal_axis(axes, x, label="training step" if is_last else "")
            set_value_axis(axes, own, [most])
            if place == 0:
                axes.set_title(f"{name} {yardstick.text}")
        row[0].set_ylabel(f"unique ratio {ratio:g}\nbits")
    return figure, list(handles.values())
