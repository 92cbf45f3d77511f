"""Which figures and methods are drawn, under which names, and how wide."""

import pandas as pd
import pytest
from matplotlib.image import imread
from synthetic_results import RATES, as_results, records

from fctestbed.cli.main import run
from fctestbed.plotting import draw_figures
from fctestbed.results import export_results


@pytest.fixture(scope="module")
def results():
    return as_results(records((0.0, 1.0), ("simclr", "supcon", "raw"), (0, 1), rates=RATES))


def drawn(results, out, **options):
    return {path.name for path in draw_figures(results, out, ["svg"], **options)}


def test_only_the_figures_that_are_asked_for_are_drawn(results, tmp_path):
    assert drawn(results, tmp_path, only=["blocks"]) == {"blocks.svg", "blocks.csv"}


def test_only_the_methods_that_are_asked_for_are_drawn(results, tmp_path):
    drawn(results, tmp_path, only=["label_bits"], methods=["supcon", "raw"])
    methods = set(pd.read_csv(tmp_path / "label_bits.csv")["method"].dropna())
    assert {"supcon", "raw"} <= methods
    assert "simclr" not in methods


def test_methods_have_the_names_that_are_asked_for(results, tmp_path):
    drawn(results, tmp_path, only=["label_bits"], labels={"supcon": "Mine $x$"})
    text = (tmp_path / "label_bits.svg").read_text()
    assert "Mine $x$" in text
    assert "SupCon" not in text
    drawn(results, tmp_path, only=["label_bits"])
    assert "SupCon" in (tmp_path / "label_bits.svg").read_text()


@pytest.mark.parametrize(
    ("name", "width", "inches"),
    [("label_bits", "page", 6.75), ("blocks", "column", 3.25), ("label_bits", "5", 5.0)],
)
def test_figures_are_as_wide_as_asked_for(results, tmp_path, name, width, inches):
    draw_figures(results, tmp_path, ["png"], only=[name], width=width)
    assert imread(tmp_path / f"{name}.png").shape[1] == pytest.approx(200 * inches, abs=2)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--only=label_bit", "--only: expected some of label_bits, rate_curves, r90, "),
        ("--only=label_bit", "got 'label_bit': did you mean label_bits?"),
        ("--methods=supcom", "--methods: expected some of raw, simclr, supcon, got 'supcom': did"),
        ("--labels=supcom=X", "--labels: expected methods among raw, simclr, supcon, got 'supcom'"),
        ("--labels=X", "--labels: expected NAME=TEXT such as supcon=SupCon, got 'X'"),
        ("--labels=raw=", "--labels: expected 1 to 60 printable characters for raw, got ''"),
        ("--width=wide", "--width: expected column (3.25 in), page (6.75 in) or 2 to 20 inches, g"),
        ("--width=nan", "--width: expected column (3.25 in)"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is_near(results, tmp_path, capsys, option, message):
    export_results(results, tmp_path / "rows")
    out = tmp_path / "out"
    assert run(["figures", str(tmp_path / "rows"), "--out", str(out), option]) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()
