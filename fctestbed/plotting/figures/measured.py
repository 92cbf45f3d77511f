"""One representation beside what it is compared with: along the rate, and block by block."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fctestbed.plotting.axes import UNIQUE_RATIO, Axis
from fctestbed.plotting.captions import add_legend
from fctestbed.plotting.interface import Drawing
from fctestbed.plotting.marks import draw_curves, draw_dot, set_rate_axis, set_value_axis
from fctestbed.plotting.style import (
    COLUMN_INCHES,
    PAGE_INCHES,
    MethodStyle,
    house_style,
    method_order,
    style_of,
)
from fctestbed.plotting.yardstick import Yardstick, choose_yardstick
from fctestbed.results import BLOCKS, JOINT, LABEL, Results

_HEIGHT = 2.5
_ROWS = {
    LABEL: "label",
    "shared": "shared $w_s$",
    "unique1": "unique $w_1$",
    "unique2": "unique $w_2$",
}
_SPREAD = 0.6
_IDEAL = "ideal: min(R, exact total)"
_TRUTH = "most there is to read"
_COLUMNS = ["method", "readout", "quantity", "estimator", "rate_bits", "value_bits"]
_COLUMNS += ["low_bits", "high_bits", "true_bits"]


def draw_measured(results: Results, name: str, rate: float | None = None) -> Drawing:
    """Label bits along the rate, and bits of the label and of each block at one rate.

    Without readings at a rate there is one panel, as read by a linear probe. Intervals are those of
    each row.

    Args:
        results: the rows of one world.
        name: the method whose readout is compared: its ``joint``, or else its first one.
        rate: a measured rate in bits; None for the one nearest to twice the label's bits.

    Raises:
        ValueError: one line, for a rate that was not measured.
    """
    rows = compared_rows(results, name)
    yardstick = measured_yardstick(results, name, rate)
    at_rate = yardstick.rows(rows)
    rows_of_rates = rows[(rows["estimator"] == yardstick.estimator) & (rows["quantity"] == LABEL)]
    has_curve = rows_of_rates["rate_bits"].nunique() > 1
    with house_style():
        width = PAGE_INCHES if has_curve else COLUMN_INCHES
        figure = Figure(figsize=(width, _HEIGHT), layout="constrained")
        panels = list(figure.subplots(1, 1 + has_curve, squeeze=False)[0])
        handles = _draw_curve(panels[0], rows_of_rates) if has_curve else []
        marks = _draw_rows(panels[-1], at_rate, yardstick)
        handles = handles or marks
        # The representation first, where a reader looks for it.
        handles.sort(key=lambda line: line.get_label() != style_of(name).text)
        note = f"unique ratio {rows[UNIQUE_RATIO].iloc[0]:g}, seed {rows['seed'].iloc[0]}"
        readouts = sorted(set(rows["readout"]))
        add_legend(figure, handles, round(width), f"{note}; readout {', '.join(readouts)}")
    kept = pd.concat([rows_of_rates, at_rate]).drop_duplicates()
    return Drawing(figure, kept[_COLUMNS].reset_index(drop=True))


def compared_rows(results: Results, name: str) -> pd.DataFrame:
    """The rows of the readout that is compared: ``joint`` or else the first one of ``name``, and of
    every other method the same, or else its ``joint``."""
    rows = results.captured[results.captured["status"] == "ok"]
    own = list(dict.fromkeys(rows.loc[rows["method"] == name, "readout"]))
    wanted = JOINT if JOINT in own else own[0]
    parts = []
    for method in sorted(set(rows["method"]), key=lambda one: (one != name, method_order(one))):
        of_method = rows[rows["method"] == method]
        has_it = (of_method["readout"] == wanted).any()
        parts.append(of_method[of_method["readout"] == (wanted if has_it else JOINT)])
    return pd.concat(parts, ignore_index=True)


def measured_yardstick(results: Results, name: str, rate: float | None = None) -> Yardstick:
    """The yardstick of the figure and the page: that of the representation's own rows.

    Raises:
        ValueError: one line, for a rate that was not measured.
    """
    captured, runs = results.captured, results.runs
    own = Results(
        captured=captured[captured["method"] == name].assign(readout=JOINT),
        accuracy=results.accuracy,
        runs=runs[runs["method"] == name],
        sweep_spec=results.sweep_spec,
    )
    return choose_yardstick(own, rate=rate)


def _draw_curve(axes: Axes, rows: pd.DataFrame) -> list[Line2D]:
    points = rows.rename(
        columns={"value_bits": "mean", "low_bits": "low", "high_bits": "high"}
    ).sort_values("rate_bits", kind="stable")
    x = Axis.of(points["rate_bits"])
    total = float(points["true_bits"].max())
    rates = sorted({*(float(rate) for rate in points["rate_bits"]), total})
    inside = [rate for rate in rates if rate >= float(points["rate_bits"].min())]
    ideal = axes.plot(
        inside, [min(rate, total) for rate in inside], color="black", linewidth=1.1, label=_IDEAL
    )
    lines = draw_curves(axes, points, x)
    set_value_axis(axes, points, [pd.Series([total])])
    set_rate_axis(axes.xaxis, x.values)
    axes.set_xlabel("rate R (bits)")
    axes.set_ylabel("label bits read at R (bits)")
    return [*ideal, *lines]


def _draw_rows(axes: Axes, rows: pd.DataFrame, yardstick: Yardstick) -> list[Line2D]:
    """A row of marks for the label and each block, a mark for each method."""
    methods = list(dict.fromkeys(rows["method"]))
    step = _SPREAD / max(1, len(methods) - 1)
    handles: dict[str, Line2D] = {}
    for place, quantity in enumerate((LABEL, *BLOCKS)):
        own = rows[rows["quantity"] == quantity]
        most = min(float(own["true_bits"].max()), yardstick.limit_bits)
        axes.vlines(most, place - 0.4, place + 0.4, color="black", linewidth=1.1)
        for order, method in enumerate(methods):
            style = style_of(method)
            for row in own[own["method"] == method].to_dict("records"):
                point = {
                    "mean": row["value_bits"], "low": row["low_bits"], "high": row["high_bits"]
                }  # fmt: skip
                height = place + step * order - (_SPREAD / 2 if len(methods) > 1 else 0)
                draw_dot(axes, height, point, style, marker=style.marker, filled=not style.control)
                handles.setdefault(method, _handle(style))
    axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
    axes.set_yticks(range(len(_ROWS)), list(_ROWS.values()))
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"bits {yardstick.text}; black: {_TRUTH}")
    return list(handles.values())


def _handle(style: MethodStyle) -> Line2D:
    return Line2D(
        [],
        [],
        color=style.color,
        marker=style.marker,
        linestyle="none",
        markerfacecolor="white" if style.control else style.color,
        label=style.text,
    )
