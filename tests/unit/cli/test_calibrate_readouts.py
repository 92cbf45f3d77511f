"""``calibrate-readouts`` and ``figures-readouts`` from the command line."""

import pandas as pd
import pytest
from readout_rows import readout_rows

from fctestbed.calibration import READOUT_COLUMNS
from fctestbed.cli.main import run

SMALL = [
    "--set=world.n_train=256",
    "--set=world.n_test=128",
    "--set=world.latents.n_shared=2",
    "--set=world.latents.n_unique1=1",
    "--set=world.latents.n_unique2=1",
    "--set=world.observation.dim1=4",
    "--set=world.observation.dim2=4",
]

BAD = [
    ("--methods foo", "--methods: expected one of simclr, supcon, "),
    ("--estimators foo", "--estimators: expected some of ross, "),
    ("--estimators ksg1", "--estimators: expected some of ross, "),
    ("--methods raw --tau 0", "--tau: expected a number above 0, got 0.0"),
    ("--methods raw --of foo", "--of: expected some of "),
    ("--methods raw --only z9", "--only: expected some of joint, z1, z2, got 'z9'"),
    ("--methods raw --n 0 --estimators ross", "--n: expected at least 1, got 0"),
    ("--n many", "--n: expected whole numbers such as 200,1000, got 'many'"),
    ("--config none.toml", "none.toml: expected a sweep file, got none that can be"),
    (
        "--methods raw --set world.observation.noise=0.1",
        "world: no channel information: expected noise-free observations, of which a readout is ",
    ),
    ("--methods raw --formats gif", "--formats: expected any of png, pdf, svg, got 'gif'"),
    ("--methods raw --workers 0", "--workers: expected at least 1, got 0"),
]


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("options", "message"), BAD, ids=[options for options, _ in BAD])
def test_what_cannot_be_is_one_line_and_nothing_is_written(place, capsys, options, message):
    small = SMALL if "--methods raw" in options else []
    assert run(["calibrate-readouts", *options.split(), *small, "--out", "rows"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    *progress, line = err.splitlines()
    assert line.startswith(f"fctestbed: {message}")
    assert not [words for words in progress if words.startswith("fctestbed: ")]
    assert not list(place.iterdir())


def test_rows_and_figures_are_written_and_drawn_again(place, capsys):
    command = ["calibrate-readouts", "--methods", "raw,untrained", "--n", "100"]
    options = [
        "--estimators",
        "usable-linear,ross",
        "--only",
        "z1",
        "--workers",
        "1",
        "--formats",
        "png",
    ]
    assert run([*command, *options, *SMALL, "--out", "rows"]) == 0
    rows = pd.read_csv("rows/rows.csv")
    assert list(rows.columns[-len(READOUT_COLUMNS) :]) == list(READOUT_COLUMNS)
    assert len(rows) == 2 * 2 * 3
    assert set(rows["tau"]) == {0.5}
    written = capsys.readouterr().out.splitlines()
    assert written[0] == "rows/rows.csv"
    assert "rows/estimators_on_readouts.png" in written
    # No method of Table 1 is there.
    assert not any("table1" in path for path in written)
    table = (place / "rows/estimator_verdicts.csv").read_bytes()
    again = ["rows/rows.csv", "--out", "pictures", "--joined", "again/rows.csv"]
    assert run(["figures-readouts", *again]) == 0
    assert (place / "again/rows.csv").read_bytes() == (place / "rows/rows.csv").read_bytes()
    assert (place / "pictures/estimator_verdicts.csv").read_bytes() == table


def test_rows_of_two_noises_are_not_drawn(place, capsys):
    rows = readout_rows()
    pd.concat([rows, rows.assign(tau=1.0)]).to_csv("two.csv", index=False)
    assert run(["figures-readouts", "two.csv", "--out", "pictures"]) == 2
    assert "ROWS: expected one tau, got 0.5, 1" in capsys.readouterr().err


def test_rows_that_are_not_there_are_not_drawn(place, capsys):
    assert run(["figures-readouts", "none.csv", "--out", "pictures"]) == 2
    message = "fctestbed: none.csv: expected rows of a calibration, got: "
    assert capsys.readouterr().err.startswith(message)
    assert not list(place.iterdir())
