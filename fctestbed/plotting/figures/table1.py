"""The FactorCL paper's Table 1 next to ours: which readout holds which block.

There are two forms: bits captured in a sweep (``readouts``), and exact, usable and estimated bits
from the rows of ``calibrate-readouts`` (``table1``).
"""

import math
from collections.abc import Sequence

import pandas as pd

from fctestbed.plotting.interface import Drawing, DrawOptions, NothingToDraw
from fctestbed.plotting.judged import conditions_note, estimates
from fctestbed.plotting.select import (
    captured_rows,
    flagged,
    n_unfinished,
    quantity_rows,
    readable_series,
    require_rows,
)
from fctestbed.plotting.style import NATS_COLORS, series_styles, style_of, table_order
from fctestbed.plotting.summarise import (
    SERIES,
    Ratios,
    bits_columns,
    pooled_intervals,
    seeds_note,
)
from fctestbed.plotting.table import (
    Column,
    markdown_table,
    plus_minus,
    share_color,
    table_figure,
)
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import PAPER, Results

PAPER_NATS: dict[tuple[str, str], tuple[float, float, float]] = {
    ("simclr", "z1"): (4.45, 0.17, 12.61),
    ("simclr", "z2"): (0.16, 3.92, 12.06),
    ("cross-self", "z1"): (4.39, 0.13, 11.30),
    ("cross-self", "z2"): (0.14, 4.26, 11.47),
    ("supcon", "z1"): (5.17, 0.23, 7.48),
    ("supcon", "z2"): (0.19, 5.17, 7.17),
    ("factorcl", "z_u1"): (7.83, 0.06, 9.47),
    ("factorcl", "z_u2"): (0.03, 7.17, 9.89),
    ("factorcl", "z_s1"): (6.25, 0.05, 10.13),
    ("factorcl", "z_s2"): (0.04, 5.79, 9.40),
}
"""I(Z;w1), I(Z;w2), I(Z;ws) by readout: Liang et al. (2023), arXiv 2306.05268v2, Table 1.

The paper calls them bits. Its code uses natural logarithms, so they are nats, of a neural estimate
that cannot exceed 19.4 nats. Its latents are continuous and reach the inputs without noise, so the
true values are infinite: their order can be compared with that of exact worlds, their size cannot.
The paper does not state whether FactorCL is SUP or SSL, the label, or the spread over seeds."""

PAPER_NOTE = (
    "Paper: Liang et al. 2023, Table 1, there called bits but nats by its code; a neural estimate "
    "with a ceiling, of continuous latents whose true information is infinite: compare patterns, "
    "not values. It does not say whether its FactorCL is SUP or SSL, so its numbers are given for "
    "both"
)
BLOCKS = {"unique1": "w1", "unique2": "w2", "shared": "ws"}
"""Blocks in the order of the paper's rows, by quantity."""
EXACT = "exact"
USABLE = "usable-linear"
CLASSIFIER = "classifier"

_HEADERS = {EXACT: "exact\n(bits)", USABLE: "linear\n(bits)", CLASSIFIER: "classif.\n(bits)"}
_READOUTS = ("z1", "z2", "z_u1", "z_u2", "z_s1", "z_s2")
_RATIO = 0.5
_Key = tuple[str, str, str]


def paper_nats(method: str, readout: str, quantity: str) -> float:
    """The paper's I(Z;block) for a readout, in nats; NaN where its table has none."""
    name = "factorcl" if method in ("factorcl-ssl", "factorcl-sup") else method
    return PAPER_NATS.get((name, readout), (math.nan,) * 3)[list(BLOCKS).index(quantity)]


