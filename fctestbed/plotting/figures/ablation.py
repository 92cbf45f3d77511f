"""The ablation table: the FactorCL paper's Table 2 with captured bits instead of benchmarks.

One row per method and variant, a check mark for each term of its loss (Liang et al. 2023, Table 2),
then label, shared and unique bits captured, task accuracy, and the same at equal readout width.
"""

import math
import re

import pandas as pd

from fctestbed.plotting.interface import Drawing, DrawOptions
from fctestbed.plotting.run_details import RunDetails, series_details, total_label_bits
from fctestbed.plotting.select import (
    LABEL,
    SHARED,
    UNIQUE,
    accuracy_rows,
    flagged,
    n_unfinished,
    quantity_rows,
    readable_series,
    require_rows,
)
from fctestbed.plotting.style import series_styles, table_group, table_order, variant_order
from fctestbed.plotting.summarise import SERIES, Ratios, pooled_intervals, seeds_note
from fctestbed.plotting.table import CHECK, Column, markdown_table, plus_minus, table_figure
from fctestbed.plotting.yardstick import Yardstick
from fctestbed.results import JOINT, Results, equal_width_name

TERMS = ("(X1;X2)", "(Xi;Xi')", "(X1;X2|Y)", "(X2'')", "Fact")
"""Columns of the paper's Table 2: the cross-modal term, the unimodal ones, the conditional ones,
augmentations for the unique information, factorised readouts."""

_MOST_ROWS = 28
_EQUAL_WIDTH = re.compile(equal_width_name(0)[:-1] + r"(\d+)")
_HEADERS = {
    "label_bits": "label\n(bits)",
    "shared_bits": "shared\n(bits)",
    "unique_bits": "unique\n(bits)",
    "accuracy": "accuracy\n(%)",
}


def draw_ablation(results: Results, options: DrawOptions) -> Drawing:
    """The table as a figure, as numbers and as Markdown.

    Values are means over the unique ratios (or at ``table_ratio``) with 95 % intervals over seeds;
    bits are of the joint readout, at a stated rate if the rows have one. The exact label bits,
    block entropies (at most the rate) and the Bayes accuracy are in the caption.

    Args:
        results: the rows.
        options: ``table_ratio`` and ``yardstick``.

    Raises:
        NothingToDraw: if no finished run lists the terms of its loss, or none has label bits.
    """
    details = {key: run for key, run in series_details(results).items() if run.terms is not None}
    if not any(run.terms for run in details.values()):
        details = {}
    yardstick = options.yardstick_of(results)
    rows = quantity_rows(results, LABEL, yardstick)
    known = [key in details for key in zip(rows["method"], rows["variant"], strict=True)]
    rows = flagged(rows, known)
    require_rows(rows, "label bits and loss terms")
    shown, left_out = readable_series(rows, most_series=_MOST_ROWS, any_variant=options.any_variant)
    require_rows(shown, "label bits of the paper's variants")
    ratios = Ratios.of(shown, options.table_ratio)
    width = _equal_width(results)
    numbers = _numbers(results, shown, ratios, yardstick, width)
    term_names = [*TERMS, *_other_terms(details)]
    keys = list(zip(numbers["method"], numbers["variant"], strict=True))
    for place, term in enumerate(term_names, start=2):
        # One run of a series is enough: terms are the method's.
        numbers.insert(place, term, [int(term in (details[key].terms or ())) for key in keys])
    labels = series_styles(shown)
    columns = [
        Column("method", tuple(labels[key].label for key in keys), left=True),
        *(
            Column(term, tuple(CHECK if has else "" for has in numbers[term]))
            for term in term_names
        ),
        *_value_columns(numbers, width),
    ]
    groups = [table_group(method) for method, _ in keys]
    rules = [row for row in range(1, len(groups)) if groups[row] != groups[row - 1]]
    n_seeds = numbers["label_bits_n_seeds"].dropna().astype(int)
    counts = n_seeds if len(n_seeds) else pd.Series([0])
    seeds = seeds_note(counts, n_unfinished(results), left_out=left_out)
    note = (
        f"{CHECK} terms of the loss as the paper's Table 2 names them. "
        f"Captured from the joint readout; {ratios.note}; {seeds}{options.note_of(yardstick)}; "
        f"accuracy of a linear probe. Upper limits: {_limits(results, ratios, yardstick)}"
    )
    if width:
        note += f". {width}-d: the joint readout reduced to {width} dimensions"
    numbers.insert(2, "unique_ratio", ratios.name)
    numbers = numbers.assign(**yardstick.columns)
    return Drawing(table_figure(columns, rules, note), numbers, markdown_table(columns, note))


