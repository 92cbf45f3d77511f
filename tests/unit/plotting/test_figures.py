import dataclasses
import json

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from drawings import drawing_of
from matplotlib.colors import to_hex
from synthetic_results import (
    LABEL_BITS,
    LADDER,
    METHODS,
    RATIOS,
    RELEVANT,
    as_results,
    departing,
    record,
    records,
    relabelled,
)
from unrendered import texts_for_files

from fctestbed.plotting import (
    FIGURES,
    METHOD_STYLES,
    NothingToDraw,
    Yardstick,
    draw_figures,
)
from fctestbed.plotting.figures.latent_bits import MINUS
from fctestbed.plotting.style import COLUMN_INCHES, PAGE_INCHES, TABLE_GROUPS, house_style
from fctestbed.results import export_results, load_results

SIX = ("factorcl-sup", "factorcl-ssl", "supcon", "unimodal-sup", "unimodal-ssl", "supervised")
CURVES = ("label_bits", "blocks", "accuracy")
EVERY_SWEEP = (*CURVES, "latent_bits", "ablation", "readouts")


@pytest.fixture(scope="module")
def results():
    return as_results(records())


@pytest.fixture(scope="module")
def few():
    return as_results(records((0.0, 0.5, 1.0), ("simclr", "factorcl-ssl", "raw"), (0, 1)))


@pytest.fixture(scope="module")
def ladder():
    return as_results(records((0.0, 1.0), LADDER, (0, 1)))


@pytest.fixture(scope="module")
def gaps(results):
    """Every run, one run unfinished, and one ratio."""
    unfinished = records((0.0, 0.3, 1.0), unfinished={("simclr", 0.3, 0)})
    return results, as_results(unfinished), as_results(records(ratios=(0.5,)))


def drawn(name, results, **options):
    return drawing_of(name, results, **options)


def line(axes, label):
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


def curve(drawing, label, panel=0):
    """A curve in one of the panels that have it."""
    found = [one for axes in drawing.figure.axes for one in axes.lines if one.get_label() == label]
    return found[panel]


def legend_texts(drawing):
    """The figure's legend and those of its panels."""
    (legend,) = drawing.figure.legends
    own = [axes.get_legend() for axes in drawing.figure.axes if axes.get_legend()]
    return [text.get_text() for one in (legend, *own) for text in one.get_texts()]


def note(drawing):
    (legend,) = drawing.figure.legends
    return legend.get_title().get_text()


def ylabel(drawing):
    return drawing.figure.axes[0].get_ylabel()


def headline(results, method, quantity):
    rows = results.captured
    rows = rows[(rows["method"] == method) & (rows["readout"] == "joint")]
    return rows[rows["quantity"] == quantity].groupby("unique_ratio")["value_bits"].mean()


def test_label_bits_has_a_line_of_means_for_every_method(results):
    drawing = drawn("label_bits", results)
    for method in METHODS:
        own = curve(drawing, METHOD_STYLES[method].label)
        assert list(own.get_xdata()) == list(RATIOS)
        np.testing.assert_allclose(own.get_ydata(), headline(results, method, "label"))
        assert to_hex(own.get_color()) == METHOD_STYLES[method].color


def test_many_methods_have_a_panel_for_each_kind_and_the_controls_in_all(results):
    ssl, sup = drawn("label_bits", results).figure.axes
    names = [{one.get_label() for one in axes.lines} for axes in (ssl, sup)]
    shared = {"Exact total", "Exact shared part", "Supervised", "Raw inputs", "Untrained"}
    assert names[0] - names[1] == {"SimCLR", "FactorCL-SSL", "Unimodal-SSL"}
    assert names[1] - names[0] == {"SupCon", "FactorCL-SUP", "Unimodal-SUP"}
    assert names[0] & names[1] == shared
    assert [axes.get_title() for axes in (ssl, sup)] == ["self-supervised", "with labels"]
    assert ssl.get_ylim() == sup.get_ylim()
    own = {text.get_text() for text in sup.get_legend().get_texts()}
    assert own == {"SupCon", "FactorCL-SUP", "Unimodal-SUP"}


