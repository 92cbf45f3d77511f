"""Rows of estimators on readouts of trained encoders: their selection, and the errors.

May import numpy, pandas and ``fctestbed.results``.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from fctestbed.plotting.interface import NothingToDraw
from fctestbed.results import CALIBRATION_COLUMNS, READOUT_COLUMNS

NOTHING = "nothing"
"""The kind of a block that the readout's modality does not hold."""
ERROR_COLUMNS = (
    "estimator",
    "bound",
    "target",
    "n_cells",
    "bias_bits",
    "rmse_bits",
    "share_read",
    "rank_correlation",
    "share_above",
    "seconds",
)
_FAR = 3.0


def estimates(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that hold an estimate, at the largest number of samples.

    Args:
        rows: of ``calibrate-readouts``.

    Raises:
        NothingToDraw: if there is none.
        ValueError: one line, for a column that is missing, or several noises, at which the exact
            values differ.
    """
    missing = [name for name in (*CALIBRATION_COLUMNS, *READOUT_COLUMNS) if name not in rows]
    if missing:
        raise ValueError(f"rows: expected a column {missing[0]} of estimates, got none")
    found = rows[rows["value_bits"].notna()]
    if found.empty:
        raise NothingToDraw(f"rows: expected estimates on readouts, got none in {len(rows)} rows")
    noises = sorted(found["tau"].unique())
    if len(noises) > 1:
        raise ValueError(f"rows: expected one tau, got {', '.join(f'{tau:g}' for tau in noises)}")
    return found[found["n"] == found["n"].max()].reset_index(drop=True)


def common_estimates(rows: pd.DataFrame) -> pd.DataFrame:
    """The estimates of cells that every estimator has, so that errors are over the same cells."""
    found = estimates(rows)
    cells = found.groupby(["case", "repetition"])["estimator"].transform("nunique")
    return found[cells == found["estimator"].nunique()].reset_index(drop=True)


def conditions_note(found: pd.DataFrame) -> str:
    """Noise, samples, ratios and seeds of the rows, for a figure's note."""
    ratios = sorted(found["unique_ratio"].dropna().unique())
    seeds = found["seed"].nunique()
    return (
        f"X = Z + {found['tau'].iloc[0]:g} N at unit power, n = {int(found['n'].iloc[0])}, "
        f"unique ratio {', '.join(f'{ratio:g}' for ratio in ratios) or 'any'}, "
        f"{seeds} seed{'s' if seeds > 1 else ''}"
    )


def estimator_errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Every estimator's errors on the cells that all estimators have, the smallest first.

    Args:
        rows: of ``calibrate-readouts``.

    Returns:
        One row per estimator, columns ``ERROR_COLUMNS``: mean error and root mean square error in
        bits; the sum of all estimates as a share of the sum of the exact values; Spearman's rank
        correlation with the exact value; the share of estimates above the exact value by more than
        3 standard errors of both (NaN without standard errors); mean seconds. Then
        ``bias_<kind>_bits`` and ``rank_<kind>`` for each kind of quantity separately, and
        ``bias_nothing_bits`` for readouts that cannot hold the quantity at all.

    Raises:
        NothingToDraw: if no cell has an estimate of every estimator.
    """
    found = common_estimates(rows)
    if found.empty:
        raise NothingToDraw("rows: expected a cell that every estimator has, got none")
    found = found.assign(
        error=found["value_bits"] - found["exact_bits"],
        se=np.hypot(found["se_bits"], found["exact_se_bits"]),
        kind=[
            _kind(quantity, exact)
            for quantity, exact in zip(found["quantity"], found["exact_bits"], strict=True)
        ],
    )
    kinds = sorted(set(found["kind"]) - {NOTHING}) + [NOTHING] * (NOTHING in set(found["kind"]))
    table = pd.DataFrame(
        [_errors(str(name), own, kinds) for name, own in found.groupby("estimator", sort=False)]
    )
    return table.sort_values("rmse_bits", ignore_index=True)


def _errors(name: str, own: pd.DataFrame, kinds: Sequence[str]) -> dict[str, object]:
    sure = own[own["se"].notna()]
    far = sure["error"] > _FAR * sure["se"]
    there = own["exact_bits"].sum()
    return {
        "estimator": name,
        "bound": own["bound"].iloc[0],
        "target": own["target"].iloc[0],
        "n_cells": len(own),
        "bias_bits": own["error"].mean(),
        "rmse_bits": math.sqrt(own["error"].pow(2).mean()),
        "share_read": own["value_bits"].sum() / there if there > 0 else math.nan,
        "rank_correlation": _rank_correlation(own),
        "share_above": far.mean() if len(far) else math.nan,
        "seconds": own["seconds"].mean(),
        **{f"bias_{kind}_bits": own["error"][own["kind"] == kind].mean() for kind in kinds},
        **{
            f"rank_{kind}": _rank_correlation(own[own["kind"] == kind])
            for kind in kinds
            if kind != NOTHING
        },
    }


def _rank_correlation(own: pd.DataFrame) -> float:
    # A constant has no ranks.
    if own["value_bits"].nunique() < 2 or own["exact_bits"].nunique() < 2:
        return math.nan
    return float(own["value_bits"].corr(own["exact_bits"], method="spearman"))


def _kind(quantity: str, exact_bits: float) -> str:
    """``unique1`` and ``unique2`` are one kind; quantities that are exactly 0 are another."""
    return NOTHING if exact_bits == 0 else quantity.replace("1", "").replace("2", "")
