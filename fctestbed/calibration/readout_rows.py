"""The rows of a calibration on readouts: their columns, and their files.

Imports pandas and ``fctestbed.results``.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fctestbed.calibration.readout_law import ReadoutLaw
from fctestbed.calibration.rows import read_calibration
from fctestbed.results import READOUT_COLUMNS


def with_readout_columns(rows: pd.DataFrame, laws: Sequence[ReadoutLaw]) -> pd.DataFrame:
    """A calibration's rows with ``READOUT_COLUMNS`` of their laws after the other columns."""
    about = [
        {"case": law.name, **{name: getattr(law, name) for name in READOUT_COLUMNS}} for law in laws
    ]
    table = pd.DataFrame(about, columns=["case", *READOUT_COLUMNS])
    return rows.merge(table, on="case", how="left", validate="many_to_one")


def read_readout_rows(paths: Sequence[Path]) -> pd.DataFrame:
    """The rows of one or more CSV files. A row replaces one of the same cell and repetition in an
    earlier file.

    Raises:
        ValueError: one line, for no files, or a file that is missing or lacks columns.
    """
    if not paths:
        raise ValueError("paths: expected one file or more, got none")
    frames = []
    for path in paths:
        frame = read_calibration(path)
        about = pd.read_csv(path, usecols=lambda name: name in READOUT_COLUMNS)
        missing = [column for column in READOUT_COLUMNS if column not in about]
        if missing:
            raise ValueError(f"{path}: expected rows of readouts, got no column {missing[0]}")
        frames.append(frame.join(about[list(READOUT_COLUMNS)]))
    rows = pd.concat(frames, ignore_index=True)
    cell = ["case", "tau", "estimator", "n", "repetition"]
    return rows.drop_duplicates(cell, keep="last", ignore_index=True)
