"""A calibration's rows: their columns, their file, and the merge of two calibrations.

May import ``fctestbed.laws`` and ``fctestbed.estimators``.
"""

from pathlib import Path

import pandas as pd

from fctestbed._messages import reason_of
from fctestbed.estimators import ESTIMATORS
from fctestbed.laws import LAWS
from fctestbed.results import CALIBRATION_COLUMNS

_TEXT = {"case", "group", "kind", "estimator", "bound", "target", "refusal"}
_CELL = ["case", "estimator", "n"]


def read_calibration(path: str | Path) -> pd.DataFrame:
    """The rows of a CSV file, which may be compressed (``.gz``).

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
        raise ValueError(
            f"{path}: expected rows of a calibration, got: {reason_of(error)}"
        ) from error
    return frame[list(CALIBRATION_COLUMNS)]


def merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The rows of both tables, sorted by n, published law and registered estimator.

    Where both have a cell (case, estimator and n), the rows of ``new`` replace those of ``old``.
    """
    replaced = pd.MultiIndex.from_frame(new[_CELL])
    kept = old[~pd.MultiIndex.from_frame(old[_CELL]).isin(replaced)]
    both = pd.concat([frame for frame in (kept, new) if len(frame)], ignore_index=True)
    places = {
        "case": {law.name: place for place, law in enumerate(LAWS)},
        "estimator": {name: place for place, name in enumerate(ESTIMATORS)},
    }

    def key(column: pd.Series) -> pd.Series:
        known = places.get(str(column.name))
        # A user's own laws and estimators come last.
        return column if known is None else column.map(known).fillna(len(known))

    order = ["n", "case", "estimator", "repetition"]
    return both.sort_values(order, key=key, kind="stable", ignore_index=True)
