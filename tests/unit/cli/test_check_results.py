"""The command check, and damaged results in the other commands."""

import json
import shutil
import sqlite3
import struct
from contextlib import closing
from dataclasses import replace

import pytest
from old_stores import make_old_store
from synthetic_results import as_results, record, records

from fctestbed._messages import one_line
from fctestbed.cli.main import run
from fctestbed.results import (
    ENCODER_KEY,
    STORE_NAME,
    Checkpoint,
    KeptEncoder,
    ResultsStore,
    StoreRefused,
    checkpoint_path,
    encoder_path,
    export_results,
    load_results,
    read_checkpoint,
    remove_damaged_checkpoints,
    write_atomically,
    write_checkpoint,
    write_encoders,
)
from fctestbed.results.tensor_files import tensor_bytes


@pytest.fixture
def stored(tmp_path):
    out = tmp_path / "rows"
    with ResultsStore.create_or_open(out, {}, "digest") as store:
        store.commit([record("raw", 0.5, seed) for seed in range(3)])
    return out


def damage(out):
    with closing(sqlite3.connect(out / STORE_NAME)) as connection, connection:
        connection.execute("UPDATE captured SET value_bits = 9 WHERE run_id = 'raw-0.5-1'")


def test_a_whole_store_is_said_to_be_whole(stored, capsys):
    assert run(["check", str(stored)]) == 0
    assert capsys.readouterr().out == f"{stored / STORE_NAME}: 3 runs, all as they were stored\n"
    assert run(["check", str(stored), "--drop"]) == 0


@pytest.mark.parametrize("command", ["check", "figures", "export"])
def test_a_damaged_store_is_refused_with_exit_code_4_by_every_command(
    stored, tmp_path, capsys, command
):
    damage(stored)
    out = [] if command == "check" else ["--out", str(tmp_path / "out")]
    assert run([command, str(stored), *out]) == 4
    said, error = capsys.readouterr()
    assert said == ""
    message = one_line(
        f"{stored / STORE_NAME}: damaged: 1 of 3 runs are not as they were stored "
        f"(raw-0.5-1): `fctestbed check {stored} --drop` removes damaged runs, and the same sweep "
        "command makes these again"
    )
    assert error == f"fctestbed: {message}\n"
    assert not (tmp_path / "out").exists()


def test_damaged_runs_are_dropped_when_asked(stored, capsys):
    damage(stored)
    assert run(["check", str(stored), "--drop"]) == 0
    assert capsys.readouterr().out == (
        f"{stored / STORE_NAME}: 2 runs kept, 1 damaged runs removed (raw-0.5-1); the damaged file "
        f"is {stored / 'results.damaged-1.sqlite'}; the same sweep command makes again what is "
        "missing\n"
    )
    assert len(load_results(stored).runs) == 2
    assert run(["check", str(stored)]) == 0


def test_a_damaged_description_is_left_to_the_sweep(stored, capsys):
    with closing(sqlite3.connect(stored / STORE_NAME)) as connection, connection:
        connection.execute("UPDATE sweep SET created = 'then'")
    assert run(["check", str(stored)]) == 4
    assert "the same sweep command writes the description again" in capsys.readouterr().err
    assert run(["check", str(stored), "--drop"]) == 0
    assert "no run is damaged" in capsys.readouterr().out


def test_a_store_without_digests_is_said_to_have_none(tmp_path, capsys):
    old = tmp_path / "old"
    make_old_store(old, 2)
    assert run(["check", str(old)]) == 0
    assert "2 runs, stored without digests" in capsys.readouterr().out
    assert run(["export", str(old), "--out", str(tmp_path / "csv")]) == 0
    assert capsys.readouterr().err == (
        "note: 2 runs were stored without digests: damage to them from before cannot be noticed\n"
    )


def test_exported_files_are_checked_too(tmp_path, capsys):
    export_results(as_results(records((0.5,), ("raw",), (0, 1))), tmp_path)
    assert run(["check", str(tmp_path)]) == 0
    assert "2 runs in exported files, which are whole" in capsys.readouterr().out
    text = (tmp_path / "runs.csv").read_text()
    (tmp_path / "runs.csv").write_text(text.replace("1.5", "2.5"))
    assert run(["check", str(tmp_path)]) == 2
    assert "SHA256SUMS" in capsys.readouterr().err
    assert run(["check", str(tmp_path), "--drop"]) == 2
    assert capsys.readouterr().err.startswith("fctestbed: --drop: expected a results store")


KEYS = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def with_encoders(tmp_path):
    """A store whose three runs name an encoder each; the third one's file is missing."""
    out = tmp_path / "encoded"
    with ResultsStore.create_or_open(out, {}, "digest") as store:
        store.commit(
            [
                replace(record("raw", 0.5, seed), diagnostics={ENCODER_KEY: key})
                for seed, key in enumerate(KEYS)
            ]
        )
    files = {
        key: KeptEncoder(key=key, method="raw", training={}, arrays={}).to_bytes()
        for key in KEYS[:2]
    }
    write_encoders(out, files)
    return out


