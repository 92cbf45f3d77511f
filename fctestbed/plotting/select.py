"""The rows that a figure shows, one value per run.

May import numpy, pandas and ``fctestbed.results``.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fctestbed.plotting.axes import UNIQUE_RATIO, require_one_world
from fctestbed.plotting.interface import NothingToDraw
from fctestbed.plotting.style import variants_by_method
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import JOINT, LINEAR, PAPER, Results

LABEL = ("label",)
SHARED = ("shared",)
UNIQUE = ("unique1", "unique2")
"""Quantities whose bits are summed within a run: the label, w_s, and w_1 with w_2."""
MOST_VARIANTS = 4
MOST_SERIES = 16


def rows_of(
    results: Results,
    estimator: str,
    readout: str | None = JOINT,
    along: str = UNIQUE_RATIO,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Captured rows of finished runs, of one estimator at all of its rates, and one readout.

    Args:
        results: the rows.
        estimator: the estimator's name.
        readout: the readout's name; None for all.
        along: the axis that may vary.
        columns: as of ``Results.finished_rows``.

    Raises:
        ValueError: one line, if another axis varies.
    """
    require_one_world(results, along)
    return results.finished_rows(estimator, readout, columns)


def captured_rows(
    results: Results,
    yardstick: Yardstick,
    readout: str | None = JOINT,
    along: str = UNIQUE_RATIO,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Captured rows of finished runs, of one yardstick and one readout.

    Args:
        results: the rows.
        yardstick: the estimator and its rate.
        readout: the readout's name; None for all.
        along: the axis that may vary.
        columns: as of ``Results.finished_rows``; the yardstick reads ``estimator`` and
            ``rate_bits``.

    Raises:
        ValueError: one line, if another axis varies.
    """
    return yardstick.rows(rows_of(results, yardstick.estimator, readout, along, columns))


def quantity_rows(
    results: Results,
    quantities: Sequence[str],
    yardstick: Yardstick,
    readout: str = JOINT,
    along: str = UNIQUE_RATIO,
) -> pd.DataFrame:
    """Captured and true bits of some quantities, summed within each finished run.

    Args:
        results: the rows.
        quantities: names; a run that lacks one of them is left out.
        yardstick: the estimator and its rate.
        readout: the readout's name.
        along: the axis that may vary.

    Returns:
        Columns ``run_id, method, variant, <along>, seed, value_bits, true_bits``, one row per run
        and value of ``along``.

    Raises:
        ValueError: one line, if another axis varies.
    """
    keys = ["run_id", "method", "variant", along, "seed"]
    columns = [*keys, "quantity", "estimator", "rate_bits", "value_bits", "true_bits"]
    rows = captured_rows(results, yardstick, readout, along, columns)
    rows = rows[rows["quantity"].isin(quantities)]
    # min_count: a sum that lacks a quantity is unknown, not smaller.
    sums = rows.groupby(keys)[["value_bits", "true_bits"]].sum(min_count=len(quantities))
    return sums.reset_index().dropna(subset=["value_bits"])


def accuracy_rows(
    results: Results, readout: str = JOINT, along: str = UNIQUE_RATIO
) -> pd.DataFrame:
    """Accuracy of one readout, one row per finished run; a linear probe's if there are several.

    Raises:
        ValueError: one line, if another axis than ``along`` varies.
    """
    require_one_world(results, along)
    rows = results.accuracy
    rows = rows[(rows["status"] == "ok") & (rows["readout"] == readout)]
    probes = sorted(rows["probe"].unique(), key=lambda probe: (LINEAR not in probe, probe))
    return rows[rows["probe"] == probes[0]] if probes else rows


def n_unfinished(results: Results, ratio: float | None = None) -> int:
    """How many runs diverged or failed, at one ratio or in all."""
    unfinished = results.runs["status"] != "ok"
    if ratio is not None:
        unfinished &= results.runs["unique_ratio"] == ratio
    return int(results.runs.loc[unfinished, "run_id"].nunique())


def nearest_ratio(rows: pd.DataFrame, wanted: float) -> float:
    """The unique ratio in the rows nearest to the wanted one; in a tie the lower one."""
    known = sorted(float(ratio) for ratio in rows["unique_ratio"].unique())
    return min(known, key=lambda ratio: round(abs(ratio - wanted), 9))


def chosen_ratios(rows: pd.DataFrame, wanted: Sequence[float] | None) -> list[float]:
    """The unique ratios in the rows nearest to the wanted ones, ascending; by default the lowest,
    the middle and the highest."""
    known = sorted(float(ratio) for ratio in rows["unique_ratio"].unique())
    asked = (known[0], (known[0] + known[-1]) / 2, known[-1]) if wanted is None else wanted
    return sorted({nearest_ratio(rows, ratio) for ratio in asked})


def require_rows(rows: pd.DataFrame, what: str) -> None:
    """Refuse to draw an empty figure.

    Raises:
        NothingToDraw: if there are no rows.
    """
    if rows.empty:
        raise NothingToDraw(f"results: expected rows of {what} from finished runs, got none")


def flagged(rows: pd.DataFrame, flags: Sequence[bool]) -> pd.DataFrame:
    """The rows whose flag is true, one flag per row."""
    # An empty list would select no columns.
    return rows.loc[np.array(flags, dtype=bool)]


def readable_series(
    rows: pd.DataFrame,
    *,
    most_variants: int = MOST_VARIANTS,
    most_series: int = MOST_SERIES,
    any_variant: bool = False,
) -> tuple[pd.DataFrame, str]:
    """The rows of as many variants as one figure can show.

    Of a method with more than ``most_variants`` only the paper's variant is kept; so it is for
    every method with several variants if more than ``most_series`` would remain. If the method has
    no paper's variant, none is kept, or the first by name if ``any_variant`` is true.

    Returns:
        The rows kept, and a note on the number of variants that were not; empty if all were kept.
    """
    known = variants_by_method(rows)
    few = {method: _paper_alone(variants, any_variant) for method, variants in known.items()}
    kept = {m: v if len(v) <= most_variants else few[m] for m, v in known.items()}
    if sum(map(len, kept.values())) > most_series:
        kept = few
    n_left_out = sum(map(len, known.values())) - sum(map(len, kept.values()))
    if not n_left_out:
        return rows, ""
    shown = [
        str(variant) in kept[str(method)]
        for method, variant in zip(rows["method"], rows["variant"], strict=True)
    ]
    note = f"{n_left_out} more variant{'s' if n_left_out > 1 else ''} not drawn"
    return flagged(rows, shown), note


def _paper_alone(variants: list[str], any_variant: bool) -> list[str]:
    # The paper's variant is the first one, if there is one.
    lone = len(variants) == 1 or variants[0] == PAPER or any_variant
    return variants[:1] if lone else []
