"""Estimators on laws of known information: bias, spread, coverage of the interval, seconds.

May import ``fctestbed.laws``, ``fctestbed.estimators``, ``fctestbed.measurement`` and
``fctestbed.sweep``.
"""

from fctestbed.calibration.drawn import drawn_cells, drawn_laws, drawn_table
from fctestbed.calibration.readout_law import ReadoutLaw
from fctestbed.calibration.readout_rows import read_readout_rows, with_readout_columns
from fctestbed.calibration.readouts import readout_laws
from fctestbed.calibration.rows import merged, read_calibration
from fctestbed.calibration.run import calibrate, check_numbers
from fctestbed.calibration.summary import SUMMARY_COLUMNS, summarise, verdicts
from fctestbed.calibration.tolerance import tolerance_bits
from fctestbed.results import CALIBRATION_COLUMNS, READOUT_COLUMNS

__all__ = [
    "CALIBRATION_COLUMNS",
    "READOUT_COLUMNS",
    "SUMMARY_COLUMNS",
    "ReadoutLaw",
    "calibrate",
    "check_numbers",
    "drawn_cells",
    "drawn_laws",
    "drawn_table",
    "merged",
    "read_calibration",
    "read_readout_rows",
    "readout_laws",
    "summarise",
    "tolerance_bits",
    "verdicts",
    "with_readout_columns",
]
