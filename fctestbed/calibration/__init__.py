"""Estimators against known truths: bias, spread, coverage of the interval, seconds."""

from fctestbed.calibration.case import Case
from fctestbed.calibration.cases import CASES, GROUPS
from fctestbed.calibration.readouts import (
    ReadoutCase,
    read_readouts,
    readout_cases,
    with_readouts,
)
from fctestbed.calibration.rows import merged, read_calibration
from fctestbed.calibration.run import calibrate
from fctestbed.calibration.summary import SUMMARY_COLUMNS, summarise, verdicts
from fctestbed.results import CALIBRATION_COLUMNS, READOUT_COLUMNS

__all__ = [
    "CALIBRATION_COLUMNS",
    "CASES",
    "GROUPS",
    "READOUT_COLUMNS",
    "SUMMARY_COLUMNS",
    "Case",
    "ReadoutCase",
    "calibrate",
    "merged",
    "read_calibration",
    "read_readouts",
    "readout_cases",
    "summarise",
    "verdicts",
    "with_readouts",
]
