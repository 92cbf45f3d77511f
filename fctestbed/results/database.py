"""The SQLite file: its tables, how it is made, opened and recognised.

Reasons for the rollback journal: 0.5 ms per commit, no row lost in 100 killed writers, one file to
copy, and it works on network file systems, which the write-ahead log does not.
"""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fctestbed._version import __version__
from fctestbed.results.digests import DESCRIPTION, PUT_DIGEST, description_digest
from fctestbed.results.plain import to_json
from fctestbed.results.refusal import StoreRefused
from fctestbed.results.schema import ACCURACY, CAPTURED, RATE_BITS, AxisValue, ValueTable

# Version 1 had no tables of axes, version 2 no digests, version 3 no rates and neither scores nor
# rows along training. Their stores are read as they are, and become stores of this version when
# their sweep is continued.
SCHEMA_VERSION = 4
FIRST_WITH_AXES = 2
FIRST_WITH_DIGESTS = 3
FIRST_WITH_RATES = 4
# "FCTB": tells a store from any other SQLite file.
APPLICATION_ID = 0x46435442
# SQLite's message about a damaged schema quotes it, and then need not be text for Python.
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
_OLDEST_SQLITE = (3, 37, 0)
_BUSY_SECONDS = 30.0

_TABLE_OF_AXES = """
CREATE TABLE IF NOT EXISTS axis (
    place INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS cell (
    run_id TEXT NOT NULL,
    axis_values TEXT NOT NULL CHECK (json_valid(axis_values)),
    PRIMARY KEY (run_id, axis_values)
) STRICT;
"""
_TABLE_OF_DIGESTS = """
CREATE TABLE IF NOT EXISTS digest (
    run_id TEXT PRIMARY KEY NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;
"""
_COLUMNS_OF_BITS = """
    readout TEXT NOT NULL,
    quantity TEXT NOT NULL,
    estimator TEXT NOT NULL,
    rate_bits REAL,
    bound TEXT NOT NULL CHECK (bound IN ('lower', 'upper', 'exact', 'none')),
    value_bits REAL,
    low_bits REAL,
    high_bits REAL,
    true_bits REAL,
    ceiling_bits REAL,
    n_eval INTEGER NOT NULL
"""
# A primary key has no NULL, which is the rate of an estimator without one.
_TABLES_OF_BITS = f"""
CREATE TABLE captured (
    run_id TEXT NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    {_COLUMNS_OF_BITS}
) STRICT;
CREATE UNIQUE INDEX captured_key
    ON captured (run_id, readout, quantity, estimator, ifnull(rate_bits, 0));
CREATE TABLE along (
    run_id TEXT NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    {_COLUMNS_OF_BITS}
) STRICT;
CREATE UNIQUE INDEX along_key
    ON along (run_id, step, readout, quantity, estimator, ifnull(rate_bits, 0));
CREATE TABLE scores (
    run_id TEXT NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    readout TEXT NOT NULL,
    score TEXT NOT NULL,
    value REAL,
    unit TEXT NOT NULL,
    n_eval INTEGER NOT NULL,
    PRIMARY KEY (run_id, readout, score)
) STRICT;
"""
_BEFORE_RATES = tuple(name for name in CAPTURED.values if name != RATE_BITS)
_TABLES = f"""
CREATE TABLE sweep (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    digest TEXT NOT NULL,
    created TEXT NOT NULL,
    fctestbed_version TEXT NOT NULL,
    schema_version INTEGER NOT NULL
) STRICT;
{_TABLE_OF_AXES}
{_TABLE_OF_DIGESTS}
CREATE TABLE run (
    run_id TEXT PRIMARY KEY NOT NULL,
    method TEXT NOT NULL,
    variant TEXT NOT NULL,
    preset TEXT NOT NULL,
    unique_ratio REAL NOT NULL,
    seed INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'diverged', 'failed')),
    reason TEXT NOT NULL,
    seconds REAL,
    spec TEXT NOT NULL CHECK (json_valid(spec)),
    truth TEXT NOT NULL CHECK (json_valid(truth)),
    provenance TEXT NOT NULL CHECK (json_valid(provenance)),
    diagnostics TEXT NOT NULL CHECK (json_valid(diagnostics)),
    warnings TEXT NOT NULL CHECK (json_valid(warnings))
) STRICT;
{_TABLES_OF_BITS}
CREATE TABLE accuracy (
    run_id TEXT NOT NULL REFERENCES run (run_id) ON DELETE CASCADE,
    readout TEXT NOT NULL,
    probe TEXT NOT NULL,
    accuracy REAL,
    low REAL,
    high REAL,
    bayes_accuracy REAL,
    n_eval INTEGER NOT NULL,
    PRIMARY KEY (run_id, readout, probe)
) STRICT;
"""


@dataclass(frozen=True)
class AxisCells:
    """Which run serves which combination of a sweep's axis values.

    Attributes:
        axes: dotted paths of the axes, the unique ratio aside.
        cells: a run's id and its values in the order of ``axes``, once for every combination that
            the run serves.
    """

    axes: tuple[str, ...] = ()
    cells: tuple[tuple[str, tuple[AxisValue, ...]], ...] = ()


NO_AXES = AxisCells()


