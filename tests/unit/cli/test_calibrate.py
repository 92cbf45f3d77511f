"""``calibrate`` on laws of known information: its files, and what it refuses."""

import contextlib
import gzip
import io
import shutil

import pandas as pd
import pytest

from fctestbed.calibration import calibrate, read_calibration
from fctestbed.cli.main import run
from fctestbed.estimators import make_estimator
from fctestbed.laws import LAWS

ENDINGS = ("png", "pdf", "csv")
QUICK = ["--n", "60", "--repetitions", "2", "--workers", "1", "--formats", "png"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished calibration, and what it printed."""
    out = tmp_path_factory.mktemp("finished") / "calibration"
    said, told = io.StringIO(), io.StringIO()
    line = ["calibrate", "--out", str(out), "--estimators", "plugin,gaussian"]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
        assert run([*line, "--groups", "nothing", *QUICK]) == 0
    return out, said.getvalue(), told.getvalue()


@pytest.fixture
def done(finished, tmp_path):
    """A copy of the finished calibration, and the command that goes on with it."""
    out = shutil.copytree(finished[0], tmp_path / "calibration")
    return out, ["calibrate", "--out", str(out), "--estimators", "plugin,gaussian"]


def test_rows_summary_verdicts_and_figures_are_written(finished):
    out, said, told = finished
    names = ["rows.csv.gz", "summary.csv", "verdicts.csv"]
    figures = [
        f"calibration_{k}_60.{e}" for k in ("discrete", "continuous") for e in ("png", "csv")
    ]
    assert {path.name for path in out.iterdir()} == {*names, *figures}
    assert all(str(out / name) in said for name in names + figures)
    assert "2 of 2 cells done" in told
    rows = read_calibration(out / "rows.csv.gz")
    assert list(rows["estimator"]) == ["plugin", "plugin", "gaussian", "gaussian"]
    assert list(pd.read_csv(out / "verdicts.csv")["estimator"]) == ["plugin", "gaussian"]
    # The table of verdicts is printed too.
    assert "cover_less" in said


def test_added_rows_stand_beside_those_that_were_there(done, capsys):
    out, line = done
    assert run([*line[:3], "--estimators", "miller-madow", "--groups", "nothing", *QUICK]) == 0
    assert set(read_calibration(out / "rows.csv.gz")["estimator"]) == {"miller-madow"}
    assert run([*line, "--groups", "nothing", "--add", *QUICK]) == 0
    rows = read_calibration(out / "rows.csv.gz")
    assert list(rows["estimator"].unique()) == ["plugin", "miller-madow", "gaussian"]


def test_figures_are_drawn_again_from_the_rows(done, tmp_path, capsys):
    out, _ = done
    again = tmp_path / "again"
    assert run(["figures-calibration", str(out), "--out", str(again), "--formats", "png"]) == 0
    assert len(list(again.iterdir())) == 4
    for path in again.iterdir():
        assert path.read_bytes() == (out / path.name).read_bytes()


def test_the_same_rows_give_the_same_bytes(done):
    out, _ = done
    content = (out / "rows.csv.gz").read_bytes()
    assert gzip.compress(gzip.decompress(content), mtime=0) == content


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--estimators", "foo"], "--estimators: expected some of plugin, "),
        (["--estimators", "plugin,"], "--estimators: expected some of plugin, "),
        (["--groups", "magic"], "--groups: expected some of nothing, channels, "),
        (["--n", "x"], "--n: expected whole numbers such as 200,1000, got 'x'"),
        (["--n", "0"], "--n: expected at least 1, got 0"),
        (["--repetitions", "0"], "--repetitions: expected at least 1, got 0"),
        (["--cell-seconds", "-1"], "--cell-seconds: expected at least 0, got -1"),
        (["--workers", "0"], "--workers: expected at least 1, got 0"),
        (["--seed", "-1"], "--seed: expected at least 0, got -1"),
        (["--formats", "gif"], "--formats: expected any of png, pdf, svg, got 'gif'"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_in_one_line(tmp_path, capsys, arguments, message):
    assert run(["calibrate", "--out", str(tmp_path / "calibration"), *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"fctestbed: {message}")
    assert err.count("\n") == 1


def test_a_directory_that_cannot_be_is_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(["calibrate", "--out", str(tmp_path / "file"), *QUICK]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("fctestbed: --out: expected a directory that can be written, got ")


def test_rows_that_cannot_be_added_to_or_drawn_are_refused(tmp_path, capsys):
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert run(["calibrate", "--out", str(tmp_path), "--add", *QUICK]) == 2
    assert "rows.csv.gz: expected rows of a calibration, got: no column" in capsys.readouterr().err
    assert run(["figures-calibration", str(tmp_path / "none")]) == 2
    assert "rows of a calibration, got: No such file" in capsys.readouterr().err


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path, capsys):
    out = tmp_path / "calibration"
    nothing = [law for law in LAWS if law.group == "nothing" and law.kind == "discrete"]
    plugin = {"plugin": make_estimator("plugin")}
    calibrate(plugin, laws=nothing, n=(60,), repetitions=2, parts=out / "parts")
    (part,) = (out / "parts").iterdir()
    # Told apart from a new answer.
    pd.read_csv(part).assign(seconds=9.0).to_csv(part, index=False)
    line = ["calibrate", "--out", str(out), "--estimators", "plugin,gaussian"]
    assert run([*line, "--groups", "nothing", *QUICK]) == 0
    rows = read_calibration(out / "rows.csv.gz")
    assert (rows["seconds"] == 9.0).to_list() == (rows["estimator"] == "plugin").to_list()
    assert not (out / "parts").exists()


def test_drawn_laws_have_a_table_and_a_figure_of_their_own(tmp_path, capsys):
    out = tmp_path / "drawn"
    line = ["calibrate", "--out", str(out), "--drawn", "0:1", "--estimators", "ksg1,ross"]
    assert run([*line, "--n", "300", "--repetitions", "2", "--workers", "1"]) == 0
    names = {"rows.csv.gz", "summary.csv", "verdicts.csv", "drawn.csv"}
    assert {p.name for p in out.iterdir()} == names | {f"drawn_laws.{e}" for e in ENDINGS}
    table = pd.read_csv(out / "drawn.csv")
    assert list(table["kind"]) == ["continuous", "mixed"]
    assert list(table["laws"]) == [2, 2]
    assert "covering" in capsys.readouterr().out
    again = tmp_path / "again"
    assert run(["figures-calibration", str(out), "--out", str(again), "--formats", "png"]) == 0
    assert {path.name for path in again.iterdir()} == {"drawn_laws.png", "drawn_laws.csv"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--drawn", "x"], "--drawn: expected "),
        (["--drawn", "-1"], "--drawn: expected whole numbers from 0 "),
        (["--drawn", "0", "--groups", "nothing"], "--groups: expected none with --drawn, got "),
    ],
)
def test_seeds_of_laws_that_cannot_be_are_refused(tmp_path, capsys, arguments, message):
    assert run(["calibrate", "--out", str(tmp_path / "drawn"), *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"fctestbed: {message}")
    assert list(tmp_path.iterdir()) == []
