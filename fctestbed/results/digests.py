"""Digests of what a store holds: one for each run with its rows, one for the sweep's description.

Imports the standard library only.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence

DESCRIPTION = ""
"""The key of the description's digest among those of the runs, none of which has an empty id."""
PUT_DIGEST = "INSERT OR REPLACE INTO digest (run_id, sha256) VALUES (?, ?)"


class RunDigest:
    """The digest of one run, from its fields and then its rows in the order of their tables.

    It covers every field as SQLite returns it: the digest made before rows are written is the
    digest of the rows as they are read.
    """

    def __init__(self, run: Sequence[object]) -> None:
        self._run = hashlib.sha256(_encoded(run))
        self._captured = hashlib.sha256()
        self._accuracy = hashlib.sha256()

    def add_captured(self, values: Sequence[object]) -> None:
        """Add the values of the next row of the captured table."""
        self._captured.update(_encoded(values))

    def add_accuracy(self, values: Sequence[object]) -> None:
        """Add the values of the next row of the accuracy table."""
        self._accuracy.update(_encoded(values))

    @property
    def sha256(self) -> str:
        """The digest, hexadecimal."""
        parts = (self._run.digest(), self._captured.digest(), self._accuracy.digest())
        return hashlib.sha256(b"".join(parts)).hexdigest()


def description_digest(
    sweep: Iterable[Sequence[object]],
    axes: Iterable[Sequence[object]],
    cells: Iterable[Sequence[object]],
) -> str:
    """The digest, hexadecimal, of a sweep's description.

    Args:
        sweep: the row (spec, digest, created, fctestbed_version) of the table ``sweep``.
        axes: rows (place, path) of the table ``axis``.
        cells: rows (run_id, axis_values) of the table ``cell``.
    """
    found = hashlib.sha256()
    for rows in (sweep, axes, cells):
        of_table = hashlib.sha256()
        for row in rows:
            of_table.update(_encoded(row))
        found.update(of_table.digest())
    return found.hexdigest()


def _encoded(row: Sequence[object]) -> bytes:
    # SQLite returns 0.0 for -0.0. JSON writes every float in full. Damage can put bytes in a cell.
    plain = [value + 0.0 if isinstance(value, float) else value for value in row]
    return f"{json.dumps(plain, separators=(',', ':'), default=repr)}\n".encode()