def test_encoder_files_are_checked_and_missing_ones_are_listed(with_encoders, capsys):
    assert run(["check", str(with_encoders)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{with_encoders / STORE_NAME}: 3 runs, all as they were stored",
        "encoders: 2 files as they were written",
        "encoders: 1 files are missing (cccccccccccccccc): their runs cannot be measured again; "
        "rows and figures do not need them; the same sweep command with another --out makes them "
        "anew",
    ]


def test_a_damaged_encoder_file_is_refused_and_set_aside_when_asked(
    with_encoders, capsys, monkeypatch
):
    monkeypatch.chdir(with_encoders.parent)
    first, second = (encoder_path(with_encoders, key) for key in KEYS[:2])
    shutil.copy(second, first)
    assert run(["check", with_encoders.name]) == 4
    path = first.relative_to(with_encoders.parent)
    assert capsys.readouterr().err == (
        f"fctestbed: {path}: expected the encoders of training aaaaaaaaaaaaaaaa, got those of "
        f"bbbbbbbbbbbbbbbb: `fctestbed check {with_encoders.name} --drop` sets damaged encoder "
        "files aside; the runs and their rows stay\n"
    )
    assert run(["check", str(with_encoders), "--drop"]) == 0
    said = capsys.readouterr().out
    assert f"1 damaged encoder files set aside ({KEYS[0]}.damaged-1.safetensors); their" in said
    # The runs stay.
    assert len(load_results(with_encoders).runs) == 3
    assert run(["check", str(with_encoders)]) == 0
    assert "2 files are missing (aaaaaaaaaaaaaaaa, cccccccccccccccc)" in capsys.readouterr().out


@pytest.fixture
def with_checkpoints(stored):
    """A store with two checkpoints, of trainings that were interrupted."""
    for key in KEYS[:2]:
        saved = Checkpoint(key=key, versions={}, runs=(key,), step=1, state={}, arrays={})
        write_checkpoint(stored, saved)
    return stored


def test_checkpoints_are_checked_and_damaged_ones_removed_when_asked(
    with_checkpoints, capsys, monkeypatch
):
    monkeypatch.chdir(with_checkpoints.parent)
    with_checkpoints = with_checkpoints.relative_to(with_checkpoints.parent)
    assert run(["check", str(with_checkpoints)]) == 0
    whole = f"{with_checkpoints / STORE_NAME}: 3 runs, all as they were stored"
    assert capsys.readouterr().out.splitlines() == [
        whole,
        "checkpoints: 2 files as they were written; the same sweep command goes on from them",
    ]
    first, second = (checkpoint_path(with_checkpoints, key) for key in KEYS[:2])
    shutil.copy(second, first)
    assert run(["check", str(with_checkpoints)]) == 4
    said, error = capsys.readouterr()
    assert said.splitlines()[0] == whole
    assert "checkpoints: 1 files as they were written" in said
    assert error == (
        f"fctestbed: {one_line(str(first))}: expected the checkpoint of unit {KEYS[0][:16]}, got "
        f"that of {KEYS[1][:16]}: `fctestbed check {with_checkpoints} --drop` removes damaged "
        "checkpoints; their trainings begin anew\n"
    )
    assert run(["check", str(with_checkpoints), "--drop"]) == 0
    assert not first.exists()
    assert second.exists()
    assert run(["check", str(with_checkpoints)]) == 0


def test_every_part_that_is_damaged_is_named_at_once(with_encoders, capsys):
    damage(with_encoders)
    encoder = encoder_path(with_encoders, KEYS[0])
    encoder.write_bytes(encoder.read_bytes()[:-1] + b"x")
    checkpoint = checkpoint_path(with_encoders, KEYS[0])
    write_atomically(checkpoint, b"cut off")
    assert run(["check", str(with_encoders)]) == 4
    said, error = capsys.readouterr()
    lines = said.splitlines()[-3:]
    for line, path in zip(lines, (STORE_NAME, encoder, checkpoint), strict=True):
        assert str(path) in line
        assert "--drop" in line
    assert error == (
        f"fctestbed: {with_encoders}: the store, 1 encoder files and 1 checkpoints are damaged\n"
    )
    assert run(["check", str(with_encoders), "--drop"]) == 0
    assert run(["check", str(with_encoders)]) == 0
    assert len(load_results(with_encoders).runs) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "expected a checkpoint of format 1, got format 2"),
        ({"format": None}, "expected a checkpoint of format 1, got format None"),
        ({"step": 2}, "expected a checkpoint as it was written, got another"),
        ({"more": 2}, "expected a checkpoint as it was written, got another"),
    ],
)
def test_a_changed_checkpoint_is_refused_in_one_line(stored, change, message):
    about = {"format": 1, "key": KEYS[0], "versions": {}, "runs": [], "step": 1, "state": {}}
    sealed = tensor_bytes(about, {})
    (length,) = struct.unpack("<Q", sealed[:8])
    header = json.loads(sealed[8 : 8 + length])
    metadata = header["__metadata__"]
    metadata["fctestbed"] = json.dumps({**json.loads(metadata["fctestbed"]), **change})
    changed = json.dumps(header).encode()
    path = checkpoint_path(stored, KEYS[0])
    write_atomically(path, sealed)
    assert read_checkpoint(stored, KEYS[0]).step == 1
    write_atomically(path, struct.pack("<Q", len(changed)) + changed + sealed[8 + length :])
    with pytest.raises(StoreRefused, match=message) as refused:
        read_checkpoint(stored, KEYS[0])
    assert str(refused.value).startswith(f"{path}: ")


def test_checkpoints_of_a_store_in_use_are_not_removed(with_checkpoints):
    path = checkpoint_path(with_checkpoints, KEYS[0])
    with (
        ResultsStore.create_or_open(with_checkpoints, {}, "digest"),
        pytest.raises(StoreRefused, match="in use by"),
    ):
        remove_damaged_checkpoints(with_checkpoints, [path])
    assert path.exists()
