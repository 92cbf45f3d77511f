"""Digests of what a store holds: one for each run with its rows, one for the sweep's description.

Imports the standard library only.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence

DESCRIPTION = ""
"""The key of the description's digest among those of the runs, none of which has an empty id."""
PUT_DIGEST = "INSERT OR REPLACE INTO digest (run_id, sha256) VALUES (?, ?)"


class RunDigest:
    """The digest of one run, from its fields and then its rows in the order of their tables.

    It covers every field as SQLite returns it: the digest made before rows are written is the
    digest of the rows as they are read.

    Args:
        run: the run's fields.
        tables: the tables of rows that the store's version has, in their order.
    """

    def __init__(self, run: Sequence[object], tables: Collection[str]) -> None:
        self._run = hashlib.sha256(_encoded(run))
        self._tables = {table: hashlib.sha256() for table in tables}

    def add(self, table: str, values: Sequence[object]) -> None:
        """Add the values of the next row of a table."""
        self._tables[table].update(_encoded(values))

    @property
    def sha256(self) -> str:
        """The digest, hexadecimal."""
        parts = [self._run.digest(), *(table.digest() for table in self._tables.values())]
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
