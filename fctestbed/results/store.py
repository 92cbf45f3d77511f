"""The results store of one sweep: one SQLite file, one writer, every run at most once.

A run may be executed more than once; an ``ok`` run is stored once, by its run id. Never imports
pandas.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fctestbed.results.contents import Row, Take
from fctestbed.results.database import (
    NO_AXES,
    SQLITE_ERRORS,
    AxisCells,
    new_database,
    open_database,
    write_description,
)
from fctestbed.results.description import (
    NO_DIGESTS,
    Description,
    Grow,
    check_sweep,
    make_whole,
    roll_back,
    whole_contents,
)
from fctestbed.results.digests import PUT_DIGEST, RunDigest
from fctestbed.results.files import make_directory, remove_directories
from fctestbed.results.lock import DriverLock
from fctestbed.results.plain import number, plain, to_json
from fctestbed.results.refusal import StoreRefused
from fctestbed.results.schema import RUN_COLUMNS, VALUE_TABLES, RunRecord

STORE_NAME = "results.sqlite"

_RUN_SETTERS = ", ".join(f"{name} = excluded.{name}" for name in RUN_COLUMNS[1:])
_PUT_RUN = (
    f"INSERT INTO run ({', '.join(RUN_COLUMNS)}) VALUES ({', '.join('?' * len(RUN_COLUMNS))}) "
    f"ON CONFLICT (run_id) DO UPDATE SET {_RUN_SETTERS} WHERE run.status <> 'ok'"
)
_PUT_VALUES = {
    table.name: f"INSERT INTO {table.name} (run_id, {', '.join(table.values)}) "
    f"VALUES (?, {', '.join('?' * len(table.values))})"
    for table in VALUE_TABLES
}
_VALUES_OF: Mapping[str, Callable[[object], tuple[Any, ...]]] = {
    table.name: attrgetter(*table.values) for table in VALUE_TABLES
}


@dataclass(frozen=True)
class StoredTables:
    """All rows of a store at one instant, as tuples in the order of the schema's columns.

    ``values`` has the rows of each of ``VALUE_TABLES``, by name: ``run_id`` first, then the values.
    ``notes`` says in lines what a reader has to know of the rows.
    """

    sweep_spec: dict[str, object]
    axes: AxisCells
    runs: list[Row]
    values: dict[str, list[Row]]
    notes: tuple[str, ...] = ()


class ResultsStore:
    """An open store; made by ``create_or_open`` or ``open_read``, closed as a context manager.

    Attributes:
        path: the SQLite file.
        notes: what was done to the store when it was opened, in lines.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        lock: DriverLock | None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self.notes = notes
        self._connection: sqlite3.Connection | None = connection
        self._lock = lock

    @classmethod
    def create_or_open(
        cls,
        directory: str | Path,
        sweep_spec: Mapping[str, object],
        digest: str,
        axes: AxisCells = NO_AXES,
        *,
        grow: Grow | None = None,
    ) -> Self:
        """Begin a sweep's store, or go on with it where the digest is the same or the stored sweep
        grows.

        Args:
            directory: the sweep's directory; made if it is missing.
            sweep_spec: the whole sweep, JSON-able; kept with the rows.
            digest: hash of what identifies the sweep.
            axes: the sweep's further axes and which run serves which of their values; kept by a
                new store.
            grow: what the description becomes where the store holds another sweep; it raises
                ``ValueError`` with the difference where the two cannot be in one store. None: every
                other sweep is refused.

        Returns:
            The store, locked for this process until it is closed.

        Raises:
            StoreRefused: one line, nothing written: another sweep lives there (with the first keys
                that differ), another driver has it, the directory cannot be written, or the file is
                no store, a newer one or a symbolic link; or it is damaged (with the runs that are).
        """
        directory = Path(directory)
        path = directory / STORE_NAME
        spec = plain(sweep_spec, "sweep_spec")
        asked = Description(spec, digest, axes)
        # Asked before anything is written, and again under the lock, in case another was quicker.
        if path.exists():
            with contextlib.closing(open_database(path, write=False)) as connection:
                check_sweep(connection, path, asked, grow)
        made = make_directory(directory)
        try:
            lock = DriverLock.acquire(directory)
        except StoreRefused:
            remove_directories(made)
            raise
        try:
            if not path.exists():
                with new_database(path) as connection:
                    write_description(connection, spec, digest, axes)
            connection = open_database(path, write=True)
            try:
                check_sweep(connection, path, asked, grow)
                notes = make_whole(connection, path, asked, grow)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock.release()
            remove_directories(made)
            raise
        return cls(path, connection, lock, notes)

    @classmethod
    def open_read(cls, path: str | Path) -> Self:
        """Open a store for reading; works while a driver writes, and takes no lock.

        Args:
            path: the SQLite file or its directory.

        Raises:
            StoreRefused: one line, if it is missing, no store, or a newer one.
        """
        path = Path(path)
        if path.is_dir():
            path = path / STORE_NAME
        return cls(path, open_database(path, write=False), None)

    @property
    def driver(self) -> str:
        """Who has the store's lock, as its lock file says; empty for a store open for reading."""
        return "" if self._lock is None else self._lock.text

    def commit(self, records: Sequence[RunRecord]) -> int:
        """Save runs with all their rows in one transaction: all of them, or none.

        An ``ok`` run that is stored already is neither doubled nor replaced; a failed or diverged
        one is replaced.

        Args:
            records: the runs, of one stack for instance.

        Returns:
            How many of them were written.

        Raises:
            StoreRefused: one line, if the store is open for reading, the disk is full or read-only,
                another program keeps the file locked, or this process no longer has the store's
                lock. What was saved before is safe.
            ValueError: if a record holds something that JSON cannot.
        """
        connection = self._open()
        if self._lock is None:
            raise StoreRefused(f"{self.path}: opened for reading, cannot save runs")
        self._lock.check()
        rows = [(run_row(record), record) for record in records]
        written = 0
        try:
            connection.execute("BEGIN IMMEDIATE")
            for cells, record in rows:
                if connection.execute(_PUT_RUN, cells).rowcount > 0:
                    _put_values(connection, cells, record)
                    written += 1
            connection.execute("COMMIT")
        except SQLITE_ERRORS as error:
            roll_back(connection)
            raise StoreRefused(
                f"{self.path}: could not save {len(records)} runs ({error}); "
                "what was saved before is safe"
            ) from error
        except BaseException:
            roll_back(connection)
            raise
        return written

    def finished(self) -> set[str]:
        """Ids of the runs that need not be done again: ``ok`` and ``diverged``.

        A diverged run is left alone since the same spec would diverge again; a failed one is tried.
        """
        return {run_id for run_id, status in self.statuses().items() if status != "failed"}

    def statuses(self) -> dict[str, str]:
        """The status of every stored run, by run id."""
        rows = self._fetch("SELECT run_id, status FROM run ORDER BY run_id")
        return {str(run_id): str(status) for run_id, status in rows}

    def seconds(self) -> dict[str, float]:
        """The seconds of every stored run, by run id."""
        rows = self._fetch("SELECT run_id, seconds FROM run ORDER BY run_id")
        return {str(run_id): float(str(seconds or 0.0)) for run_id, seconds in rows}

    def sweep_spec(self) -> dict[str, object]:
        """The stored sweep, without a look at whether it is damaged: quick, for a plan.

        Raises:
            StoreRefused: one line, if it cannot be read.
        """
        try:
            ((text,),) = self._fetch("SELECT spec FROM sweep")
            spec: dict[str, object] = json.loads(str(text))
        except ValueError as error:
            raise StoreRefused(f"{self.path}: cannot be read (it names no sweep)") from error
        return spec

    def tables(self, take: Take | None = None) -> StoredTables:
        """All rows as they are at this instant, however many commits follow.

        Args:
            take: called with a table's name and its next rows, some thousand at a time; the tables
                then have none. What it was given counts only if no damage is found. None: the
                tables have all rows.

        Raises:
            StoreRefused: one line, if a row is not as it was stored; it names the runs.
        """
        contents = whole_contents(self._open(), self.path, take=take)
        notes = () if contents.has_digests else (NO_DIGESTS.format(n=len(contents.runs)),)
        return StoredTables(
            sweep_spec=contents.sweep_spec,
            axes=contents.axis_cells,
            runs=sorted(contents.runs, key=lambda run: str(run[0])),
            values=contents.values,
            notes=notes,
        )

    def places(self) -> list[Row]:
        """Of each finished run: its id, method, variant, unique ratio, and the values of the axes
        as JSON (None without axes); once for each combination of the axes that it serves."""
        columns = "run_id, method, variant, unique_ratio"
        if self._fetch("SELECT 1 FROM sqlite_master WHERE name = 'cell'"):
            joined = "axis_values FROM run LEFT JOIN cell USING (run_id)"
        else:
            joined = "NULL FROM run"
        return self._fetch(f"SELECT {columns}, {joined} WHERE status = 'ok'")

    def close(self) -> None:
        """Close the file and give the lock back; a second call does nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreRefused(f"{self.path}: the store is closed")
        return self._connection

    def _fetch(self, query: str) -> list[tuple[object, ...]]:
        try:
            return self._open().execute(query).fetchall()
        except SQLITE_ERRORS as error:
            raise StoreRefused(f"{self.path}: cannot be read ({error})") from error


def run_row(record: RunRecord) -> tuple[object, ...]:
    """A run's cells, in the order of ``RUN_COLUMNS``."""
    return (
        record.run_id,
        record.method,
        record.variant,
        record.preset,
        float(record.unique_ratio),
        int(record.seed),
        record.status,
        record.reason,
        number(record.seconds),
        to_json(record.spec),
        to_json(record.truth),
        to_json(record.provenance),
        to_json(record.diagnostics),
        to_json(record.warnings),
    )


