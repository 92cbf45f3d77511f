"""The command bench: lines, files and figures."""

import json
from pathlib import Path

import pytest

from fctestbed.cli.main import run

PLAIN = """
from fctestbed.experiments.bench.timing import timed
REFERENCES = {"augmentation": lambda inputs: {"nothing": timed(int)}}
"""


def test_the_list_has_every_hot_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--list", "--device", "cpu"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    groups = {name.partition("/")[0] for name in names}
    assert groups == {
        "start-up",
        "data",
        "augmentation",
        "truth",
        "critic",
        "probes",
        "oracle",
        "estimators",
        "pid",
        "step",
        "growth",
        "sweep",
    }
    assert {"step/factorcl-sup/official/1", "step/simclr/quick/17"} <= set(names)


def test_results_go_to_a_file_and_a_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    code = run(
        [
            *("bench", "--only", "augmentation", "--rounds", "1", "--device", "cpu"),
            *("--references", str(tmp_path / "plain.py"), "--save", str(tmp_path / "out.json")),
            *("--figure", str(tmp_path / "figures"), "--formats", "png"),
        ]
    )
    assert code == 0
    report = json.loads((tmp_path / "out.json").read_text())
    assert [row["name"] for row in report["cases"]] == [
        "augmentation/official",
        "augmentation/optimal",
    ]
    assert {row["reference"] for row in report["cases"]} == {"nothing"}
    assert report["settings"]["only"] == ["augmentation"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("augmentation/official ")
    assert " x (" in lines[0]
    assert (tmp_path / "figures" / "bench.png").is_file()


def test_cases_that_time_does_not_reach_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["bench", "--only", "pid", "--seconds", "0.000001", "--device", "cpu"])
    assert code == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(line.endswith("left out: no time left") for line in lines)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--only foo", "--only: expected names under start-up, data, "),
        ("--references none.py", "--references: expected a Python file, got "),
        ("--rounds 0", "--rounds: expected greater than 0, got 0"),
        ("--seconds 0", "--seconds: expected greater than 0, got 0"),
        ("--formats gif", "--formats: expected any of png, pdf, svg, got 'gif'"),
        ("--save FILE/x/y.json", "--save: "),
        ("--figure FILE", "--figure: "),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_timed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("FILE").write_text("")
    assert run(["bench", "--only", "truth", "--device", "cpu", *options.split()]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"fctestbed: {message}")
    assert captured.err.count("\n") == 1
