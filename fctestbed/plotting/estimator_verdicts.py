"""Estimators on readouts as a table: how far off, in which order, at what cost.

From the rows of ``calibrate --readouts`` alone.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from fctestbed.plotting.cells import Column, markdown_table, plus_minus, table_figure
from fctestbed.plotting.court_rows import about, estimates, on_common_cells
from fctestbed.plotting.drawing import Drawing, NothingToDraw

_FAR = 3.0
NOTHING = "nothing"
VERDICT_COLUMNS = (
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


def verdicts(rows: pd.DataFrame) -> pd.DataFrame:
    """Every estimator's errors on the cells that all of them have, the smallest first.

    Args:
        rows: of ``calibrate --readouts``.

    Returns:
        One row per estimator, columns ``VERDICT_COLUMNS``: mean error, root mean square error, all
        bits read as a share of all bits there, Spearman's rank correlation with the exact value,
        the share of estimates above the exact value by more than 3 standard errors of both (NaN
        without standard errors), mean seconds; and ``bias_<quantity>_bits`` and
        ``rank_<quantity>`` for each kind of quantity by itself, with ``bias_nothing_bits`` where a
        readout cannot hold it at all.

    Raises:
        NothingToDraw: if no cell has an estimate of every estimator.
    """
    found = on_common_cells(estimates(rows))
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
        [_verdict(str(name), own, kinds) for name, own in found.groupby("estimator", sort=False)]
    )
    return table.sort_values("rmse_bits", ignore_index=True)


def draw_verdicts(rows: pd.DataFrame) -> Drawing:
    """``verdicts`` as a table.

    Args:
        rows: of ``calibrate --readouts``.

    Raises:
        NothingToDraw: if no cell has an estimate of every estimator.
    """
    table = verdicts(rows)
    found = on_common_cells(estimates(rows))
    others = [str(name) for name in table if name not in VERDICT_COLUMNS]
    columns = [
        Column("estimator", tuple(table["estimator"]), True),
        Column(
            "bound",
            tuple(
                "penalty" if target == "jeffreys" else bound
                for bound, target in zip(table["bound"], table["target"], strict=True)
            ),
        ),
        Column("RMSE\n(bits)", _numbers(table["rmse_bits"])),
        Column("mean error\n(bits)", _numbers(table["bias_bits"], signed=True)),
        *(
            Column(
                f"error on\n{name.removeprefix('bias_').removesuffix('_bits')}",
                _numbers(table[name], signed=True),
            )
            for name in others
            if name.startswith("bias_")
        ),
        Column("read\n(% of all)", _shares(table["share_read"])),
        Column("ranks\nof all", _numbers(table["rank_correlation"])),
        *(
            Column(f"ranks of\n{name.removeprefix('rank_')}", _numbers(table[name]))
            for name in others
            if name.startswith("rank_")
        ),
        Column("above exact\nby 3 SE (%)", _shares(table["share_above"])),
        Column("seconds", tuple(f"{value:.2g}" for value in table["seconds"])),
    ]
    note = (
        f"{about(found)}; the same {table['n_cells'].iloc[0]} cells (readout, block) for all, of "
        f"{', '.join(sorted(found['method'].unique()))}. SE: of the estimate and of the exact "
        "value together; above the exact value a lower bound is broken. Penalty: it aims at the "
        "Jeffreys divergence, which is larger than the information. Ranks: Spearman's "
        "correlation with the exact value. Nothing: a block that the readout's modality does not "
        "hold. Seconds: of this run's machine, busy or not."
    )
    return Drawing(table_figure(columns, [], note), table, markdown_table(columns, note))


def _verdict(name: str, own: pd.DataFrame, kinds: Sequence[str]) -> dict[str, object]:
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
        "rank_correlation": _ranks(own),
        "share_above": far.mean() if len(far) else math.nan,
        "seconds": own["seconds"].mean(),
        **{f"bias_{kind}_bits": own["error"][own["kind"] == kind].mean() for kind in kinds},
        **{f"rank_{kind}": _ranks(own[own["kind"] == kind]) for kind in kinds if kind != NOTHING},
    }


def _ranks(own: pd.DataFrame) -> float:
    # A constant has no ranks.
    if own["value_bits"].nunique() < 2 or own["exact_bits"].nunique() < 2:
        return math.nan
    return float(own["value_bits"].corr(own["exact_bits"], method="spearman"))


def _kind(quantity: str, exact_bits: float) -> str:
    """``unique1`` and ``unique2`` are one kind; what is exactly 0 is another."""
    return NOTHING if exact_bits == 0 else quantity.replace("1", "").replace("2", "")


def _numbers(values: pd.Series, *, signed: bool = False) -> tuple[str, ...]:
    return tuple(plus_minus(float(value), math.nan, signed=signed) for value in values)


def _shares(values: pd.Series) -> tuple[str, ...]:
    return tuple("" if math.isnan(value) else f"{100 * value:.0f}" for value in values)
