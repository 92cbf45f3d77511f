"""The results store, its schema, and what comes out of it as tables.

May import pandas and numpy; never torch, a world or a network: figures are drawn from here alone.
"""

from fctestbed.results.contents import Contents, Damage
from fctestbed.results.database import AxisCells
from fctestbed.results.encoder_files import (
    ENCODER_KEY,
    ENCODERS,
    KeptEncoder,
    check_encoder_place,
    encoder_path,
    read_encoder,
    remove_drafts,
    write_encoders,
)
from fctestbed.results.encoder_state import (
    EncoderState,
    check_encoders,
    set_damaged_encoders_aside,
    shortened,
)
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
from fctestbed.results.stored import StoredRun, stored_runs
from fctestbed.results.vocabulary import (
    BLOCKS,
    CHANNEL,
    JOINT,
    LABEL,
    LINEAR,
    LINEAR_PROBE,
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
    "ENCODERS",
    "ENCODER_KEY",
    "FORMATS",
    "JOINT",
    "LABEL",
    "LINEAR",
    "LINEAR_PROBE",
    "PAPER",
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
    "EncoderState",
    "KeptEncoder",
    "Repair",
    "Results",
    "ResultsStore",
    "RunRecord",
    "ScoreRow",
    "StoreRefused",
    "StoredRun",
    "channel_name",
    "check_directory",
    "check_encoder_place",
    "check_encoders",
    "describe_difference",
    "drop_damaged_runs",
    "encoder_path",
    "equal_width_name",
    "export_results",
    "find_damage",
    "load_results",
    "read_encoder",
    "remove_drafts",
    "set_damaged_encoders_aside",
    "shortened",
    "store_file",
    "stored_runs",
    "to_json",
    "write_atomically",
    "write_encoders",
]
