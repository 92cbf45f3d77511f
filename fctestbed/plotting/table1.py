"""The FactorCL paper's Table 1 remade: what each readout holds, exactly, to a linear reader, and by
the paper's estimator.

From the rows of ``calibrate --readouts`` alone.
"""

import math
from collections.abc import Sequence

import pandas as pd
from matplotlib.colors import to_hex

from fctestbed.plotting.cells import Column, markdown_table, plus_minus, table_figure
from fctestbed.plotting.court_rows import about, estimates
from fctestbed.plotting.drawing import Drawing, NothingToDraw
from fctestbed.plotting.ladder import ladder_order
from fctestbed.plotting.paper import PAPER_READOUT_NATS, PAPER_READOUT_NOTE
from fctestbed.plotting.readouts import BLOCKS, paper_nats
from fctestbed.plotting.selection import flagged
from fctestbed.plotting.series import PAPER
from fctestbed.plotting.style import BITS_COLORS, style_of

EXACT = "exact"
USABLE = "usable-linear"
CLASSIFIER = "classifier"
_HEADS = {EXACT: "exact\n(bits)", USABLE: "linear\n(bits)", CLASSIFIER: "classif.\n(bits)"}
_READOUTS = ("z1", "z2", "z_u1", "z_u2", "z_s1", "z_s2")
_KEYS = ["method", "readout", "quantity"]
_RATIO = 0.5


def draw_table1(rows: pd.DataFrame) -> Drawing:
    """I(Z + tau N; block) exactly, usable by a linear probe, and by the paper's classifier, of the
    readouts of the paper's Table 1, its numbers beside them; means over seeds.

    Args:
        rows: of ``calibrate --readouts``; of their ratios the one nearest to 0.5 is shown.

    Raises:
        NothingToDraw: if the rows have no block of a readout that the paper's table has.
    """
    found = _in_table(estimates(rows))
    if found.empty:
        raise NothingToDraw("rows: expected readouts of the paper's Table 1, got none")
    numbers = _numbers(found)
    order = sorted(
        {(str(m), str(r)) for m, r in zip(numbers["method"], numbers["readout"], strict=True)},
        key=lambda key: (ladder_order(key[0]), _READOUTS.index(key[1])),
    )
    cells = {tuple(row[key] for key in _KEYS): row for row in numbers.to_dict(orient="records")}
    columns = [
        Column(
            "method",
            tuple(
                style_of(method).label if place == 0 or order[place - 1][0] != method else ""
                for place, (method, _) in enumerate(order)
            ),
            True,
        ),
        Column("Z", tuple(readout.upper() for _, readout in order)),
    ]
    for quantity, block in BLOCKS.items():
        most = float(numbers.loc[numbers["quantity"] == quantity, "exact_bits"].max())
        for name, head in _HEADS.items():
            rows_of = [cells.get((*key, quantity), {}) for key in order]
            values = [float(row.get(f"{name}_bits", math.nan)) for row in rows_of]
            columns.append(_column(f"I(Z;{block})\n{head}", values, most))
        nats = [paper_nats(*key)[list(BLOCKS).index(quantity)] for key in order]
        most = max(known[list(BLOCKS).index(quantity)] for known in PAPER_READOUT_NATS.values())
        columns.append(_column(f"I(Z;{block})\npaper\n(nats)", nats, most))
    rules = [row for row in range(1, len(order)) if order[row][0] != order[row - 1][0]]
    note = _note(found)
    return Drawing(table_figure(columns, rules, note), numbers, markdown_table(columns, note))


def _in_table(found: pd.DataFrame) -> pd.DataFrame:
    asked = [
        not math.isnan(paper_nats(method, readout)[0])
        for method, readout in zip(found["method"], found["readout"], strict=True)
    ]
    kept = flagged(found, asked)
    kept = kept[kept["quantity"].isin(list(BLOCKS)) & (kept["variant"] == PAPER)]
    ratios = kept["unique_ratio"].dropna()
    if ratios.empty:
        return kept
    nearest = min(ratios.unique(), key=lambda ratio: (abs(ratio - _RATIO), ratio))
    # Trainings of every ratio have none of their own.
    return kept[kept["unique_ratio"].isna() | (kept["unique_ratio"] == nearest)]


def _numbers(found: pd.DataFrame) -> pd.DataFrame:
    """One row per readout and block."""
    table = found.groupby(_KEYS).agg(
        unique_ratio=("unique_ratio", "first"),
        n_seeds=("seed", "nunique"),
        exact_bits=("exact_bits", "mean"),
        exact_se_bits=("exact_se_bits", "max"),
    )
    for name in (USABLE, CLASSIFIER):
        own = found[found["estimator"] == name].groupby(_KEYS)
        for column in ("value", "low", "high", "ceiling"):
            named = f"{name}_bits" if column == "value" else f"{name}_{column}_bits"
            table[named] = own[f"{column}_bits"].mean()
    table = table.reset_index()
    blocks = list(BLOCKS)
    table["paper_nats"] = [
        paper_nats(method, readout)[blocks.index(quantity)]
        for method, readout, quantity in zip(*(table[key] for key in _KEYS), strict=True)
    ]
    return table


def _column(head: str, values: Sequence[float], most: float) -> Column:
    return Column(
        head,
        tuple(plus_minus(value, math.nan) for value in values),
        fills=tuple(_shade(value / most if most > 0 else math.nan) for value in values),
    )


def _shade(share: float) -> str | None:
    # On the darker half of the scale black numbers would be hard to read.
    return None if math.isnan(share) else to_hex(BITS_COLORS(0.5 * min(max(share, 0.0), 1.0)))


def _note(found: pd.DataFrame) -> str:
    caps = found.loc[found["estimator"] == CLASSIFIER, "ceiling_bits"]
    cap = f", which can say at most {caps.mean():.1f} bits" if len(caps) else ""
    return (
        f"Here: {about(found)}. Exact: channel information of X; linear: usable to a linear probe, "
        f"a lower bound of it; classif.: the paper's estimator, held out{cap}; both read X as the "
        "exact value does. Shaded by the largest exact number of the block, and the paper's by its "
        f"own. {PAPER_READOUT_NOTE}."
    )