def test_many_methods_of_one_kind_share_a_panel():
    runs = records((0.0, 1.0), LADDER[:7], (0,))
    own = [dataclasses.replace(r, method=f"my-{r.method}", run_id=f"my-{r.run_id}") for r in runs]
    assert len(drawn("label_bits", as_results(own)).figure.axes) == 1
    ssl = [run for run in runs if run.method in TABLE_GROUPS["SSL"]]
    panels = drawn("label_bits", as_results([*own, *ssl])).figure.axes
    assert [axes.get_title() for axes in panels] == ["self-supervised", "other methods"]


def test_intervals_end_at_what_is_possible():
    results = as_results(records((0.0, 0.5, 1.0), ("simclr", "raw"), (0, 1)))
    # Two seeds far apart: the interval of their mean reaches far above and below.
    own = results.captured["quantity"].eq("label") & results.captured["run_id"].str.endswith("-1")
    results.captured.loc[own, "value_bits"] = 0.9 * LABEL_BITS
    numbers = drawn("label_bits", results).numbers
    assert numbers["high_bits"].max() == LABEL_BITS
    # A probe on held-out samples may be below 0; accuracy may not.
    assert numbers["low_bits"].min() < 0
    wide = as_results(records((0.0, 1.0), ("simclr",), (0, 1)))
    apart = wide.accuracy["run_id"].str.endswith("-1")
    wide.accuracy.loc[apart, "accuracy"] = 0.05
    numbers = drawn("accuracy", wide).numbers
    # No reader is above Bayes accuracy.
    bayes = wide.accuracy["bayes_accuracy"].max()
    assert (numbers["low"].min(), numbers["high"].max()) == (0.0, bayes)


def test_label_bits_has_the_exact_total_and_the_exact_shared_part_in_black(results):
    axes = drawn("label_bits", results).figure.axes[0]
    total, shared = line(axes, "Exact total"), line(axes, "Exact shared part")
    np.testing.assert_allclose(total.get_ydata(), LABEL_BITS)
    np.testing.assert_allclose(shared.get_ydata(), LABEL_BITS * (1 - np.array(RATIOS)))
    assert total.get_color() == shared.get_color() == "black"
    assert shared.get_linestyle() == ":"


def test_label_bits_has_bands_of_the_intervals(results):
    drawing = drawn("label_bits", results)
    ssl, sup = drawing.figure.axes
    # Each panel has three methods and three controls.
    assert len(ssl.collections) == len(sup.collections) == 6
    band = sup.collections[0].get_paths()[0].vertices[:, 1]
    own = drawing.numbers[drawing.numbers["method"] == "factorcl-sup"]
    assert band.min() == pytest.approx(own["low_bits"].min())
    assert band.max() == pytest.approx(own["high_bits"].max())


def test_axes_name_their_units(results):
    few = as_results(records((0.0, 1.0), ("simclr", "raw"), (0, 1)))
    panels = drawn("label_bits", few).figure.axes
    assert panels[0].get_ylabel() == "label bits read by a linear probe"
    assert "unique ratio" in panels[-1].get_xlabel()
    panels = drawn("blocks", few).figure.axes
    assert all(axes.get_ylabel() == "bits read by a linear probe" for axes in panels)
    (axes,) = drawn("accuracy", few).figure.axes
    assert "(%)" in axes.get_ylabel()
    assert axes.yaxis.get_major_formatter()(0.5) == "50"
    # Panels of kinds of methods have one name for all of their vertical axes.
    figure = drawn("accuracy", results).figure
    assert figure.get_supylabel() == "task accuracy (%)"
    assert all(axes.get_xlabel() == "unique ratio" for axes in figure.axes)
    assert figure.axes[1].yaxis.get_major_formatter()(0.5) == "50"


@pytest.mark.parametrize("name", CURVES)
def test_the_legend_names_everything_once_and_the_note_says_what_intervals_are(results, name):
    drawing = drawn(name, results)
    texts = legend_texts(drawing)
    assert len(texts) == len(set(texts)) == len(METHODS) + 2
    assert note(drawing) == "mean and 95 % interval (Student t) over 3 seeds"


