"""Estimators against known truths: bias, spread, coverage of the interval, seconds."""

from fctestbed.calibration.cases import CASES, Case
from fctestbed.calibration.readouts import (
    READOUT_COLUMNS,
    ReadoutCase,
    read_readouts,
    readout_cases,
    with_readouts,
)
from fctestbed.calibration.run import CALIBRATION_COLUMNS, calibrate, read_calibration
from fctestbed.calibration.summary import SUMMARY_COLUMNS, summarise

__all__ = [
    "CALIBRATION_COLUMNS",
    "CASES",
    "READOUT_COLUMNS",
    "SUMMARY_COLUMNS",
    "Case",
    "ReadoutCase",
    "calibrate",
    "read_calibration",
    "read_readouts",
    "readout_cases",
    "summarise",
    "with_readouts",
]
