"""Estimators against known truths: bias, spread, coverage of the interval, seconds."""

from fctestbed.calibration.cases import CASES, Case
from fctestbed.calibration.run import CALIBRATION_COLUMNS, calibrate, read_calibration
from fctestbed.calibration.summary import SUMMARY_COLUMNS, summarise

__all__ = [
    "CALIBRATION_COLUMNS",
    "CASES",
    "SUMMARY_COLUMNS",
    "Case",
    "calibrate",
    "read_calibration",
    "summarise",
]