def _put_values(connection: sqlite3.Connection, cells: Sequence[object], record: RunRecord) -> None:
    """Store a run's rows and the digest of all that is stored of it."""
    # An unfinished attempt has no rows, but a store may be edited by hand.
    for table in VALUE_TABLES:
        connection.execute(f"DELETE FROM {table.name} WHERE run_id = ?", (record.run_id,))
    digest = RunDigest(cells, [table.name for table in VALUE_TABLES])
    for table in VALUE_TABLES:
        rows = _stored_values(table.name, getattr(record, table.name))
        digest.add(table.name, rows)
        connection.executemany(
            _PUT_VALUES[table.name], [(record.run_id, *values) for values in rows]
        )
    connection.execute(PUT_DIGEST, (record.run_id, digest.sha256))


def _stored_values(table: str, rows: Sequence[object]) -> list[list[Any]]:
    """The values of rows as SQLite returns them."""
    values_of = _VALUES_OF[table]
    # There are some thousand values a run: a call for each took as long as SQLite does. Infinity
    # minus itself is not 0, and neither is NaN; SQLite returns 0.0 for -0.0.
    return [
        [
            value
            if (kind := type(value)) is str or kind is int or value is None
            else value + 0.0
            if kind is float and value - value == 0.0
            else _cell(value)
            for value in values_of(row)
        ]
        for row in rows
    ]


def _cell(value: Any) -> Any:
    """A value as SQLite returns it, that is neither text nor usually a number."""
    # sqlite3 takes no numpy numbers.
    if isinstance(value, Integral):
        return int(value)
    found = number(value)
    return None if found is None else found + 0.0
