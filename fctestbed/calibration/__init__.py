"""Estimators against known truths: bias, spread, coverage of the interval, seconds."""

from fctestbed.calibration.case import Case
from fctestbed.calibration.cases import CASES, GROUPS
from fctestbed.calibration.rows import CALIBRATION_COLUMNS, merged, read_calibration
from fctestbed.calibration.run import calibrate
from fctestbed.calibration.summary import SUMMARY_COLUMNS, summarise, verdicts

__all__ = [
    "CALIBRATION_COLUMNS",
    "CASES",
    "GROUPS",
    "SUMMARY_COLUMNS",
    "Case",
    "calibrate",
    "merged",
    "read_calibration",
    "summarise",
    "verdicts",
]
