"""The one-page summary of a measured representation, in Markdown.

May import ``fctestbed.plotting`` and ``fctestbed.results``.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from fctestbed.plotting import compared_rows, measured_yardstick, rate_at_share, style_of
from fctestbed.results import BLOCKS, LABEL, RATE, Results

FIGURE = "measured"
_QUANTITIES = (LABEL, *BLOCKS)


def measurement_page(
    results: Results, name: str, warnings: Sequence[str], rate: float | None = None
) -> str:
    """What was measured: the verdict, a table of bits, a table along the rate, accuracy, warnings.

    Args:
        results: the rows of one world.
        name: the representation's name in the column ``method``.
        warnings: lines for the page's end.
        rate: a measured rate in bits; None for the one nearest to twice the label's bits.

    Raises:
        ValueError: one line, for a rate that was not measured.
    """
    rows = compared_rows(results, name)
    yardstick = measured_yardstick(results, name, rate)
    at_rate = yardstick.rows(rows)
    readout = rows.loc[rows["method"] == name, "readout"].iloc[0]
    run = results.runs[results.runs["method"] == name].iloc[0]
    parts = [
        f"# How many bits `{name}` captured",
        _world(run),
        _verdict(at_rate, name, yardstick.text),
        f"![Bits captured]({FIGURE}.png)",
        f"## Bits {yardstick.text}, readout `{readout}`",
        _bits_table(at_rate),
        *_rate_parts(rows, yardstick.estimator),
        "## Task accuracy of a linear probe, in percent",
        _accuracy_table(results, readout, list(dict.fromkeys(rows["method"]))),
    ]
    if warnings:
        parts += ["## Notes", "\n".join(f"- {line}" for line in warnings)]
    return "\n\n".join(parts) + "\n"


def _world(run: "pd.Series[Any]") -> str:
    truth = json.loads(str(run["truth"]))
    return (
        f"Unique ratio {run['unique_ratio']:g}, seed {run['seed']}. The label holds "
        f"{_bits(truth['total_bits'])} bits that the inputs tell: {_bits(truth['shared_bits'])} "
        f"shared, {_bits(truth['unique1_bits'])} unique to modality 1, "
        f"{_bits(truth['unique2_bits'])} unique to modality 2."
    )


def _verdict(rows: pd.DataFrame, name: str, text: str) -> str:
    """Sentences made from the rows."""
    label = rows[rows["quantity"] == LABEL].set_index("method")
    if name not in label.index:
        return f"No label bits of `{name}` were {text}."
    own: Any = label.loc[name]
    said = [f"`{name}` gives {_value(own)} of the label's {_bits(own['true_bits'])} bits, {text}."]
    groups: dict[str, list[str]] = {"more than": [], "less than": [], "not clearly other than": []}
    for method, row in label.iterrows():
        if method == name:
            continue
        low, high = own["low_bits"] - row["high_bits"], own["high_bits"] - row["low_bits"]
        key = "more than" if low > 0 else "less than" if high < 0 else "not clearly other than"
        groups[key].append(f"{style_of(str(method)).label} ({_bits(row['value_bits'])})")
    against = [f"{key} {', '.join(names)}" for key, names in groups.items() if names]
    if against:
        said.append(f"That is {'; '.join(against)}.")
    spent = {part: _sum_of(rows, name, part) for part in ("relevant", "irrelevant")}
    if not any(math.isnan(value) for value in spent.values()):
        said.append(
            f"Of the latent bits it gives {_bits(spent['relevant'])} that the label depends on and "
            f"{_bits(spent['irrelevant'])} that it does not."
        )
    return " ".join(said)


def _sum_of(rows: pd.DataFrame, name: str, part: str) -> float:
    names = [f"{block}_{part}" for block in BLOCKS]
    own = rows[(rows["method"] == name) & rows["quantity"].isin(names)]
    return float(own["value_bits"].sum()) if len(own) else math.nan


def _bits_table(rows: pd.DataFrame) -> str:
    header = ["", *_QUANTITIES]
    exact = ["exact, most there is"]
    for quantity in _QUANTITIES:
        exact.append(_bits(rows.loc[rows["quantity"] == quantity, "true_bits"].max()))
    lines = [exact]
    for method in dict.fromkeys(rows["method"]):
        own = rows[rows["method"] == method].set_index("quantity")
        cells = [_value(own.loc[q]) if q in own.index else "" for q in _QUANTITIES]
        lines.append([style_of(method).label, *cells])
    return _table(header, lines)


def _rate_parts(rows: pd.DataFrame, estimator: str) -> list[str]:
    """Label bits at every measured rate, and R90; nothing without readings at a rate."""
    label = rows[(rows["quantity"] == LABEL) & (rows["estimator"] == estimator)]
    rates = sorted(label["rate_bits"].dropna().unique())
    if estimator != RATE or not rates:
        return []
    lines = []
    for method in dict.fromkeys(label["method"]):
        own = label[label["method"] == method].set_index("rate_bits")["value_bits"]
        values = [float(own.get(rate, math.nan)) for rate in rates]
        least = rate_at_share(rates, values, float(label["true_bits"].max()))
        r90 = f"over {rates[-1]:g}" if math.isinf(least) else _bits(least)
        lines.append([style_of(method).label, *map(_bits, values), r90])
    header = ["", *(f"R = {rate:g}" for rate in rates), "R90"]
    return [
        "## Label bits along the rate; R90 is the least rate that reads 90 % of them",
        _table(header, lines),
    ]


def _accuracy_table(results: Results, readout: str, methods: Sequence[str]) -> str:
    rows = results.accuracy
    lines = []
    bayes = math.nan
    for method in methods:
        own = rows[(rows["method"] == method) & (rows["probe"] == "linear")]
        chosen = own[own["readout"] == readout]
        for row in (chosen if len(chosen) else own[own["readout"] == "joint"]).to_dict("records"):
            bayes = float(row["bayes_accuracy"])
            interval = f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"
            lines.append([style_of(method).label, f"{100 * row['accuracy']:.1f}", interval])
    lines.append(["Bayes, the most possible", f"{100 * bayes:.1f}", ""])
    return _table(["", "accuracy", "95 % interval"], lines)


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _value(row: "pd.Series[Any]") -> str:
    """A value with half of its interval, where it has one."""
    half = (row["high_bits"] - row["low_bits"]) / 2
    shown = _bits(row["value_bits"])
    return shown if math.isnan(half) else f"{shown} ± {half:.2f}"


def _bits(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"
