"""The waterfall of a method: label bits from what a world holds down to what a reader finds.

From the rows of an explanation alone.
"""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fctestbed.plotting.captions import add_note
from fctestbed.plotting.interface import Drawing, NothingToDraw
from fctestbed.plotting.style import COLORBLIND, NOTE_COLOR, PAGE_INCHES, literal

LEVEL_COLORS = {
    "truth": COLORBLIND["grey"],
    "objective": COLORBLIND["vermilion"],
    "batch": COLORBLIND["orange"],
    "samples": COLORBLIND["yellow"],
    "network": COLORBLIND["green"],
    "run": COLORBLIND["blue"],
    "reader": COLORBLIND["pink"],
}
"""A colour for each level, in their order."""
_CONTINUED = "continued"
_NOTE = (
    "hatched: not converged; line: standard deviation over seeds, at the objective the range over "
    "its optima (dotted, with end marks: read in the whitened form); diamond: trained from the "
    "objective's code"
)


def draw_waterfall(rows: pd.DataFrame) -> Drawing:
    """A panel for each unique ratio, a bar for each level.

    A bar is the mean of the label bits over seeds with the standard deviation over seeds as a line;
    level 1 has the range over optima of equal loss instead, read in the metric form, and as a
    dotted line in the whitened form. Levels that have not converged are hatched, and those that do
    not exist are marked with a dash. A diamond is what networks hold that start from level 1's
    code, once they are trained.

    Args:
        rows: of an explanation of one method.

    Raises:
        NothingToDraw: for no row.
    """
    if rows.empty:
        raise NothingToDraw("rows: expected levels of a method, got none")
    ratios = sorted(rows["unique_ratio"].unique())
    figure = Figure(figsize=(min(PAGE_INCHES, 1.6 + 1.5 * len(ratios)), 2.8), layout="constrained")
    panels = figure.subplots(1, len(ratios), sharey=True, squeeze=False)[0]
    for axes, ratio in zip(panels, ratios, strict=True):
        _draw_panel(axes, rows[rows["unique_ratio"] == ratio])
        axes.set_title(f"$\\rho$ = {ratio:g}")
    rate = rows["rate_bits"].iloc[0]
    panels[0].set_ylabel(f"label bits read at R = {rate:g} bits")
    figure.suptitle(literal(str(rows["method"].iloc[0])))
    add_note(figure, _NOTE)
    numbers = rows.drop(columns=["criterion", "note"]).reset_index(drop=True)
    return Drawing(figure, numbers)


def _draw_panel(axes: Axes, rows: pd.DataFrame) -> None:
    for place, name in enumerate(LEVEL_COLORS):
        own = rows[rows["name"] == name]
        values = own["label_bits"].dropna()
        if values.empty:
            axes.text(place, 0.0, "-", ha="center", va="bottom", color=NOTE_COLOR)
            continue
        met = own["converged"].dropna()
        hatch = "////" if not met.empty and not met.astype(bool).all() else None
        mean = float(values.mean())
        axes.bar(
            place,
            mean,
            width=0.8,
            color=LEVEL_COLORS[name],
            hatch=hatch,
            edgecolor="#444444",
            linewidth=0.5,
        )
        if name == "objective":
            low, high = own["lowest_label_bits"].min(), own["highest_label_bits"].max()
            ends = own["lowest_whitened_bits"].min(), own["highest_whitened_bits"].max()
            aside = [place + 0.22, place + 0.22]
            # Both ends are marked: the range may be too short for a line of dots.
            axes.plot(aside, ends, ":_", color="black", linewidth=0.9, markersize=5)
        else:
            spread = float(values.std()) if len(values) > 1 else 0.0
            low, high = mean - spread, mean + spread
        if high > low:
            axes.plot([place, place], [low, high], color="black", linewidth=1.0)
    from_code = rows.loc[rows["name"] == _CONTINUED, "label_bits"].dropna()
    if not from_code.empty:
        place = list(LEVEL_COLORS).index("network")
        axes.plot([place], [from_code.mean()], "D", color="black", markersize=3.5)
    axes.set_xticks(range(len(LEVEL_COLORS)), list(LEVEL_COLORS), rotation=60, ha="right")
    axes.set_xlim(-0.6, len(LEVEL_COLORS) - 0.4)
    axes.axhline(0.0, color="black", linewidth=0.6)
