"""A tiny sweep through the command line, from nothing to figures."""

import contextlib
import io
import json
import re
from collections.abc import Iterator
from html import unescape

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_sweeps import TINY_OPTIONS

from fctestbed.cli.main import run
from fctestbed.reporting import conclusions
from fctestbed.results import CAPTURED_COLUMNS, STORE_NAME, load_results

SWEEP = ["sweep", "--unique-ratio=0,1", "--seeds=0", "--workers=1", "--device=cpu", *TINY_OPTIONS]
METHODS = ("simclr", "factorcl-sup", "untrained", "raw")
# All figures and the report are those of the sweep that several tests share.
ONE_FIGURE = "--only-figures=label_bits"


@pytest.fixture(autouse=True)
def _denormals_stay() -> Iterator[None]:
    """A sweep's process treats denormals as zero."""
    yield
    torch.set_flush_denormal(False)


def sweep(out, *more):
    arguments = ["--out", str(out / "rows"), "--figures", str(out / "pictures")]
    return run([*SWEEP, "--methods", ",".join(METHODS), *arguments, *more])


def files(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def told():
    """What the finished sweep printed: results and progress."""
    return io.StringIO(), io.StringIO()


@pytest.fixture(scope="module")
def finished(tmp_path_factory, told):
    out = tmp_path_factory.mktemp("sweep")
    with contextlib.redirect_stdout(told[0]), contextlib.redirect_stderr(told[1]):
        assert sweep(out) == 0
    return out


def test_a_sweep_ends_with_rows_of_every_run(finished):
    results = load_results(finished / "rows")
    assert tuple(results.captured.columns) == CAPTURED_COLUMNS
    runs = results.runs[["method", "unique_ratio", "seed", "status"]]
    assert {tuple(row) for row in runs.to_numpy().tolist()} == {
        (method, ratio, 0, "ok") for method in METHODS for ratio in (0.0, 1.0)
    }
    assert len(runs) == 8
    counts = results.captured.groupby(["estimator", "run_id"]).size()
    # Three readouts, or five of a factorised method and one at equal width, of the label, 3 blocks,
    # 3 parts and 4 bits.
    assert sorted(counts["linear_probe"]) == [33] * 6 + [66] * 2
    # And S, U1, U2 of the joint one, at five rates.
    assert sorted(counts["rate"]) == [5 * 36] * 6 + [5 * 58] * 2
    for provenance in map(json.loads, results.runs["provenance"]):
        assert {"fctestbed", "torch", "device", "commit"} <= provenance.keys()
    assert (results.runs["seconds"] > 0).all()


def test_no_value_is_above_its_ceiling(finished):
    captured = load_results(finished / "rows").captured
    assert (captured["value_bits"] <= captured["ceiling_bits"] + 1e-9).all()
    assert (captured["true_bits"] <= captured["ceiling_bits"] + 1e-9).all()
    assert (captured["low_bits"] <= captured["value_bits"]).all()
    assert (captured["value_bits"] <= captured["high_bits"]).all()


def test_raw_inputs_of_a_linear_world_are_at_the_truth(finished):
    captured = load_results(finished / "rows").captured
    bits = captured[
        (captured["method"] == "raw")
        & (captured["estimator"] == "linear_probe")
        & captured["quantity"].str.contains("[", regex=False)
    ]
    # 128 held-out samples and 4 weights fitted on 256.
    assert bits["value_bits"].to_numpy() == pytest.approx(bits["true_bits"].to_numpy(), abs=0.1)


def test_a_sweep_ends_with_a_report_of_its_rows(finished):
    page = (finished / "rows" / "report.html").read_text(encoding="utf-8")
    assert f"fctestbed figures {finished / 'rows'} --out figs" in page
    for sentence in conclusions(load_results(finished / "rows")):
        assert sentence in unescape(page)
    assert page.count("<svg ") >= 4


def test_a_sweep_ends_with_figures(finished):
    pictures = {path.name for path in (finished / "pictures").iterdir()}
    for name in ("label_bits", "blocks", "accuracy", "latent_bits"):
        assert {f"{name}.png", f"{name}.pdf", f"{name}.csv"} <= pictures


def test_the_same_command_again_trains_nothing_and_tells_the_same(finished, told, capsys):
    before = files(finished)
    # The other figures, and the report, stay as they are.
    assert sweep(finished, ONE_FIGURE, "--no-report") == 0
    out, err = capsys.readouterr()
    assert err == "8 runs, 8 already done\n"
    report = f"report in {finished / 'rows' / 'report.html'}\n"
    assert f"{out}{report}" == told[0].getvalue()
    assert files(finished) == before


def test_results_go_to_stdout_and_progress_to_stderr(finished, told):
    out, err = (text.getvalue() for text in told)
    assert re.search(r"exact total +2\.00 +2\.00\n", out)
    assert f"results in {finished / 'rows'}, figures in {finished / 'pictures'}\n" in out
    assert err.startswith("8 runs: 5 trainings in 4 stacks, in this process\n")
    assert err.splitlines()[-1].startswith("8/8 runs, ")
    read = r"read (at R = \d+ bits|by a linear probe)"
    assert re.match(rf"Label bits {read} \(joint readout\), mean over seeds:\n", out)


def test_a_dry_run_tells_the_plan_and_writes_nothing(tmp_path, capsys):
    assert sweep(tmp_path, "--dry-run") == 0
    out, err = capsys.readouterr()
    assert "runs: 8, of which 0 are done\n" in out
    assert "trainings left: 5, in 4 stacks of at most 6\n" in out
    assert err == ""
    assert files(tmp_path) == {}


def test_a_sweep_with_a_diverged_run_goes_on_and_says_so_every_time(tmp_path, capsys):
    more = ("--methods=supervised,raw", "--set=train.learning_rate=1e30", ONE_FIGURE, "--no-report")
    for _ in range(2):
        assert sweep(tmp_path, *more) == 3
        out, _ = capsys.readouterr()
        assert "not ok: supervised at ratio 0, seed 0: diverged: loss was not finite" in out
    statuses = load_results(tmp_path / "rows").runs.groupby("method")["status"].first().to_dict()
    assert statuses == {"supervised": "diverged", "raw": "ok"}
    assert (tmp_path / "pictures" / "label_bits.png").exists()
    assert not (tmp_path / "rows" / "report.html").exists()


def test_a_sweep_of_which_nothing_is_left_says_so(tmp_path, capsys):
    assert sweep(tmp_path, "--methods=supervised", "--set=train.learning_rate=1e30") == 3
    out, _ = capsys.readouterr()
    assert "diverged" in out
    assert not (tmp_path / "pictures").exists()


def test_a_sweep_file_is_the_same_sweep_as_its_options(tmp_path, capsys):
    config = tmp_path / "mine.toml"
    config.write_text('methods = ["raw"]\nunique_ratio = "0:1:1"\n[train]\nsteps = 10\n')
    common = ["sweep", "--config", str(config), "--dry-run", "--seeds=0"]
    assert run(common) == 0
    out, _ = capsys.readouterr()
    assert "runs: 2, of which 0 are done\n" in out
    assert out.endswith("results in sweeps/mine\n")


NOISE, STEPS = "world.observation.noise", "train.steps"


def rows_of(out, options):
    """A sweep's results after its rows went to CSV and back."""
    steps = [option for option in TINY_OPTIONS if STEPS not in option]
    common = ["sweep", "--unique-ratio=0,1", "--seeds=0,1", "--methods=simclr,raw", "--workers=1"]
    places = ["--out", str(out / "rows"), "--figures", str(out / "pictures"), ONE_FIGURE]
    common += ["--device=cpu", "--no-report"]
    assert run([*common, *steps, *options, *places]) == 0
    assert run(["export", str(out / "rows"), "--out", str(out / "csv")]) == 0
    return load_results(out / "csv")


def test_another_field_is_swept_from_the_command_line_down_to_rows(tmp_path):
    results = rows_of(tmp_path, [f"--axis={NOISE}=0,2", "--set=train.steps=10"])
    assert results.axes == (NOISE,)
    columns = list(results.captured.columns)
    assert columns[columns.index("unique_ratio") : columns.index("readout")] == [
        "unique_ratio",
        NOISE,
        "seed",
    ]
    assert results.runs["run_id"].nunique() == len(results.runs) == 16
    probes = results.captured[
        (results.captured["estimator"] == "linear_probe")
        & (results.captured["quantity"] == "shared")
        & (results.captured["method"] == "raw")
        & (results.captured["readout"] == "joint")
    ]
    assert "label_bits.png" in {path.name for path in files(tmp_path / "pictures")}
    # Noise of twice the inputs' spread hides most of the two bits.
    bits = probes.groupby(NOISE)["value_bits"].mean()
    assert bits[0.0] > bits[2.0] + 0.5


TWO_AXES = [f"--axis={NOISE}=0,0.5", f"--axis={STEPS}=5,10"]


def test_two_axes_are_a_grid_of_rows_and_a_run_that_serves_two_values_is_done_once(tmp_path):
    results = rows_of(tmp_path, TWO_AXES)
    assert results.axes == (NOISE, STEPS)
    for table in (results.captured, results.accuracy, results.runs):
        cells = table.groupby(["method", NOISE, STEPS, "unique_ratio", "seed"]).size()
        assert len(cells) == 2 * 2 * 2 * 2 * 2
        # Without noise there is information at rates as well.
        assert cells.groupby(["method", NOISE]).nunique().eq(1).all()
    assert results.runs.groupby("method")["run_id"].nunique().to_dict() == {"raw": 8, "simclr": 16}
    assert (results.captured["status"] == "ok").all()
    drawn = {path.name for path in files(tmp_path / "pictures")}
    assert {"label_bits.png", "label_bits.csv"} <= drawn


def test_axes_of_a_file_are_the_plan_of_their_options(tmp_path, capsys):
    config = tmp_path / "mine.toml"
    config.write_text(f'[axes]\n"{NOISE}" = [0, 0.5]\n{STEPS} = "5:10:5"\n')
    plans = []
    for axes in (TWO_AXES, ["--config", str(config)]):
        assert run(["sweep", "--seeds=0", "--name=mine", *axes, "--dry-run"]) == 0
        plans.append(capsys.readouterr().out)
    assert NOISE in plans[0]
    assert plans[0] == plans[1]


def test_an_axis_that_cannot_be_is_refused_and_nothing_is_written(tmp_path, capsys):
    assert sweep(tmp_path, "--axis=world.noise=0,1") == 2
    out, err = capsys.readouterr()
    expected = f"--axis world.noise: expected a field such as {NOISE}, got 'world.noise'"
    assert (out, err) == ("", f"fctestbed: {expected}\n")
    assert sweep(tmp_path, f"--axis={NOISE}=0,1", "--noise=0.5") == 2
    assert capsys.readouterr().err.startswith("fctestbed: --noise: expected a value or an axis, ")
    assert files(tmp_path) == {}


def test_figures_are_drawn_again_from_rows_alone(finished, tmp_path, capsys):
    out = tmp_path / "again"
    assert run(["figures", str(finished / "rows"), "--out", str(out), "--formats=svg"]) == 0
    printed = capsys.readouterr().out.split()
    assert str(out / "label_bits.svg") in printed
    # Tables are Markdown too.
    assert {path.suffix for path in out.iterdir()} - {".md"} == {".svg", ".csv"}
    assert len(printed) == len(list(out.iterdir()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("figures --formats gif", "--formats: expected any of png, pdf, svg, got 'gif'"),
        ("figures --estimator x", "--estimator: expected one of linear_probe, rate, got 'x'"),
        ("figures --out ROWS", "expected a directory that can be written"),
        (
            "export --format foo --out x",
            "--format: expected one of csv, json, parquet, hf, got 'foo'",
        ),
        ("export --format json --compress --out x", "--compress: expected format 'csv' with it"),
        ("export --out ROWS", "expected a directory that can be written"),
    ],
)
def test_figures_and_exports_that_cannot_be_are_refused(finished, capsys, options, message):
    command, *rest = options.replace("ROWS", str(finished / "rows" / STORE_NAME)).split()
    before = files(finished)
    assert run([command, str(finished / "rows"), *rest]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert files(finished) == before


@pytest.mark.parametrize(
    ("more", "name"), [((), "captured.csv"), (("--compress",), "captured.csv.gz")]
)
def test_exported_rows_are_the_store_s(finished, tmp_path, capsys, more, name):
    assert run(["export", str(finished / "rows"), "--out", str(tmp_path), *more]) == 0
    assert str(tmp_path / name) in capsys.readouterr().out.split()
    expected = load_results(finished / "rows").captured
    pd.testing.assert_frame_equal(load_results(tmp_path).captured, expected)
    assert np.isfinite(expected["value_bits"]).all()


@pytest.mark.parametrize(
    "options",
    [
        "--label=threshold --relevant=2 --unique-ratio=1",
        "--label=planar --relevant=2 --unique-ratio=1 --set=world.label.n_classes=2",
        "--latents=gaussian",
        "--label=noiseless --label-bits=2",
        "--augmentation=official",
    ],
)
def test_every_kind_of_world_goes_through(tmp_path, options):
    few = (ONE_FIGURE, "--no-report")
    assert sweep(tmp_path, "--methods=simclr,factorcl-ssl", *few, *options.split()) == 0
    assert (load_results(tmp_path / "rows").captured["status"] == "ok").all()
