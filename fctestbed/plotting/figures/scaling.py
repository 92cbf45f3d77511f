"""Scaling of lost label bits: along each axis of a sweep, and the exponents of their power laws."""

import math
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWNBASE
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from fctestbed.plotting.axes import value_texts
from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.power_law import LEAST_VALUES, PowerLaw
from fctestbed.plotting.scaling import LOST, VALUE, ScalingAxis, power_laws, scaling_axes
from fctestbed.plotting.select import n_unfinished, readable_series, require_rows
from fctestbed.plotting.style import (
    DOTS,
    LABEL_POINTS,
    NOTE_COLOR,
    PAGE_INCHES,
    SOLID,
    TEXT_POINTS,
    MethodStyle,
    literal,
    series_styles,
)
from fctestbed.plotting.summarise import SERIES, seed_intervals, seeds_note
from fctestbed.plotting.table import Column, markdown_table, table_figure
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import Results

_COLUMNS = 3
_PANEL_INCHES = 2.0
_MOST_TICKS = 6
# Decades below the highest mean that are shown.
_DECADES = 3.0
_TEXT_SHARE = 0.075
# Methods whose exponents a panel has room for; the table has those of more.
_MOST_TEXTS = 6
_CELL_CHARACTERS = 16
_LAW = f"lost bits ~ x^-a through means of at least {LEAST_VALUES} values"
_CRITERION = (
    "A law holds if every mean is above 0 and the fitted line is within its interval or within 5 % "
    "of it (simultaneous 95 % intervals)"
)
_Laws = Mapping[tuple[str, str], PowerLaw]


def draw_scaling(results: Results, options: DrawOptions) -> Drawing:
    """Lost label bits of the joint readout along each axis, a panel per axis, on log scales.

    Lost bits are the exact label bits minus those read. A fitted power law is a solid line, its
    exponent is written in the panel of up to six lines; where there is none a dotted line joins the
    means (``fit_power_law`` says when). Means at or below the lower edge are carets.

    Args:
        results: the rows; of a sweep whose axes vary one at a time, or that has one axis.
        options: ``yardstick`` chooses whose bits.

    Raises:
        NothingToDraw: if no such axis has three positive numbers with finished runs.
    """
    yardstick = options.yardstick_of(results)
    axes, left_out = _readable(results, yardstick, options)
    fitted = [(axis, _points(axis), power_laws(axis, _rng())) for axis in axes]
    figure, handles = _figure(fitted, yardstick)
    points = pd.concat([own.assign(axis=axis.name) for axis, own, _ in fitted], ignore_index=True)
    note = seeds_note(points["n_seeds"], n_unfinished(results), left_out=left_out)
    add_legend(
        figure,
        handles,
        6,
        f"{note}; solid: fitted power law, lost bits ~ x^-a (95 % interval of a over seeds); "
        f"dotted: no power law{options.world_note}",
    )
    columns = ["axis", *SERIES, VALUE, "mean", "low", "high", "n_seeds", "true_bits"]
    names = {"mean": LOST, "low": "low_bits", "high": "high_bits"}
    return Drawing(figure, points[columns].rename(columns=names).assign(**yardstick.columns))


def draw_scaling_exponents(results: Results, options: DrawOptions) -> Drawing:
    """The exponents of the power laws of ``draw_scaling`` as a table, with the reason where there
    is none.

    Args:
        results: as of ``draw_scaling``.
        options: likewise.

    Raises:
        NothingToDraw: likewise.
    """
    yardstick = options.yardstick_of(results)
    axes, left_out = _readable(results, yardstick, options)
    laws = {axis.name: power_laws(axis, _rng()) for axis in axes}
    styles = series_styles(pd.concat([axis.rows for axis in axes]))
    names = tuple(style.label for style in styles.values())
    cells = {name: tuple(_cell(own.get(key)) for key in styles) for name, own in laws.items()}
    methods = Column("method", names, left=True)
    columns = [methods, *(Column(_header(name), texts) for name, texts in cells.items())]
    plain = [methods, *(Column(name, texts) for name, texts in cells.items())]
    note = (
        f"Exponents a of lost label bits {yardstick.text}: {_LAW}, with 95 % intervals over seeds "
        f"(Student t with the bootstrap's standard error). {_CRITERION}{options.world_note}."
    )
    note += f" {left_out}." if left_out else ""
    numbers = pd.DataFrame(
        [_numbers(axis, key, laws[axis.name][key]) for axis in axes for key in laws[axis.name]]
    ).assign(**yardstick.columns)
    return Drawing(table_figure(columns, (), note), numbers, markdown_table(plain, note))


