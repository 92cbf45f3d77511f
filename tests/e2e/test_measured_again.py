"""A sweep through the command line, measured again from its encoders by the command line."""

import shutil
from collections.abc import Iterator

import pandas as pd
import pytest
import torch
from tiny_sweeps import TINY_OPTIONS

import fctestbed.sweep.execute as execute_module
from fctestbed import load_encoder
from fctestbed.cli.main import run
from fctestbed.plotting import write
from fctestbed.results import ENCODERS, load_results

SWEEP = ["sweep", "--unique-ratio=0,1", "--seeds=0", "--workers=1", "--device=cpu", *TINY_OPTIONS]
SWEEP += ["--no-report"]
# A curve and a table: no figure reads anything but rows.
FEW_FIGURES = ("--formats=png", "--only=label_bits,ablation")
ONE_FIGURE = ("--formats=png", "--only=label_bits")
METHODS = "--methods=simclr,factorcl-sup,ourcl-sup,comm,unimodal-ssl,supervised,untrained,raw"


@pytest.fixture(autouse=True)
def _denormals_stay() -> Iterator[None]:
    """A sweep's process treats denormals as zero."""
    yield
    torch.set_flush_denormal(False)


def sweep(place, *more):
    return run([*SWEEP, METHODS, f"--out={place / 'rows'}", "--no-figures", *more])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = tmp_path_factory.mktemp("measured_again")
    assert sweep(place) == 0
    return place


@pytest.fixture(autouse=True)
def _nothing_is_trained(finished, monkeypatch):
    monkeypatch.setattr(execute_module, "train_stack", None)


def test_the_rows_are_those_of_the_sweep_and_figures_are_drawn_from_them(
    finished, tmp_path, monkeypatch
):
    few = ("label_bits", "ablation")
    monkeypatch.setattr(write, "FIGURES", {name: write.FIGURES[name] for name in few})
    new = tmp_path / "new"
    assert (
        run(["measure", str(finished / "rows"), f"--out={new}", "--workers=1", "--device=cpu"]) == 0
    )
    found, expected = load_results(new), load_results(finished / "rows")
    pd.testing.assert_frame_equal(found.captured, expected.captured, check_exact=True)
    pd.testing.assert_frame_equal(found.accuracy, expected.accuracy, check_exact=True)
    assert found.runs["run_id"].tolist() == expected.runs["run_id"].tolist()
    assert {path.name for path in new.glob("label_bits.*")} == {
        "label_bits.png", "label_bits.pdf", "label_bits.csv"
    }  # fmt: skip
    assert run(["figures", str(new), f"--out={tmp_path / 'figs'}", *FEW_FIGURES]) == 0
    assert run(["check", str(new)]) == 0


def test_a_sweep_without_encoders_has_the_same_rows_and_cannot_be_measured(
    finished, tmp_path, monkeypatch, capsys
):
    monkeypatch.undo()
    monkeypatch.setattr("fctestbed.plotting.draw_figures", lambda *a, **k: [])
    assert sweep(tmp_path, "--no-encoders") == 0
    assert not (tmp_path / "rows" / ENCODERS).exists()
    found, expected = (load_results(place / "rows") for place in (tmp_path, finished))
    pd.testing.assert_frame_equal(found.captured, expected.captured, check_exact=True)
    # The same sweep, so that either command goes on with the other's.
    assert sweep(tmp_path) == 0
    capsys.readouterr()
    assert run(["measure", str(tmp_path / "rows"), f"--out={tmp_path / 'new'}"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fctestbed: directory: expected kept encoders in ")
    assert error.count("\n") == 1
    assert not (tmp_path / "new").exists()


def test_removed_encoders_change_neither_figures_nor_export(finished, tmp_path):
    rows = shutil.copytree(finished / "rows", tmp_path / "rows")
    shutil.rmtree(rows / ENCODERS)
    assert run(["figures", str(rows), f"--out={tmp_path / 'figs'}", *ONE_FIGURE]) == 0
    assert run(["export", str(rows), f"--out={tmp_path / 'files'}"]) == 0
    assert run(["check", str(rows)]) == 0


def test_an_encoder_takes_three_lines(finished):
    runs = load_results(finished / "rows").runs
    encoder = load_encoder(finished / "rows", runs["run_id"][0])
    found = encoder(torch.zeros(7, 6), torch.ones(7, 6))
    assert found["joint"].shape[0] == 7
