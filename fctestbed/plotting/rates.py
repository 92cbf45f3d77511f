"""Readings along the rate, and the least rate at which a share of the information is read.

May import numpy, pandas and ``fctestbed.results``.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fctestbed.plotting.axes import UNIQUE_RATIO
from fctestbed.plotting.select import LABEL, rows_of
from fctestbed.results import JOINT, Results

SHARE = 0.9
"""The share of R90."""


def rate_at_share(
    rates: Sequence[float], values: Sequence[float], truth: float, share: float = SHARE
) -> float:
    """The least rate at which a share of the exact information is read.

    A reading does not fall with the rate, so the largest reading at this or a lower rate is taken.
    Between two measured rates the curve is a straight line along log R; below the lowest one a
    straight line along R through the origin, as a reading at a low rate is proportional to it.

    Args:
        rates: measured rates in bits, different, above 0.
        values: the bits read at each of them; NaN for a missing one.
        truth: the exact information in bits.
        share: in (0, 1].

    Returns:
        A rate in bits; ``inf`` if the largest rate reads less than the share; NaN if there is
        nothing to read (``truth`` not above 0) or no value.

    Raises:
        ValueError: one line, for a share outside (0, 1], rates that are not above 0, finite and
            different, or another number of values than of rates.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share: expected a number above 0, at most 1, got {share!r}")
    at = np.asarray(rates, dtype=float)
    read = np.asarray(values, dtype=float)
    if at.ndim != 1 or not (np.isfinite(at).all() and (at > 0).all()) or len(set(at)) != len(at):
        raise ValueError(f"rates: expected different finite numbers above 0, got {list(rates)}")
    if read.shape != at.shape:
        raise ValueError(f"values: expected one for each of {len(at)} rates, got {read.size}")
    known = np.isfinite(read)
    order = np.argsort(at[known])
    at, read = at[known][order], np.maximum.accumulate(read[known][order])
    if not truth > 0 or not len(at):
        return float("nan")
    wanted = share * truth
    reached = np.flatnonzero(read >= wanted)
    if not len(reached):
        return float("inf")
    first = int(reached[0])
    if first == 0:
        return float(at[0] * wanted / read[0])
    part = (wanted - read[first - 1]) / (read[first] - read[first - 1])
    return float(at[first - 1] * (at[first] / at[first - 1]) ** part)


def rate_rows(
    results: Results, estimator: str, along: str = UNIQUE_RATIO, readout: str = JOINT
) -> pd.DataFrame:
    """Label bits of every finished run at every measured rate.

    Args:
        results: the rows.
        estimator: an estimator that reads at stated rates.
        along: the axis that may vary besides the rate.
        readout: the readout's name.

    Returns:
        Columns ``run_id, method, variant, <along>, seed, rate_bits, value_bits, true_bits``.

    Raises:
        ValueError: one line, if another axis varies.
    """
    rows = rows_of(results, estimator, readout, along)
    rows = rows[rows["quantity"].isin(LABEL) & rows["rate_bits"].notna()]
    names = ["run_id", "method", "variant", along, "seed", "rate_bits", "value_bits", "true_bits"]
    return rows[names].dropna(subset=["value_bits"]).reset_index(drop=True)


def rates_at_share(
    results: Results, estimator: str, along: str = UNIQUE_RATIO, share: float = SHARE
) -> pd.DataFrame:
    """``rate_at_share`` of the label and the joint readout, for every finished run.

    Args:
        results: the rows.
        estimator: an estimator that reads at stated rates.
        along: the axis that may vary.
        share: of the exact label information, in (0, 1].

    Returns:
        Columns ``run_id, method, variant, <along>, seed, rate_at_share_bits, true_bits``, one row
        per run and value of ``along``.

    Raises:
        ValueError: one line, if another axis varies, or for the share.
    """
    keys = ["run_id", "method", "variant", along, "seed"]
    records = []
    for key, own in rate_rows(results, estimator, along).groupby(keys):
        truth = float(own["true_bits"].iloc[0])
        rate = rate_at_share(own["rate_bits"].tolist(), own["value_bits"].tolist(), truth, share)
        records.append((*key, rate, truth))
    return pd.DataFrame(records, columns=[*keys, "rate_at_share_bits", "true_bits"])
