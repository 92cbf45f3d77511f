"""Bias and coverage of estimators on known information, a grid of cases and estimators.

From a calibration's summary alone.
"""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fctestbed.plotting.captions import add_note, text_inches
from fctestbed.plotting.interface import Drawing, NothingToDraw
from fctestbed.plotting.style import PAGE_INCHES, TEXT_POINTS, literal

# Blue below the truth, white on it, orange above: distinct in every kind of colour vision.
_BIAS = LinearSegmentedColormap.from_list("bias", ["#0173b2", "#ffffff", "#de8f05"])
_BIAS_RANGE = 0.5
# White from 90 to 99 %; pink deepens to half of the intervals and fewer; grey-blue above.
_COVERAGE = LinearSegmentedColormap.from_list(
    "coverage", [(0.0, "#cc78bc"), (0.5, "#f7e6f3"), (0.5, "#ffffff"), (1.0, "#ffffff")]
).with_extremes(over="#cfe3f1")
_COVERED = (0.81, 0.99)
# Black text has too little contrast on darker cells.
_DARK_BITS = 0.33
_COLUMN_INCHES, _ROW_INCHES = 0.28, 0.165
_TITLE_INCHES, _SIDES_INCHES = 0.4, 0.35
_MOST_CHARACTERS = 50
_SELDOM = "\N{EN DASH}"
_LOWER, _PENALTY = "\N{LESS-THAN OR EQUAL TO}", "\N{DAGGER}"
KINDS = {
    "discrete": "discrete pairs",
    "continuous": "continuous pairs",
    "mixed": "a continuous X, a discrete Y",
}
"""Kinds of pairs, a figure each, with their display names."""


def draw_calibration(summary: pd.DataFrame, kind: str, n: int) -> Drawing:
    """Mean error in bits, and how often the 95 % interval holds the truth, case by estimator.

    Lower bounds are marked in the names, and framed where they are broken; their intervals are for
    the bound, not for the truth, and are not drawn. Estimators of the Jeffreys divergence are
    marked too, without their intervals. A dash means that fewer than half of the repetitions have
    an interval.

    Args:
        summary: the result of ``summarise``: columns ``case, kind, true_bits, estimator, bound,
            target, n, repetitions, intervals, bias_bits, coverage, direction_verdict, seconds,
            ...``.
        kind: ``discrete``, ``continuous`` or ``mixed``.
        n: the number of samples.

    Raises:
        NothingToDraw: if the summary has no estimate of this kind at this number of samples.
    """
    rows = summary[(summary["kind"] == kind) & (summary["n"] == n) & (summary["repetitions"] > 0)]
    if rows.empty:
        raise NothingToDraw(f"summary: expected estimates of {kind} cases at n = {n}, got none")
    estimators = list(dict.fromkeys(rows["estimator"]))
    cases = list(dict.fromkeys(zip(rows["case"], rows["true_bits"], strict=True)))
    of_truth = rows[(rows["bound"] != "lower") & (rows["target"] == "information")]
    of_truth = of_truth.assign(coverage=of_truth["coverage"].where(_mostly_given(of_truth)))
    some = of_truth.groupby("estimator")["coverage"].count()
    covered = [name for name in estimators if some.get(name, 0)]
    names = [
        f"{literal(textwrap.shorten(name, _MOST_CHARACTERS, placeholder='...'))}: {truth:.3g}"
        for name, truth in cases
    ]
    widest = max(text_inches(name, TEXT_POINTS) for name in names)
    capacity = max(2, int((PAGE_INCHES - widest - _SIDES_INCHES) / _COLUMN_INCHES))
    bands = _bands(estimators, covered, capacity)
    labels = _labels(rows, estimators)
    below = max(text_inches(label, TEXT_POINTS) for label in labels.values())
    height = len(bands) * (_TITLE_INCHES + below + _ROW_INCHES * len(cases)) + 0.1
    figure = Figure(figsize=(PAGE_INCHES, height), layout="constrained")
    outer = figure.add_gridspec(len(bands), 1)
    any_broken = False
    for place, (own, with_coverage) in enumerate(bands):
        widths = [len(own), max(2, len(with_coverage))] if with_coverage else [len(own)]
        grid = outer[place].subgridspec(1, len(widths), width_ratios=widths)
        left = figure.add_subplot(grid[0, 0])
        broken = _cells(rows.assign(broken=rows["direction_verdict"] == "broken"), cases, own,
                        "broken") == 1  # fmt: skip
        any_broken |= bool(broken.any())
        _draw_bias(left, _cells(rows, cases, own, "bias_bits"), broken)
        left.set_xticks(range(len(own)), [labels[name] for name in own], rotation=90)
        left.set_yticks(range(len(cases)), names)
        left.set_title("mean error (bits)")
        if with_coverage:
            right = figure.add_subplot(grid[0, 1], sharey=left)
            _draw_coverage(right, of_truth, cases, with_coverage)
    add_note(figure, _note(rows, kind, n, broken=any_broken, covered=bool(covered)))
    return Drawing(figure, rows.reset_index(drop=True))