def draw_readouts(results: Results, options: DrawOptions) -> Drawing:
    """Bits captured of every block by readout, for the methods of the paper's Table 1, transposed.

    Bits are read at a stated rate R if the rows have one. Cells are shaded by the share of H(block)
    (of min(R, H(block))) for ours, and in another colour of the largest number of the block for the
    paper's, which are nats.

    Args:
        results: the rows.
        options: ``table_ratio`` and ``yardstick``.

    Raises:
        NothingToDraw: if no finished run has block bits of a readout that the paper's table has.
    """
    yardstick = options.yardstick_of(results)
    rows = _block_rows(results, yardstick)
    require_rows(rows, "block bits by the readouts of the paper's Table 1")
    rows, left_out = readable_series(rows, most_variants=1, any_variant=options.any_variant)
    require_rows(rows, "block bits of the paper's variants")
    ratios = Ratios.of(rows, options.table_ratio)
    points = pooled_intervals(rows, "value_bits", [*SERIES, "readout", "quantity"], ratios)
    require_rows(points, "block bits by readout at every ratio")
    most = _most_bits(results, yardstick, ratios)
    half = points["high"] - points["mean"]
    texts = [plus_minus(mean, spread) for mean, spread in zip(points["mean"], half, strict=True)]
    cells = points.assign(text=texts)
    columns = [
        _column(
            f"I(Z;{block})\nhere (bits)", cells, quantity, "mean", most=most[quantity], text="text"
        )
        for quantity, block in BLOCKS.items()
    ]
    columns += [_paper_column(cells, quantity, "paper (nats)") for quantity in BLOCKS]
    seeds = seeds_note(points["n_seeds"], n_unfinished(results), left_out=left_out)
    note = (
        f"Here: {ratios.note}; {seeds}{options.note_of(yardstick)}; upper limits: "
        + ", ".join(f"{_limit(name, yardstick)} = {bits:g} bits" for name, bits in most.items())
        + f". {PAPER_NOTE}"
    )
    labels = {key: style.label for key, style in series_styles(rows).items()}
    numbers = bits_columns(points, yardstick)
    numbers.insert(3, "unique_ratio", ratios.name)
    numbers["most_bits"] = numbers["quantity"].map(most)
    numbers = _with_paper(numbers)
    return _table(cells, labels, columns, header="readout", note=note, numbers=numbers)


def draw_table1(rows: pd.DataFrame) -> Drawing:
    """I(Z + tau N; block) exactly, usable by a linear probe, and by the paper's classifier, of the
    readouts of the paper's Table 1, with its numbers; means over seeds.

    Args:
        rows: of ``calibrate-readouts``; of their ratios the one nearest to 0.5 is shown.

    Raises:
        NothingToDraw: if the rows have no block of a readout that the paper's table has.
    """
    found = _at_one_ratio(estimates(rows))
    if found.empty:
        raise NothingToDraw("rows: expected readouts of the paper's Table 1, got none")
    numbers = _means(found)
    cells = numbers.assign(variant=PAPER)
    columns = []
    for quantity, block in BLOCKS.items():
        most = float(numbers.loc[numbers["quantity"] == quantity, "exact_bits"].max())
        for name, header in _HEADERS.items():
            title = f"I(Z;{block})\n{header}"
            columns.append(_column(title, cells, quantity, f"{name}_bits", most=most))
        columns.append(_paper_column(cells, quantity, "paper\n(nats)"))
    caps = found.loc[found["estimator"] == CLASSIFIER, "ceiling_bits"]
    cap = f", which can say at most {caps.mean():.1f} bits" if len(caps) else ""
    note = (
        f"Here: {conditions_note(found)}. Exact: channel information of X; linear: usable to a "
        f"linear probe, a lower bound of it; classif.: the paper's estimator, held out{cap}; both "
        "read X as the exact value does. Shaded by the largest exact number of the block, and the "
        f"paper's by its own. {PAPER_NOTE}."
    )
    labels = {(str(method), PAPER): style_of(str(method)).label for method in numbers["method"]}
    numbers = _with_paper(numbers)
    return _table(cells, labels, columns, header="Z", note=note, numbers=numbers)


def _table(
    cells: pd.DataFrame,
    labels: dict[tuple[str, str], str],
    columns: Sequence[Column],
    *,
    header: str,
    note: str,
    numbers: pd.DataFrame,
) -> Drawing:
    """A row per readout, with the method's name at the first of its rows and a rule above it."""
    order = _rows(cells)
    series = [key[:2] for key in order]
    first = [place == 0 or series[place - 1] != own for place, own in enumerate(series)]
    named = tuple(labels[own] if new else "" for own, new in zip(series, first, strict=True))
    columns = [
        Column("method", named, True),
        Column(header, tuple(readout.upper() for _, _, readout in order)),
        *columns,
    ]
    rules = [place for place, new in enumerate(first) if new and place > 0]
    return Drawing(table_figure(columns, rules, note), numbers, markdown_table(columns, note))


