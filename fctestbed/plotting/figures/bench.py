"""The benchmark: ratios to plain forms, shares of the matrix rate, and growth along axes.

From the rows of ``fctestbed bench`` alone.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.interface import Drawing, NothingToDraw
from fctestbed.plotting.style import COLORBLIND, DOTS, NOTE_COLOR, PAGE_INCHES, SOLID, literal

_ROW_INCHES = 0.15
_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">")
_GUIDES = (1, 2)


def draw_bench(cases: pd.DataFrame) -> Drawing:
    """How much longer a reference takes than each case, and the case's share of the matrix rate.

    A dot is the median over rounds, a line reaches from the lowest to the highest. Cases with
    neither are left out.

    Args:
        cases: the cases of a benchmark's report, columns as in ``BenchRow``.

    Raises:
        NothingToDraw: if no case has a reference or a share.
    """
    shown = cases[cases["ratio"].notna() | cases["matrix_share"].notna()]
    if shown.empty:
        raise NothingToDraw("cases: expected ratios or shares of the matrix rate, got none")
    height = 0.75 + _ROW_INCHES * len(shown)
    figure = Figure(figsize=(PAGE_INCHES, height), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    places = np.arange(len(shown))
    known = shown["ratio"].notna().to_numpy()
    ratio, low, high = (
        shown[name].to_numpy(dtype=float)[known] for name in ("ratio", "ratio_low", "ratio_high")
    )
    blue = COLORBLIND["blue"]
    left.hlines(places[known], low, high, color=blue, linewidth=1.0)
    left.plot(ratio, places[known], linestyle="none", marker="o", markersize=3.2, color=blue)
    left.axvline(1.0, color=NOTE_COLOR, linewidth=0.8)
    left.set_xscale("log")
    left.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    left.xaxis.set_minor_locator(NullLocator())
    left.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    left.set_xlabel("time of the reference over the case's")
    share = shown["matrix_share"].to_numpy(dtype=float)
    right.barh(places, np.nan_to_num(share), height=0.55, color=COLORBLIND["orange"])
    right.xaxis.set_major_formatter(PercentFormatter(1.0))
    right.set_xlabel("share of the matrix rate")
    labels = [
        f"{name}, {reference}" if reference else name
        for name, reference in zip(shown["name"], shown["reference"], strict=True)
    ]
    left.set_yticks(places, [literal(label) for label in labels])
    left.set_ylim(len(shown) - 0.5, -0.5)
    return Drawing(figure, shown.reset_index(drop=True))


def draw_bench_growth(growth: pd.DataFrame) -> Drawing:
    """Times along an axis against its values, both as multiples of those at the smallest value.

    Dotted lines are proportional growth and growth with the square.

    Args:
        growth: the growth rows of a benchmark's report, columns as in ``GrowthRow``.

    Raises:
        NothingToDraw: if there are none.
    """
    if growth.empty:
        raise NothingToDraw("growth: expected rows, got none")
    figure = Figure(figsize=(PAGE_INCHES, 2.8), layout="constrained")
    axes = figure.subplots()
    colors = [color for name, color in COLORBLIND.items() if name != "grey"]
    handles: list[Line2D] = []
    numbers = []
    largest = max(sizes[-1] / sizes[0] for sizes in growth["sizes"])
    for place, (_, row) in enumerate(growth.iterrows()):
        sizes, seconds = np.asarray(row["sizes"], float), np.asarray(row["seconds"], float)
        error = row["exponent_error"]
        spread = "" if pd.isna(error) else f" $\\pm$ {error:.2f}"
        name = literal(str(row["name"]).removeprefix("growth/"))
        handles += axes.plot(
            sizes / sizes[0],
            seconds / seconds[0],
            color=colors[place % len(colors)],
            marker=_MARKERS[place % len(_MARKERS)],
            markersize=3.0,
            linewidth=1.0,
            linestyle=SOLID,
            label=f"{name}: {row['exponent']:.2f}{spread}",
        )
        numbers += [
            {"name": row["name"], "axis": row["axis"], "size": size, "seconds": value}
            for size, value in zip(row["sizes"], row["seconds"], strict=True)
        ]
    reach = np.array([1.0, largest])
    for power in _GUIDES:
        axes.plot(reach, reach**power, color=NOTE_COLOR, linestyle=DOTS, linewidth=0.9, zorder=1)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("size over the smallest")
    axes.set_ylabel("time over that at the smallest")
    multiples = np.concatenate([np.asarray(own) / own[0] for own in growth["seconds"]])
    axes.set_ylim(0.8 * multiples.min(), 1.5 * max(multiples.max(), largest))
    add_legend(figure, handles, 3, "exponents fitted on the log-log grid; dotted: 1 and 2")
    return Drawing(figure, pd.DataFrame(numbers))
