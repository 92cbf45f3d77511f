"""Checks of a store, and the removal of its damaged runs. Never imports pandas."""

import contextlib
import json
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from fctestbed.results.contents import Contents, Damage, TableScan, TakeRun, read_contents
from fctestbed.results.database import (
    SCHEMA_VERSION,
    SQLITE_ERRORS,
    new_database,
    open_database,
    stored_columns,
)
from fctestbed.results.digests import DESCRIPTION, PUT_DIGEST
from fctestbed.results.lock import DriverLock
from fctestbed.results.refusal import StoreRefused
from fctestbed.results.schema import RUN_COLUMNS, VALUE_TABLES
from fctestbed.results.store import STORE_NAME


@dataclass(frozen=True)
class Repair:
    """What ``drop_damaged_runs`` did.

    Attributes:
        damage: what was damaged; nothing was done where nothing was.
        n_kept: runs that the store still has.
        original: the damaged store, under another name.
    """

    damage: Damage
    n_kept: int
    original: Path | None = None


def find_damage(directory: str | Path, take_run: TakeRun | None = None) -> Contents:
    """What a store holds, with its damage, but for its runs and their rows.

    Args:
        directory: the sweep's directory, or its SQLite file.
        take_run: called with each run, damaged or not.

    Raises:
        StoreRefused: one line, if it is missing, no store, or a newer one.
    """
    path = store_file(directory)
    with contextlib.closing(open_database(path, write=False)) as connection:
        return _contents(connection, path, take_run)


def drop_damaged_runs(directory: str | Path) -> Repair:
    """Remove the runs that are not as they were stored; the same sweep then makes these again.

    The store is written anew with the runs that are whole. The damaged file is kept beside it. A
    store that has no digests, or whose description of the sweep is lost, is set aside as a whole.

    Args:
        directory: the sweep's directory, or its SQLite file.

    Raises:
        StoreRefused: one line, if it is missing, no store, in use, or cannot be written.
    """
    path = store_file(directory)
    open_database(path, write=False).close()
    lock = DriverLock.acquire(path.parent)
    try:
        with contextlib.closing(open_database(path, write=False)) as connection:
            contents = _contents(connection, path)
        damage = contents.damage
        # The sweep's command mends the description.
        if not damage.runs and not damage.problem:
            return Repair(damage, len(contents.run_ids))
        original = _copied(path)
        if not (contents.has_digests and len(contents.sweep) == 1):
            path.unlink()
            return Repair(damage, 0, original)
        return Repair(damage, _write_whole_runs(path, contents, original), original)
    except OSError as error:
        raise StoreRefused(f"{path.parent}: cannot be written ({error.strerror})") from error
    finally:
        lock.release()


def store_file(directory: str | Path) -> Path:
    """The SQLite file of a sweep's directory; any other path unchanged."""
    path = Path(directory)
    return path / STORE_NAME if path.is_dir() else path


def _contents(
    connection: sqlite3.Connection, path: Path, take_run: TakeRun | None = None
) -> Contents:
    try:
        connection.execute("BEGIN")
        return read_contents(connection, take_run=take_run)
    except SQLITE_ERRORS as error:
        raise StoreRefused(
            f"{path}: damaged: SQLite says: {error}: move it away, and the same sweep command "
            "makes all runs again"
        ) from error


def _copied(path: Path) -> Path:
    """A copy of the file under a name that is free."""
    number = 1
    while True:
        copy = path.with_name(f"{path.stem}.damaged-{number}{path.suffix}")
        try:
            with open(path, "rb") as source, open(copy, "xb") as target:
                shutil.copyfileobj(source, target)
            return copy
        except FileExistsError:
            number += 1


def _write_whole_runs(path: Path, contents: Contents, original: Path) -> int:
    """Write the store anew with the runs of its damaged file that are whole; how many these are."""
    whole = set(contents.run_ids) - set(contents.damage.runs)
    with (
        contextlib.closing(open_database(original, write=False)) as damaged,
        new_database(path) as connection,
    ):
        scan = TableScan(damaged)
        stored = {name: name for name in RUN_COLUMNS}
        tables = [("run", stored)] + [
            (table.name, {"run_id": "run_id", **own})
            for table in VALUE_TABLES
            if (own := stored_columns(table, contents.schema))
        ]
        for table, columns in tables:
            rows = scan.rows(table, tuple(columns.values()))
            connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"VALUES ({', '.join('?' * len(columns))})",
                (row for row in rows if row[0] in whole),
            )
        connection.execute(
            "INSERT INTO sweep VALUES (1, ?, ?, ?, ?, ?)",
            (*_valid_sweep(contents), SCHEMA_VERSION),
        )
        if not contents.damage.description:
            connection.executemany("INSERT INTO axis VALUES (?, ?)", contents.axes)
            connection.executemany("INSERT INTO cell VALUES (?, ?)", contents.cells)
        connection.executemany(
            PUT_DIGEST,
            [(key, sha256) for key, sha256 in contents.computed.items() if key in whole]
            + [(DESCRIPTION, contents.digests.get(DESCRIPTION, ""))],
        )
    return len(whole)


def _valid_sweep(contents: Contents) -> list[str]:
    """The row that describes the sweep, as SQLite takes it; damaged text is made text again."""
    spec, *others = (str(text).encode(errors="replace").decode() for text in contents.sweep[0])
    try:
        json.loads(spec)
    except ValueError:
        spec = "{}"
    return [spec, *others]
