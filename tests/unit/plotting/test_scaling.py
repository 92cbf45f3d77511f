"""Sweeps whose axes vary one at a time: their baseline, the figure of scaling, its exponents."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from drawings import drawing_of
from synthetic_results import as_results, at_world, joined, records, relabelled
from synthetic_scaling import BASELINE, EXPONENTS, LOST, SCALED, scaled
from unrendered import texts_for_files

from fctestbed.cli.report import print_summary
from fctestbed.plotting import (
    NothingToDraw,
    Yardstick,
    draw_figures,
    summary_table,
)
from fctestbed.plotting.baseline import at_baseline, baseline_of

AT_4 = Yardstick("rate", 4.0)
STEPS, WIDTH = "train.steps", "nets.encoder_hidden: width"
TEMPERATURE = "settings.*.temperature"
PANELS = [
    "train.batch_size",
    WIDTH,
    "nets.encoder_hidden: layers",
    STEPS,
    "world.n_train",
    TEMPERATURE,
]


@pytest.fixture(scope="module")
def results():
    return scaled()


def drawn(name, found, **options):
    return drawing_of(name, found, yardstick=AT_4, **options)


def exponents(found):
    return drawn("scaling_exponents", found).numbers.set_index(["axis", "method"])


def test_the_baseline_is_what_the_axes_vary_around(results):
    assert baseline_of(results) == BASELINE
    # Also where its own runs are missing.
    usual = np.all([results.runs[name] == value for name, value in BASELINE.items()], axis=0)
    assert usual.any()
    assert baseline_of(dataclasses.replace(results, runs=results.runs[~usual])) == BASELINE


def test_a_single_axis_and_other_sweeps_have_no_baseline(results):
    assert baseline_of(at_baseline(results, BASELINE, STEPS)) == {}
    # Three combinations of a full grid, which is not finished, look like one axis at a time.
    plain = as_results(records((0.5,), ("raw",), (0,)))
    three = joined(*(at_world(plain, a__x=a, a__y=b) for a, b in ((1, 1), (1, 2), (2, 1))))
    assert baseline_of(three) == {}
    alone = dataclasses.replace(three, sweep_spec={"one_at_a_time": True})
    assert baseline_of(alone) == {"a.x": 1, "a.y": 1}


def test_rows_along_one_axis_are_at_the_baseline_of_the_others(results):
    along = at_baseline(results, BASELINE, STEPS)
    assert along.axes == (STEPS,)
    assert sorted(along.runs[STEPS].unique()) == list(SCALED[STEPS])
    assert len(along.runs) == len(LOST) * 4 * len(SCALED[STEPS])
    assert len(at_baseline(results, BASELINE).runs) == len(LOST) * 4


def test_each_axis_has_a_panel_of_exact_label_bits_minus_those_read(results):
    drawing = drawn("scaling", results)
    assert [axes.get_xlabel() for axes in drawing.figure.axes] == PANELS
    assert all(axes.get_xscale() == axes.get_yscale() == "log" for axes in drawing.figure.axes)
    numbers = drawing.numbers
    rows = results.captured
    rows = rows[(rows["readout"] == "joint") & (rows["quantity"] == "label")]
    rows = rows[(rows["rate_bits"] == 4.0) & (rows["method"] == "supcon")]
    rows = rows[(rows[STEPS] == 800)]
    point = numbers[(numbers["axis"] == STEPS) & (numbers["method"] == "supcon")]
    point = point[point["value"] == 800.0].iloc[0]
    assert point["lost_bits"] == pytest.approx(2.0 - rows["value_bits"].mean())
    assert (point["n_seeds"], point["true_bits"], point["rate_bits"]) == (4, 2.0, 4.0)


def test_lists_of_equal_numbers_are_widths_at_one_depth_and_depths_at_one_width(results):
    numbers = drawn("scaling", results).numbers
    values = numbers.groupby("axis")["value"].unique().map(sorted)
    assert values[WIDTH] == [32.0, 64.0, 128.0]
    assert values["nets.encoder_hidden: layers"] == [1.0, 2.0, 3.0]


def test_each_method_has_the_axis_of_its_own_setting(results):
    numbers = drawn("scaling", results).numbers
    own = numbers[numbers["axis"] == TEMPERATURE].groupby("method")["value"].unique().map(sorted)
    assert own["simclr"] == [0.03, 0.1, 0.3]
    assert own["supcon"] == [0.1, 0.3, 1.0]
    found = exponents(results)
    assert found.loc[(TEMPERATURE, "factorcl-sup"), "no_law"] == "does not depend on it"
    assert found.loc[(TEMPERATURE, "supcon"), "exponent"] == pytest.approx(-0.4, abs=0.1)


def test_exponents_of_known_laws_are_found(results):
    found = exponents(results)
    assert sorted(found.index) == sorted((axis, method) for axis in PANELS for method in LOST)
    for method, known in EXPONENTS.items():
        for axis in ("train.batch_size", STEPS, "world.n_train"):
            row = found.loc[(axis, method)]
            assert row["exponent"] == pytest.approx(known.get(axis, 0.0), abs=0.06)
            assert row["low"] < row["exponent"] < row["high"]
            assert row["n_seeds"] == 4


def test_the_same_rows_give_the_same_exponents(results):
    again = exponents(dataclasses.replace(results))
    pd.testing.assert_frame_equal(exponents(results), again)


def test_a_panel_says_why_there_is_no_law_and_marks_means_below_the_edge():
    def lost(method, own, seed):
        small = method == "supcon" and own.get(STEPS) == 800
        bend = method == "factorcl-sup" and own.get(STEPS) == 200
        return 0.01 * (seed - 2) if small else 3.0 if bend else None

    found = scaled(lost=lost)
    table = drawn("scaling_exponents", found)
    numbers = table.numbers.set_index(["axis", "method"])
    assert numbers.loc[(STEPS, "supcon"), "no_law"] == "not clearly above 0 at 1 of 4"
    assert numbers.loc[(STEPS, "factorcl-sup"), "no_law"] == "no power law"
    assert np.isnan(numbers.loc[(STEPS, "supcon"), "exponent"])
    (row,) = [text for text in table.markdown.splitlines() if text.startswith("| SupCon")]
    assert "not clearly above 0 at 1 of 4" in row
    panel = drawn("scaling", found).figure.axes[PANELS.index(STEPS)]
    texts = {text.get_text() for text in panel.texts}
    assert {"not clearly above 0 at 1 of 4", "no power law"} < texts
    below = [line for line in panel.get_lines() if line.get_label() == "_below"]
    assert [line.get_xdata().tolist() for line in below] == [[800.0]]
    dashes = [line.get_linestyle() for line in panel.get_lines() if line.get_label() == "_line"]
    # Of FactorCL-SUP, SupCon and SimCLR.
    assert (dashes[0] != "-", dashes[1] != "-", dashes[2]) == (True, True, "-")


def test_one_axis_alone_has_a_panel_and_other_sweeps_have_none(results):
    alone = at_baseline(results, BASELINE, STEPS)
    assert [axes.get_xlabel() for axes in drawn("scaling", alone).figure.axes] == [STEPS]
    plain = as_results(records((0.5,), ("raw",), (0,), rates=(4.0,)))
    few = joined(*(at_world(plain, a__x=a) for a in (0.0, 0.5, 1.0)))
    names = joined(*(at_world(plain, a__x=a) for a in ("a", "[1, 2]", "[]", "[true]")))
    grid = joined(*(at_world(plain, a__x=a, a__y=b) for a in (1, 2, 3) for b in (1, 2)))
    for none in (plain, few, names, grid):
        for name in ("scaling", "scaling_exponents"):
            with pytest.raises(NothingToDraw, match="label bits along an axis of 3 positive"):
                drawn(name, none)


def test_other_figures_draw_one_axis_through_the_baseline(tmp_path, results, monkeypatch):
    texts_for_files(monkeypatch)
    written = {path.name for path in draw_figures(results, tmp_path, ("svg",), x=STEPS)}
    files = {name for name in written if name.endswith(".svg")}
    assert {"scaling.svg", "scaling_exponents.svg", "label_bits.svg", "ablation.svg"} <= files
    # No file for a value of an axis.
    assert not [name for name in files if "=" in name]
    assert "scaling_exponents.md" in written
    numbers = pd.read_csv(tmp_path / "label_bits.csv")
    assert sorted(numbers[STEPS].unique()) == list(SCALED[STEPS])
    assert set(numbers["n_seeds"]) == {4}


def test_several_ratios_have_a_file_each(tmp_path, monkeypatch):
    texts_for_files(monkeypatch)
    axes = {name: SCALED[name] for name in (STEPS, "world.n_train")}
    both = joined(*(scaled(("supcon",), (0, 1), ratio=ratio, axes=axes) for ratio in (0.0, 0.5)))
    files = {path.name for path in draw_figures(both, tmp_path, ("svg",))}
    assert {"scaling_unique-ratio=0.svg", "scaling_unique-ratio=0.5.svg"} <= files


def test_the_summary_follows_each_axis_in_turn(results):
    rows = [row for row in summary_table(results) if row.method == "simclr"]
    assert list(dict.fromkeys(row.axis for row in rows)) == list(SCALED)
    assert {row.world for row in rows} == {""}
    assert [row.value for row in rows if row.axis == STEPS] == list(SCALED[STEPS])
    assert {row.n_seeds for row in rows} == {4}


def test_the_printed_summary_has_a_table_for_each_axis(capsys, results):
    print_summary(results)
    printed = capsys.readouterr().out
    assert "at unique ratio 0.5" in printed
    assert all(name in printed for name in SCALED)


def test_more_methods_than_a_panel_names_have_their_exponents_in_the_table(results):
    methods = [f"method{n}" for n in range(7)]
    axes = {STEPS: SCALED[STEPS]}
    one = scaled(("supcon",), (0, 1, 2), axes=axes)
    many = joined(*(relabelled(one, method=name) for name in methods))
    assert not any(axes.texts for axes in drawn("scaling", many).figure.axes)
    assert list(drawn("scaling_exponents", many).numbers["method"]) == methods