def _rng() -> np.random.Generator:
    # The same rows give the same intervals.
    return np.random.default_rng(0)


def _readable(
    results: Results, yardstick: Yardstick, options: DrawOptions
) -> tuple[list[ScalingAxis], str]:
    """The axes with the variants that a figure can show, and a note on the others."""
    axes = scaling_axes(results, yardstick)
    none = pd.DataFrame(columns=[*SERIES, VALUE])
    every = pd.concat([axis.rows for axis in axes], keys=range(len(axes))) if axes else none
    require_rows(every, f"label bits along an axis of {LEAST_VALUES} positive numbers")
    rows, left_out = readable_series(every, any_variant=options.any_variant)
    require_rows(rows, "label bits along an axis, of a variant to show")
    places = rows.index.get_level_values(0)
    return [
        ScalingAxis(axis.name, rows[places == place].reset_index(drop=True), axis.own)
        for place, axis in enumerate(axes)
        if (places == place).any()
    ], left_out


def _points(axis: ScalingAxis) -> pd.DataFrame:
    keys = [*SERIES, VALUE]
    truth = axis.rows.groupby(keys)["true_bits"].mean().reset_index()
    return seed_intervals(axis.rows, LOST, keys).merge(truth, on=keys)


def _figure(
    fitted: Sequence[tuple[ScalingAxis, pd.DataFrame, _Laws]], yardstick: Yardstick
) -> tuple[Figure, list[Line2D]]:
    points = pd.concat([own for _, own, _ in fitted])
    styles = series_styles(points)
    n_columns = min(_COLUMNS, len(fitted))
    n_rows = -(-len(fitted) // n_columns)
    size = (
        min(PAGE_INCHES, PAGE_INCHES * n_columns / _COLUMNS + 0.4),
        _PANEL_INCHES * n_rows + 0.4,
    )
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    n_texts = len(styles) if len(styles) <= _MOST_TEXTS else 0
    limits = _limits(points, _TEXT_SHARE * n_texts)
    handles: dict[str, Line2D] = {}
    for panel, (axis, own, laws) in zip(grid.flat, fitted, strict=False):
        panel.set(xscale="log", yscale="log", ylim=limits)
        for place, (key, style) in enumerate(styles.items()):
            line = own[(own["method"] == key[0]) & (own["variant"] == key[1])]
            if len(line):
                mark = _draw_line(panel, line, laws[key], style, zorder=4 - 0.01 * place)
                handles.setdefault(style.text, mark)
                if n_texts:
                    _write_exponent(panel, place, laws[key], style)
        for value in axis.own:
            label = "the sweep's own value"
            own_line = panel.axvline(
                value,
                ymax=1 - _TEXT_SHARE * n_texts - 0.02,
                color=NOTE_COLOR,
                linewidth=0.7,
                linestyle="--",
                zorder=1,
                label=label,
            )
            handles.setdefault(label, own_line)
        _set_ticks(panel, axis)
    for panel in list(grid.flat)[len(fitted) :]:
        panel.remove()
    figure.supylabel(f"lost label bits, {yardstick.text}", fontsize=LABEL_POINTS)
    methods = [style.text for style in styles.values()]
    return figure, [handles[name] for name in dict.fromkeys([*methods, *handles])]


def _limits(points: pd.DataFrame, room: float) -> tuple[float, float]:
    """Limits of the vertical axes; ``room`` is the share above the highest mean."""
    means = points["mean"].to_numpy(dtype=float)
    positive = means[means > 0]
    top = float(positive.max()) if len(positive) else 1.0
    bottom = max(float(positive.min()) if len(positive) else top, top * 10**-_DECADES)
    low, high = math.log10(bottom) - 0.2, math.log10(top) + 0.15
    return 10**low, 10 ** (high + (high - low) * room / (1 - room))


def _draw_line(
    axes: Axes, points: pd.DataFrame, law: PowerLaw, style: MethodStyle, *, zorder: float
) -> Line2D:
    """Means with their intervals, and the law or a line that joins them; the labelled marks."""
    x, mean = (points[name].to_numpy(dtype=float) for name in (VALUE, "mean"))
    bottom = axes.get_ylim()[0]
    low, high = (points[name].to_numpy(dtype=float) for name in ("low", "high"))
    # An end at or below 0 has no place on the scale, the line goes to the edge.
    axes.vlines(x, np.maximum(low, bottom), high, color=style.color, linewidth=0.9, zorder=zorder)
    (marks,) = axes.plot(
        x,
        np.where(mean > bottom, mean, np.nan),
        label=style.text,
        color=style.color,
        linestyle="none",
        marker=style.marker,
        markersize=3.6,
        markerfacecolor="white" if style.control else style.color,
        zorder=zorder + 0.5,
    )
    below = x[mean <= bottom]
    if len(below):
        axes.plot(
            below,
            np.full(len(below), bottom),
            color=style.color,
            linestyle="none",
            marker=CARETDOWNBASE,
            markersize=3.5,
            clip_on=False,
            label="_below",
        )
    heights = np.maximum(mean, bottom) if law.reason else law.at(x)
    axes.plot(
        x,
        heights,
        color=style.color,
        linestyle=DOTS if law.reason else SOLID,
        linewidth=0.9 if law.reason else style.line_width,
        label="_line",
        zorder=zorder,
    )
    return marks


def _write_exponent(axes: Axes, place: int, law: PowerLaw, style: MethodStyle) -> None:
    """The exponent or the reason for none, in the method's colour at the panel's upper edge."""
    text = law.reason or f"a = {_exponent(law)}"
    axes.annotate(
        text,
        (0.98, 0.99 - _TEXT_SHARE * place),
        xycoords="axes fraction",
        ha="right",
        va="top",
        fontsize=TEXT_POINTS,
        color=style.color,
        # Over long intervals.
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8},
        zorder=6,
    )


