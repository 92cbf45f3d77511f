"""The description of a store's sweep: held to the sweep that is asked for, grown where runs are
added, mended where it is damaged.

Never imports pandas.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from fctestbed.results.contents import Contents, Take, read_contents
from fctestbed.results.database import (
    NO_AXES,
    SCHEMA_VERSION,
    SQLITE_ERRORS,
    AxisCells,
    update_tables,
    write_description,
)
from fctestbed.results.digests import DESCRIPTION, PUT_DIGEST, description_digest
from fctestbed.results.plain import to_json
from fctestbed.results.refusal import StoreRefused, describe_difference

NO_DIGESTS = "{n} runs were stored without digests: damage to them from before cannot be noticed"
_MENDED = "the description of the sweep was damaged, and is written again"


@dataclass(frozen=True)
class Description:
    """What a store says of its sweep.

    Attributes:
        spec: the whole sweep, JSON-able.
        digest: hash of what identifies it.
        axes: its further axes and which run serves which of their values.
        added: what it has that the stored sweep lacks, in one line; empty if nothing.
    """

    spec: Mapping[str, object]
    digest: str
    axes: AxisCells = NO_AXES
    added: str = ""


Grow = Callable[[Mapping[str, object], Collection[str]], Description]
"""From the stored sweep and the ids of its runs to the description of it and the sweep asked for
together; raises ``ValueError`` with the difference where their runs cannot be in one store."""


def check_sweep(
    connection: sqlite3.Connection, path: Path, asked: Description, grow: Grow | None
) -> None:
    """Refuse a store of another sweep that does not grow into the one asked for.

    A description of which the spec or the digest is the one asked for is of this sweep; if the
    other one differs, it is damaged.

    Raises:
        StoreRefused: one line with the difference.
    """
    try:
        row = connection.execute("SELECT spec, digest FROM sweep").fetchone()
        ids = [str(run_id) for (run_id,) in connection.execute("SELECT run_id FROM run")]
    except SQLITE_ERRORS as error:
        raise StoreRefused(f"{path}: cannot be read ({error})") from error
    if row is None:
        raise StoreRefused(f"{path}: not a results store (it names no sweep)")
    try:
        stored = json.loads(row[0])
    except ValueError:
        stored = {}
    if row[1] != asked.digest and stored != json.loads(to_json(asked.spec)):
        _grown(path, stored, ids, asked, grow)


def _grown(
    path: Path,
    stored: Mapping[str, object],
    ids: Collection[str],
    asked: Description,
    grow: Grow | None,
) -> Description:
    """The description of the stored sweep and the one asked for together.

    Raises:
        StoreRefused: one line with the difference.
    """
    if grow is None:
        difference = describe_difference(stored, json.loads(to_json(asked.spec)))
        raise StoreRefused(f"{path.parent}: holds another sweep: {difference}")
    try:
        return grow(stored, ids)
    except ValueError as error:
        raise StoreRefused(f"{path.parent}: holds another sweep: {error}") from error


def store_contents(
    connection: sqlite3.Connection,
    path: Path,
    *,
    keep_values: bool = False,
    keep_runs: bool = False,
    take: Take | None = None,
) -> Contents:
    """The store's contents at one instant, damaged or not; the arguments are those of
    ``read_contents``.

    Raises:
        StoreRefused: if they cannot be read.
    """
    try:
        connection.execute("BEGIN")
        return read_contents(connection, keep_values=keep_values, keep_runs=keep_runs, take=take)
    except SQLITE_ERRORS as error:
        raise StoreRefused(f"{path}: cannot be read ({error})") from error
    finally:
        roll_back(connection)


def whole_contents(
    connection: sqlite3.Connection, path: Path, *, take: Take | None = None
) -> Contents:
    """The store's contents; its rows are kept, or taken by ``take``.

    Raises:
        StoreRefused: if they are damaged.
    """
    contents = store_contents(connection, path, keep_values=take is None, keep_runs=True, take=take)
    if contents.damage:
        raise StoreRefused(contents.damage.line(path))
    return contents


def make_whole(
    connection: sqlite3.Connection, path: Path, asked: Description, grow: Grow | None
) -> tuple[str, ...]:
    """Check the store of a sweep that goes on, let its description grow, and bring it up to this
    version; what was done.

    Raises:
        StoreRefused: if runs are damaged, or it is another sweep's.
    """
    contents = store_contents(connection, path)
    damage = contents.damage
    if damage.runs or damage.problem:
        raise StoreRefused(damage.line(path))
    grown: Description | None = None
    created = str(contents.sweep[0][2]) if contents.sweep else None
    if contents.sweep and contents.sweep[0][1] != asked.digest and not damage.description:
        grown = _grown(path, contents.sweep_spec, contents.run_ids, asked, grow)
        if grown.digest == contents.sweep[0][1]:
            grown = None
    old = contents.schema < SCHEMA_VERSION
    if not (old or damage or grown):
        return ()
    notes = []
    try:
        connection.execute("BEGIN IMMEDIATE")
        if old:
            update_tables(connection, contents.schema)
            connection.executemany(PUT_DIGEST, contents.computed.items())
            described = description_digest(contents.sweep, contents.axes, contents.cells)
            connection.execute(PUT_DIGEST, (DESCRIPTION, described))
            if contents.run_ids and not contents.has_digests:
                notes.append(NO_DIGESTS.format(n=len(contents.run_ids)))
        if damage.description:
            write_description(connection, asked.spec, asked.digest, asked.axes)
            notes.append(_MENDED)
        elif grown is not None:
            write_description(connection, grown.spec, grown.digest, grown.axes, created=created)
            notes.append(f"the sweep grows by {grown.added}")
        connection.execute("COMMIT")
    except SQLITE_ERRORS as error:
        roll_back(connection)
        raise StoreRefused(f"{path.parent}: cannot be written ({error})") from error
    return tuple(notes)


def roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction without its changes, where there is one."""
    # SQLite has rolled back by itself after a full disk.
    with contextlib.suppress(*SQLITE_ERRORS):
        connection.execute("ROLLBACK")
