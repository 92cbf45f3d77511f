"""The results store of one sweep: one SQLite file, one writer, every run at most once.

Execution may happen more than once; committing an ``ok`` run happens exactly once, by its run id.
"""

import contextlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from types import TracebackType
from typing import Self

from fctestbed.results.database import (
    NO_AXES,
    AxisCells,
    create_database,
    open_database,
    read_axes,
    read_sweep,
)
from fctestbed.results.files import make_directory, remove_directories
from fctestbed.results.lock import DriverLock
from fctestbed.results.plain import number, plain, to_json
from fctestbed.results.refusal import StoreRefused, describe_difference
from fctestbed.results.schema import ACCURACY_VALUES, CAPTURED_VALUES, RUN_COLUMNS, RunRecord

STORE_NAME = "results.sqlite"

_RUN_SETTERS = ", ".join(f"{name} = excluded.{name}" for name in RUN_COLUMNS[1:])
_PUT_RUN = (
    f"INSERT INTO run ({', '.join(RUN_COLUMNS)}) VALUES ({', '.join('?' * len(RUN_COLUMNS))}) "
    f"ON CONFLICT (run_id) DO UPDATE SET {_RUN_SETTERS} WHERE run.status <> 'ok'"
)
_PUT_CAPTURED = (
    f"INSERT INTO captured (run_id, {', '.join(CAPTURED_VALUES)}) "
    f"VALUES (?, {', '.join('?' * len(CAPTURED_VALUES))})"
)
_PUT_ACCURACY = (
    f"INSERT INTO accuracy (run_id, {', '.join(ACCURACY_VALUES)}) "
    f"VALUES (?, {', '.join('?' * len(ACCURACY_VALUES))})"
)


@dataclass(frozen=True)
class StoredTables:
    """All rows of a store at one instant, as tuples in the order of the schema's columns.

    ``captured`` and ``accuracy`` are keyed by run: ``run_id`` first, then the values' columns.
    """

    sweep_spec: dict[str, object]
    axes: AxisCells
    runs: list[tuple[object, ...]]
    captured: list[tuple[object, ...]]
    accuracy: list[tuple[object, ...]]


class ResultsStore:
    """An open store; made by ``create_or_open`` or ``open_read``, closed as a context manager."""

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: DriverLock | None) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = connection
        self._lock = lock

    @classmethod
    def create_or_open(
        cls,
        directory: str | Path,
        sweep_spec: Mapping[str, object],
        digest: str,
        axes: AxisCells = NO_AXES,
    ) -> Self:
        """Begin a sweep's store, or go on with it where the digest is the same.

        Args:
            directory: the sweep's directory; made if it is missing.
            sweep_spec: the whole sweep, JSON-able; kept with the rows.
            digest: hash of what identifies the sweep.
            axes: the sweep's further axes and which run serves which of their values; kept by a
                new store.

        Returns:
            The store, locked for this process until it is closed.

        Raises:
            StoreRefused: one line, nothing written: another sweep lives there (with the first keys
                that differ), another driver has it, the directory cannot be written, or the file is
                no store or a newer one.
        """
        directory = Path(directory)
        path = directory / STORE_NAME
        spec = plain(sweep_spec, "sweep_spec")
        # Asked before anything is written, and again under the lock, in case another was quicker.
        if path.exists():
            with contextlib.closing(open_database(path, write=False)) as connection:
                _check_sweep(connection, path, spec, digest)
        made = make_directory(directory)
        try:
            lock = DriverLock.acquire(directory)
        except StoreRefused:
            remove_directories(made)
            raise
        try:
            if not path.exists():
                create_database(path, spec, digest, axes)
            connection = open_database(path, write=True)
            try:
                _check_sweep(connection, path, spec, digest)
            except StoreRefused:
                connection.close()
                raise
        except BaseException:
            lock.release()
            remove_directories(made)
            raise
        return cls(path, connection, lock)

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
                or another program keeps the file locked. What was saved before is safe.
            ValueError: if a record holds something that JSON cannot.
        """
        connection = self._open()
        if self._lock is None:
            raise StoreRefused(f"{self.path}: opened for reading, cannot save runs")
        rows = [(_run_row(record), record) for record in records]
        written = 0
        try:
            connection.execute("BEGIN IMMEDIATE")
            for run_row, record in rows:
                if connection.execute(_PUT_RUN, run_row).rowcount > 0:
                    _put_values(connection, record)
                    written += 1
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            _roll_back(connection)
            raise StoreRefused(
                f"{self.path}: could not save {len(records)} runs ({error}); "
                "what was saved before is safe"
            ) from error
        except BaseException:
            _roll_back(connection)
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

    def tables(self) -> StoredTables:
        """All rows as they are at this instant, however many commits follow."""
        connection = self._open()
        captured = ", ".join(CAPTURED_VALUES)
        accuracy = ", ".join(ACCURACY_VALUES)
        self._fetch("BEGIN")
        try:
            return StoredTables(
                sweep_spec=read_sweep(connection, self.path)[0],
                axes=read_axes(connection, self.path),
                runs=self._fetch(f"SELECT {', '.join(RUN_COLUMNS)} FROM run ORDER BY run_id"),
                captured=self._fetch(f"SELECT run_id, {captured} FROM captured ORDER BY rowid"),
                accuracy=self._fetch(f"SELECT run_id, {accuracy} FROM accuracy ORDER BY rowid"),
            )
        finally:
            _roll_back(connection)

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
        except sqlite3.Error as error:
            raise StoreRefused(f"{self.path}: cannot be read ({error})") from error


def _check_sweep(
    connection: sqlite3.Connection, path: Path, spec: Mapping[str, object], digest: str
) -> None:
    stored_spec, stored_digest = read_sweep(connection, path)
    if stored_digest != digest:
        difference = describe_difference(stored_spec, json.loads(to_json(spec)))
        raise StoreRefused(f"{path.parent}: holds another sweep: {difference}")


def _run_row(record: RunRecord) -> tuple[object, ...]:
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


def _put_values(connection: sqlite3.Connection, record: RunRecord) -> None:
    # An unfinished attempt has no rows, but a store may be edited by hand.
    connection.execute("DELETE FROM captured WHERE run_id = ?", (record.run_id,))
    connection.execute("DELETE FROM accuracy WHERE run_id = ?", (record.run_id,))
    for query, names, rows in (
        (_PUT_CAPTURED, CAPTURED_VALUES, record.captured),
        (_PUT_ACCURACY, ACCURACY_VALUES, record.accuracy),
    ):
        connection.executemany(
            query,
            [(record.run_id, *(_cell(getattr(row, name)) for name in names)) for row in rows],
        )


def _cell(value: str | float | None) -> str | float | None:
    if value is None or isinstance(value, str):
        return value
    # sqlite3 takes no numpy numbers.
    return int(value) if isinstance(value, Integral) else number(value)


def _roll_back(connection: sqlite3.Connection) -> None:
    # SQLite has rolled back by itself after a full disk.
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("ROLLBACK")