def _equal_width(results: Results) -> int | None:
    """The width that joint readouts were reduced to, the least of several; None if they were
    not reduced."""
    matches = [_EQUAL_WIDTH.fullmatch(str(name)) for name in results.captured["readout"].unique()]
    return min((int(match[1]) for match in matches if match), default=None)


def _numbers(
    results: Results, shown: pd.DataFrame, ratios: Ratios, yardstick: Yardstick, width: int | None
) -> pd.DataFrame:
    """One row per series in the tables' order, each value with its interval's ends."""
    table = shown[SERIES].drop_duplicates()
    order = sorted(
        zip(table["method"], table["variant"], strict=True),
        key=lambda key: (table_order(key[0]), variant_order(key[1])),
    )
    index = pd.MultiIndex.from_tuples(order, names=SERIES)
    values: dict[str, pd.Series] = {}
    readouts = {"": JOINT} | ({f"_at_{width}": equal_width_name(width)} if width else {})
    for ending, readout in readouts.items():
        sources = {
            "label_bits": quantity_rows(results, LABEL, yardstick, readout),
            "shared_bits": quantity_rows(results, SHARED, yardstick, readout),
            "unique_bits": quantity_rows(results, UNIQUE, yardstick, readout),
            "accuracy": accuracy_rows(results, readout),
        }
        for name, rows in sources.items():
            value = "accuracy" if name == "accuracy" else "value_bits"
            points = pooled_intervals(rows, value, SERIES, ratios).set_index(SERIES).reindex(index)
            stem = f"{name}{ending}"
            values |= {stem: points["mean"], f"{stem}_low": points["low"]}
            values |= {f"{stem}_high": points["high"], f"{stem}_n_seeds": points["n_seeds"]}
    return pd.DataFrame(values, index=index).reset_index()


def _value_columns(numbers: pd.DataFrame, width: int | None) -> list[Column]:
    columns = []
    for ending in ("", f"_at_{width}"):
        for name, header in _HEADERS.items():
            stem = f"{name}{ending}"
            if stem not in numbers or numbers[stem].isna().all():
                continue
            # At equal width the table has only the label's numbers; the CSV also has the blocks.
            if ending and name in ("shared_bits", "unique_bits"):
                continue
            scale, digits = (100.0, 1) if name == "accuracy" else (1.0, 2)
            half = numbers[f"{stem}_high"] - numbers[stem]
            cells = tuple(
                plus_minus(scale * mean, scale * spread, digits)
                for mean, spread in zip(numbers[stem], half, strict=True)
            )
            at_width = header.replace("\n", f"\n{width}-d ")
            columns.append(Column(at_width if ending else header, cells))
    return columns


def _limits(results: Results, ratios: Ratios, yardstick: Yardstick) -> str:
    """The most that there is to read: of the label, the blocks, the accuracy."""
    limit = yardstick.limit_bits
    most = [f"label {ratios.mean(total_label_bits(results).clip(upper=limit)):.2f} bits"]
    for name, quantities in (("shared block", SHARED), ("unique blocks", UNIQUE)):
        rows = quantity_rows(results, quantities, yardstick)
        true = ratios.mean(rows.groupby("unique_ratio")["true_bits"].mean().clip(upper=limit))
        if math.isfinite(true):
            most.append(f"{name} {true:g} bits")
    bayes = ratios.mean(accuracy_rows(results).groupby("unique_ratio")["bayes_accuracy"].mean())
    if math.isfinite(bayes):
        most.append(f"Bayes accuracy {100 * bayes:.1f} %")
    return ", ".join(most)


def _other_terms(details: dict[tuple[str, str], RunDetails]) -> list[str]:
    """Terms without a column in the paper's table, by name."""
    found = {term for run in details.values() for term in run.terms or ()}
    return sorted(found - set(TERMS))
