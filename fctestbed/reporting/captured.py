"""The table of all captured bits, with intervals over seeds and ceilings.

May import numpy, pandas, scipy, ``fctestbed.plotting`` and ``fctestbed.results``.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from fctestbed.plotting import Yardstick, series_styles
from fctestbed.reporting.label_bits import RATIO
from fctestbed.results import BLOCKS, JOINT, LABEL, LINEAR_PROBE, Results

MOST_ROWS = 2600
"""The rows of the table: more are slow to sort on a phone."""
_QUANTITIES = (LABEL, *BLOCKS)
_CONFIDENCE = 0.95
_EXACT = "exact"


def captured_table(results: Results, yardstick: Yardstick) -> tuple[pd.DataFrame, str]:
    """Means over seeds of captured bits, with intervals, truths and ceilings.

    The rows are those of the report's yardstick and of the linear probe, of the label and the
    blocks, joint readout first; then of the label at the other rates, then of other readouts. Where
    they are too many, the last of these are left out.

    Args:
        results: the rows.
        yardstick: how the figures of the report read.

    Returns:
        Columns ``method, unique_ratio``, the sweep's axes, ``readout, quantity, read_by, bits, low,
        high, ceiling, truth, seeds``; and what is left out, empty for nothing. An interval is
        Student's, without what no reading can be: above the ceiling or the truth, or, for an exact
        reading, below 0.
    """
    rows = results.captured
    rows = rows[(rows["status"] == "ok") & rows["value_bits"].notna()]
    parts, left_out, n = [], [], 0
    for name, own in _parts(rows, yardstick):
        if own.empty:
            continue
        part = _means(results, own)
        if n + len(part) > MOST_ROWS:
            left_out.append(name)
            continue
        n += len(part)
        parts.append(part)
    columns = ["method", RATIO, *results.axes, "readout", "quantity", "read_by", "bits", "low",
               "high", "ceiling", "truth", "seeds"]  # fmt: skip
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return table[columns], ", ".join(left_out)


def _parts(rows: pd.DataFrame, yardstick: Yardstick) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows in the order of their importance; none is in two of the parts."""
    known = rows[rows["quantity"].isin(_QUANTITIES)]
    main = yardstick.rows(known)
    probe = Yardstick(LINEAR_PROBE)
    is_joint = main["readout"] == JOINT
    yield "the joint readout", main[is_joint]
    if yardstick != probe:
        probed = probe.rows(known)
        wide = probed["readout"].str.startswith(JOINT)
        yield "linear probes of the joint readout", probed[wide]
    label = known[(known["quantity"] == LABEL) & (known["readout"] == JOINT)]
    same = (label["estimator"] == yardstick.estimator) & label["rate_bits"].notna()
    yield "the label at other rates", label[same & (label["rate_bits"] != yardstick.rate_bits)]
    yield "other readouts", main[~is_joint]


def _means(results: Results, rows: pd.DataFrame) -> pd.DataFrame:
    styles = series_styles(results.runs)
    names = {key: style.label for key, style in styles.items()}
    order = {key: place for place, key in enumerate(styles)}
    keys = ["place", "order", RATIO, *results.axes, "readout", "quantity", "read_by"]
    series = list(zip(rows["method"], rows["variant"], strict=True))
    read_by = [
        name if np.isnan(rate) else f"{name}, R = {rate:g}"
        for name, rate in zip(rows["estimator"], rows["rate_bits"], strict=True)
    ]
    place = [_QUANTITIES.index(quantity) for quantity in rows["quantity"]]
    named = rows.assign(order=[order[key] for key in series], read_by=read_by, place=place)
    # The rows are in order; values of axes of several types have none.
    grouped = named.groupby(keys, sort=False)
    means = grouped.agg(
        bits=("value_bits", "mean"),
        sd=("value_bits", "std"),
        seeds=("value_bits", "count"),
        ceiling=("ceiling_bits", "mean"),
        truth=("true_bits", "mean"),
        bound=("bound", "first"),
    )
    table = means.reset_index().sort_values(["place", "order"], kind="stable", ignore_index=True)
    n = table["seeds"].to_numpy(dtype=float)
    half = np.full(len(table), np.nan)
    several = n > 1
    sd = table["sd"].to_numpy(dtype=float)[several]
    half[several] = stdtrit(n[several] - 1, (1 + _CONFIDENCE) / 2) * sd / np.sqrt(n[several])
    mean = table["bits"].to_numpy(dtype=float)
    most = np.fmin(table["ceiling"].to_numpy(dtype=float), table["truth"].to_numpy(dtype=float))
    high = np.where(mean <= most, np.fmin(mean + half, most), mean + half)
    low = np.where(table["bound"] == _EXACT, np.fmax(mean - half, np.fmin(mean, 0.0)), mean - half)
    keys_in_order = list(styles)
    return table.assign(
        method=[names[keys_in_order[place]] for place in table["order"]],
        low=np.where(several, low, np.nan),
        high=np.where(several, high, np.nan),
    )