def _set_ticks(axes: Axes, axis: ScalingAxis) -> None:
    values = axis.values.values
    if len(values) <= _MOST_TICKS:
        axes.set_xticks([float(value) for value in values], value_texts(values))
        axes.set_xticks([], minor=True)
    axes.set_xlabel(literal(axis.name))
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _exponent(law: PowerLaw) -> str:
    """``0.52 (0.41 to 0.63)``; the exponent alone where it has no interval."""
    # z: no minus zero.
    texts = [f"{number:z.2f}" for number in (law.exponent, law.low, law.high)]
    text = texts[0] if math.isnan(law.low) else f"{texts[0]} ({texts[1]} to {texts[2]})"
    return text.replace("-", "\N{MINUS SIGN}")


def _cell(law: PowerLaw | None) -> str:
    if law is None:
        return ""
    return textwrap.fill(law.reason, _CELL_CHARACTERS) or _exponent(law).replace(" (", "\n(")


def _header(name: str) -> str:
    """A name in lines that a narrow column has room for."""
    parents, dot, field = name.rpartition(".")
    return f"{parents}{dot}\n{field}".replace(": ", ":\n").strip()


def _numbers(axis: ScalingAxis, key: tuple[str, str], law: PowerLaw) -> dict[str, object]:
    rows = axis.rows[(axis.rows["method"] == key[0]) & (axis.rows["variant"] == key[1])]
    values = rows[VALUE]
    return {
        "axis": axis.name,
        "method": key[0],
        "variant": key[1],
        "exponent": law.exponent,
        "low": law.low,
        "high": law.high,
        "scale_bits": law.scale,
        "lowest": values.min(),
        "highest": values.max(),
        "n_values": values.nunique(),
        "n_seeds": law.n_seeds,
        "no_law": law.reason,
    }
