"""The rate of ``figures`` and of a sweep's table."""

import pandas as pd
import pytest
from synthetic_results import RATES, as_results, records

from fctestbed.cli.main import run
from fctestbed.cli.report import print_summary
from fctestbed.results import export_results, load_results


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    out = tmp_path_factory.mktemp("rows")
    runs = records((0.0, 1.0), ("simclr", "raw"), (0, 1), rates=RATES)
    export_results(as_results(runs), out)
    return out


def test_figures_are_at_the_rate_that_is_asked_for(rows, tmp_path):
    out = tmp_path / "out"
    options = ["--rate=8", "--curve-ratios=0.9", "--formats=svg", "--out", str(out)]
    options.append("--only=label_bits,rate_curves,r90")
    assert run(["figures", str(rows), *options]) == 0
    assert "label bits read at R = 8 bits" in (out / "label_bits.svg").read_text()
    assert set(pd.read_csv(out / "rate_curves.csv")["unique_ratio"]) == {1.0}
    assert {"r90.svg", "r90.csv", "r90.md"} <= {path.name for path in out.iterdir()}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--rate=5", "--rate: expected one of 2, 4, 8, 16, 32, got 5"),
        ("--rate=nan", "--rate: expected one of 2, 4, 8, 16, 32, got nan"),
        ("--rate=4 --estimator=linear_probe", "--rate: expected none for the estimator linear_pro"),
        ("--estimator=channel", "--estimator: expected one of linear_probe, rate, got 'channel'"),
        ("--curve-ratios=0,x", "--curve-ratios: expected numbers such as 0,0.5,1, got '0,x'"),
        ("--curve-ratios=2", "--curve-ratios: expected numbers from 0 to 1, got 2.0"),
    ],
)
def test_what_cannot_be_drawn_is_one_line_and_nothing_is_written(
    rows, tmp_path, capsys, option, message
):
    out = tmp_path / "out"
    assert run(["figures", str(rows), "--out", str(out), *option.split()]) == 2
    printed, error = capsys.readouterr()
    assert (printed, error.count("\n")) == ("", 1)
    assert message in error
    assert not out.exists()


@pytest.mark.parametrize("rate", ["0", "-1", "inf", "nan"])
def test_a_sweep_with_a_rate_that_none_can_be_is_not_begun(tmp_path, capsys, rate):
    places = ["--out", str(tmp_path / "rows"), "--figures", str(tmp_path / "figures")]
    assert run(["sweep", f"--rate={rate}", *places]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fctestbed: --rate: expected a finite number of bits above 0, got ")
    assert not list(tmp_path.iterdir())


def test_the_table_at_a_sweeps_end_says_at_which_rate(rows, capsys):
    results = load_results(rows)
    print_summary(results)
    print_summary(results, rate=16.0)
    heads = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Label")]
    assert heads == [
        f"Label bits read at R = {rate} bits (joint readout), mean over seeds:" for rate in (4, 16)
    ]
