"""Shared and unique bits captured against the unique ratio, one panel each."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.curves import (
    add_legend,
    draw_curves,
    draw_exact,
    set_ratio_axis,
    set_value_axis,
)
from fctestbed.plotting.drawing import Drawing, DrawOptions
from fctestbed.plotting.intervals import seed_intervals, seeds_note
from fctestbed.plotting.selection import (
    SHARED,
    UNIQUE,
    n_unfinished,
    quantity_rows,
    require_rows,
)
from fctestbed.plotting.series import readable_series
from fctestbed.plotting.style import PAGE_INCHES
from fctestbed.results import Results

_PANELS = {
    "shared": ("shared block $w_s$", SHARED),
    "unique": ("unique blocks $w_1$ and $w_2$", UNIQUE),
}


def draw_blocks(results: Results, options: DrawOptions) -> Drawing:
    """Bits captured of the shared block and of both unique blocks (summed within each run).

    The black line is H(block), all there is; the dotted one the part that the label reads.

    Args:
        results: the rows.
        options: ``estimator`` chooses whose bits.

    Raises:
        NothingToDraw: if no finished run has block bits.
    """
    figure = Figure(figsize=(PAGE_INCHES, 2.5), layout="constrained")
    panels = figure.subplots(1, 2)
    tables = []
    handles: dict[str, Line2D] = {}
    for axes, (panel, (title, quantities)) in zip(panels, _PANELS.items(), strict=True):
        rows, left_out = readable_series(
            quantity_rows(results, quantities, options.estimator), any_variant=options.any_variant
        )
        require_rows(rows, f"{panel} bits")
        points = seed_intervals(rows, "value_bits")
        entropy = _true_bits(rows)
        relevant = _true_bits(
            quantity_rows(
                results, [f"{quantity}_relevant" for quantity in quantities], options.estimator
            )
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
    note = seeds_note(numbers["n_seeds"], n_unfinished(results), left_out=left_out)
    note += options.estimator_note
    add_legend(figure, list(handles.values()), 6, note)
    return Drawing(
        figure,
        numbers.rename(columns={"mean": "captured_bits", "low": "low_bits", "high": "high_bits"}),
    )


def _true_bits(rows: pd.DataFrame) -> pd.Series:
    return rows.groupby("unique_ratio")["true_bits"].mean().dropna()
