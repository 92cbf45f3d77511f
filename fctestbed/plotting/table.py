"""The table at a sweep's end, as plain records."""

import math
from dataclasses import dataclass

import pandas as pd

from fctestbed.plotting.drawing import LINEAR_PROBE
from fctestbed.plotting.intervals import SERIES, seed_intervals
from fctestbed.plotting.label_bits import total_label_bits
from fctestbed.plotting.selection import LABEL, quantity_rows
from fctestbed.plotting.series import series_styles
from fctestbed.results import Results


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One method at one ratio.

    Args:
        method: its name.
        variant: its variant.
        label: its name for readers, as in the figures' legends.
        unique_ratio: the ratio.
        label_bits: mean over seeds of the label bits captured; None if no run finished.
        half_interval_bits: half of the 95 % interval over seeds; None for fewer than two.
        n_seeds: how many finished runs are in the mean.
        n_unfinished: how many diverged or failed.
        total_bits: exact I(X1,X2;Y); None where it is not known.
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


def summary_table(results: Results) -> list[SummaryRow]:
    """Label bits captured, method by ratio, beside the exact total; every run is counted.

    Args:
        results: the rows.

    Returns:
        Rows in the legends' order of methods, ratios ascending; empty without runs.
    """
    label_rows = quantity_rows(results, LABEL, LINEAR_PROBE)
    points = seed_intervals(label_rows, "value_bits").set_index(SERIES)
    total = total_label_bits(results)
    unfinished = results.runs[results.runs["status"] != "ok"].groupby(SERIES).size()
    cells = results.runs[SERIES].drop_duplicates().sort_values(SERIES)
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
                )
            )
    return rows


def _known(values: pd.Series, ratio: float) -> float | None:
    value = values.get(ratio)
    return None if value is None else float(value)
