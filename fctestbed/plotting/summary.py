"""The table at a sweep's end, as records. May import pandas and ``fctestbed.results``."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fctestbed.plotting.axes import (
    UNIQUE_RATIO,
    Axis,
    AxisValue,
    horizontal_axis,
    other_axes,
    split_worlds,
)
from fctestbed.plotting.baseline import at_baseline, baseline_of
from fctestbed.plotting.run_details import total_label_bits
from fctestbed.plotting.select import LABEL, quantity_rows
from fctestbed.plotting.style import series_styles
from fctestbed.plotting.summarise import SERIES, seed_intervals
from fctestbed.plotting.yardstick import Yardstick, choose_yardstick
from fctestbed.results import Results


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One method at one value of the summary's axis, in one world.

    Args:
        method: its name.
        variant: its variant.
        label: its display name, as in the figures' legends.
        unique_ratio: the ratio.
        axis: the summary's axis: the default horizontal axis of the figures.
        value: its value.
        yardstick: how the label bits were read.
        label_bits: mean over seeds of the label bits read from the joint readout; None if no run
            finished.
        half_interval_bits: half of the 95 % interval over seeds; None for fewer than two.
        n_seeds: how many finished runs are in the mean.
        n_unfinished: how many diverged or failed.
        total_bits: exact I(X1,X2;Y); None where it is not known.
        world: the values of further axes (``world.observation.noise = 0.1``); empty where the sweep
            varies none.
    """

    method: str
    variant: str
    label: str
    unique_ratio: float
    axis: str
    value: AxisValue
    yardstick: Yardstick
    label_bits: float | None
    half_interval_bits: float | None
    n_seeds: int
    n_unfinished: int
    total_bits: float | None
    world: str = ""


def summary_table(results: Results, rate: float | None = None) -> list[SummaryRow]:
    """Label bits read and the exact total, by world, method and axis value; every run is
    counted.

    Where the axes vary one at a time, the rows follow each of them in turn, the others at the
    baseline; if the unique ratio varies too, they follow it at the baseline alone.

    Args:
        results: the rows.
        rate: the rate in bits at which they are read; None for the default of the figures, which is
            a linear probe in results without such readings.

    Returns:
        Rows in the order of worlds, then of methods in legends, values ascending; empty without
        runs.

    Raises:
        ValueError: one line, for a rate that was not measured.
    """
    yardstick = choose_yardstick(results, rate=rate)
    x = horizontal_axis(results, None)
    baseline = baseline_of(results)
    return [
        row
        for along in (baseline if baseline and x != UNIQUE_RATIO else (x,))
        for world in split_worlds(at_baseline(results, baseline, along), other_axes(results, along))
        for row in _rows(world.results, along, world.note, yardstick)
    ]


def _rows(results: Results, x: str, world: str, yardstick: Yardstick) -> list[SummaryRow]:
    keys = [*SERIES, x]
    found = quantity_rows(results, LABEL, yardstick, along=x)
    records: list[dict[Hashable, Any]] = seed_intervals(found, "value_bits", keys).to_dict(
        "records"
    )
    points = {tuple(point[key] for key in keys): point for point in records}
    total = total_label_bits(results, x)
    unfinished = results.runs[results.runs["status"] != "ok"].groupby(keys).size()
    rows = []
    for (method, variant), style in series_styles(results.runs).items():
        runs = results.runs
        own = runs[(runs["method"] == method) & (runs["variant"] == variant)]
        for value in Axis.of(own[x]).values:
            key = (method, variant, value)
            point = points.get(key)
            mean = None if point is None else float(point["mean"])
            half = math.nan if point is None else float(point["high"] - point["mean"])
            rows.append(
                SummaryRow(
                    method=method,
                    variant=variant,
                    label=style.label,
                    unique_ratio=float(own.loc[own[x] == value, UNIQUE_RATIO].iloc[0]),
                    axis=x,
                    value=value,
                    yardstick=yardstick,
                    label_bits=mean,
                    half_interval_bits=None if math.isnan(half) else half,
                    n_seeds=0 if point is None else int(point["n_seeds"]),
                    n_unfinished=int(unfinished.get(key, 0)),
                    total_bits=_known(total, value),
                    world=world,
                )
            )
    return rows


def _known(values: pd.Series, at: AxisValue) -> float | None:
    value = values.get(at)
    return None if value is None else float(value)
