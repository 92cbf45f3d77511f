import dataclasses
import math
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic_results import record, records

from fctestbed.results import STORE_NAME, AxisCells, ResultsStore, StoreRefused, load_results
from fctestbed.results.database import SCHEMA_VERSION

SPEC = {"preset": "quick", "seeds": [0, 1, 2], "label": {"bits": 2}}
HERE = Path(__file__).parents[1]
ROOT = HERE.parents[1]


def new_store(directory, spec=SPEC, digest="digest"):
    return ResultsStore.create_or_open(directory, spec, digest)


def files(directory):
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def test_committed_runs_are_read_back_exactly(tmp_path):
    run = record("factorcl-sup", 0.3, 1)
    with new_store(tmp_path / "a" / "b") as store:
        assert store.commit([run]) == 1
    results = load_results(tmp_path / "a" / "b")
    assert results.sweep_spec == SPEC
    assert list(results.captured["value_bits"]) == [row.value_bits for row in run.captured]
    assert list(results.captured["quantity"]) == [row.quantity for row in run.captured]
    assert list(results.accuracy["accuracy"]) == [row.accuracy for row in run.accuracy]
    assert results.runs["reason"].tolist() == [""]


def test_the_same_sweep_goes_on_where_it_was(tmp_path):
    with new_store(tmp_path) as store:
        store.commit([record("raw", 0.5, 0)])
    with new_store(tmp_path) as store:
        assert store.finished() == {"raw-0.5-0"}
        store.commit([record("raw", 0.5, 1)])
        assert store.finished() == {"raw-0.5-0", "raw-0.5-1"}


def test_an_ok_run_is_neither_doubled_nor_replaced(tmp_path):
    first = record("raw", 0.5, 0)
    later = dataclasses.replace(first, seconds=99.0, captured=first.captured[:1])
    broken = record("raw", 0.5, 0, status="failed")
    with new_store(tmp_path) as store:
        store.commit([first])
        assert store.commit([later, broken]) == 0
    results = load_results(tmp_path)
    assert results.runs["seconds"].tolist() == [first.seconds]
    assert len(results.captured) == len(first.captured)


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_an_unfinished_run_is_replaced_by_a_later_attempt(tmp_path, status):
    with new_store(tmp_path) as store:
        store.commit([record("raw", 0.5, 0, status=status)])
        assert store.commit([record("raw", 0.5, 0)]) == 1
        assert store.statuses() == {"raw-0.5-0": "ok"}
    assert set(load_results(tmp_path).captured["status"]) == {"ok"}


def test_diverged_runs_are_finished_and_failed_ones_are_not(tmp_path):
    with new_store(tmp_path) as store:
        store.commit(
            [
                record("raw", 0.1, 0),
                record("raw", 0.2, 0, status="diverged"),
                record("raw", 0.3, 0, status="failed"),
            ]
        )
        assert store.finished() == {"raw-0.1-0", "raw-0.2-0"}


def test_an_unfinished_run_stays_in_the_tables_as_a_row_without_values(tmp_path):
    with new_store(tmp_path) as store:
        store.commit([record("raw", 0.5, 0), record("simclr", 0.5, 0, status="diverged")])
    results = load_results(tmp_path)
    for table, value in ((results.captured, "value_bits"), (results.accuracy, "accuracy")):
        (row,) = table[table["method"] == "simclr"].to_dict(orient="records")
        assert row["status"] == "diverged"
        assert row["readout"] == ""
        assert math.isnan(row[value])
        assert row["unique_ratio"] == 0.5


def test_missing_numbers_become_null_and_infinities_stay(tmp_path):
    row = dataclasses.replace(
        record("raw", 0.5, 0).captured[0],
        value_bits=float("nan"),
        low_bits=None,
        true_bits=float("inf"),
        ceiling_bits=np.float32(1.5),
        n_eval=np.int64(7),
    )
    with new_store(tmp_path) as store:
        store.commit([record("raw", 0.5, 0, captured=(row,))])
    with sqlite3.connect(tmp_path / STORE_NAME) as connection:
        found = connection.execute(
            "SELECT value_bits, low_bits, true_bits, ceiling_bits, n_eval FROM captured"
        ).fetchone()
    connection.close()
    assert found == (None, None, float("inf"), 1.5, 7)


