"""Bias, spread and coverage out of a calibration's rows. Imports pandas only."""

import numpy as np
import pandas as pd

from fctestbed.estimators.intervals import share_interval

_KEYS = ["case", "group", "kind", "true_bits", "estimator", "bound", "n"]
SUMMARY_COLUMNS = (
    *_KEYS,
    "repetitions",
    "mean_bits",
    "bias_bits",
    "bias_se_bits",
    "sd_bits",
    "coverage",
    "coverage_low",
    "coverage_high",
    "ceiling_bits",
    "seconds",
    "refusal",
)


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """What the repetitions of each cell say.

    Args:
        rows: what ``calibrate`` gave.

    Returns:
        One row per case, estimator and n; columns ``SUMMARY_COLUMNS``: the mean value, its bias
        with the bias's standard error, the standard deviation over repetitions, the share of 95 %
        intervals that hold the truth with that share's own 95 % interval (NaN for estimators
        without intervals), and mean seconds. A refused cell has its words and no numbers.
    """
    cells = []
    for key, cell in rows.groupby(_KEYS, sort=False):
        values = cell["value_bits"].dropna()
        row: dict[str, object] = dict(zip(_KEYS, key, strict=True))
        row["refusal"] = "; ".join(sorted(set(cell["refusal"]) - {""}))
        row["repetitions"] = len(values)
        if len(values):
            truth = cell["true_bits"].iloc[0]
            sd = values.std(ddof=1) if len(values) > 1 else np.nan
            row |= {
                "mean_bits": values.mean(),
                "bias_bits": values.mean() - truth,
                "bias_se_bits": sd / np.sqrt(len(values)),
                "sd_bits": sd,
                "ceiling_bits": cell["ceiling_bits"].mean(),
                "seconds": cell["seconds"].mean(),
            }
        with_interval = cell.dropna(subset=["low_bits", "high_bits"])
        if len(with_interval):
            truth = with_interval["true_bits"]
            # A hair for truths that a degenerate interval meets up to rounding.
            held = with_interval["low_bits"] - 1e-12 <= truth
            held &= truth <= with_interval["high_bits"] + 1e-12
            row["coverage"], row["coverage_low"], row["coverage_high"] = share_interval(
                int(held.sum()), len(with_interval)
            )
        cells.append(row)
    return pd.DataFrame(cells, columns=list(SUMMARY_COLUMNS))