@pytest.mark.parametrize("name", EVERY_SWEEP)
def test_figures_are_as_wide_as_a_column_or_a_page(results, name):
    assert drawn(name, results).figure.get_figwidth() in (COLUMN_INCHES, PAGE_INCHES)


@pytest.mark.parametrize("name", EVERY_SWEEP)
def test_no_text_is_cut_off_and_the_legend_touches_no_panel(gaps, name):
    for rows in gaps:
        with house_style():
            figure = drawn(name, rows).figure
            figure.draw_without_rendering()
            page = figure.bbox
            for axes in figure.axes:
                box = axes.get_tightbbox()
                assert box.x0 >= page.x0 - 1
                assert box.x1 <= page.x1 + 1
                assert box.y0 >= page.y0 - 1
                assert box.y1 <= page.y1 + 1
                for legend in figure.legends:
                    assert legend.get_window_extent().y1 <= box.y0 + 1
            for legend in figure.legends:
                extent = legend.get_window_extent()
                assert extent.x0 >= page.x0 - 1
                assert extent.x1 <= page.x1 + 1


def test_controls_are_thin_and_hollow(results):
    drawing = drawn("label_bits", results)
    control, method = curve(drawing, "Unimodal-SUP"), curve(drawing, "FactorCL-SUP")
    assert control.get_linewidth() < method.get_linewidth()
    assert control.get_markerfacecolor() == "white"
    assert control.get_zorder() < method.get_zorder()


def test_unique_bits_are_summed_within_each_run(results):
    _, shared, _, unique = drawn("blocks", results).figure.axes
    expected = headline(results, "supcon", "unique1") + headline(results, "supcon", "unique2")
    np.testing.assert_allclose(line(unique, "SupCon").get_ydata(), expected)
    np.testing.assert_allclose(
        line(shared, "SupCon").get_ydata(), headline(results, "supcon", "shared")
    )
    np.testing.assert_allclose(line(shared, "H(block)").get_ydata(), 6.0)
    np.testing.assert_allclose(line(unique, "H(block)").get_ydata(), 12.0)
    np.testing.assert_allclose(line(unique, "H(relevant part)").get_ydata(), 2.0)


def test_a_run_that_lacks_one_unique_block_is_no_smaller_sum():
    run = record("raw", 0.5, 0)
    half = [row for row in run.captured if row.quantity != "unique2"]
    lacking = dataclasses.replace(run, run_id="half", seed=1, captured=tuple(half))
    numbers = drawn("blocks", as_results([run, lacking])).numbers
    assert numbers.set_index("panel")["n_seeds"].to_dict() == {"shared": 2, "unique": 1}


def test_accuracy_has_the_bayes_and_the_majority_accuracy(results):
    drawing = drawn("accuracy", results)
    np.testing.assert_allclose(
        curve(drawing, "Bayes optimum").get_ydata(), 0.55 + 0.35 * np.abs(np.array(RATIOS) - 0.5)
    )
    np.testing.assert_allclose(curve(drawing, "Majority class").get_ydata(), 1 / 16)


def test_accuracy_says_why_its_optimum_depends_on_the_ratio(results):
    # These runs' records do not say what the label is.
    assert "noise" not in note(drawn("accuracy", results))
    spec = json.dumps({"training": {"world": {"label": {"kind": "bits"}}}})
    channels = relabelled(results, spec=spec)
    assert "little capacity are noise" in note(drawn("accuracy", channels))
    flat = dataclasses.replace(channels, accuracy=channels.accuracy.assign(bayes_accuracy=0.5))
    assert "noise" not in note(drawn("accuracy", flat))


def test_without_exact_numbers_the_lines_are_left_out(results):
    axes = drawn("accuracy", relabelled(results, truth="{}")).figure.axes[0]
    assert "Majority class" not in [line.get_label() for line in axes.lines]
    axes = drawn("label_bits", relabelled(results, truth="{}")).figure.axes[0]
    labels = [line.get_label() for line in axes.lines]
    assert "Exact total" in labels
    assert "Exact shared part" not in labels