def test_a_commit_is_whole_or_not_at_all(tmp_path):
    good = record("raw", 0.5, 0)
    bad = dataclasses.replace(record("raw", 0.6, 0), diagnostics={"loss": object()})
    with new_store(tmp_path) as store:
        with pytest.raises(ValueError, match=r"record\.loss: expected something that JSON holds"):
            store.commit([good, bad])
        assert store.statuses() == {}


def test_another_sweep_is_refused_with_the_difference_and_nothing_is_written(tmp_path):
    with new_store(tmp_path) as store:
        store.commit([record("raw", 0.5, 0)])
    before = files(tmp_path)
    other = {"preset": "quick", "seeds": [0], "label": {"bits": 4}}
    with pytest.raises(StoreRefused, match="holds another sweep") as refusal:
        new_store(tmp_path, other, "other")
    message = str(refusal.value)
    assert str(tmp_path) in message
    assert "label.bits: stored 2, asked 4" in message
    assert "seeds: stored [0, 1, 2], asked [0]" in message
    assert "\n" not in message
    assert files(tmp_path) == before


def test_a_file_in_the_way_is_refused(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("mine")
    for directory in (blocked, blocked / "deeper"):
        with pytest.raises(StoreRefused, match="cannot be made a directory"):
            new_store(directory)
    assert files(tmp_path) == {"file": b"mine"}


def test_a_directory_that_cannot_be_written_is_refused(tmp_path, monkeypatch):
    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("fctestbed.results.lock.os.open", denied)
    with pytest.raises(StoreRefused, match=r"cannot be written \(Permission denied\)"):
        new_store(tmp_path / "new" / "deep")
    assert files(tmp_path) == {}


def test_a_file_that_is_no_store_is_refused_and_kept(tmp_path):
    (tmp_path / STORE_NAME).write_bytes(b"not a database" * 100)
    before = files(tmp_path)
    with pytest.raises(StoreRefused, match="not a results store"):
        new_store(tmp_path)
    with pytest.raises(StoreRefused, match="not a results store"):
        ResultsStore.open_read(tmp_path)
    assert files(tmp_path) == before


def test_another_programs_database_is_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / STORE_NAME)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(StoreRefused, match="another program's database"):
        new_store(tmp_path)


def test_a_newer_schema_is_refused(tmp_path):
    new_store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / STORE_NAME)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    message = rf"newer fctestbed \(schema {SCHEMA_VERSION + 1}, this one knows {SCHEMA_VERSION}\)"
    with pytest.raises(StoreRefused, match=message):
        new_store(tmp_path)


def test_a_store_keeps_the_axes_that_it_began_with(tmp_path):
    axes = AxisCells(axes=("b", "a"), cells=(("raw-0.5-0", (1, 0.5)), ("raw-0.5-0", (2, 0.5))))
    for given in (axes, AxisCells(axes=("a", "b"))):
        ResultsStore.create_or_open(tmp_path, SPEC, "digest", given).close()
    with ResultsStore.open_read(tmp_path) as store:
        assert store.tables().axes == axes


