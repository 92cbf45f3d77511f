"""Stored runs with their JSON columns read, for those who compute with them again.

Never imports pandas.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fctestbed.results.encoder_files import ENCODER_KEY
from fctestbed.results.schema import (
    ACCURACY,
    ALONG,
    CAPTURED,
    JSON_COLUMNS,
    RUN_COLUMNS,
    SCORES,
    AccuracyRow,
    AlongRow,
    CapturedRow,
    RunRecord,
    ScoreRow,
    ValueTable,
)
from fctestbed.results.store import StoredTables


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A run as it was stored, without the rows that were measured after its training.

    Attributes:
        run_id: its id.
        status: ``ok``, ``diverged`` or ``failed``.
        reason: why it is not ``ok``.
        spec: its whole specification.
        provenance: versions, device, threads.
        diagnostics: losses and whatever else explains it.
        along: its rows along training.
    """

    run_id: str
    status: str
    reason: str
    spec: Mapping[str, Any]
    provenance: Mapping[str, Any]
    diagnostics: Mapping[str, Any]
    along: tuple[AlongRow, ...] = ()

    @property
    def encoder_key(self) -> str | None:
        """The key of the training whose encoders were kept; None if they were not."""
        key = self.diagnostics.get(ENCODER_KEY)
        return key if isinstance(key, str) else None


def stored_runs(tables: StoredTables) -> list[StoredRun]:
    """The runs of a store."""
    along: dict[str, list[AlongRow]] = {}
    for run_id, *values in tables.values[ALONG.name]:
        row: dict[str, Any] = dict(zip(ALONG.values, values, strict=True))
        along.setdefault(str(run_id), []).append(AlongRow(**row))
    found = []
    for columns in tables.runs:
        cells = {name: str(value) for name, value in zip(RUN_COLUMNS, columns, strict=True)}
        found.append(
            StoredRun(
                run_id=cells["run_id"],
                status=cells["status"],
                reason=cells["reason"],
                spec=json.loads(cells["spec"]),
                provenance=json.loads(cells["provenance"]),
                diagnostics=json.loads(cells["diagnostics"]),
                along=tuple(along.get(cells["run_id"], ())),
            )
        )
    return found


_ROW_KINDS: tuple[tuple[ValueTable, type[Any]], ...] = (
    (CAPTURED, CapturedRow),
    (ACCURACY, AccuracyRow),
    (SCORES, ScoreRow),
    (ALONG, AlongRow),
)


def stored_records(tables: StoredTables, run_ids: Collection[str]) -> list[RunRecord]:
    """Some runs of a store with all their rows, as they were committed.

    Args:
        tables: of the store.
        run_ids: the runs; ids that the store lacks are left out.
    """
    rows: dict[str, dict[str, list[Any]]] = {run_id: {} for run_id in run_ids}
    for table, kind in _ROW_KINDS:
        for run_id, *values in tables.values[table.name]:
            if run_id in rows:
                row = kind(**dict(zip(table.values, values, strict=True)))
                rows[str(run_id)].setdefault(table.name, []).append(row)
    records = []
    for columns in tables.runs:
        cells: dict[str, Any] = dict(zip(RUN_COLUMNS, columns, strict=True))
        if cells["run_id"] in rows:
            cells |= {name: json.loads(str(cells[name])) for name in JSON_COLUMNS}
            cells["warnings"] = tuple(cells["warnings"])
            own = rows[str(cells["run_id"])]
            cells |= {name: tuple(found) for name, found in own.items()}
            records.append(RunRecord(**cells))
    return records