def test_the_heat_map_shows_means_over_seeds_at_the_nearest_ratio(results):
    drawing = drawn("latent_bits", results, heatmap_ratio=0.33)
    joint, sup, ssl, bar = drawing.figure.axes
    assert set(drawing.numbers["unique_ratio"]) == {0.3}
    image = joint.images[0]
    assert image.get_clim() == (0.0, 1.0)
    assert image.get_array().shape == (18, len(METHODS))
    columns = [label.get_text() for label in joint.get_xticklabels()]
    value = image.get_array()[0, columns.index("SimCLR")]
    assert value == pytest.approx(headline(results, "simclr", "w_s[0]")[0.3])
    assert [axes.get_title() for axes in (sup, ssl)] == [
        "parts of\nFactorCL-SUP",
        "parts of\nFactorCL-SSL",
    ]
    assert next(label.get_text() for label in sup.get_xticklabels()) == "$Z_{S1}$"
    assert bar.get_ylabel() == "bits read by a linear probe"


def test_the_heat_map_tells_bits_that_a_readout_cannot_hold_from_zero_and_from_negative(results):
    rows = results.captured.copy()
    rows.loc[rows["quantity"].str.startswith("w_2") & rows["readout"].eq("z_s1"), "true_bits"] = 0.0
    rows.loc[rows["quantity"].eq("w_1[3]") & rows["method"].eq("raw"), "value_bits"] = -0.2
    rows.loc[rows["quantity"].eq("w_1[4]") & rows["method"].eq("raw"), "value_bits"] = -0.001
    drawing = drawn("latent_bits", dataclasses.replace(results, captured=rows))
    joint, sup, *_ = drawing.figure.axes
    grey = sup.images[0].get_array().mask[:, 0]
    assert grey.tolist() == [False] * 12 + [True] * 6
    raw = [label.get_text() for label in joint.get_xticklabels()].index("Raw inputs")
    signs = [text.get_position() for text in joint.texts if text.get_text() == MINUS]
    assert (raw, 9) in signs
    assert (raw, 10) not in signs
    said = drawing.figure.get_supxlabel()
    assert "grey: the readout's modality does not hold the bit" in said
    assert f"{MINUS}: below 0" in said


def test_the_heat_map_marks_the_bits_that_the_label_reads(results):
    drawing = drawn("latent_bits", results)
    labels = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert len(labels) == 18
    marked = {label.strip("▸ ").replace("$", "") for label in labels if "▸" in label}
    assert marked == set(RELEVANT)
    assert set(drawing.numbers.loc[drawing.numbers["relevant"], "quantity"]) == set(RELEVANT)


def test_latent_bits_are_in_numerical_order():
    runs = [record("raw", 0.5, 0)]
    row = runs[0].captured[0]
    names = [f"w_s[{i}]" for i in (10, 2, 0)] + ["w_2[0]", "w_1[1]"]
    rows = tuple(dataclasses.replace(row, quantity=name) for name in names)
    drawing = drawn("latent_bits", as_results([record("raw", 0.5, 0, captured=rows, truth={})]))
    labels = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert labels == ["$w_s$[0]", "$w_s$[2]", "$w_s$[10]", "$w_1$[1]", "$w_2$[0]"]


def test_unfinished_runs_are_left_out_and_told():
    results = as_results(records(unfinished={("simclr", 0.3, 1), ("raw", 0.0, 0)}))
    drawing = drawn("label_bits", results)
    counts = drawing.numbers.set_index(["method", "unique_ratio"])["n_seeds"]
    assert counts["simclr", 0.3] == 2
    assert note(drawing).endswith("over 2 to 3 seeds; 2 unfinished runs left out")


def test_one_wild_interval_does_not_flatten_the_curves():
    results = as_results(records(methods=("simclr",), seeds=(0, 1)))
    wild = results.captured["run_id"].eq("simclr-0.5-1") & results.captured["quantity"].eq("label")
    results.captured.loc[wild, "value_bits"] = -1.0
    axes = drawn("label_bits", results).figure.axes[0]
    bottom, top = axes.get_ylim()
    assert -1.0 < bottom < 0
    assert LABEL_BITS < top < 3.0


