"""Stores that are read a chunk or a run at a time."""

import contextlib
import dataclasses
import sqlite3

import numpy as np
import pandas as pd
import pytest
from old_stores import make_old_store
from synthetic_results import RATES, record, records

from fctestbed.results import (
    AxisCells,
    ResultsStore,
    StoreRefused,
    contents as contents_module,
    export as export_module,
    export_results,
    export_sweep,
    load_results,
)
from fctestbed.results.columns import RowColumns
from fctestbed.results.schema import CAPTURED
from fctestbed.results.selection import is_single_bit
from fctestbed.results.table_files import table_file

TABLES = ("captured", "accuracy", "scores", "along", "runs")


def stored(directory, runs, axes=None):
    with ResultsStore.create_or_open(
        directory, {"seeds": [0]}, "digest", axes or AxisCells()
    ) as store:
        store.commit(runs)
    return directory


def some_runs():
    odd = [
        record("untrained", 0.5, 0, status="failed", reason='two\nlines, "quoted"'),
        record("untrained", 0.0, 0, status="diverged"),
    ]
    first, *rest = records((0.0, 0.5, 1.0), ("simclr", "raw"), (0, 1), rates=RATES[:1])
    strange = dataclasses.replace(first.captured[0], low_bits=float("inf"), high_bits=-1e-300)
    return [dataclasses.replace(first, captured=(strange, *first.captured[1:])), *rest, *odd]


def with_cells(directory):
    """A store of axes of which one is whole numbers and numbers, another names."""
    runs = some_runs()
    names = ["b", "a,1", 'c"']
    cells = [
        (run.run_id, ((place % 3) * (1 if place % 2 else 0.5), names[place % 3]))
        for place, run in enumerate(runs)
    ]
    cells.append((runs[0].run_id, (7, "b")))
    return stored(directory, runs, AxisCells(("train.warmup", "critic"), tuple(cells)))


@pytest.fixture(params=["plain", "axes"])
def store(request, tmp_path):
    place = tmp_path / "store"
    return stored(place, some_runs()) if request.param == "plain" else with_cells(place)


def content_of(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize(
    "options",
    [{}, {"format": "json"}, {"compress": True}, {"digits": 4}, {"format": "hf"}],
    ids=str,
)
def test_an_export_run_by_run_is_that_of_the_tables(store, tmp_path, options):
    export_results(load_results(store), tmp_path / "tables", **options)
    done = export_sweep(store, tmp_path / "runs", **options)
    assert sorted(path.name for path in done.files) == sorted(content_of(tmp_path / "runs"))
    if options.get("format") != "hf":
        assert content_of(tmp_path / "runs") == content_of(tmp_path / "tables")
    else:
        for name in TABLES:
            one, other = (
                pd.read_parquet(tmp_path / way / f"{name}.parquet") for way in ("runs", "tables")
            )
            pd.testing.assert_frame_equal(one, other)


def test_an_export_without_single_bits_has_all_other_rows(store, tmp_path):
    export_sweep(store, tmp_path / "blocks", blocks_only=True)
    found, whole = load_results(tmp_path / "blocks").captured, load_results(store).captured
    kept = whole[~whole["quantity"].map(is_single_bit)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, kept, check_exact=True)
    assert 0 < len(kept) < len(whole)


def test_an_export_writes_chunks_of_bounded_length(store, tmp_path, monkeypatch):
    lengths = []

    def spied(format, columns, write, *, compress):
        file = table_file(format, columns, write, compress=compress)
        add = file.add
        file.add = lambda rows: (lengths.append(len(rows)), add(rows))
        return file

    monkeypatch.setattr(export_module, "table_file", spied)
    monkeypatch.setattr(export_module, "EXPORT_CHUNK", 100)
    export_sweep(store, tmp_path / "rows")
    whole = load_results(store)
    most_of_a_run = whole.captured.groupby("run_id").size().max()
    assert sum(lengths) == sum(len(getattr(whole, name)) for name in TABLES)
    assert max(lengths) < 100 + most_of_a_run
    assert len(lengths) > 10


def test_loading_takes_chunks_of_bounded_length(store, monkeypatch):
    whole = load_results(store)
    lengths = []
    add = RowColumns.add
    monkeypatch.setattr(contents_module, "CHUNK_ROWS", 50)
    monkeypatch.setattr(
        RowColumns, "add", lambda self, rows: (lengths.append(len(rows)), add(self, rows))[1]
    )
    again = load_results(store)
    assert max(lengths) == 50
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(whole, name))


@pytest.mark.parametrize(("at", "nearest"), [(0.5, 0.5), (0.9, 1.0), (0.0, 0.0)])
def test_single_bits_are_read_at_the_nearest_ratio_alone(tmp_path, at, nearest):
    place = stored(tmp_path, some_runs())
    whole, few = load_results(place), load_results(place, single_bits_at=at)
    rows = whole.captured
    kept = rows[~rows["quantity"].map(is_single_bit) | (rows["unique_ratio"] == nearest)]
    pd.testing.assert_frame_equal(few.captured, kept.reset_index(drop=True))
    for name in TABLES[1:]:
        pd.testing.assert_frame_equal(getattr(few, name), getattr(whole, name))


def test_a_method_without_a_run_at_the_nearest_ratio_has_bits_at_its_own(tmp_path):
    runs = [record("raw", 0.5, 0), record("simclr", 0.2, 0), record("simclr", 1.0, 0)]
    rows = load_results(stored(tmp_path, runs), single_bits_at=0.5).captured
    bits = rows[rows["quantity"].map(is_single_bit)]
    assert set(zip(bits["method"], bits["unique_ratio"], strict=True)) == {
        ("raw", 0.5),
        ("simclr", 0.2),
    }


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE captured SET value_bits = 0.5 WHERE rowid = 3", "1 of 14 runs are not as they"),
        ("DELETE FROM captured WHERE rowid = 4", "1 of 14 runs are not as they were stored"),
        ("UPDATE run SET seconds = 99 WHERE rowid = 2", "1 of 14 runs are not as they were stored"),
        ("UPDATE scores SET run_id = 'gone' WHERE rowid = 1", "2 of 14 runs are not as they were"),
        ("DELETE FROM run WHERE rowid = 1", "1 of 13 runs are not as they were stored"),
        ("UPDATE sweep SET spec = '{}'", "the description of the sweep is not as it was stored"),
    ],
)
def test_a_damaged_store_is_not_exported(store, tmp_path, statement, message):
    with contextlib.closing(sqlite3.connect(store / "results.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(StoreRefused, match=message) as refusal:
        export_sweep(store, tmp_path / "rows")
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.glob("rows/*"))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_store_of_an_earlier_version_is_exported(tmp_path, version):
    make_old_store(tmp_path, version)
    export_sweep(tmp_path, tmp_path / "rows")
    export_results(load_results(tmp_path), tmp_path / "tables")
    assert content_of(tmp_path / "rows") == content_of(tmp_path / "tables")


def test_what_is_no_number_in_a_column_of_numbers_is_read_as_none():
    cells = {"value_bits": "text", "low_bits": b"\xff", "high_bits": 0.5, "n_eval": "many"}
    columns = RowColumns(CAPTURED, [("a", *(cells.get(name) for name in CAPTURED.values))])
    assert np.isnan(columns.take("value_bits")[0]).all()
    assert np.isnan(columns.take("low_bits")[0]).all()
    assert columns.take("high_bits")[0].tolist() == [0.5]
    assert columns.take("n_eval")[0].tolist() == [0]
