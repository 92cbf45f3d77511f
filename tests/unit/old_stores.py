"""Stores of earlier versions: the version 3 store is a dump of one that its version wrote."""

import contextlib
import sqlite3
from pathlib import Path

from fctestbed.results import STORE_NAME, AxisCells, ResultsStore

DUMP = Path(__file__).parents[1] / "data" / "store_schema_3.sql"
SPEC = {"seeds": [0, 1]}
DIGEST = "digest"
IDS = ("raw-0.5-0", "raw-0.5-1")
AXES = AxisCells(axes=("a",), cells=tuple((run_id, (1,)) for run_id in IDS))


def make_old_store(directory: Path, version: int) -> Path:
    """A store of two runs as version 1, 2 or 3 wrote it; without axes in version 1."""
    directory.mkdir(exist_ok=True)
    path = directory / STORE_NAME
    later = {2: ("digest",), 1: ("digest", "axis", "cell")}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(DUMP.read_text())
        for table in later.get(version, ()):
            connection.execute(f"DROP TABLE {table}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("UPDATE sweep SET schema_version = ?", (version,))
        connection.commit()
    return path


def continued_old_store(directory: Path, version: int) -> ResultsStore:
    """The same store, opened by the driver of its sweep."""
    axes = AXES if version > 1 else AxisCells()
    return ResultsStore.create_or_open(directory, SPEC, DIGEST, axes)