def test_a_second_driver_is_refused_by_process_number(tmp_path):
    with new_store(tmp_path), pytest.raises(StoreRefused, match=f"in use by process {os.getpid()}"):
        new_store(tmp_path)
    new_store(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == [STORE_NAME]


def test_a_reader_sees_the_rows_while_a_driver_writes_and_cannot_write(tmp_path):
    with new_store(tmp_path) as store:
        store.commit([record("raw", 0.5, 0)])
        with ResultsStore.open_read(tmp_path / STORE_NAME) as reader:
            assert reader.finished() == {"raw-0.5-0"}
            store.commit([record("raw", 0.6, 0)])
            assert len(reader.finished()) == 2
            with pytest.raises(StoreRefused, match="opened for reading"):
                reader.commit([record("raw", 0.7, 0)])


def test_a_closed_store_says_so(tmp_path):
    store = new_store(tmp_path)
    store.close()
    store.close()
    with pytest.raises(StoreRefused, match="the store is closed"):
        store.finished()


def test_a_full_disk_is_one_line_and_loses_nothing(tmp_path):
    with new_store(tmp_path) as store:
        store.commit([record("raw", 0.5, 0)])
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreRefused, match=r"could not save 33 runs \(.*full\)"):
            store.commit(records(methods=("simclr",)))
        assert store.finished() == {"raw-0.5-0"}
        store._connection.execute("PRAGMA max_page_count = 100000")
        assert store.commit(records(methods=("simclr",))) == 33


def test_a_store_that_became_read_only_is_one_line(tmp_path):
    with new_store(tmp_path) as store:
        store._connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreRefused, match=r"could not save 1 runs \(.*readonly"):
            store.commit([record("raw", 0.5, 0)])


WRITER = """
import sys
sys.path.insert(0, {here!r})
from synthetic_results import record
from fctestbed.results import ResultsStore
store = ResultsStore.create_or_open({directory!r}, {spec!r}, "digest")
for seed in range(100000):
    store.commit([record("raw", 0.5, seed), record("untrained", 0.5, seed)])
    print(seed, flush=True)
"""


def start(code):
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )


def test_a_killed_driver_loses_nothing_acknowledged_and_frees_the_store(tmp_path):
    code = WRITER.format(here=str(HERE), directory=str(tmp_path), spec=SPEC)
    with start(code) as writer:
        acknowledged = [int(writer.stdout.readline()) for _ in range(25)]
        with pytest.raises(StoreRefused, match=f"in use by process {writer.pid}"):
            new_store(tmp_path)
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split()]
    with new_store(tmp_path) as store:
        stored = store.finished()
        assert {f"{m}-0.5-{s}" for m in ("raw", "untrained") for s in acknowledged} <= stored
        # Both runs of a transaction or neither, and each with its rows.
        assert len(stored) % 2 == 0
        assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    captured = load_results(tmp_path).captured
    assert set(captured.groupby("run_id").size()) == {len(record("raw", 0.5, 0).captured)}


HALF_WRITTEN = """
import os, signal, sys
from fctestbed.results import ResultsStore
store = ResultsStore.create_or_open({directory!r}, {spec!r}, "digest")
connection = store._connection
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE run SET reason = 'torn'")
connection.execute("PRAGMA cache_spill = 1")
for i in range(300):
    connection.execute("UPDATE run SET provenance = ?", ('{{"x": "' + "y" * 5000 + '"}}',))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_reader_mends_what_a_killed_driver_left_half_written(tmp_path):
    with new_store(tmp_path) as store:
        store.commit(records(methods=("raw",)))
    with start(HALF_WRITTEN.format(directory=str(tmp_path), spec=SPEC)) as writer:
        writer.stdout.read()
    assert (tmp_path / f"{STORE_NAME}-journal").exists()
    runs = load_results(tmp_path).runs
    assert len(runs) == 33
    assert set(runs["reason"]) == {""}


FORKED = """
import os, sys, time
from fctestbed.results import ResultsStore
store = ResultsStore.create_or_open({directory!r}, {spec!r}, "digest")
child = os.fork()
if child == 0:
    os.close(1)
    time.sleep(20)
    os._exit(0)
time.sleep(0.3)
print(child, flush=True)
os._exit(9)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_forked_worker_that_outlives_its_driver_does_not_keep_the_store(tmp_path):
    with start(FORKED.format(directory=str(tmp_path), spec=SPEC)) as driver:
        worker = int(driver.stdout.read())
    try:
        new_store(tmp_path).close()
    finally:
        os.kill(worker, signal.SIGKILL)
