"""The command ``explain``."""

from pathlib import Path

import pytest

from fctestbed.cli.main import run

OPTIONS = (
    "--method simclr --unique-ratio 0,0.5 --seeds 0:1 --shared 2 --unique 1 --n-train 256 "
    "--n-test 64 --set train.steps=4 --set train.batch_size=64 --starts 2 --long 1 --restarts 1"
)


@pytest.mark.slow
def test_levels_are_printed_and_figures_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fctestbed.faults.distilled._REGRESSION_STEPS", 40)
    monkeypatch.setattr("fctestbed.faults.distilled._ADAPTATION_STEPS", 10)
    assert run(["explain", *OPTIONS.split(), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert "simclr at unique ratio 0.5: " in printed.out
    assert "converged: L-BFGS" in printed.out
    assert "simclr: objective" in printed.err
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        "explanation.csv",
        "overview.csv",
        "overview.png",
        "rows",
        "waterfall_simclr.csv",
        "waterfall_simclr.png",
    ]
    assert run(["explain", *OPTIONS.split(), "--out", str(tmp_path / "out")]) == 0
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ("--starts 0", "expected at least 1, got 0"),
        ("--restarts 0", "expected at least 1, got 0"),
        ("--long 0", "--long: expected at least 1, got 0"),
        ("--rate -1", "--rate: expected a number of bits above 0, got -1"),
        ("--formats bmp", "formats: expected any of png"),
        ("--method foo", "expected one of simclr, supcon"),
        ("--unique-ratio 2", "--unique-ratio: expected values from 0 to 1"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    changes: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["explain", *OPTIONS.split(), *changes.split(), "--out", str(out)]) == 2
    printed = capsys.readouterr().err
    assert line in printed
    assert printed.count("\n") == 1
    assert not out.exists()
