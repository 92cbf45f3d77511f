"""Which readout holds which block: the FactorCL paper's Table 1, with its numbers beside ours."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.colors import to_hex

from fctestbed.plotting.cells import Column, markdown_table, plus_minus, table_figure
from fctestbed.plotting.drawing import Drawing, DrawOptions
from fctestbed.plotting.intervals import seeds_note
from fctestbed.plotting.ladder import ladder_order
from fctestbed.plotting.paper import PAPER_READOUT_NATS, PAPER_READOUT_NOTE
from fctestbed.plotting.pooling import Ratios, pooled_intervals
from fctestbed.plotting.selection import (
    HEADLINE_READOUT,
    finished,
    flagged,
    n_unfinished,
    quantity_rows,
    require_rows,
)
from fctestbed.plotting.series import readable_series, series_styles
from fctestbed.plotting.style import BITS_COLORS
from fctestbed.results import Results

BLOCKS = {"unique1": "w1", "unique2": "w2", "shared": "ws"}
"""Blocks in the order of the paper's rows, by quantity."""

_READOUTS = ("z1", "z2", "z_u1", "z_u2", "z_s1", "z_s2")
_KEYS = ["method", "variant", "readout"]


def paper_nats(method: str, readout: str) -> tuple[float, float, float]:
    """The paper's I(Z;w1), I(Z;w2), I(Z;ws) for a readout; NaN where its table has none."""
    name = "factorcl" if method in ("factorcl-ssl", "factorcl-sup") else method
    return PAPER_READOUT_NATS.get((name, readout), (math.nan,) * 3)


def draw_readouts(results: Results, options: DrawOptions) -> Drawing:
    """Bits of every block by readout, for the methods of the paper's Table 1, transposed.

    Cells are shaded by the share of H(block) for ours, of the largest number in the column for the
    paper's.

    Args:
        results: the rows.
        options: ``table_ratio`` and ``estimator``.

    Raises:
        NothingToDraw: if no finished run has block bits of a readout that the paper's table has.
    """
    rows = _block_rows(results, options.estimator)
    require_rows(rows, "block bits by the readouts of the paper's Table 1")
    rows, left_out = readable_series(rows, most_variants=1, any_variant=options.any_variant)
    require_rows(rows, "block bits of the paper's variants")
    ratios = Ratios.of(rows, options.table_ratio)
    points = pooled_intervals(rows, "value_bits", [*_KEYS, "quantity"], ratios)
    require_rows(points, "block bits by readout at every ratio")
    entropy = _entropies(results, options.estimator, ratios)
    found = {tuple(p[key] for key in (*_KEYS, "quantity")): p for p in _records(points)}
    order = sorted(
        {key[:3] for key in found},
        key=lambda key: (ladder_order(key[0]), _READOUTS.index(key[2])),
    )
    labels = series_styles(rows)
    columns = [
        Column("method", tuple(_once(labels[key[:2]].label, key, order) for key in order), True),
        Column("readout", tuple(_readout_label(readout) for _, _, readout in order)),
    ]
    for quantity, block in BLOCKS.items():
        ours = [found.get((*key, quantity)) for key in order]
        columns.append(_our_column(block, ours, entropy[quantity]))
    for place, block in enumerate(BLOCKS.values()):
        nats = [paper_nats(method, readout)[place] for method, _, readout in order]
        columns.append(_paper_column(block, nats, place))
    rules = [row for row in range(1, len(order)) if order[row][:2] != order[row - 1][:2]]
    seeds = seeds_note(points["n_seeds"], n_unfinished(results), left_out=left_out)
    note = (
        f"Here: {ratios.note}; {seeds}{options.estimator_note}; most there is: "
        + ", ".join(f"H({BLOCKS[name]}) = {bits:g} bits" for name, bits in entropy.items())
        + f". {PAPER_READOUT_NOTE}"
    )
    numbers = _numbers(points, ratios, entropy)
    return Drawing(table_figure(columns, rules, note), numbers, markdown_table(columns, note))


def _block_rows(results: Results, estimator: str) -> pd.DataFrame:
    known = {method for method, _ in PAPER_READOUT_NATS} | {"factorcl-ssl", "factorcl-sup"}
    tables = [
        quantity_rows(results, [quantity], estimator, readout).assign(
            readout=readout, quantity=quantity
        )
        for readout in _READOUTS
        for quantity in BLOCKS
    ]
    rows = pd.concat(tables, ignore_index=True)
    in_paper = [
        method in known and not math.isnan(paper_nats(method, readout)[0])
        for method, readout in zip(rows["method"], rows["readout"], strict=True)
    ]
    return flagged(rows, in_paper)


def _entropies(results: Results, estimator: str, ratios: Ratios) -> dict[str, float]:
    """H(block) in bits: what there is for the joint readout."""
    rows = finished(results.captured)
    rows = rows[(rows["readout"] == HEADLINE_READOUT) & (rows["estimator"] == estimator)]
    return {
        quantity: ratios.mean(
            rows[rows["quantity"] == quantity].groupby("unique_ratio")["true_bits"].mean()
        )
        for quantity in BLOCKS
    }


def _our_column(block: str, points: Sequence[Mapping[Any, Any] | None], entropy: float) -> Column:
    cells = tuple(
        "" if point is None else plus_minus(point["mean"], point["high"] - point["mean"])
        for point in points
    )
    fills = tuple(_shade(math.nan if p is None else p["mean"] / entropy) for p in points)
    return Column(f"I(Z;{block})\nhere (bits)", cells, fills=fills)


def _paper_column(block: str, nats: list[float], place: int) -> Column:
    most = max(values[place] for values in PAPER_READOUT_NATS.values())
    return Column(
        f"I(Z;{block})\npaper (nats)",
        tuple(plus_minus(value, math.nan) for value in nats),
        fills=tuple(_shade(value / most) for value in nats),
    )


def _shade(share: float) -> str | None:
    # On the darker half of the scale black numbers would be hard to read.
    return None if math.isnan(share) else to_hex(BITS_COLORS(0.5 * min(max(share, 0.0), 1.0)))


def _readout_label(readout: str) -> str:
    return readout.upper()


def _once(label: str, key: tuple[str, str, str], order: list[tuple[str, str, str]]) -> str:
    """The method's name at the first of its rows."""
    return label if next(other for other in order if other[:2] == key[:2]) == key else ""


def _records(points: pd.DataFrame) -> list[dict[Any, Any]]:
    return points.to_dict(orient="records")


def _numbers(points: pd.DataFrame, ratios: Ratios, entropy: dict[str, float]) -> pd.DataFrame:
    places = {quantity: place for place, quantity in enumerate(BLOCKS)}
    table = points.rename(columns={"mean": "captured_bits", "low": "low_bits", "high": "high_bits"})
    table.insert(3, "unique_ratio", ratios.name)
    return table.assign(
        block_bits=table["quantity"].map(entropy),
        paper_nats=[
            paper_nats(method, readout)[places[quantity]]
            for method, readout, quantity in zip(
                table["method"], table["readout"], table["quantity"], strict=True
            )
        ],
    )
