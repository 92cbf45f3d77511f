"""Stores that changed on the disk: every reader notices, and says which runs can be made again."""

import contextlib
import dataclasses
import random
import shutil
import sqlite3
import struct

import pytest
from old_stores import continued_old_store, make_old_store
from pandas.testing import assert_frame_equal
from synthetic_results import record

from fctestbed.results import (
    STORE_NAME,
    AxisCells,
    ResultsStore,
    StoreRefused,
    drop_damaged_runs,
    find_damage,
    load_results,
)
from fctestbed.results.database import SCHEMA_VERSION

SPEC = {"preset": "quick", "seeds": [0, 1, 2]}
AXES = AxisCells(
    axes=("world.observation.noise",),
    cells=tuple((f"raw-0.5-{seed}", (noise,)) for seed in range(3) for noise in (0.0, 0.25)),
)
IDS = [f"raw-0.5-{seed}" for seed in range(3)]
TABLES = ("captured", "accuracy", "scores", "along", "runs")


def small_record(seed, **changes):
    run = record("raw", 0.5, seed)
    return dataclasses.replace(run, captured=run.captured[:3], **changes)


def make_store(directory):
    with ResultsStore.create_or_open(directory, SPEC, "digest", AXES) as store:
        store.commit([small_record(seed) for seed in range(3)])
    return directory / STORE_NAME


def continued(directory):
    return ResultsStore.create_or_open(directory, SPEC, "digest", AXES)


def changed(path, statement):
    """Change a stored cell behind the store's back."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(statement)


def assert_same_results(found, expected):
    for name in TABLES:
        assert_frame_equal(getattr(found, name), getattr(expected, name), check_exact=True)
    assert found.sweep_spec == expected.sweep_spec
    assert found.axes == expected.axes


OF_ONE_RUN = "WHERE run_id = 'raw-0.5-1'"
CHANGES = [
    f"UPDATE captured SET value_bits = value_bits + 1e-16 * (value_bits + 1) {OF_ONE_RUN}",
    f"UPDATE captured SET value_bits = NULL {OF_ONE_RUN} AND quantity = 'label'",
    f"UPDATE captured SET quantity = 'labem' {OF_ONE_RUN} AND quantity = 'label'",
    f"UPDATE captured SET n_eval = n_eval + 1 {OF_ONE_RUN} AND quantity = 'label'",
    f"DELETE FROM captured {OF_ONE_RUN} AND quantity = 'label'",
    f"UPDATE accuracy SET accuracy = accuracy / 2 {OF_ONE_RUN}",
    f"DELETE FROM accuracy {OF_ONE_RUN}",
    f"UPDATE captured SET rate_bits = 1 {OF_ONE_RUN}",
    f"UPDATE scores SET value = 1 {OF_ONE_RUN}",
    f"DELETE FROM along {OF_ONE_RUN}",
    f"UPDATE run SET seconds = seconds * 2 {OF_ONE_RUN}",
    f"UPDATE run SET unique_ratio = 0.25 {OF_ONE_RUN}",
    f"UPDATE run SET method = 'rav' {OF_ONE_RUN}",
    f"UPDATE run SET provenance = '[]' {OF_ONE_RUN}",
    f"UPDATE run SET status = 'diverged' {OF_ONE_RUN}",
    f"UPDATE run SET method = CAST(X'726177ff' AS TEXT) {OF_ONE_RUN}",
    f"DELETE FROM run {OF_ONE_RUN}",
    f"UPDATE digest SET sha256 = 'x' {OF_ONE_RUN}",
    f"DELETE FROM digest {OF_ONE_RUN}",
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_run_is_refused_by_every_reader_and_can_be_made_again(tmp_path, change):
    path = make_store(tmp_path)
    expected = load_results(tmp_path)
    changed(path, change)
    for read in (load_results, continued):
        with pytest.raises(StoreRefused, match="runs are not as they were stored") as refusal:
            read(tmp_path)
        message = str(refusal.value)
        assert "1 of " in message
        assert "(raw-0.5-1)" in message
        assert f"`fctestbed check {tmp_path} --drop` removes damaged runs" in message
        assert "\n" not in message
    assert find_damage(tmp_path).damage.runs == ("raw-0.5-1",)

    repair = drop_damaged_runs(tmp_path)
    assert (repair.damage.runs, repair.n_kept) == (("raw-0.5-1",), 2)
    assert repair.original == tmp_path / "results.damaged-1.sqlite"
    with continued(tmp_path) as store:
        assert store.finished() == {"raw-0.5-0", "raw-0.5-2"}
        store.commit([small_record(1)])
    assert_same_results(load_results(tmp_path), expected)


def test_a_run_under_another_id_damages_both_ids(tmp_path):
    path = make_store(tmp_path)
    changed(path, f"UPDATE run SET run_id = 'raw-0.5-9' {OF_ONE_RUN}")
    assert find_damage(tmp_path).damage.runs == ("raw-0.5-1", "raw-0.5-9")
    assert drop_damaged_runs(tmp_path).n_kept == 2


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE sweep SET spec = '{"preset":"quick","seeds":[0,1,3]}'""",
        "UPDATE sweep SET spec = '{'",
        "UPDATE sweep SET digest = 'digesu'",
        "UPDATE axis SET path = 'world.observation.noisf'",
        "UPDATE cell SET axis_values = '[0.75]' WHERE run_id = 'raw-0.5-1' AND rowid = 3",
        "DELETE FROM cell WHERE rowid = 3",
        "DELETE FROM digest WHERE run_id = ''",
    ],
)
def test_a_damaged_description_is_written_again_by_the_same_sweep(tmp_path, change):
    path = make_store(tmp_path)
    expected = load_results(tmp_path)
    changed(path, change)
    with pytest.raises(StoreRefused, match="the description of the sweep is not as it was stored"):
        load_results(tmp_path)
    if find_damage(tmp_path).damage.problem:
        assert drop_damaged_runs(tmp_path).n_kept == 3
    with continued(tmp_path) as store:
        assert store.notes == ("the description of the sweep was damaged, and is written again",)
        assert store.finished() == set(IDS)
    assert_same_results(load_results(tmp_path), expected)
    with continued(tmp_path) as store:
        assert store.notes == ()