def test_negative_values_stay_negative():
    results = relabelled(as_results(records(methods=("simclr",))), value_bits=-0.25)
    axes = drawn("label_bits", results).figure.axes[0]
    assert set(line(axes, "SimCLR").get_ydata()) == {-0.25}
    assert axes.get_ylim()[0] < -0.25


def test_a_control_far_below_zero_does_not_set_the_scale():
    results = as_results(records(methods=("simclr", "raw")))
    results.captured.loc[results.captured["run_id"].str.startswith("raw"), "value_bits"] = -40.0
    axes = drawn("label_bits", results).figure.axes[0]
    bottom, top = axes.get_ylim()
    assert -0.6 * top < bottom < 0
    n = len(line(axes, "Raw inputs").get_ydata())
    (below,) = [marks for marks in axes.get_lines() if marks.get_label() == "_below"]
    assert list(below.get_ydata()) == [bottom] * n
    assert f"{n} means below" in [text.get_text() for text in axes.texts]


def test_one_ratio_puts_methods_side_by_side():
    drawing = drawn("label_bits", as_results(records(ratios=(0.5,))))
    axes = drawing.figure.axes[0]
    names = [one.get_label() for one in axes.lines if not one.get_label().startswith("Exact")]
    places = [line(axes, name).get_xdata()[0] for name in names]
    assert len(set(places)) == len(names) == 6
    assert list(axes.get_xticks()) == [0.5]
    assert set(drawing.numbers["unique_ratio"]) == {0.5}
    assert len(line(axes, "Exact total").get_xdata()) == 2


def test_one_seed_has_no_interval_and_says_so():
    drawing = drawn("label_bits", as_results(records(seeds=(0,))))
    axes = drawing.figure.axes[0]
    assert len(axes.collections) == 0
    assert note(drawing) == "1 seed, no interval"


def test_two_variants_are_two_lines_of_one_colour():
    runs = records(methods=("simclr",), ratios=(0.0, 1.0))
    other = [dataclasses.replace(r, run_id=f"o{r.run_id}", variant="official") for r in runs]
    (axes,) = drawn("label_bits", as_results([*runs, *other])).figure.axes
    lines = [line(axes, f"SimCLR ({variant})") for variant in ("official", "paper")]
    assert lines[0].get_color() == lines[1].get_color()


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_without_rows_is_refused_in_one_line(name):
    results = as_results([record("raw", 0.5, 0, status="failed")])
    with pytest.raises(NothingToDraw, match=r"expected rows of .* from finished runs, got none"):
        drawn(name, results)


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


def test_lines_close_to_the_total_have_a_panel_of_their_own():
    runs = [
        departing(run, "paper", {}, {"label": 0.3 if run.method == "factorcl-ssl" else 0.0})
        for run in records((0.0, 0.5, 1.0), SIX, seeds=(0, 1))
    ]
    whole, near = drawn("label_bits", as_results(runs)).figure.axes
    assert near.get_ylim()[0] == pytest.approx(0.85 * LABEL_BITS)
    assert near.get_ylim()[1] > LABEL_BITS
    for label in ("FactorCL-SUP", "Supervised"):
        np.testing.assert_array_equal(line(near, label).get_ydata(), line(whole, label).get_ydata())
    assert len(near.collections) == 0
    assert "means (bits)" in near.get_ylabel()


def test_lines_far_from_the_total_have_one_panel():
    few = as_results(records((0.0, 1.0), ("simclr", "raw", "untrained"), (0,)))
    assert len(drawn("label_bits", few).figure.axes) == 1


@pytest.mark.parametrize("name", ["label_bits", "blocks", "accuracy"])
def test_many_methods_get_a_page_and_a_legend_that_fits_it(ladder, name):
    figure = drawn(name, ladder).figure
    with house_style():
        figure.draw_without_rendering()
    assert figure.get_figwidth() == PAGE_INCHES
    (legend,) = figure.legends
    extent = legend.get_window_extent()
    assert extent.x0 >= figure.bbox.x0
    assert extent.x1 <= figure.bbox.x1


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
        drawn("label_bits", results, yardstick=Yardstick(name))
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
