"""Results as tables, from a store or from exported files. Imports pandas; writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from fctestbed.results.columns import RowColumns
from fctestbed.results.contents import Row
from fctestbed.results.exported import Columns, read_exported
from fctestbed.results.frames import axis_column, run_frame, typed, value_frame
from fctestbed.results.notes import mixture_notes
from fctestbed.results.schema import ALONG, SCORES, TABLE_COLUMNS, VALUE_TABLES, ValueTable
from fctestbed.results.selection import runs_nearest, without_bits
from fctestbed.results.store import STORE_NAME, ResultsStore

_NOWHERE: npt.NDArray[np.intp] = np.empty(0, dtype=np.intp)


def _none_of(table: ValueTable) -> pd.DataFrame:
    return typed(pd.DataFrame(columns=list(table.columns)), table.columns)


@dataclass(frozen=True)
class Results:
    """A sweep's results; treat the tables as read-only.

    Args:
        captured: one row per run x readout x quantity x estimator x rate, in bits; columns
            ``CAPTURED_COLUMNS``. An unfinished run is one row of NaN with its status.
        accuracy: one row per run x readout x probe, as fractions; columns ``ACCURACY_COLUMNS``.
            Unfinished runs as above.
        runs: one row per run; columns ``RUN_COLUMNS``, of which ``spec``, ``truth``,
            ``provenance``, ``diagnostics`` and ``warnings`` are JSON text.
        sweep_spec: the sweep that was asked for; empty where exported files do not tell.
        axes: dotted paths of the sweep's axes besides the unique ratio. Each is a column of every
            table, directly after ``unique_ratio``; a run that does not depend on an axis is there
            once for each of its values.
        notes: what a reader has to know of the rows, in lines.
        scores: one row per run x readout x score, each in its own unit; columns
            ``SCORE_COLUMNS``. Finished runs only.
        along: as ``captured``, for each step of the training at which it was measured; columns
            ``ALONG_COLUMNS``. Finished runs only.
    """

    captured: pd.DataFrame
    accuracy: pd.DataFrame
    runs: pd.DataFrame
    sweep_spec: dict[str, object]
    axes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    scores: pd.DataFrame = field(default_factory=lambda: _none_of(SCORES))
    along: pd.DataFrame = field(default_factory=lambda: _none_of(ALONG))

    def finished_rows(
        self, estimator: str, readout: str | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The captured rows of finished runs, of one estimator and one readout.

        Args:
            estimator: its name.
            readout: its name; None for all.
            columns: names of those that are wanted; None for all, most of which are text.
        """
        table = self.captured if columns is None else self.captured[list(columns)]
        places = self._places.get(estimator, {})
        found = list(places.values()) if readout is None else [places.get(readout, _NOWHERE)]
        return table.take(np.sort(np.concatenate([_NOWHERE, *found])))

    @cached_property
    def _places(self) -> dict[str, dict[str, npt.NDArray[np.intp]]]:
        """Where the rows of finished runs are, by estimator and readout: figures ask for them some
        forty times."""
        finished = np.flatnonzero((self.captured["status"] == "ok").to_numpy(dtype=bool))
        keys = self.captured[["estimator", "readout"]].take(finished)
        found: dict[str, dict[str, npt.NDArray[np.intp]]] = {}
        for estimator, places in keys.groupby("estimator").indices.items():
            rows = np.asarray(places)
            readouts = keys["readout"].take(rows)
            found[str(estimator)] = {
                str(readout): finished[rows[np.asarray(own)]]
                for readout, own in readouts.groupby(readouts).indices.items()
            }
        return found


def load_results(directory: str | Path, *, single_bits_at: float | None = None) -> Results:
    """Read a sweep's results.

    The rows of a store are read some thousand at a time; a million take 0.25 GB.

    Args:
        directory: a sweep's directory, its SQLite file, or a directory of exported files
            (``captured.csv``, ``accuracy.csv``, ``runs.csv``, each perhaps with ``.gz``, and
            ``scores.csv``, ``along.csv``, ``sweep.json`` and ``SHA256SUMS`` if they are there). A
            store goes before exported files.
        single_bits_at: leave out the rows of single latent bits (``w_s[0]``) in a store, most of
            the rows of a sweep, but for runs at the unique ratio nearest to this one: all that
            figures and a report need. None: all rows.

    Raises:
        StoreRefused: one line, if the store cannot be read, or a run of it is not as it was stored.
        ValueError: one line, if there are no results, or the exported files are unreadable, cut off
            or not as their checksums say.
    """
    if not isinstance(directory, str | Path):
        raise ValueError(f"directory: expected the name of a directory, got {directory!r}")
    path = Path(directory)
    if path.is_file() or (path / STORE_NAME).is_file():
        return _load_store(path, single_bits_at)
    exported = read_exported(path)
    frames = {
        name: _frame(columns, TABLE_COLUMNS[name], exported.axes)
        for name, columns in exported.tables.items()
    }
    return Results(
        sweep_spec=exported.sweep_spec, axes=exported.axes, notes=exported.notes, **frames
    )


def _frame(found: Columns, columns: Sequence[str], axes: tuple[str, ...]) -> pd.DataFrame:
    cells = {name: axis_column(own) if name in axes else own for name, own in found.items()}
    return typed(pd.DataFrame(cells), columns, axes)


def _load_store(path: Path, single_bits_at: float | None) -> Results:
    columns = {table.name: RowColumns(table) for table in VALUE_TABLES}
    with ResultsStore.open_read(path) as store:
        kept = None if single_bits_at is None else runs_nearest(store.places(), single_bits_at)

        def take(table: str, rows: list[Row]) -> None:
            columns[table].add(rows if kept is None else without_bits(table, rows, kept))

        tables = store.tables(take)
    runs = run_frame(tables.runs, tables.axes)
    notes = (*tables.notes, *mixture_notes(tables.runs))
    # The cells of runs are in the frame.
    tables.runs.clear()
    return Results(
        runs=runs,
        sweep_spec=tables.sweep_spec,
        axes=tables.axes.axes,
        notes=notes,
        **{table.name: value_frame(table, runs, columns[table.name]) for table in VALUE_TABLES},
    )