def _bands(
    estimators: Sequence[str], covered: Sequence[str], capacity: int
) -> list[tuple[list[str], list[str]]]:
    """Estimators of each pair of panels, and those whose intervals its second panel has.

    Where all do not fit beside each other, those with intervals come first, and the others have
    panels of their own.

    Args:
        estimators: all.
        covered: those with intervals of the truth.
        capacity: columns that fit the page.
    """
    if len(estimators) + max(2, len(covered)) <= capacity:
        return [(list(estimators), list(covered))]
    others = [name for name in estimators if name not in covered]
    pairs, alone = _evenly(covered, capacity // 2), _evenly(others, capacity)
    return [*((own, own) for own in pairs), *((own, []) for own in alone)]


def _evenly(names: Sequence[str], most: int) -> list[list[str]]:
    """The names in as few parts of at most ``most`` as possible, of nearly equal length."""
    if not names:
        return []
    size = -(-len(names) // -(-len(names) // most))
    return [list(names[at : at + size]) for at in range(0, len(names), size)]


def _mostly_given(rows: pd.DataFrame) -> pd.Series:
    """True where at least half of the repetitions have an interval."""
    return 2 * rows["intervals"] >= rows["repetitions"]


def _labels(rows: pd.DataFrame, estimators: Sequence[str]) -> dict[str, str]:
    """Names with a bound's or a penalty's mark, and the mean time of one estimate."""
    seconds = rows.groupby("estimator")["seconds"].mean()
    marks = {
        name: (f" {_LOWER}" if (own["bound"] == "lower").all() else "")
        + (f" {_PENALTY}" if (own["target"] == "jeffreys").any() else "")
        for name, own in rows.groupby("estimator")
    }
    return {
        name: f"{literal(name)}{marks[name]}  {_duration(seconds[name])}" for name in estimators
    }


def _note(rows: pd.DataFrame, kind: str, n: int, *, broken: bool, covered: bool) -> str:
    counts = rows["repetitions"]
    several = f"{counts.min()} to {counts.max()}" if counts.min() < counts.max() else counts.min()
    parts = [
        f"{KINDS[kind]}, n = {n}, {several} repetitions; after each case its truth in bits, "
        "after each estimator the mean time of one estimate; grey: not made for the case, or "
        "refused",
        "intervals are of 95 %, white where 90 to 99 % of them hold the truth, "
        f"{_SELDOM} where fewer than half of the repetitions have one"
        if covered
        else "no estimator has intervals of the truth in half of the repetitions of a case",
    ]
    if (rows["bound"] == "lower").any():
        parts.append(f"{_LOWER} lower bound" + (", framed where broken" if broken else ""))
    if (rows["target"] == "jeffreys").any():
        parts.append(f"{_PENALTY} aims at the Jeffreys divergence, which is larger")
    return "; ".join(parts)


def _cells(
    rows: pd.DataFrame, cases: Sequence[tuple[str, float]], estimators: Sequence[str], column: str
) -> np.ndarray:
    values = rows.set_index(["case", "estimator"])[column]
    return np.array(
        [[values.get((case, name), np.nan) for name in estimators] for case, _ in cases],
        dtype=float,
    ).reshape(len(cases), len(estimators))


def _draw_bias(axes: Axes, bias: np.ndarray, broken: np.ndarray) -> None:
    limits = (-_BIAS_RANGE, _BIAS_RANGE)
    _draw_cells(axes, bias, _BIAS, limits, [_signed(value) for value in bias.flat])
    for text in axes.texts:
        column, row = text.get_position()
        if abs(bias[int(row), int(column)]) > _DARK_BITS and bias[int(row), int(column)] < 0:
            text.set_color("white")
    for row, column in np.argwhere(broken):
        axes.add_patch(
            Rectangle((column - 0.46, row - 0.44), 0.92, 0.88, fill=False, linewidth=1.0)
        )


def _draw_coverage(
    axes: Axes, rows: pd.DataFrame, cases: Sequence[tuple[str, float]], estimators: Sequence[str]
) -> None:
    coverage = _cells(rows, cases, estimators, "coverage")
    texts = [f"{100 * value:.0f}" for value in coverage.flat]
    _draw_cells(axes, coverage, _COVERAGE, _COVERED, texts)
    seldom = _cells(rows.assign(seldom=~_mostly_given(rows)), cases, estimators, "seldom")
    for row, column in np.argwhere(seldom == 1):
        axes.text(column, row, _SELDOM, ha="center", va="center")
    axes.set_xticks(range(len(estimators)), list(map(literal, estimators)), rotation=90)
    axes.tick_params(labelleft=False)
    axes.set_title("intervals that hold\nthe truth (%)")


def _draw_cells(
    axes: Axes,
    values: np.ndarray,
    colors: Colormap,
    limits: tuple[float, float],
    texts: Sequence[str],
) -> None:
    axes.set_facecolor("#dddddd")
    axes.grid(visible=False)
    axes.tick_params(length=0)
    if not values.size:
        return
    axes.imshow(values, cmap=colors, vmin=limits[0], vmax=limits[1], aspect="auto")
    n_columns = values.shape[1]
    for place, (value, text) in enumerate(zip(values.flat, texts, strict=True)):
        if np.isfinite(value):
            row, column = divmod(place, n_columns)
            axes.text(column, row, text, ha="center", va="center")
    axes.set_xticks(np.arange(1, n_columns) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, values.shape[0]) - 0.5, minor=True)
    axes.grid(visible=True, which="minor", color="white", linewidth=0.8)
    axes.tick_params(which="minor", length=0)


def _signed(bits: float) -> str:
    """A signed number of at most four characters for a cell; empty for NaN."""
    if np.isnan(bits):
        return ""
    size = abs(bits)
    if size < 0.005:
        # No sign before a rounded zero.
        return "0"
    if size < 0.995:
        return f"{bits:+.2f}".replace("0.", ".")
    if size < 9.95:
        return f"{bits:+.1f}"
    if size < 999.5:
        return f"{bits:+.0f}"
    mantissa, power = f"{bits:+.0e}".split("e")
    return f"{mantissa}e{int(power)}"


def _duration(seconds: float) -> str:
    if seconds >= 0.9995:
        return f"{seconds:.1f} s"
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.00995 else f"{seconds * 1e3:.2g} ms"
