"""Stored runs with their JSON columns read, for those who compute with them again.

Never imports pandas.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fctestbed.results.encoder_files import ENCODER_KEY
from fctestbed.results.schema import RUN_COLUMNS


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A run as it was stored, without its rows.

    Attributes:
        run_id: its id.
        status: ``ok``, ``diverged`` or ``failed``.
        reason: why it is not ``ok``.
        spec: its whole specification.
        provenance: versions, device, threads.
        diagnostics: losses and whatever else explains it.
    """

    run_id: str
    status: str
    reason: str
    spec: Mapping[str, Any]
    provenance: Mapping[str, Any]
    diagnostics: Mapping[str, Any]

    @property
    def encoder_key(self) -> str | None:
        """The key of the training whose encoders were kept; None if they were not."""
        key = self.diagnostics.get(ENCODER_KEY)
        return key if isinstance(key, str) else None


def stored_runs(rows: Iterable[Sequence[object]]) -> list[StoredRun]:
    """Runs from rows in the order of ``RUN_COLUMNS``."""
    found = []
    for row in rows:
        cells = {name: str(value) for name, value in zip(RUN_COLUMNS, row, strict=True)}
        found.append(
            StoredRun(
                run_id=cells["run_id"],
                status=cells["status"],
                reason=cells["reason"],
                spec=json.loads(cells["spec"]),
                provenance=json.loads(cells["provenance"]),
                diagnostics=json.loads(cells["diagnostics"]),
            )
        )
    return found
