"""The command ``train``."""

import json
import os
import pickle
from pathlib import Path

import pytest
from real_files import affect_pickle, affect_tree

from fctestbed.cli.main import run

FAST = [
    *("--set", "train.steps=2", "--set", "nets.embed_dim=4", "--set", "nets.head_dim=4"),
    *("--set", "encoder1.layers=1", "--set", "encoder1.heads=2", "--set", "encoder1.feedforward=8"),
    *("--set", "encoder2.kind=gru", "--set", "nets.critic_hidden=[8]"),
]


@pytest.fixture
def mosi(tmp_path: Path) -> Path:
    return affect_pickle(tmp_path / "mosi_data.pkl")


def train(path: Path, *options: str) -> int:
    return run(["train", "--data", str(path), *FAST, *options])


def test_the_summary_has_data_rows_and_what_is_reported(
    mosi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    options = ("--methods=simclr,factorcl-sup", "--seeds=0:1", f"--out={out}")
    assert train(mosi, *options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("mosi_data.pkl: mosi, sha256 ")
    assert lines[1] == "modality 1: vision, 5 x 4; modality 2: text, 5 x 6"
    (head,) = (line for line in lines if line.startswith("method "))
    own = next(line for line in lines if line.startswith("factorcl-sup "))
    assert max(len(head), len(own)) <= 80
    assert own.split()[-2:] == ["69.1", "51.8"]
    assert any("pliang279/FactorCL issue 3" in line for line in lines)
    assert (out / "rows.csv").is_file()
    # Once more, nothing is trained.
    assert train(mosi, *options) == 0
    assert capsys.readouterr().err.count("test accuracy") == 0


def test_json_has_everything_and_nothing_else_is_on_stdout(
    mosi: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(mosi, "--methods=raw", "--seeds=0", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data"]["samples"]["train"]["n"] == 64
    assert {row["readout"] for row in found["rows"]} == {"z1", "z2", "joint"}
    assert found["summary"][0]["method"] == "raw"
    assert found["settings"]["train"]["steps"] == 2


def test_a_dry_run_trains_nothing(
    mosi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "--data", str(mosi), "--dry-run", "--out", str(tmp_path / "runs")]) == 0
    lines = capsys.readouterr().out
    assert "training: 200 steps of 32 samples, learning rate 0.0001" in lines
    assert "encoders: transformer and transformer, 40 wide" in lines
    assert not (tmp_path / "runs").exists()


def test_a_run_without_rows_ends_with_code_3(
    mosi: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        train(
            mosi,
            "--methods=simclr",
            "--seeds=0",
            "--set",
            "train.learning_rate=1e30",
            "--set",
            "train.steps=6",
        )
        == 3
    )
    caught = capsys.readouterr()
    assert "note: simclr, seed 0: diverged: loss was not finite" in caught.err


def test_a_damaged_store_ends_with_code_4(
    mosi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs"
    assert train(mosi, "--methods=raw", "--seeds=0", f"--out={out}") == 0
    (out / "study.json").write_text("{}")
    assert train(mosi, "--methods=raw", "--seeds=0", f"--out={out}") == 4
    assert "damaged" in capsys.readouterr().err


class _Runs:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("true",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--modality1=vison",), "--modality1: expected one of the arrays of train"),
        (("--dataset=mossi",), "--dataset: expected one of mosi"),
        (("--label-rule=half",), "--label-rule: expected one of sign"),
        (("--methods=simclrr",), "--methods: expected one of"),
        (("--seeds=a",), "--seeds"),
        (("--set", "train.step=3"), "train.step"),
        (("--set", "train"), "--set: expected KEY=VALUE"),
        (("--variant=other",), "--variant"),
        (("--device=tpu",), "--device: expected auto"),
        (("--nonfinite=drop",), "--nonfinite: expected zero or refuse"),
    ],
)
def test_bad_input_is_one_line_with_code_2(
    mosi: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert train(mosi, f"--out={tmp_path / 'runs'}", *options) == 2
    error = capsys.readouterr().err
    assert error.startswith("fctestbed: ")
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_pickle_that_runs_code_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mosi_data.pkl"
    path.write_bytes(pickle.dumps({**affect_tree(), "more": _Runs()}))
    assert train(path) == 2
    assert "system, which is not called" in capsys.readouterr().err


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(tmp_path / "none.pkl", "--dataset=mosi") == 2
    assert capsys.readouterr().err.count("\n") == 1
