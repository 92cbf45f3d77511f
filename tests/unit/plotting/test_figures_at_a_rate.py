"""Every figure of rows at rates: whose bits it has, at which rate, and that nothing is pooled."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from drawings import drawing_of
from printed import note_of
from synthetic_results import (
    LABEL_BITS,
    METHODS,
    RATES,
    as_results,
    at_width,
    at_world,
    departing,
    joined,
    records,
)
from unrendered import texts_for_files

from fctestbed.plotting import (
    FIGURES,
    METHOD_STYLES,
    NothingToDraw,
    Yardstick,
    draw_figures,
    rates_at_share,
    tables,
)
from fctestbed.plotting.style import COLUMN_INCHES, PAGE_INCHES, house_style

RATIOS = (0.0, 0.4, 1.0)
FEW = ("simclr", "supcon", "factorcl-sup", "raw", "untrained", "supervised")
AT_4 = Yardstick("rate", 4.0)


@pytest.fixture(scope="module")
def results():
    return as_results(records(RATIOS, FEW, (0, 1, 2), rates=RATES))


def drawn(name, results, **options):
    return drawing_of(name, results, **options)


def line(axes, label):
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


def labels(axes):
    return [line.get_label() for line in axes.lines]


def note(drawing):
    return note_of(drawing.figure)


def read(results, method, quantity, rate, readout="joint"):
    rows = results.captured
    rows = rows[(rows["estimator"] == "rate") & (rows["rate_bits"] == rate)]
    rows = rows[(rows["method"] == method) & (rows["readout"] == readout)]
    return rows[rows["quantity"] == quantity].groupby("unique_ratio")["value_bits"].mean()


def test_the_first_figure_is_of_label_bits_at_twice_the_labels_bits(results):
    assert next(iter(FIGURES)) == "label_bits"
    drawing = drawn("label_bits", results)
    axes = drawing.figure.axes[0]
    assert axes.get_ylabel() == "label bits read at R = 4 bits"
    curve = line(axes, "SupCon")
    np.testing.assert_allclose(curve.get_ydata(), read(results, "supcon", "label", 4.0))
    assert set(drawing.numbers["estimator"]) == {"rate"}
    assert set(drawing.numbers["rate_bits"]) == {4.0}


def test_another_rate_is_a_choice_of_all_figures_but_those_of_probes(
    results, tmp_path, monkeypatch
):
    texts_for_files(monkeypatch)
    draw_figures(results, tmp_path, ("svg",), rate=8)
    for name in ("label_bits", "blocks", "latent_bits", "ablation", "readouts"):
        numbers = pd.read_csv(tmp_path / f"{name}.csv")
        assert set(numbers["rate_bits"]) == {8.0}, name
        assert "read at R = 8 bits" in (tmp_path / f"{name}.svg").read_text(), name
    probe = pd.read_csv(tmp_path / "label_bits_linear.csv")
    assert set(probe["estimator"]) == {"linear_probe"}
    assert "read by a linear probe" in (tmp_path / "label_bits_linear.svg").read_text()


def test_exact_lines_are_not_above_the_rate_but_the_numbers_tell_all(results):
    drawing = drawn("label_bits", results, yardstick=Yardstick("rate", 2.0))
    assert "Exact total" in labels(drawing.figure.axes[0])
    long = results.captured["true_bits"].where(results.captured["quantity"] != "label", 3.0)
    truth = results.runs["truth"].str.replace('"total_bits":2.0', '"total_bits":3.0')
    assert (truth != results.runs["truth"]).all()
    larger = dataclasses.replace(
        results,
        captured=results.captured.assign(true_bits=long),
        runs=results.runs.assign(truth=truth),
    )
    drawing = drawn("label_bits", larger, yardstick=Yardstick("rate", 2.0))
    axes = drawing.figure.axes[0]
    assert set(line(axes, "min(R, exact total)").get_ydata()) == {2.0}
    assert set(drawing.numbers["total_bits"]) == {3.0}


def test_blocks_share_the_rate(results):
    drawing = drawn("blocks", results)
    shared, unique = drawing.figure.axes
    for axes in (shared, unique):
        assert axes.get_ylabel() == "bits read at R = 4 bits"
        assert set(line(axes, "min(R, H(block))").get_ydata()) == {4.0}
    expected = read(results, "raw", "unique1", 4.0) + read(results, "raw", "unique2", 4.0)
    np.testing.assert_allclose(line(unique, "Raw inputs").get_ydata(), expected)
    both = drawing.numbers.groupby(["method", "unique_ratio"])["captured_bits"].sum()
    assert (both <= 4.0 + 1e-9).all()
    assert set(drawing.numbers.query("panel == 'unique'")["block_bits"]) == {12.0}


def test_latent_bits_are_at_the_rate(results):
    # Few enough columns for the parts of readouts to be among them.
    few = results.runs[results.runs["method"].isin(("simclr", "factorcl-sup"))]
    captured = results.captured[results.captured["run_id"].isin(few["run_id"])]
    drawing = drawn("latent_bits", dataclasses.replace(results, runs=few, captured=captured))
    assert drawing.figure.axes[-1].get_ylabel() == "bits read at R = 4 bits"
    numbers = drawing.numbers.set_index(["method", "readout", "quantity"])["captured_bits"]
    own = read(results, "factorcl-sup", "w_1[0]", 4.0, "z_u1")[0.4]
    assert numbers["factorcl-sup", "z_u1", "w_1[0]"] == pytest.approx(own)
    assert not drawing.numbers.duplicated(["method", "variant", "readout", "quantity"]).any()


def test_table_2_is_at_the_rate_and_its_accuracy_is_the_probes():
    runs = [at_width(run, 16, 0.5) for run in records(RATIOS, FEW, (0, 1))]
    with_rates = records(RATIOS, FEW, (0, 1), rates=RATES)
    runs = [
        dataclasses.replace(
            run, captured=(*run.captured, *(r for r in rated.captured if r.estimator == "rate"))
        )
        for run, rated in zip(runs, with_rates, strict=True)
    ]
    results = as_results(runs)
    drawing = drawn("ablation", results)
    numbers = drawing.numbers.set_index("method")
    assert numbers.loc["supcon", "label_bits"] == pytest.approx(
        read(results, "supcon", "label", 4.0).mean()
    )
    caption = " ".join(drawing.markdown.splitlines()[0].split())
    assert "read at R = 4 bits; accuracy of a linear probe." in caption
    assert "label 2.00 bits, shared block 4 bits, unique blocks 4 bits" in caption
    # The reading does not depend on the width: it has no rows at equal width.
    header = drawing.markdown.splitlines()[2]
    assert "accuracy 16-d (%)" in header
    assert "label 16-d" not in header


def test_table_1_is_at_the_rate(results):
    drawing = drawn("readouts", results)
    numbers = drawing.numbers.set_index(["method", "readout", "quantity"])
    own = read(results, "factorcl-sup", "shared", 4.0, "z_s1").mean()
    assert numbers.loc[("factorcl-sup", "z_s1", "shared"), "captured_bits"] == pytest.approx(own)
    assert set(drawing.numbers["most_bits"]) == {4.0}
    assert "read at R = 4 bits" in drawing.markdown
    assert "min(R, H(ws)) = 4 bits" in drawing.markdown


def test_the_audit_compares_runs_at_one_rate(results):
    runs = records((0.0, 1.0), ("simclr",), (0, 1), rates=RATES)
    runs += [departing(run, "official", {"normalize": False}, {"label": -0.25}) for run in runs]
    drawing = drawn("audit", as_results(runs))
    label = drawing.numbers[drawing.numbers["quantity"] == "label"]
    np.testing.assert_allclose(label["change_bits"], -0.25)
    assert set(label["rate_bits"]) == {4.0}
    assert "read at R = 4 bits" in drawing.markdown


def test_rate_curves_have_three_panels_the_ideal_and_every_method(results):
    drawing = drawn("rate_curves", results)
    panels = drawing.figure.axes
    assert [axes.get_title() for axes in panels] == [f"unique ratio {r:g}" for r in RATIOS]
    assert drawing.figure.get_figwidth() == PAGE_INCHES
    for axes, ratio in zip(panels, RATIOS, strict=True):
        assert axes.get_xscale() == "log"
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["2", "4", "8", "16", "32"]
        assert axes.get_xlabel() == "rate R (bits)"
        for method in FEW:
            curve = line(axes, METHOD_STYLES[method].label)
            assert list(curve.get_xdata()) == list(RATES)
            own = [read(results, method, "label", rate)[ratio] for rate in RATES]
            np.testing.assert_allclose(curve.get_ydata(), own)
        assert line(axes, "Raw inputs").get_markerfacecolor() == "white"
    assert panels[0].get_ylabel() == "label bits read at R (bits)"
    assert len({axes.get_ylim() for axes in panels}) == 1
    assert note(drawing) == "mean and 95 % interval (Student t) over 3 seeds"
    assert (drawing.numbers["ideal_bits"] == 2.0).all()


def test_the_ideal_is_the_rate_until_there_is_no_more_to_read():
    results = as_results(records((0.5,), ("raw",), (0, 1), rates=(0.5, 1.0, 4.0)))
    drawing = drawn("rate_curves", results)
    (axes,) = drawing.figure.axes
    rates, bits = line(axes, "ideal: min(R, exact total)").get_data()
    np.testing.assert_allclose(bits, np.minimum(rates, LABEL_BITS))
    assert LABEL_BITS in rates
    assert list(drawing.numbers["ideal_bits"]) == [0.5, 1.0, 2.0]
    assert drawing.figure.get_figwidth() == COLUMN_INCHES


def test_the_ratios_of_rate_curves_are_a_choice(results, tmp_path):
    drawing = drawn("rate_curves", results, curve_ratios=(0.9, 0.3, 0.35))
    assert [axes.get_title()[-3:] for axes in drawing.figure.axes] == ["0.4", "o 1"]
    for ratios, message in (
        ((), "curve_ratios: expected 1 to 12 unique ratios, got 0"),
        ((0.0, 1.5), "curve_ratios: expected numbers from 0 to 1, got 1.5"),
        ((float("nan"),), "curve_ratios: expected numbers from 0 to 1, got nan"),
    ):
        with pytest.raises(ValueError, match=message):
            draw_figures(results, tmp_path / "out", curve_ratios=ratios)
    assert not (tmp_path / "out").exists()


def test_r90_has_medians_and_a_band_for_what_no_rate_reads(results):
    drawing = drawn("r90", results)
    (axes,) = drawing.figure.axes
    assert axes.get_ylabel() == "R90 of the label (bits)"
    assert axes.get_yscale() == "log"
    by_run = rates_at_share(results, "rate")
    medians = by_run.groupby(["method", "unique_ratio"])["rate_at_share_bits"].median()
    np.testing.assert_allclose(line(axes, "SupCon").get_ydata(), medians["supcon"])
    assert np.isinf(medians["simclr"][[0.4, 1.0]]).all()
    simclr = line(axes, "SimCLR").get_ydata()
    assert simclr[0] == medians["simclr", 0.0]
    assert (simclr[1:] > RATES[-1]).all()
    assert simclr[-1] < axes.get_ylim()[1]
    assert "not within 32 bits" in [text.get_text() for text in axes.texts]
    np.testing.assert_allclose(line(axes, "0.9 exact total").get_ydata(), 0.9 * LABEL_BITS)
    numbers = drawing.numbers.set_index(["method", "unique_ratio"])
    assert np.isinf(numbers.loc[("simclr", 1.0), "r90_bits"])
    assert set(drawing.numbers["coverage"]) == {0.75}
    assert "median and its interval (order statistics, 75 %) over 3 seeds" in note(drawing)


def test_methods_that_no_rate_reads_do_not_hide_each_other():
    results = as_results(
        records((0.0, 1.0), ("raw", "untrained", "simclr"), (0, 1), rates=(1.0, 2.0))
    )
    (axes,) = drawn("r90", results).figure.axes
    heights = [line(axes, METHOD_STYLES[m].label).get_ydata() for m in ("raw", "untrained")]
    assert (np.array(heights) > 2.0).all()
    assert (heights[0] != heights[1]).all()


def test_r90_is_a_table_too(results):
    lines = drawn("r90", results).markdown.splitlines()
    assert lines[0].startswith("R90: least rate that reads 90 % of the label, in bits; median")
    assert lines[2] == "| method | unique ratio 0 | unique ratio 0.4 | unique ratio 1 |"
    (simclr,) = [text for text in lines if text.startswith("| SimCLR ")]
    assert simclr.endswith("| > 32 | > 32 |")
    (supcon,) = [text for text in lines if text.startswith("| SupCon ")]
    assert supcon.count(" to ") == 3
    assert set(tables(results)) == {"ablation", "r90", "readouts"}


def test_r90_of_several_worlds_has_panels_and_says_how_high_each_was_measured():
    parts = [
        at_world(as_results(records((0.0, 1.0), ("simclr", "supcon"), (0, 1), rates=RATES[:n])),
                 measurement__seed=n)
        for n in (2, 5)
    ]  # fmt: skip
    drawing = drawn("r90", joined(*parts))
    assert len(drawing.figure.axes) == 2
    assert len({axes.get_ylim() for axes in drawing.figure.axes}) == 1
    assert "not within the measured rates" in [t.get_text() for t in drawing.figure.axes[0].texts]
    lines = [text for text in drawing.markdown.splitlines() if "| SimCLR |" in text]
    assert [text.split("|")[-2].strip() for text in lines] == ["> 4", "> 32"]


def test_whitened_readings_have_their_own_curves_and_are_named(results):
    more = results.captured[results.captured["estimator"] == "rate"].assign(
        estimator="rate_whitened"
    )
    both = dataclasses.replace(
        results, captured=pd.concat([results.captured, more], ignore_index=True)
    )
    whitened = Yardstick("rate_whitened", 8.0)
    for name in ("rate_curves", "r90"):
        drawing = drawn(name, both, yardstick=whitened)
        assert set(drawing.numbers["estimator"]) == {"rate_whitened"}
        assert "estimator rate_whitened" in note(drawing)
        assert set(drawn(name, both).numbers["estimator"]) == {"rate"}
    axes = drawn("label_bits", both, yardstick=whitened).figure.axes[0]
    assert axes.get_ylabel() == "label bits read at R = 8 bits, whitened"


def test_rows_without_rates_have_neither_curves_nor_r90_nor_a_second_figure_of_probes():
    old = as_results(records((0.0, 1.0), ("raw",), (0, 1)))
    for name in ("rate_curves", "r90", "label_bits_linear"):
        with pytest.raises(NothingToDraw, match=r"expected .*label bits"):
            drawn(name, old)


@pytest.fixture(scope="module", params=[(0.5,), (0.0, 0.5, 1.0)], ids=["one ratio", "three"])
def every_method(request):
    return as_results(records(request.param, METHODS, (0, 1), rates=RATES))


@pytest.mark.parametrize("name", ["label_bits", "rate_curves", "r90", "blocks"])
def test_no_text_is_cut_off_and_the_legend_touches_no_panel(name, every_method):
    figure = drawn(name, every_method).figure
    with house_style():
        figure.draw_without_rendering()
        for axes in figure.axes:
            box = axes.get_tightbbox()
            assert box.x0 >= figure.bbox.x0 - 1
            assert box.x1 <= figure.bbox.x1 + 1
            assert box.y0 >= figure.bbox.y0 - 1
            assert box.y1 <= figure.bbox.y1 + 1
            (legend,) = figure.legends
            assert legend.get_window_extent().y1 <= box.y0 + 1
        extent = legend.get_window_extent()
        assert extent.x0 >= figure.bbox.x0 - 1
        assert extent.x1 <= figure.bbox.x1 + 1
