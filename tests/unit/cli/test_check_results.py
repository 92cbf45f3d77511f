"""The command check, and damaged results in the other commands."""

import sqlite3
from contextlib import closing

import pytest
from old_stores import make_old_store
from synthetic_results import as_results, record, records

from fctestbed._messages import one_line
from fctestbed.cli.main import run
from fctestbed.results import STORE_NAME, ResultsStore, export_results, load_results


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
