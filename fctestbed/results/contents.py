"""What a store holds, read in full and held to its digests.

Never imports pandas.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

from fctestbed.results.database import (
    FIRST_WITH_AXES,
    FIRST_WITH_DIGESTS,
    SCHEMA_VERSION,
    SQLITE_ERRORS,
    AxisCells,
    stored_columns,
)
from fctestbed.results.digests import DESCRIPTION, RunDigest, description_digest
from fctestbed.results.schema import RUN_COLUMNS, VALUE_TABLES

_SHOWN_RUNS = 5

CHUNK_ROWS = 10_000
"""How many rows of a table are in memory at a time where they are not kept."""

Row = tuple[object, ...]
Take = Callable[[str, list[Row]], None]
"""Takes a table's name and its next rows, of run id and values."""
TakeRun = Callable[[Row], None]
"""Takes a run, in the order of ``RUN_COLUMNS``."""


@dataclass(frozen=True)
class Damage:
    """What of a store is not as it was stored.

    Attributes:
        runs: ids of the runs with a field or a row that changed or is lost, as far as known.
        n_runs: number of runs that the store has, the damaged ones among them.
        description: whether the description of the sweep changed.
        problem: what SQLite says about the file; empty if nothing.
        has_digests: whether the store has digests; without them ``runs`` is empty.
    """

    runs: tuple[str, ...] = ()
    n_runs: int = 0
    description: bool = False
    problem: str = ""
    has_digests: bool = True

    def __bool__(self) -> bool:
        return bool(self.runs or self.description or self.problem)

    def line(self, path: Path) -> str:
        """One line: what is damaged, and what to do.

        Args:
            path: the store's file.
        """
        found = []
        if self.runs:
            shown = ", ".join(self.runs[:_SHOWN_RUNS])
            more = len(self.runs) - _SHOWN_RUNS
            found.append(
                f"{len(self.runs)} of {self.n_runs} runs are not as they were stored "
                f"({shown}{f' and {more} more' if more > 0 else ''})"
            )
        if self.description:
            found.append("the description of the sweep is not as it was stored")
        if self.problem:
            found.append(f"SQLite says: {self.problem}")
        return f"{path}: damaged: {'; '.join(found)}: {self._remedy(path.parent)}"

    def _remedy(self, directory: Path) -> str:
        if not self.runs and not self.problem:
            return "no run is damaged; the same sweep command writes the description again"
        drop = f"`fctestbed check {directory} --drop`"
        if not self.has_digests:
            return (
                f"the store has no digests to tell which runs are whole: {drop} sets it aside, and "
                "the same sweep command makes all runs again"
            )
        return f"{drop} removes damaged runs, and the same sweep command makes these again"


@dataclass(frozen=True)
class Contents:
    """Everything that could be read of a store, at one instant.

    Attributes:
        schema: the version of the store's schema.
        sweep: rows (spec, digest, created, fctestbed_version): one, unless it is lost.
        axes: rows (place, path).
        cells: rows (run_id, axis_values).
        runs: rows in the order of ``RUN_COLUMNS``, in the order in which they were stored; empty
            if they were not to be kept.
        values: for each of ``VALUE_TABLES``, by name, rows of run id and values; empty if they
            were not to be kept.
        run_ids: ids of the runs, each once.
        digests: stored digests by run id, the description's under ``DESCRIPTION``.
        computed: digests by run id, of what was read, as a store of this version has them.
        damage: what is not as it was stored.
    """

    schema: int
    sweep: list[Row]
    axes: list[Row]
    cells: list[Row]
    runs: list[Row]
    values: dict[str, list[Row]]
    run_ids: tuple[str, ...]
    digests: dict[str, str]
    computed: dict[str, str]
    damage: Damage

    @property
    def has_digests(self) -> bool:
        """Whether the store's version has digests."""
        return self.schema >= FIRST_WITH_DIGESTS

    @property
    def sweep_spec(self) -> dict[str, object]:
        """The sweep that was asked for."""
        spec: dict[str, object] = json.loads(str(self.sweep[0][0]))
        return spec

    @property
    def axis_cells(self) -> AxisCells:
        """The sweep's axes and cells."""
        return AxisCells(
            axes=tuple(str(path) for _, path in self.axes),
            cells=tuple((str(run_id), tuple(json.loads(str(v)))) for run_id, v in self.cells),
        )


@dataclass
class TableScan:
    """Reads tables row by row, and what can be read of those that SQLite cannot read to the end.

    Attributes:
        connection: to a store.
        problems: what SQLite said of the tables that were read.
    """

    connection: sqlite3.Connection
    problems: list[str] = field(default_factory=list)

    def rows(self, table: str, columns: tuple[str, ...]) -> Iterator[Row]:
        """The rows in the order in which they were stored."""
        # By the table alone: an index may be damaged as well.
        query = f"SELECT rowid, {', '.join(columns)} FROM {table} NOT INDEXED"
        last: object = None
        try:
            for row in self.connection.execute(f"{query} ORDER BY rowid"):
                last = row[0]
                yield row[1:]
        except SQLITE_ERRORS as error:
            self.problems.append(str(error))
            first = self._first_beyond(f"{query} ORDER BY rowid DESC", last)
            with contextlib.suppress(*SQLITE_ERRORS):
                for row in self.connection.execute(
                    f"{query} WHERE rowid >= ? ORDER BY rowid", (first,)
                ):
                    yield row[1:]

    def _first_beyond(self, query: str, last: object) -> object:
        """The first row after the place that cannot be read, found from the end; None if there is
        none."""
        first: object = None
        with contextlib.suppress(*SQLITE_ERRORS):
            for row in self.connection.execute(query):
                if row[0] == last:
                    break
                first = row[0]
        return first


