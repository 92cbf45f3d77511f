"""The table at a sweep's end, as records. May import ``fctestbed.results`` only."""

import math
from dataclasses import dataclass

import pandas as pd

from fctestbed.plotting.axes import UNIQUE_RATIO, other_axes, split_worlds
from fctestbed.plotting.run_details import total_label_bits
from fctestbed.plotting.select import LABEL, quantity_rows
from fctestbed.plotting.style import series_styles
from fctestbed.plotting.summarise import SERIES, seed_intervals
from fctestbed.results import LINEAR_PROBE, Results

_KEYS = [*SERIES, UNIQUE_RATIO]


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One method at one ratio of one world.

    Args:
        method: its name.
        variant: its variant.
        label: its display name, as in the figures' legends.
        unique_ratio: the ratio.
        label_bits: mean over seeds of the label bits captured; None if no run finished.
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
    label_bits: float | None
    half_interval_bits: float | None
    n_seeds: int
    n_unfinished: int
    total_bits: float | None
    world: str = ""


def summary_table(results: Results) -> list[SummaryRow]:
    """Label bits captured and the exact total, by world, method and ratio; every run is counted.

    Args:
        results: the rows.

    Returns:
        Rows in the order of worlds, then of methods in legends, ratios ascending; empty without
        runs.
    """
    return [
        row
        for world in split_worlds(results, other_axes(results, UNIQUE_RATIO))
        for row in _rows(world.results, world.note)
    ]


def _rows(results: Results, world: str) -> list[SummaryRow]:
    points = seed_intervals(quantity_rows(results, LABEL, LINEAR_PROBE), "value_bits", _KEYS)
    points = points.set_index(_KEYS)
    total = total_label_bits(results)
    unfinished = results.runs[results.runs["status"] != "ok"].groupby(_KEYS).size()
    cells = results.runs[_KEYS].drop_duplicates().sort_values(_KEYS)
    rows = []
    for (method, variant), style in series_styles(results.runs).items():
        own = cells[(cells["method"] == method) & (cells["variant"] == variant)]
        for ratio in own["unique_ratio"]:
            key = (method, variant, ratio)
            known = key in points.index
            mean = float(points.loc[key, "mean"]) if known else None
            half = float(points.loc[key, "high"]) - mean if mean is not None else math.nan
            rows.append(
                SummaryRow(
                    method=method,
                    variant=variant,
                    label=style.label,
                    unique_ratio=float(ratio),
                    label_bits=mean,
                    half_interval_bits=None if math.isnan(half) else half,
                    n_seeds=int(points.loc[key, "n_seeds"]) if known else 0,
                    n_unfinished=int(unfinished.get(key, 0)),
                    total_bits=_known(total, ratio),
                    world=world,
                )
            )
    return rows


def _known(values: pd.Series, ratio: float) -> float | None:
    value = values.get(ratio)
    return None if value is None else float(value)
