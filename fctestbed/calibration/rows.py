"""A calibration's rows: their columns, their file, and how two calibrations become one.

Owns the table. Imports pandas only.
"""

from pathlib import Path

import pandas as pd

from fctestbed.calibration.cases import CASES
from fctestbed.estimators.registry import ESTIMATORS
from fctestbed.results import CALIBRATION_COLUMNS

_TEXT = {"case", "group", "kind", "estimator", "bound", "target", "refusal"}
_CELL = ["case", "estimator", "n"]


def read_calibration(path: str | Path) -> pd.DataFrame:
    """Rows that were written as CSV, perhaps with ``.gz``.

    Raises:
        ValueError: one line, for a file that is missing or lacks columns.
    """
    try:
        frame = pd.read_csv(path, keep_default_na=False, dtype=str)
        missing = [column for column in CALIBRATION_COLUMNS if column not in frame]
        if missing:
            raise ValueError(f"no column {missing[0]}")
        for column in CALIBRATION_COLUMNS:
            if column not in _TEXT:
                frame[column] = pd.to_numeric(frame[column])
    except (OSError, EOFError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path}: expected rows of a calibration, got: {reason}") from error
    return frame[list(CALIBRATION_COLUMNS)]


def merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Both tables' rows, those of ``new`` where both have a case, an estimator and an n; in the
    order of n, of the published cases and of the registry."""
    asked = pd.MultiIndex.from_frame(new[_CELL])
    kept = old[~pd.MultiIndex.from_frame(old[_CELL]).isin(asked)]
    both = pd.concat([frame for frame in (kept, new) if len(frame)], ignore_index=True)
    places = {
        "case": {case.name: place for place, case in enumerate(CASES)},
        "estimator": {name: place for place, name in enumerate(ESTIMATORS)},
    }

    def key(column: pd.Series) -> pd.Series:
        known = places.get(str(column.name))
        # Those of a user's own come last.
        return column if known is None else column.map(known).fillna(len(known))

    order = ["n", "case", "estimator", "repetition"]
    return both.sort_values(order, key=key, kind="stable", ignore_index=True)
