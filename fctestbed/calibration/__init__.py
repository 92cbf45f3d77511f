"""Estimators against known truths: bias, spread, coverage of the interval, seconds."""

from fctestbed.calibration.case import Case
from fctestbed.calibration.cases import CASES, GROUPS
from fctestbed.calibration.readouts import (
    READOUT_COLUMNS,
    ReadoutCase,
    read_readouts,
    readout_cases,
    with_readouts,
)
from fctestbed.calibration.rows import CALIBRATION_COLUMNS, merged, read_calibration
from fctestbed.calibration.run import calibrate, check_numbers
from fctestbed.calibration.summary import SUMMARY_COLUMNS, summarise, verdicts

__all__ = [
    "CALIBRATION_COLUMNS",
    "CASES",
    "GROUPS",
    "READOUT_COLUMNS",
    "SUMMARY_COLUMNS",
    "Case",
    "ReadoutCase",
    "calibrate",
    "check_numbers",
    "merged",
    "read_calibration",
    "read_readouts",
    "readout_cases",
    "summarise",
    "verdicts",
    "with_readouts",
]
