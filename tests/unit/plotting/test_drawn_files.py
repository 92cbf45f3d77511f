import dataclasses

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from drawings import drawing_of
from drawn_parts import ylabel
from synthetic_results import (
    as_results,
    departing,
    record,
    records,
)
from unrendered import texts_for_files

from fctestbed.plotting import (
    FIGURES,
    NothingToDraw,
    Yardstick,
    draw_figures,
)
from fctestbed.results import export_results, load_results

CURVES = ("label_bits", "blocks", "accuracy")


def test_files_are_written_with_their_numbers(few, tmp_path, monkeypatch):
    texts_for_files(monkeypatch)
    found = draw_figures(few, tmp_path, formats=("png", "pdf", "svg"))
    assert [path.name for path in found] == [
        *(f"{n}.{e}" for n in (*CURVES, "latent_bits") for e in ("png", "pdf", "svg", "csv")),
        *(f"{n}.{e}" for n in ("ablation", "readouts") for e in ("png", "pdf", "svg", "csv", "md")),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in found}
    numbers = pd.read_csv(tmp_path / "label_bits.csv")
    assert len(numbers) == 3 * 3
    assert {"captured_bits", "low_bits", "high_bits", "total_bits"} <= set(numbers.columns)


@pytest.mark.slow
def test_files_drawn_twice_have_the_same_bytes(few, tmp_path):
    # A curve; a heat map and a table, whose pictures are encoded by the same libraries.
    asked = (("png", "pdf", "svg"), ["label_bits"]), (("pdf",), ["latent_bits", "ablation"])
    first, second = (
        [path for formats, names in asked for path in draw_figures(few, place, formats, only=names)]
        for place in (tmp_path / "a", tmp_path / "b")
    )
    assert {path.stem for path in first} == {"label_bits", "latent_bits", "ablation"}
    for left, right in zip(first, second, strict=True):
        assert left.name == right.name
        assert left.read_bytes() == right.read_bytes(), right.name
    # Type 42 fonts are TrueType; publishers refuse Type 3.
    assert b"/Type3" not in (tmp_path / "a" / "label_bits.pdf").read_bytes()


def test_drawing_changes_no_setting(few, tmp_path):
    before = dict(mpl.rcParams)
    draw_figures(few, tmp_path, formats=("png",), only=["label_bits", "ablation"])
    assert dict(mpl.rcParams) == before


def test_drawing_leaves_the_rows_alone(few, tmp_path, monkeypatch):
    texts_for_files(monkeypatch)
    before = few.captured.copy(), few.accuracy.copy(), few.runs.copy()
    draw_figures(few, tmp_path, formats=("svg",))
    for left, right in zip(before, (few.captured, few.accuracy, few.runs), strict=True):
        pd.testing.assert_frame_equal(left, right)


def test_a_figure_whose_rows_are_missing_does_not_keep_the_others(tmp_path, monkeypatch):
    texts_for_files(monkeypatch)
    runs = [dataclasses.replace(run, accuracy=()) for run in records(methods=("raw",))]
    names = {path.stem for path in draw_figures(as_results(runs), tmp_path, formats=("png",))}
    assert names == {"label_bits", "blocks", "latent_bits"}


def test_no_finished_run_at_all_is_one_line(tmp_path):
    results = as_results([record("raw", 0.5, 0, status="failed")])
    with pytest.raises(
        ValueError, match=r"expected finished runs to draw, got none \(1 runs in all"
    ):
        draw_figures(results, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_format_is_one_line(results, tmp_path):
    with pytest.raises(ValueError, match="formats: expected any of png, pdf, svg, got 'gif'"):
        draw_figures(results, tmp_path, formats=("png", "gif"))


def test_a_file_in_the_way_is_one_line(few, tmp_path):
    (tmp_path / "figures").write_text("mine")
    with pytest.raises(ValueError, match="expected a place that can be written"):
        draw_figures(few, tmp_path / "figures", formats=("svg",), only=["label_bits"])


def test_another_estimator_is_a_choice_and_is_named(tmp_path, monkeypatch):
    texts_for_files(monkeypatch)
    runs = records((0.0, 1.0), ("simclr", "supcon"), (0, 1))
    both = [
        dataclasses.replace(
            run,
            captured=(
                *run.captured,
                *(
                    dataclasses.replace(row, estimator="channel", value_bits=row.value_bits + 0.5)
                    for row in run.captured
                    if row.quantity == "label"
                ),
            ),
        )
        for run in runs
    ]
    results = as_results(both)
    probe, channel = (
        drawing_of("label_bits", results, yardstick=Yardstick(name))
        for name in ("linear_probe", "channel")
    )
    np.testing.assert_allclose(
        channel.numbers["captured_bits"], probe.numbers["captured_bits"] + 0.5
    )
    assert ylabel(channel) == "label bits read by the estimator channel"
    assert ylabel(probe) == "label bits read by a linear probe"
    names = {path.stem for path in draw_figures(results, tmp_path, ("svg",), estimator="channel")}
    assert names == {"label_bits", "label_bits_linear", "accuracy", "ablation"}


def test_an_unknown_estimator_is_one_line(results, tmp_path):
    with pytest.raises(ValueError, match="estimator: expected one of linear_probe, got 'mine'"):
        draw_figures(results, tmp_path, estimator="mine")


def test_exported_rows_draw_the_same_numbers(tmp_path, monkeypatch):
    texts_for_files(monkeypatch)
    runs = records((0.0, 1.0), ("simclr", "factorcl-sup"), (0, 1))
    runs += [departing(run, "official", {"contrast": "first"}, {"label": -0.1}) for run in runs]
    results = as_results(runs)
    export_results(results, tmp_path / "rows", compress=True)
    draw_figures(results, tmp_path / "a", formats=("svg",))
    draw_figures(load_results(tmp_path / "rows"), tmp_path / "b", formats=("svg",))
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert {"audit.csv", "audit.md", "ablation.md", "readouts.csv"} <= names
    assert names == {path.name for path in (tmp_path / "b").iterdir()}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_without_rows_is_refused_in_one_line(name):
    results = as_results([record("raw", 0.5, 0, status="failed")])
    with pytest.raises(NothingToDraw, match=r"expected rows of .* from finished runs, got none"):
        drawing_of(name, results)
