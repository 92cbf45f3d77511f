"""Coverage of intervals on drawn laws, and how often there is one: what a rule is judged by.

May import ``fctestbed.laws`` and ``fctestbed.estimators``.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fctestbed.calibration.summary import LEAST_COVERAGE
from fctestbed.estimators import HALF_WIDTH
from fctestbed.laws import ROUGH, SMOOTH, Law, drawn_class_law, drawn_law

_KEYS = ["case", "group", "kind", "true_bits", "estimator", "n"]
DRAWN_CELL_COLUMNS = (
    *_KEYS,
    "repetitions",
    "intervals",
    "coverage",
    "width_ratio",
    "judged",
)
DRAWN_COLUMNS = (
    "estimator",
    "kind",
    "n",
    "laws",
    "repetitions",
    "judged",
    "covering",
    "coverage",
    "given",
    "given_smooth",
    "width_ratio",
)
# A cell with intervals in fewer of its repetitions says little of their coverage.
_LEAST_GIVEN = 1 / 6


def drawn_laws(seeds: Sequence[int]) -> list[Law]:
    """Two laws for each seed: first those of continuous columns, then those with classes.

    Args:
        seeds: seeds of the draws, each at least 0.

    Raises:
        ValueError: for a negative seed.
    """
    return [draw(seed) for draw in (drawn_law, drawn_class_law) for seed in seeds]


def drawn_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage and widths of the intervals of each drawn law, estimator and number of samples.

    Args:
        rows: the result of ``calibrate``. Rows of other laws are left out, and estimators of other
            targets than the information or that only bound it.

    Returns:
        One row per law (``case``), estimator and n, columns ``DRAWN_CELL_COLUMNS``: the
        repetitions, those with an interval, the share of intervals that hold the truth (also for
        an estimate that is a bound in population), the mean half width in half widths of the
        spread alone, and whether there are enough intervals to judge by: in a sixth of the
        repetitions.
    """
    drawn = rows[
        rows["group"].isin([SMOOTH, ROUGH])
        & rows["value_bits"].notna()
        & (rows["target"] == "information")
    ]
    kept = drawn.groupby("estimator")["bound"].transform(lambda own: (own == "none").any())
    cells = [
        {**dict(zip(_KEYS, key, strict=True)), **_cell(cell)}
        for key, cell in drawn[kept.astype(bool)].groupby(_KEYS, sort=False)
    ]
    return pd.DataFrame(cells, columns=list(DRAWN_CELL_COLUMNS))


def _cell(cell: pd.DataFrame) -> dict[str, object]:
    given = cell.dropna(subset=["low_bits", "high_bits"])
    holds = given["true_bits"].between(given["low_bits"] - 1e-9, given["high_bits"] + 1e-9)
    halves = (given["high_bits"] - given["low_bits"]) / 2
    spread = HALF_WIDTH * given["se_bits"].mean() if len(given) else 0.0
    return {
        "repetitions": len(cell),
        "intervals": len(given),
        "coverage": holds.mean(),
        "width_ratio": halves.mean() / spread if spread > 0 else np.nan,
        "judged": len(given) > 0 and len(given) >= _LEAST_GIVEN * len(cell),
    }


def drawn_table(cells: pd.DataFrame) -> pd.DataFrame:
    """Coverage and share of intervals over drawn laws, for each estimator and number of samples.

    Args:
        cells: the result of ``drawn_cells``.

    Returns:
        One row per estimator, kind of pair and n, columns ``DRAWN_COLUMNS``: the number of laws and
        the most repetitions of one; ``judged``, the laws with intervals in at least a sixth of
        their repetitions, and ``covering``, those of them whose intervals hold the truth in at
        least 90 %; ``coverage`` of all intervals; the mean share of repetitions that have an
        interval over all laws (``given``) and smooth ones (``given_smooth``, NaN without any);
        ``width_ratio``, the mean over the laws that are judged. Estimators without any interval
        are left out.
    """
    groups = cells.groupby(["estimator", "kind", "n"], sort=False)
    rows = [
        {"estimator": name, "kind": kind, "n": n, **_row(own)}
        for (name, kind, n), own in groups
        if own["intervals"].sum() > 0
    ]
    return pd.DataFrame(rows, columns=list(DRAWN_COLUMNS))


def _row(cells: pd.DataFrame) -> dict[str, object]:
    judged = cells[cells["judged"]]
    # A mean over laws: slow ones have fewer repetitions.
    shares = cells["intervals"] / cells["repetitions"]
    return {
        "laws": len(cells),
        "repetitions": int(cells["repetitions"].max()),
        "judged": len(judged),
        "covering": int((judged["coverage"] >= LEAST_COVERAGE).sum()),
        "coverage": (cells["coverage"] * cells["intervals"]).sum() / cells["intervals"].sum(),
        "given": shares.mean(),
        "given_smooth": shares[cells["group"] == SMOOTH].mean(),
        "width_ratio": judged["width_ratio"].mean(),
    }
