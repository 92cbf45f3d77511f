"""A store's runs one after the other, in the order of tables, each held to its digest.

One run is in memory at a time. Never imports pandas.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fctestbed.results.contents import Row, integrity
from fctestbed.results.database import SCHEMA_VERSION, SQLITE_ERRORS, open_database
from fctestbed.results.description import roll_back, store_contents
from fctestbed.results.digests import DESCRIPTION, RunDigest, description_digest
from fctestbed.results.refusal import StoreRefused
from fctestbed.results.schema import RUN_COLUMNS, VALUE_TABLES, AxisValue, axis_kind

_ORDER = ("method", "variant", "preset", "unique_ratio")
_RUN = f"SELECT {', '.join(RUN_COLUMNS)} FROM run WHERE run_id = ?"
_VALUES = {
    table.name: f"SELECT {', '.join(table.values)} FROM {table.name} WHERE run_id = ? "
    "ORDER BY rowid"
    for table in VALUE_TABLES
}


@dataclass(frozen=True)
class StoredRunRows:
    """A run of a store at one combination of the axes' values.

    Attributes:
        axes: the values.
        run: its row, in the order of ``RUN_COLUMNS``.
        values: the values of its rows, for each of ``VALUE_TABLES`` by name.
    """

    axes: tuple[AxisValue, ...]
    run: Row
    values: Mapping[str, list[Row]]


class RunStream:
    """An open store of this version, at one instant; made by ``opened``.

    Attributes:
        path: the store's file.
        sweep_spec: the sweep that was asked for.
        axes: dotted paths of its axes.
        statuses: the status of every run, by its id.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._digests: dict[str, str] = {}
        self._n_rows = dict.fromkeys(_VALUES, 0)
        self._order: list[tuple[Any, ...]] = []
        self.sweep_spec: dict[str, object] = {}
        self.axes: tuple[str, ...] = ()
        self.statuses: dict[str, str] = {}
        try:
            connection.execute("BEGIN")
            self._read_description()
        except (*SQLITE_ERRORS, ValueError, TypeError, IndexError) as error:
            raise self._damage(str(error)) from error

    @classmethod
    @contextlib.contextmanager
    def opened(cls, path: Path) -> "Iterator[RunStream | None]":
        """The stream of a store's file; None for a store of an earlier version.

        Raises:
            StoreRefused: one line, if it is missing, no store, damaged or newer.
        """
        with contextlib.closing(open_database(path, write=False)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            yield cls(path, connection) if version == SCHEMA_VERSION else None

    def runs(self) -> Iterator[StoredRunRows]:
        """Every run at every combination of the axes' values that it serves.

        Raises:
            StoreRefused: one line, if a run is not as it was stored; it names the runs. The runs
                that came before are whole, but some may be missing.
        """
        seen: set[str] = set()
        try:
            for *_, run_id, axes in self._order:
                is_new = run_id not in seen
                seen.add(run_id)
                yield self._run(run_id, axes, is_new=is_new)
            # A run at no combination is in no table.
            for run_id in self._digests.keys() - seen:
                self._run(run_id, (), is_new=True)
            self._check_nothing_else()
        except SQLITE_ERRORS as error:
            raise self._damage(str(error)) from error

    def run(self, run_id: str) -> StoredRunRows:
        """One run, at no combination of the axes' values.

        Raises:
            StoreRefused: as ``runs``.
        """
        try:
            return self._run(run_id, (), is_new=False)
        except SQLITE_ERRORS as error:
            raise self._damage(str(error)) from error

    def digest(self, run_id: str) -> str:
        """The stored digest of a run."""
        return self._digests[run_id]

    def _read_description(self) -> None:
        rows = self._connection.execute
        sweep = rows("SELECT spec, digest, created, fctestbed_version FROM sweep").fetchall()
        axes = rows("SELECT place, path FROM axis ORDER BY place").fetchall()
        cells = rows("SELECT run_id, axis_values FROM cell NOT INDEXED ORDER BY rowid").fetchall()
        self._digests = dict(rows("SELECT run_id, sha256 FROM digest NOT INDEXED").fetchall())
        if self._digests.pop(DESCRIPTION, "") != description_digest(sweep, axes, cells):
            raise ValueError("the description of the sweep is not as it was stored")
        self.sweep_spec = json.loads(sweep[0][0])
        self.axes = tuple(path for _, path in axes)
        values = {text: tuple(json.loads(text)) for text in {text for _, text in cells}}
        kinds = [axis_kind(column) for column in zip(*values.values(), strict=True)]
        typed = {
            text: tuple(kind(value) for kind, value in zip(kinds, own, strict=True))
            for text, own in values.items()
        }
        own_cells: dict[str, list[tuple[AxisValue, ...]]] = {}
        for run_id, text in cells:
            own_cells.setdefault(run_id, []).append(typed[text])
        alone: list[tuple[AxisValue, ...]] = [] if axes else [()]
        for *keys, seed, run_id, status in rows(
            f"SELECT {', '.join(_ORDER)}, seed, run_id, status FROM run NOT INDEXED"
        ):
            self.statuses[run_id] = status
            for at in own_cells.get(run_id, alone):
                self._order.append((*keys, *at, seed, run_id, at))
        self._order.sort()

    def _run(self, run_id: str, axes: tuple[AxisValue, ...], *, is_new: bool) -> StoredRunRows:
        run = self._connection.execute(_RUN, (run_id,)).fetchone()
        values = {
            name: self._connection.execute(query, (run_id,)).fetchall()
            for name, query in _VALUES.items()
        }
        digest = RunDigest(run or (), list(_VALUES))
        for name, rows in values.items():
            digest.add(name, rows)
            self._n_rows[name] += len(rows) if is_new else 0
        if digest.sha256 != self._digests.get(run_id):
            raise self._damage(f"run {run_id} is not as it was stored")
        return StoredRunRows(axes, run, values)

    def _check_nothing_else(self) -> None:
        """Refuse rows and digests of runs that are not there, and a file that SQLite finds
        damaged."""
        for name, n_rows in self._n_rows.items():
            ((found,),) = self._connection.execute(f"SELECT count(*) FROM {name} NOT INDEXED")
            if found != n_rows:
                raise self._damage(f"{found - n_rows} rows of {name} are of no run")
        ((found,),) = self._connection.execute("SELECT count(*) FROM run NOT INDEXED")
        if found != len(self._digests):
            raise self._damage(f"{found} runs, {len(self._digests)} digests")
        problem = integrity(self._connection)
        if problem:
            raise self._damage(problem)

    def _damage(self, problem: str) -> StoreRefused:
        """The refusal that names all that is damaged, as every reader gives it."""
        roll_back(self._connection)
        damage = store_contents(self._connection, self.path).damage
        line = damage.line(self.path) if damage else f"{self.path}: cannot be read ({problem})"
        return StoreRefused(line)