def read_contents(
    connection: sqlite3.Connection,
    *,
    keep_values: bool = False,
    keep_runs: bool = False,
    take: Take | None = None,
    take_run: TakeRun | None = None,
) -> Contents:
    """Read a store and find damage.

    Args:
        connection: to a file that ``open_database`` recognised, in a transaction.
        keep_values: whether the rows of runs are kept, or only held to the digests.
        keep_runs: whether the runs themselves are kept.
        take: called with a table's name and its next rows, of run id and values; they may be
            damaged.
        take_run: called with each run, damaged or not.

    Raises:
        sqlite3.Error: if not even the schema can be read.
    """
    schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
    has_axes, has_digests = schema >= FIRST_WITH_AXES, schema >= FIRST_WITH_DIGESTS
    scan = TableScan(connection)
    sweep = list(scan.rows("sweep", ("spec", "digest", "created", "fctestbed_version")))
    axes = list(scan.rows("axis", ("place", "path"))) if has_axes else []
    cells = list(scan.rows("cell", ("run_id", "axis_values"))) if has_axes else []
    stored = list(scan.rows("digest", ("run_id", "sha256"))) if has_digests else []
    digests = {str(run_id): str(sha256) for run_id, sha256 in stored}
    columns = {table.name: stored_columns(table, schema) for table in VALUE_TABLES}
    has_tables = [name for name, own in columns.items() if own]
    # As they were stored, and as this version stores them.
    found: dict[str, RunDigest] = {}
    new: dict[str, RunDigest] = {}
    runs: list[Row] = []
    # Damage too: a run that is there twice, and rows or digests of runs that are not there.
    damaged: set[str] = set()
    for run in scan.rows("run", RUN_COLUMNS):
        run_id = str(run[0])
        damaged |= {run_id} if run_id in found else set()
        found[run_id] = RunDigest(run, has_tables)
        if schema < SCHEMA_VERSION:
            new[run_id] = RunDigest(run, columns)
        runs += [run] if keep_runs else []
        if take_run is not None:
            take_run(run)
    damaged |= digests.keys() - found.keys() - {DESCRIPTION}
    kept: dict[str, list[Row]] = {name: [] for name in columns}
    for table in has_tables:
        own = columns[table]
        columns_there = [place for place, name in enumerate(own) if own[name] == name]
        is_whole = len(columns_there) == len(own)
        chosen = None if is_whole else itemgetter(*columns_there)
        for rows in _chunks(scan.rows(table, ("run_id", *own.values()))):
            for run_id, values in _by_run(rows):
                if run_id not in found:
                    damaged.add(run_id)
                    continue
                found[run_id].add(table, list(map(chosen, values)) if chosen else values)
                if new:
                    new[run_id].add(table, values)
            if take is not None:
                take(table, rows)
            if keep_values:
                kept[table] += rows
    as_stored = {run_id: own.sha256 for run_id, own in found.items()}
    damaged |= {run_id for run_id, sha256 in as_stored.items() if sha256 != digests.get(run_id)}
    computed = {run_id: own.sha256 for run_id, own in new.items()} or as_stored
    described = digests.get(DESCRIPTION) == description_digest(sweep, axes, cells)
    if not has_digests:
        damaged, described = set(), _is_readable(sweep, cells)
    problem = scan.problems[0] if scan.problems else integrity(connection)
    return Contents(
        schema=schema,
        sweep=sweep,
        axes=axes,
        cells=cells,
        runs=runs,
        values=kept,
        run_ids=tuple(found),
        digests=digests,
        computed=computed,
        damage=Damage(
            runs=tuple(sorted(damaged)),
            n_runs=len(found),
            description=not described,
            problem=problem,
            has_digests=has_digests,
        ),
    )


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows, a few thousand at a time."""
    remaining = iter(rows)
    while found := list(islice(remaining, CHUNK_ROWS)):
        yield found


def _by_run(rows: list[Row]) -> Iterator[tuple[str, list[Row]]]:
    """The values of rows, those of one run that follow each other together."""
    for run_id, own in groupby(rows, key=itemgetter(0)):
        yield str(run_id), [row[1:] for row in own]


def _is_readable(sweep: list[Row], cells: list[Row]) -> bool:
    """Whether a description without a digest is one."""
    try:
        texts = [sweep[0][0], *(values for _, values in cells)]
        return all(json.loads(str(text)) is not None for text in texts)
    except (IndexError, ValueError):
        return False


def integrity(connection: sqlite3.Connection) -> str:
    """What SQLite finds wrong with the file's structure; empty if nothing."""
    try:
        answer = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except SQLITE_ERRORS as error:
        return str(error)
    return "" if answer == "ok" else " ".join(answer.split())
