"""Which rows a figure reads, and one value per run from them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fctestbed.plotting.drawing import NothingToDraw
from fctestbed.results import Results

HEADLINE_READOUT = "joint"
LABEL = ("label",)
SHARED = ("shared",)
UNIQUE = ("unique1", "unique2")
"""Quantities whose bits are summed within a run: the label, w_s, and w_1 with w_2."""


def finished(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs that are ``ok``."""
    return rows[rows["status"] == "ok"]


def n_unfinished(results: Results, ratio: float | None = None) -> int:
    """How many runs diverged or failed, at one ratio or in all."""
    unfinished = results.runs["status"] != "ok"
    if ratio is not None:
        unfinished &= results.runs["unique_ratio"] == ratio
    return int(unfinished.sum())


def require_rows(rows: pd.DataFrame, what: str) -> None:
    """Refuse to draw an empty figure.

    Raises:
        NothingToDraw: if there are no rows.
    """
    if rows.empty:
        raise NothingToDraw(f"results: expected rows of {what} from finished runs, got none")


def flagged(rows: pd.DataFrame, flags: Sequence[bool]) -> pd.DataFrame:
    """The rows whose flag is true, one flag to a row."""
    # A bare empty list would select no columns.
    return rows.loc[np.array(flags, dtype=bool)]


def quantity_rows(
    results: Results,
    quantities: Sequence[str],
    estimator: str,
    readout: str = HEADLINE_READOUT,
) -> pd.DataFrame:
    """Captured and true bits of some quantities, summed within each finished run.

    Args:
        results: the rows.
        quantities: names; a run that lacks one of them is left out.
        estimator: whose values.
        readout: of which readout.

    Returns:
        Columns ``run_id, method, variant, unique_ratio, seed, value_bits, true_bits``, one row per
        run.
    """
    rows = finished(results.captured)
    rows = rows[
        rows["quantity"].isin(quantities)
        & (rows["readout"] == readout)
        & (rows["estimator"] == estimator)
    ]
    keys = ["run_id", "method", "variant", "unique_ratio", "seed"]
    # min_count: half of a sum is not a smaller sum, it is none.
    sums = rows.groupby(keys)[["value_bits", "true_bits"]].sum(min_count=len(quantities))
    return sums.reset_index().dropna(subset=["value_bits"])


def accuracy_rows(results: Results, readout: str = HEADLINE_READOUT) -> pd.DataFrame:
    """One row per finished run: one readout's, of a linear probe if there are several."""
    rows = finished(results.accuracy)
    rows = rows[rows["readout"] == readout]
    probes = sorted(rows["probe"].unique(), key=lambda probe: ("linear" not in probe, probe))
    return rows[rows["probe"] == probes[0]] if probes else rows


def nearest_ratio(rows: pd.DataFrame, wanted: float) -> float:
    """The ratio in the rows nearest to the wanted one; of two the lower."""
    known = sorted(float(ratio) for ratio in rows["unique_ratio"].unique())
    return min(known, key=lambda ratio: round(abs(ratio - wanted), 9))
