"""Results of records in memory, in a store's tables. Imports pandas; writes nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from fctestbed.results.frames import run_frame, value_frame
from fctestbed.results.load import Results
from fctestbed.results.schema import VALUE_TABLES, RunRecord
from fctestbed.results.store import run_row


def results_of(records: Sequence[RunRecord], sweep_spec: Mapping[str, object]) -> Results:
    """The tables of runs that are in no store.

    Args:
        records: the runs; no two of one id.
        sweep_spec: what was asked for, JSON-able.
    """
    runs = run_frame([run_row(record) for record in records])
    tables: dict[str, Any] = {
        table.name: value_frame(
            table,
            runs,
            [
                (record.run_id, *(getattr(row, name) for name in table.values))
                for record in records
                for row in getattr(record, table.name)
            ],
        )
        for table in VALUE_TABLES
    }
    return Results(runs=runs, sweep_spec=dict(sweep_spec), **tables)
