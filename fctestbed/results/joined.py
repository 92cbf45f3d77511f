"""One store from the runs of several. Never imports pandas."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from fctestbed.results.database import SQLITE_ERRORS, new_database, write_description
from fctestbed.results.description import Description
from fctestbed.results.digests import PUT_DIGEST
from fctestbed.results.refusal import StoreRefused
from fctestbed.results.run_stream import RunStream
from fctestbed.results.schema import RUN_COLUMNS, VALUE_TABLES

_PUT_RUN = (
    f"INSERT INTO run ({', '.join(RUN_COLUMNS)}) VALUES ({', '.join('?' * len(RUN_COLUMNS))})"
)
_PUT_VALUES = {
    table.name: f"INSERT INTO {table.name} (run_id, {', '.join(table.values)}) "
    f"VALUES (?, {', '.join('?' * len(table.values))})"
    for table in VALUE_TABLES
}


@dataclass(frozen=True)
class StorePart:
    """A store, and the runs of it that go into another.

    Attributes:
        stream: the store.
        run_ids: the runs.
    """

    stream: RunStream
    run_ids: Collection[str]


def write_joined_store(path: Path, description: Description, parts: Sequence[StorePart]) -> None:
    """Write a store with runs of others, whole or not at all. Each run of the others is held to its
    digest, whether it is taken or not.

    Args:
        path: the new store's file; its directory exists.
        description: of the sweep that all runs are of.
        parts: no run is in two of them.

    Raises:
        StoreRefused: one line, if one of the others is damaged, or the store cannot be written;
            nothing stays behind.
    """
    with new_database(path) as connection:
        write_description(connection, description.spec, description.digest, description.axes)
        for part in parts:
            left = set(part.run_ids)
            for stored in part.stream.runs():
                run_id = str(stored.run[0])
                if run_id not in left:
                    continue
                left.remove(run_id)
                try:
                    connection.execute(_PUT_RUN, stored.run)
                    connection.execute(PUT_DIGEST, (run_id, part.stream.digest(run_id)))
                    for name, rows in stored.values.items():
                        values = [(run_id, *row) for row in rows]
                        connection.executemany(_PUT_VALUES[name], values)
                except SQLITE_ERRORS as error:
                    raise StoreRefused(f"{path.parent}: cannot be written ({error})") from error
