"""Which rows of estimators on readouts a figure shows."""

import pandas as pd

from fctestbed.plotting.drawing import NothingToDraw

NEEDED = (
    "case",
    "estimator",
    "bound",
    "target",
    "n",
    "repetition",
    "value_bits",
    "se_bits",
    "ceiling_bits",
    "seconds",
    "method",
    "variant",
    "unique_ratio",
    "seed",
    "readout",
    "quantity",
    "tau",
    "exact_bits",
    "exact_se_bits",
)


def estimates(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that hold an estimate, of the largest number of samples that there is.

    Raises:
        NothingToDraw: if there is none.
        ValueError: one line, for a column that is missing, or several noises: what there is to
            find differs.
    """
    missing = [column for column in NEEDED if column not in rows]
    if missing:
        raise ValueError(f"rows: expected a column {missing[0]} of estimates, got none")
    found = rows[rows["value_bits"].notna()]
    if found.empty:
        raise NothingToDraw(f"rows: expected estimates on readouts, got none in {len(rows)} rows")
    noises = sorted(found["tau"].unique())
    if len(noises) > 1:
        raise ValueError(f"rows: expected one tau, got {', '.join(f'{tau:g}' for tau in noises)}")
    return found[found["n"] == found["n"].max()].reset_index(drop=True)


def on_common_cells(found: pd.DataFrame) -> pd.DataFrame:
    """The estimates of cells that every estimator has, so that all are judged on the same."""
    cells = found.groupby(["case", "repetition"])["estimator"].transform("nunique")
    return found[cells == found["estimator"].nunique()].reset_index(drop=True)


def about(found: pd.DataFrame) -> str:
    """What the rows are of, for a figure's foot: noise, samples, ratios, seeds."""
    ratios = sorted(found["unique_ratio"].dropna().unique())
    seeds = found["seed"].nunique()
    return (
        f"X = Z + {found['tau'].iloc[0]:g} N at unit power, n = {int(found['n'].iloc[0])}, "
        f"unique ratio {', '.join(f'{ratio:g}' for ratio in ratios) or 'any'}, "
        f"{seeds} seed{'s' if seeds > 1 else ''}"
    )
