"""Shared and unique bits captured against the unique ratio, one panel each."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.curves import (
    add_legend,
    draw_curves,
    draw_exact,
    finished,
    n_unfinished,
    require_rows,
    set_ratio_axis,
    set_value_axis,
)
from fctestbed.plotting.drawing import Drawing, DrawOptions
from fctestbed.plotting.intervals import seed_intervals, seeds_note
from fctestbed.plotting.label_bits import HEADLINE_ESTIMATOR, HEADLINE_READOUT
from fctestbed.plotting.style import PAGE_INCHES
from fctestbed.results import Results

_PANELS = {
    "shared": ("shared block $w_s$", ("shared",)),
    "unique": ("unique blocks $w_1$ and $w_2$", ("unique1", "unique2")),
}


def block_rows(results: Results, quantities: tuple[str, ...]) -> pd.DataFrame:
    """Captured and true bits of some quantities, summed within each finished run.

    Args:
        results: the rows.
        quantities: block names; a run that lacks one of them is left out.

    Returns:
        Columns ``run_id, method, variant, unique_ratio, value_bits, true_bits``, one row per run.
    """
    rows = finished(results.captured)
    rows = rows[
        rows["quantity"].isin(quantities)
        & (rows["readout"] == HEADLINE_READOUT)
        & (rows["estimator"] == HEADLINE_ESTIMATOR)
    ]
    keys = ["run_id", "method", "variant", "unique_ratio"]
    # min_count: half of a sum is not a smaller sum, it is none.
    sums = rows.groupby(keys)[["value_bits", "true_bits"]].sum(min_count=len(quantities))
    return sums.reset_index().dropna(subset=["value_bits"])


def draw_blocks(results: Results, options: DrawOptions) -> Drawing:
    """Bits captured of the shared block and of both unique blocks (summed within each run).

    The black line is H(block), all there is; the dotted one the part that the label reads.

    Args:
        results: the rows.
        options: not used here.

    Raises:
        NothingToDraw: if no finished run has block bits.
    """
    figure = Figure(figsize=(PAGE_INCHES, 2.5), layout="constrained")
    panels = figure.subplots(1, 2)
    tables = []
    handles: dict[str, Line2D] = {}
    for axes, (panel, (title, quantities)) in zip(panels, _PANELS.items(), strict=True):
        rows = block_rows(results, quantities)
        require_rows(rows, f"{panel} bits")
        points = seed_intervals(rows, "value_bits")
        entropy = _true_bits(rows)
        relevant = _true_bits(
            block_rows(results, tuple(f"{quantity}_relevant" for quantity in quantities))
        )
        drawn = [
            *draw_exact(axes, entropy, "H(block)"),
            *draw_exact(axes, relevant, "H(part the label reads)", ":"),
            *draw_curves(axes, points),
        ]
        for line in drawn:
            handles.setdefault(str(line.get_label()), line)
        axes.set_title(title)
        axes.set_ylabel("information captured (bits)")
        set_ratio_axis(axes, points["unique_ratio"])
        set_value_axis(axes, points, [entropy, relevant])
        tables.append(
            points.assign(
                panel=panel,
                block_bits=points["unique_ratio"].map(entropy),
                relevant_bits=points["unique_ratio"].map(relevant),
            )
        )
    numbers = pd.concat(tables, ignore_index=True)
    note = seeds_note(numbers["n_seeds"], n_unfinished(results))
    add_legend(figure, list(handles.values()), 6, note)
    return Drawing(
        figure,
        numbers.rename(columns={"mean": "captured_bits", "low": "low_bits", "high": "high_bits"}),
    )


def _true_bits(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby("unique_ratio")["true_bits"].mean().dropna()
