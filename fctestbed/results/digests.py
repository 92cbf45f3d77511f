"""Digests of what a store holds: one for each run with its rows, one for the sweep's description.

Imports the standard library only.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

DESCRIPTION = ""
"""The key of the description's digest among those of the runs, none of which has an empty id."""
_NO_ROWS = hashlib.sha256().digest()
# JSON writes every float in full. Damage can put bytes in a cell.
_JSON = json.JSONEncoder(separators=(",", ":"), default=repr).encode
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
        self._run = hashlib.sha256(_encoded(run)).digest()
        # Most tables have no row of most runs, and a store has many runs.
        self._tables: dict[str, Any] = dict.fromkeys(tables)

    def add(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        """Add the values of the next rows of a table, as SQLite returns them."""
        if not rows:
            return
        found = self._tables[table]
        if found is None:
            found = self._tables[table] = hashlib.sha256()
        found.update(_lines(rows))

    @property
    def sha256(self) -> str:
        """The digest, hexadecimal."""
        tables = (_NO_ROWS if one is None else one.digest() for one in self._tables.values())
        return hashlib.sha256(b"".join([self._run, *tables])).hexdigest()


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
    # SQLite returns 0.0 for -0.0.
    return _line([value + 0.0 if isinstance(value, float) else value for value in row])


def _line(row: Sequence[object]) -> bytes:
    return f"{_JSON(row)}\n".encode()


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    """The lines of rows, which are encoded at once where no text looks like the end of a row."""
    text = _JSON(rows)
    if text.count("],[") != len(rows) - 1:
        return b"".join(map(_line, rows))
    lines = text[1:-1].replace("],[", "]\n[")
    return f"{lines}\n".encode()