@contextlib.contextmanager
def new_database(path: Path) -> Iterator[sqlite3.Connection]:
    """A new store's file with empty tables, to be filled in one transaction.

    It has a random name until the block ends and takes ``path`` then, whole or not at all, in place
    of what was there. The caller holds the store's lock.

    Raises:
        StoreRefused: if it cannot be written; nothing stays behind.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreRefused(
            f"{path}: needs SQLite 3.37 or newer, this Python has {sqlite3.sqlite_version}"
        )
    prefix = f".{path.name}.new-"
    draft = path.with_name(f"{prefix}{secrets.token_hex(8)}")
    try:
        # What a killed driver left.
        _remove(*path.parent.glob(f"{prefix}*"))
        # Fails where the name exists, a link of this name too; SQLite would follow a link.
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666))
        with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(f"BEGIN;{_TABLES}")
            yield connection
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        os.replace(draft, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            _remove(*path.parent.glob(f"{draft.name}*"))
        if isinstance(error, (*SQLITE_ERRORS, OSError)):
            raise StoreRefused(f"{path.parent}: cannot be written ({error})") from error
        raise


def write_description(
    connection: sqlite3.Connection,
    sweep_spec: Mapping[str, object],
    digest: str,
    axes: AxisCells,
    *,
    created: str | None = None,
) -> None:
    """Write the description of the sweep, with its digest, in place of any other.

    Args:
        connection: in a transaction.
        sweep_spec: the whole sweep, JSON-able.
        digest: hash of what identifies the sweep.
        axes: the sweep's axes and which run serves which of their values.
        created: when the store was made; None for now.
    """
    for table in ("sweep", "axis", "cell"):
        connection.execute(f"DELETE FROM {table}")
    created = created or datetime.now(UTC).isoformat(timespec="seconds")
    sweep = (to_json(sweep_spec), digest, created, __version__)
    cells = [(run_id, to_json(values)) for run_id, values in axes.cells]
    connection.execute(
        "INSERT INTO sweep (id, spec, digest, created, fctestbed_version, schema_version) "
        "VALUES (1, ?, ?, ?, ?, ?)",
        (*sweep, SCHEMA_VERSION),
    )
    connection.executemany("INSERT INTO axis VALUES (?, ?)", enumerate(axes.axes))
    connection.executemany("INSERT INTO cell VALUES (?, ?)", cells)
    connection.execute(
        PUT_DIGEST, (DESCRIPTION, description_digest([sweep], enumerate(axes.axes), cells))
    )


def stored_columns(table: ValueTable, schema: int) -> dict[str, str]:
    """How a store of some version gives the values of a table: a column or an SQL constant by
    name; none if it has no such table."""
    if schema >= FIRST_WITH_RATES:
        return {name: name for name in table.values}
    if table == CAPTURED:
        return {name: "NULL" if name == RATE_BITS else name for name in table.values}
    return {name: name for name in table.values} if table == ACCURACY else {}


def update_tables(connection: sqlite3.Connection, schema: int) -> None:
    """Make a store of an earlier version one of this version, but for the digests of its rows.

    Args:
        connection: in a transaction.
        schema: the store's version.
    """
    statements = f"{_TABLE_OF_AXES}{_TABLE_OF_DIGESTS}".split(";")
    if schema < FIRST_WITH_RATES:
        old = f"run_id, {', '.join(_BEFORE_RATES)}"
        statements += [
            "ALTER TABLE captured RENAME TO captured_before",
            *_TABLES_OF_BITS.split(";"),
            f"INSERT INTO captured ({old}) SELECT {old} FROM captured_before ORDER BY rowid",
            "DROP TABLE captured_before",
        ]
    for statement in statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def open_database(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open an existing store's file and check that it is one that this version understands.

    Args:
        path: the file.
        write: whether the connection may change rows.

    Raises:
        StoreRefused: if the file is missing, is no store, is newer, or cannot be written.
    """
    if not path.is_file():
        raise StoreRefused(f"{path}: expected a results store, got no file")
    _refuse_links(path, write=write)
    connection = None
    try:
        # Readers open it for writing too: after a killed writer someone must roll its journal back.
        uri = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None)
        # Damaged text need not be UTF-8; it is read all the same, so that its digest can tell.
        connection.text_factory = lambda text: text.decode(errors="surrogateescape")
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        _check_version(path, application, version)
        if write:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # SQLite opens a write-protected file without a word; ask now, not at the first result.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        else:
            connection.execute("PRAGMA query_only = ON")
    except (*SQLITE_ERRORS, StoreRefused) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, StoreRefused):
            raise
        if isinstance(error, sqlite3.OperationalError):
            raise StoreRefused(f"{path}: cannot be opened ({error})") from error
        raise StoreRefused(
            f"{path}: not a results store ({error}); if it was one, move it away: the same sweep "
            "command makes all runs again"
        ) from error
    return connection


def _refuse_links(path: Path, *, write: bool) -> None:
    """Refuse symbolic links that SQLite would follow and write to."""
    journals = [path.with_name(f"{path.name}-{ending}") for ending in ("journal", "wal", "shm")]
    for place in (path, *journals) if write else journals:
        if place.is_symlink():
            raise StoreRefused(
                f"{place}: expected a file of the results store, got a symbolic link: remove it"
            )


def _check_version(path: Path, application: int, version: int) -> None:
    if application != APPLICATION_ID or version < 1:
        raise StoreRefused(f"{path}: not a results store (another program's database)")
    if version > SCHEMA_VERSION:
        raise StoreRefused(
            f"{path}: written by a newer fctestbed (schema {version}, this one knows "
            f"{SCHEMA_VERSION}); upgrade fctestbed"
        )


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