def test_another_sweep_does_not_take_over_a_damaged_description(tmp_path):
    path = make_store(tmp_path)
    changed(path, "UPDATE sweep SET digest = 'digesu'")
    with pytest.raises(StoreRefused, match=r"holds another sweep: seeds: stored"):
        ResultsStore.create_or_open(tmp_path, {**SPEC, "seeds": [7]}, "other", AXES)


def outcome_of_reading(directory, expected):
    """``refused`` or ``same``; anything else fails."""
    try:
        found = load_results(directory)
    except StoreRefused:
        return "refused"
    assert_same_results(found, expected)
    return "same"


def flip(path, place, bit):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def test_no_flipped_bit_changes_a_result(tmp_path):
    path = make_store(tmp_path / "whole")
    expected = load_results(tmp_path / "whole")
    rng = random.Random(0)
    # Most of so small a file is empty.
    places = [place for place, byte in enumerate(path.read_bytes()) if byte]
    outcomes = []
    for number in range(60):
        damaged = tmp_path / str(number)
        damaged.mkdir()
        shutil.copy(path, damaged)
        flip(damaged / STORE_NAME, rng.choice(places), rng.randrange(8))
        outcomes.append(outcome_of_reading(damaged, expected))
        shutil.rmtree(damaged)
    assert outcomes.count("refused") > 40


def test_every_flipped_bit_of_a_value_is_noticed_and_only_its_run_is_made_again(tmp_path):
    values = [row.value_bits for row in small_record(1).captured]
    path = make_store(tmp_path)
    whole = path.read_bytes()
    place = whole.index(struct.pack(">d", values[0]))
    for bit in range(8):
        for byte in (place, place + 3, place + 7):
            path.write_bytes(whole)
            flip(path, byte, bit)
            with pytest.raises(StoreRefused, match=r"1 of 3 runs .*\(raw-0\.5-1\)"):
                load_results(tmp_path)


