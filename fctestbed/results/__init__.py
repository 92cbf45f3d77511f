"""The results store, its schema, and what comes out of it as tables.

May import pandas and numpy; never torch, a world or a network: figures are drawn from here alone.
"""

from fctestbed.results.contents import Contents, Damage
from fctestbed.results.database import AxisCells
from fctestbed.results.export import FORMATS, export_results
from fctestbed.results.files import check_directory, write_atomically
from fctestbed.results.judged_columns import CALIBRATION_COLUMNS, READOUT_COLUMNS
from fctestbed.results.load import Results, load_results
from fctestbed.results.plain import to_json
from fctestbed.results.refusal import StoreRefused, describe_difference
from fctestbed.results.repair import Repair, drop_damaged_runs, find_damage, store_file
from fctestbed.results.schema import (
    ACCURACY_COLUMNS,
    ALONG_COLUMNS,
    CAPTURED_COLUMNS,
    PAPER,
    RUN_COLUMNS,
    SCORE_COLUMNS,
    AccuracyRow,
    AlongRow,
    AxisValue,
    CapturedRow,
    RunRecord,
    ScoreRow,
)
from fctestbed.results.store import STORE_NAME, ResultsStore
from fctestbed.results.vocabulary import (
    BLOCKS,
    CHANNEL,
    JOINT,
    LABEL,
    LINEAR,
    LINEAR_PROBE,
    RATE,
    RATE_WHITENED,
    channel_name,
    equal_width_name,
)

__all__ = [
    "ACCURACY_COLUMNS",
    "ALONG_COLUMNS",
    "BLOCKS",
    "CALIBRATION_COLUMNS",
    "CAPTURED_COLUMNS",
    "CHANNEL",
    "FORMATS",
    "JOINT",
    "LABEL",
    "LINEAR",
    "LINEAR_PROBE",
    "PAPER",
    "RATE",
    "RATE_WHITENED",
    "READOUT_COLUMNS",
    "RUN_COLUMNS",
    "SCORE_COLUMNS",
    "STORE_NAME",
    "AccuracyRow",
    "AlongRow",
    "AxisCells",
    "AxisValue",
    "CapturedRow",
    "Contents",
    "Damage",
    "Repair",
    "Results",
    "ResultsStore",
    "RunRecord",
    "ScoreRow",
    "StoreRefused",
    "channel_name",
    "check_directory",
    "describe_difference",
    "drop_damaged_runs",
    "equal_width_name",
    "export_results",
    "find_damage",
    "load_results",
    "store_file",
    "to_json",
    "write_atomically",
]