def _rows(cells: pd.DataFrame) -> list[_Key]:
    """The table's rows: (method, variant, readout)."""
    names = (cells[name].astype(str) for name in (*SERIES, "readout"))
    keys: set[_Key] = set(zip(*names, strict=True))
    return sorted(keys, key=lambda key: (table_order(key[0]), key[1], _READOUTS.index(key[2])))


def _column(
    header: str,
    cells: pd.DataFrame,
    quantity: str,
    value: str,
    *,
    most: float,
    text: str | None = None,
) -> Column:
    """A block's column ``value``, shaded by its share of ``most``; empty where it is not known."""
    own = cells[cells["quantity"] == quantity].set_index([*SERIES, "readout"])
    order = _rows(cells)
    values = [float(own[value].get(key, math.nan)) for key in order]
    said = [plus_minus(one, math.nan) for one in values]
    if text is not None:
        said = [str(own[text].get(key, "")) for key in order]
    return Column(
        header,
        tuple(said),
        fills=tuple(share_color(one / most if most > 0 else math.nan) for one in values),
    )


def _paper_column(cells: pd.DataFrame, quantity: str, header: str) -> Column:
    place = list(BLOCKS).index(quantity)
    most = max(values[place] for values in PAPER_NATS.values())
    nats = [paper_nats(method, readout, quantity) for method, _, readout in _rows(cells)]
    return Column(
        f"I(Z;{BLOCKS[quantity]})\n{header}",
        tuple(plus_minus(value, math.nan) for value in nats),
        fills=tuple(share_color(value / most, NATS_COLORS) for value in nats),
    )


def _in_paper(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of methods and readouts that the paper's table has."""
    pairs = zip(rows["method"], rows["readout"], strict=True)
    return flagged(rows, [not math.isnan(paper_nats(*pair, "shared")) for pair in pairs])


def _with_paper(numbers: pd.DataFrame) -> pd.DataFrame:
    names = (numbers[name] for name in ("method", "readout", "quantity"))
    return numbers.assign(paper_nats=[paper_nats(*key) for key in zip(*names, strict=True)])


def _block_rows(results: Results, yardstick: Yardstick) -> pd.DataFrame:
    tables = [
        quantity_rows(results, [quantity], yardstick, readout).assign(
            readout=readout, quantity=quantity
        )
        for readout in _READOUTS
        for quantity in BLOCKS
    ]
    return _in_paper(pd.concat(tables, ignore_index=True))


def _most_bits(results: Results, yardstick: Yardstick, ratios: Ratios) -> dict[str, float]:
    """The most that can be read of each block, in bits: the true bits of the joint readout, and at
    a rate at most the rate."""
    rows = captured_rows(results, yardstick)
    true = rows.groupby(["quantity", "unique_ratio"])["true_bits"].mean()
    return {
        quantity: ratios.mean(true[quantity].clip(upper=yardstick.limit_bits))
        if quantity in true.index
        else math.nan
        for quantity in BLOCKS
    }


def _limit(quantity: str, yardstick: Yardstick) -> str:
    return yardstick.most_text(f"H({BLOCKS[quantity]})")


def _at_one_ratio(found: pd.DataFrame) -> pd.DataFrame:
    """Blocks of the paper's variants at the ratio nearest to 0.5, and of trainings of every
    ratio."""
    kept = _in_paper(found)
    kept = kept[kept["quantity"].isin(list(BLOCKS)) & (kept["variant"] == PAPER)]
    ratios = kept["unique_ratio"].dropna()
    if ratios.empty:
        return kept
    nearest = min(ratios.unique(), key=lambda ratio: (abs(ratio - _RATIO), ratio))
    # Trainings of every ratio have no ratio of their own.
    return kept[kept["unique_ratio"].isna() | (kept["unique_ratio"] == nearest)]


def _means(found: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds, one row per readout and block."""
    keys = ["method", "readout", "quantity"]
    table = found.groupby(keys).agg(
        unique_ratio=("unique_ratio", "first"),
        n_seeds=("seed", "nunique"),
        exact_bits=("exact_bits", "mean"),
        exact_se_bits=("exact_se_bits", "max"),
    )
    for name in (USABLE, CLASSIFIER):
        own = found[found["estimator"] == name].groupby(keys)
        for column in ("value", "low", "high", "ceiling"):
            named = f"{name}_bits" if column == "value" else f"{name}_{column}_bits"
            table[named] = own[f"{column}_bits"].mean()
    return table.reset_index()
