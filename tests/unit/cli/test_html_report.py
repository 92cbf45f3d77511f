"""The command ``report``, and the report at a sweep's end."""

import contextlib
import sqlite3

import pytest
from old_stores import make_old_store
from synthetic_results import RATES, as_results, records

from fctestbed.cli.main import run
from fctestbed.reporting import page
from fctestbed.results import STORE_NAME, export_results


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    out = tmp_path_factory.mktemp("rows")
    export_results(as_results(records((0.0,), ("raw",), (0,), rates=RATES)), out)
    return out


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch):
    """What is drawn is the page's test."""
    monkeypatch.setattr(page, "sweep_drawings", lambda results, rate: {})


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(capsys, arguments, code):
    assert run(["report", *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.removeprefix("fctestbed: ").rstrip("\n")


def test_the_path_is_printed(rows, tmp_path, capsys):
    assert run(["report", str(rows), f"--out={tmp_path / 'a.html'}", "--rate=8"]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'a.html'}\n"
    assert f"fctestbed report {rows} --rate 8" in (tmp_path / "a.html").read_text("utf-8")


def test_an_empty_directory_is_refused_and_nothing_is_written(tmp_path, capsys):
    line = refusal(capsys, [str(tmp_path)], 2)
    assert line.startswith("results: expected results.sqlite or captured.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_store_is_refused_and_nothing_is_written(tmp_path, capsys):
    make_old_store(tmp_path, 3)
    with contextlib.closing(sqlite3.connect(tmp_path / STORE_NAME)) as connection:
        connection.execute("UPDATE run SET seconds = seconds + 1")
        connection.commit()
    assert "damaged" in refusal(capsys, [str(tmp_path)], 4)
    assert [path.name for path in tmp_path.iterdir()] == [STORE_NAME]


def test_a_newer_store_is_refused_and_nothing_is_written(tmp_path, capsys):
    make_old_store(tmp_path, 3)
    with contextlib.closing(sqlite3.connect(tmp_path / STORE_NAME)) as connection:
        connection.execute("PRAGMA user_version = 99")
    refusal(capsys, [str(tmp_path)], 4)
    assert [path.name for path in tmp_path.iterdir()] == [STORE_NAME]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rate=3"], "--rate: expected one of 2, 4, 8, 16, 32, got 3"),
        (["--rate=-1"], "--rate: expected a finite number of bits above 0, got -1"),
        (["--out=."], "--out: expected a file to write, got the directory ."),
    ],
)
def test_bad_options_are_refused_in_one_line(rows, empty, capsys, options, message):
    assert refusal(capsys, [str(rows), *options], 2) == message
    assert list(empty.iterdir()) == []
