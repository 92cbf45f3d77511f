"""The results store, its schema, and what comes out of it as tables.

May import pandas and numpy; never torch, a world or a network: figures are drawn from here alone.
"""

from fctestbed.results.export import FORMATS, export_results
from fctestbed.results.files import check_directory, write_atomically
from fctestbed.results.load import Results, load_results
from fctestbed.results.plain import to_json
from fctestbed.results.refusal import StoreRefused
from fctestbed.results.schema import (
    ACCURACY_COLUMNS,
    CAPTURED_COLUMNS,
    RUN_COLUMNS,
    AccuracyRow,
    CapturedRow,
    RunRecord,
)
from fctestbed.results.store import STORE_NAME, ResultsStore

__all__ = [
    "ACCURACY_COLUMNS",
    "CAPTURED_COLUMNS",
    "FORMATS",
    "RUN_COLUMNS",
    "STORE_NAME",
    "AccuracyRow",
    "CapturedRow",
    "Results",
    "ResultsStore",
    "RunRecord",
    "StoreRefused",
    "check_directory",
    "export_results",
    "load_results",
    "to_json",
    "write_atomically",
]