def test_pages_that_cannot_be_read_cost_the_runs_on_them_alone(tmp_path):
    with ResultsStore.create_or_open(tmp_path, SPEC, "digest") as store:
        for seed in range(60):
            store.commit([record("raw", 0.5, seed)])
    path = tmp_path / STORE_NAME
    with contextlib.closing(sqlite3.connect(path)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        query = "SELECT pageno FROM dbstat WHERE name = 'captured' AND pagetype = 'leaf'"
        try:
            pages = [page for (page,) in connection.execute(query)]
        except sqlite3.Error:
            pages = []
    if not pages:
        # SQLite without the table of pages: leaves of tables begin with 13.
        content = path.read_bytes()
        pages = [p + 1 for p in range(1, len(content) // size) if content[p * size] == 13]
    content = bytearray(path.read_bytes())
    middle = pages[len(pages) // 2]
    content[(middle - 1) * size : middle * size] = b"\xa5" * size
    path.write_bytes(content)
    with pytest.raises(StoreRefused, match=r"damaged: .*SQLite says: .*malformed") as refusal:
        load_results(tmp_path)
    assert "\n" not in str(refusal.value)
    repair = drop_damaged_runs(tmp_path)
    assert 1 <= len(repair.damage.runs) < 20
    assert repair.n_kept == 60 - len(repair.damage.runs)
    with ResultsStore.create_or_open(tmp_path, SPEC, "digest") as store:
        assert len(store.finished()) == repair.n_kept
        assert store.commit([record("raw", 0.5, seed) for seed in range(60)]) == 60 - repair.n_kept
    assert not find_damage(tmp_path).damage


def test_a_damaged_schema_that_is_no_text_is_refused_in_one_line(tmp_path):
    path = make_store(tmp_path)
    content = path.read_bytes()
    place = content.index(b"TEXT NOT NULL,\n    quantity") + 1
    damaged = content[:place] + b"\xa0" + content[place + 1 :]
    path.write_bytes(damaged)
    for read in (load_results, continued):
        with pytest.raises(StoreRefused, match="can't decode byte 0xa0") as refusal:
            read(tmp_path)
        assert "\n" not in str(refusal.value)
    assert "can't decode byte 0xa0" in find_damage(tmp_path).damage.problem
    # No run can be told whole; the damaged file is kept.
    repair = drop_damaged_runs(tmp_path)
    assert repair.n_kept == 0
    assert repair.original.read_bytes() == damaged


@pytest.mark.parametrize("read", [load_results, continued])
def test_a_file_cut_off_is_refused_in_one_line(tmp_path, read):
    path = make_store(tmp_path)
    path.write_bytes(path.read_bytes()[: -3 * 4096])
    with pytest.raises(StoreRefused, match="malformed") as refusal:
        read(tmp_path)
    assert "\n" not in str(refusal.value)


def test_a_damaged_store_is_kept_under_a_name_that_is_free(tmp_path):
    path = make_store(tmp_path)
    for number in (1, 2):
        changed(path, f"UPDATE run SET seconds = {number} WHERE run_id = 'raw-0.5-{number}'")
        damaged = path.read_bytes()
        original = drop_damaged_runs(tmp_path).original
        assert original == tmp_path / f"results.damaged-{number}.sqlite"
        assert original.read_bytes() == damaged
    # Nothing is damaged: nothing is written.
    before = path.read_bytes()
    assert drop_damaged_runs(tmp_path).original is None
    assert path.read_bytes() == before


def test_damaged_runs_of_a_store_in_use_are_not_dropped(tmp_path):
    make_store(tmp_path)
    with continued(tmp_path), pytest.raises(StoreRefused, match="in use by process"):
        drop_damaged_runs(tmp_path)


NO_DIGESTS = "2 runs were stored without digests: damage to them from before cannot be noticed"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_store_of_an_earlier_version_is_read_and_is_of_this_one_once_it_goes_on(
    tmp_path, version
):
    path = make_old_store(tmp_path, version)
    notes = () if version == 3 else (NO_DIGESTS,)
    found = load_results(tmp_path)
    assert found.notes == notes
    assert found.axes == (() if version == 1 else ("a",))
    assert len(found.captured) == 4
    assert found.captured["rate_bits"].isna().all()
    assert len(found.accuracy) == 2
    assert len(found.scores) == len(found.along) == 0
    with continued_old_store(tmp_path, version) as store:
        assert store.notes == notes
        assert store.finished() == {"raw-0.5-0", "raw-0.5-1"}
    assert_same_results(load_results(tmp_path), found)
    with continued_old_store(tmp_path, version) as store:
        assert store.notes == ()
        store.commit([small_record(2)])
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    changed(path, "UPDATE run SET seconds = 9 WHERE run_id = 'raw-0.5-0'")
    with pytest.raises(StoreRefused, match=r"1 of 3 runs .*\(raw-0\.5-0\)"):
        load_results(tmp_path)


def test_damage_to_a_store_of_version_3_is_noticed_and_its_whole_runs_are_kept(tmp_path):
    path = make_old_store(tmp_path, 3)
    changed(path, "UPDATE captured SET value_bits = 2 WHERE run_id = 'raw-0.5-1'")
    with pytest.raises(StoreRefused, match=r"1 of 2 runs .*\(raw-0\.5-1\)"):
        continued_old_store(tmp_path, 3)
    assert drop_damaged_runs(tmp_path).n_kept == 1
    assert list(load_results(tmp_path).runs["run_id"]) == ["raw-0.5-0"]
    with continued_old_store(tmp_path, 3) as store:
        assert store.finished() == {"raw-0.5-0"}


def test_a_malformed_store_without_digests_is_set_aside_as_a_whole(tmp_path):
    path = make_old_store(tmp_path, 2)
    changed(path, "UPDATE run SET status = 'oj' WHERE run_id = 'raw-0.5-0'")
    with pytest.raises(StoreRefused, match=r"no digests .*--drop` sets it aside"):
        load_results(tmp_path)
    repair = drop_damaged_runs(tmp_path)
    assert repair.n_kept == 0
    assert repair.original is not None
    with continued_old_store(tmp_path, 2) as store:
        assert store.finished() == set()


def test_a_negative_zero_is_not_taken_for_damage(tmp_path):
    row = dataclasses.replace(record("raw", 0.5, 0).captured[0], value_bits=-0.0)
    with ResultsStore.create_or_open(tmp_path, SPEC, "digest") as store:
        store.commit([record("raw", 0.5, 0, captured=(row,), seconds=-0.0)])
    assert load_results(tmp_path).captured["value_bits"].tolist() == [0.0]


def test_a_run_that_is_replaced_has_the_digest_of_its_new_rows(tmp_path):
    with ResultsStore.create_or_open(tmp_path, SPEC, "digest") as store:
        store.commit([record("raw", 0.5, 0, status="failed")])
        store.commit([record("raw", 0.5, 0)])
        store.commit([record("raw", 0.5, 0, status="failed")])
    assert len(load_results(tmp_path).captured) == len(record("raw", 0.5, 0).captured)
