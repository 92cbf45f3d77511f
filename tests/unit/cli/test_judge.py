"""The commands ``judge`` and ``compare``: what they print, their exit codes, what is refused."""

import pandas as pd
import pytest
from claim_files import write_claim
from synthetic_results import RATES, as_results, records

from fctestbed.claims import evidence as evidence_module
from fctestbed.cli.main import run
from fctestbed.cli.tables import plain_table
from fctestbed.results import export_results

METHODS = ("simclr", "factorcl-ssl", "disentangled-ssl")


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    places = []
    for seeds in ((0, 1, 2), (1, 2, 3)):
        places.append(tmp_path_factory.mktemp("rows"))
        export_results(as_results(records((0.0, 0.25), METHODS, seeds, rates=RATES)), places[-1])
    return [str(place) for place in places]


def test_compare_fits_eighty_columns_and_writes_all_of_it_as_csv(sweeps, tmp_path, capsys):
    csv = tmp_path / "cells.csv"
    options = ["--quantity=label,shared", "--rate=4,8", "--csv", str(csv)]
    assert run(["compare", *sweeps, *options]) == 0
    printed, noted = capsys.readouterr()
    lines = printed.splitlines()
    # The last line is the file's path.
    assert lines[-1] == str(csv)
    assert max(map(len, lines[:-1])) <= 80
    assert lines[2].split() == ["method", "ratio", "quantity", "R", "A", "B", "B", "-", "A",
                                "interval", "p"]  # fmt: skip
    assert lines[-2] == "24 cells: nothing differs, 24 are equal"
    assert noted.splitlines() == [
        "note: not compared, seed in A alone: 0",
        "note: not compared, seed in B alone: 3",
    ]
    cells = pd.read_csv(csv)
    assert len(cells) == 24
    assert {"low_bits", "high_bits", "p_value", "p_holm", "says"} < set(cells.columns)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--methods=foo", "--methods: expected some of disentangled-ssl, factorcl-ssl, simclr, go"),
        ("--quantity=foo", "--quantity: expected some of label, "),
        ("--readout=foo", "--readout: expected some of "),
        ("--rate=5", "--rate: expected one of 2, 4, 8, 16, 32, got 5"),
        ("--rate=x", "--rate: expected numbers such as 4,8, got 'x'"),
        ("--rate=4 --estimator=linear_probe", "--rate: expected none for the estimator linear_pro"),
        ("--estimator=foo", "--estimator: expected one of linear_probe, rate, got 'foo'"),
        ("--smallest-effect=-1", "--smallest-effect: expected a finite number of bits above 0"),
    ],
)
def test_what_compare_cannot_do_is_one_line_and_nothing_is_written(
    sweeps, tmp_path, capsys, options, message
):
    csv = tmp_path / "cells.csv"
    assert run(["compare", *sweeps, "--csv", str(csv), *options.split()]) == 2
    printed, error = capsys.readouterr()
    assert (printed, error.count("\n")) == ("", 1)
    assert message in error
    assert not csv.exists()


def test_compare_of_no_sweep_is_refused(tmp_path, sweeps, capsys):
    assert run(["compare", sweeps[0], str(tmp_path)]) == 2
    assert "expected results.sqlite or captured.csv" in capsys.readouterr().err


def test_judge_prints_verdicts_and_a_dry_run_does_nothing(tmp_path, capsys):
    # What the inputs hold varies little between seeds, so that the verdicts are clear.
    of_inputs = 'left = "simclr"', 'left = "raw"'
    path, out = write_claim(tmp_path / "tiny.toml", of_inputs), tmp_path / "out"
    options = [str(path), "--out", str(out), "--device=cpu", "--workers=1", "--formats=svg"]
    assert run(["judge", *options, "--dry-run"]) == 0
    assert "2 verdicts from 2 sweeps of 18 runs in all" in capsys.readouterr().out
    assert not out.exists()
    assert run(["judge", *options]) == 0
    printed, told = capsys.readouterr()
    lines = printed.splitlines()
    assert lines[1].split() == ["tiny", "holds", "3/3", "0", "3", "none"]
    assert lines[2].split() == ["without:", "long", "training", "holds", "3/3", "0", "3", "none"]
    assert "optimum: tiny, without: long training" in told
    assert run(["judge", *options, "--no-optima"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["tiny", "holds", "3/3", "0", "3"]
    assert max(map(len, lines[:3])) <= 80
    assert str(out / "docket.svg") in lines


def test_judge_says_where_runs_are_not_ok(tmp_path, capsys):
    steps = ("steps = 10", "steps = 10\nlearning_rate = 1e30")
    path = write_claim(tmp_path / "tiny.toml", steps)
    options = ["--out", str(tmp_path / "out"), "--device=cpu", "--workers=1", "--formats=svg"]
    assert run(["judge", str(path), *options]) == 3
    printed, error = capsys.readouterr()
    stated = "tiny not decided 0/3 0 0 not decided"
    assert " ".join(printed.splitlines()[1].split()) == stated
    assert "note: tiny: 6 unfinished runs left out" in error


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (("seeds", "seed"), [], "tiny.toml, line 9: sweep.seed: expected one of"),
        (('left = "simclr"', 'left = "x"'), [], "line 32: predictions.0.left.method: expected one"),
        (None, ["--claim=other"], "--claim: expected some of tiny, got 'other'"),
        (None, ["--device=tpu"], "--device: expected auto, cpu"),
        (None, ["--formats=gif"], "--formats: expected"),
        (None, ["--workers=0"], "--workers: expected"),
    ],
)
def test_what_cannot_be_judged_is_one_line_and_nothing_is_written(
    tmp_path, capsys, change, options, message
):
    path, out = write_claim(tmp_path / "tiny.toml", *([change] if change else [])), tmp_path / "out"
    assert run(["judge", str(path), "--out", str(out), *options]) == 2
    printed, error = capsys.readouterr()
    assert (printed, error.count("\n")) == ("", 1)
    assert message in error
    assert not out.exists()


def test_rows_of_another_version_are_one_line(tmp_path, capsys, monkeypatch):
    path, out = write_claim(tmp_path / "tiny.toml"), tmp_path / "out"
    options = ["--out", str(out), "--device=cpu", "--workers=1", "--formats=svg", "--no-optima"]
    assert run(["judge", str(path), *options]) == 0
    capsys.readouterr()
    monkeypatch.setattr(evidence_module, "__version__", "9.9.9")
    assert run(["judge", str(path), *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "fctestbed: --out: expected rows of version 9.9.9, got those of version"
    )
    assert error.count("\n") == 1


def test_tables_shorten_names_where_they_would_be_too_wide():
    heads, rows = ["name", "n"], [["a-very-long-name-of-a-method", "1"], ["short", "22"]]
    assert plain_table(heads, rows, left=1, width=20) == [
        "name               n",
        "a-very-..-method   1",
        "short             22",
    ]
    wide = plain_table(heads, rows, left=1, width=80)
    assert wide[1] == "a-very-long-name-of-a-method   1"
