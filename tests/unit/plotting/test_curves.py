import dataclasses
import json

import numpy as np
import pytest
from drawings import drawing_of
from drawn_parts import curve, line, note
from matplotlib.colors import to_hex
from synthetic_results import (
    LABEL_BITS,
    METHODS,
    RATIOS,
    as_results,
    departing,
    record,
    records,
    relabelled,
)

from fctestbed.plotting import (
    METHOD_STYLES,
)

SIX = ("factorcl-sup", "factorcl-ssl", "supcon", "unimodal-sup", "unimodal-ssl", "supervised")


def headline(results, method, quantity):
    rows = results.captured
    rows = rows[(rows["method"] == method) & (rows["readout"] == "joint")]
    return rows[rows["quantity"] == quantity].groupby("unique_ratio")["value_bits"].mean()


def test_label_bits_has_a_line_of_means_for_every_method(results):
    drawing = drawing_of("label_bits", results)
    for method in METHODS:
        own = curve(drawing, METHOD_STYLES[method].label)
        assert list(own.get_xdata()) == list(RATIOS)
        np.testing.assert_allclose(own.get_ydata(), headline(results, method, "label"))
        assert to_hex(own.get_color()) == METHOD_STYLES[method].color


def test_intervals_end_at_what_is_possible():
    results = as_results(records((0.0, 0.5, 1.0), ("simclr", "raw"), (0, 1)))
    # Two seeds far apart: the interval of their mean reaches far above and below.
    own = results.captured["quantity"].eq("label") & results.captured["run_id"].str.endswith("-1")
    results.captured.loc[own, "value_bits"] = 0.9 * LABEL_BITS
    numbers = drawing_of("label_bits", results).numbers
    assert numbers["high_bits"].max() == LABEL_BITS
    # A probe on held-out samples may be below 0; accuracy may not.
    assert numbers["low_bits"].min() < 0
    wide = as_results(records((0.0, 1.0), ("simclr",), (0, 1)))
    apart = wide.accuracy["run_id"].str.endswith("-1")
    wide.accuracy.loc[apart, "accuracy"] = 0.05
    numbers = drawing_of("accuracy", wide).numbers
    # No reader is above Bayes accuracy.
    bayes = wide.accuracy["bayes_accuracy"].max()
    assert (numbers["low"].min(), numbers["high"].max()) == (0.0, bayes)


def test_label_bits_has_the_exact_total_and_the_exact_shared_part_in_black(results):
    axes = drawing_of("label_bits", results).figure.axes[0]
    total, shared = line(axes, "Exact total"), line(axes, "Exact shared part")
    np.testing.assert_allclose(total.get_ydata(), LABEL_BITS)
    np.testing.assert_allclose(shared.get_ydata(), LABEL_BITS * (1 - np.array(RATIOS)))
    assert total.get_color() == shared.get_color() == "black"
    assert shared.get_linestyle() == ":"


def test_label_bits_has_bands_of_the_intervals(results):
    drawing = drawing_of("label_bits", results)
    ssl, sup = drawing.figure.axes
    # Each panel has three methods and three controls.
    assert len(ssl.collections) == len(sup.collections) == 6
    band = sup.collections[0].get_paths()[0].vertices[:, 1]
    own = drawing.numbers[drawing.numbers["method"] == "factorcl-sup"]
    assert band.min() == pytest.approx(own["low_bits"].min())
    assert band.max() == pytest.approx(own["high_bits"].max())


def test_unique_bits_are_summed_within_each_run(results):
    _, shared, _, unique = drawing_of("blocks", results).figure.axes
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
    numbers = drawing_of("blocks", as_results([run, lacking])).numbers
    assert numbers.set_index("panel")["n_seeds"].to_dict() == {"shared": 2, "unique": 1}


def test_accuracy_has_the_bayes_and_the_majority_accuracy(results):
    drawing = drawing_of("accuracy", results)
    np.testing.assert_allclose(
        curve(drawing, "Bayes optimum").get_ydata(), 0.55 + 0.35 * np.abs(np.array(RATIOS) - 0.5)
    )
    np.testing.assert_allclose(curve(drawing, "Majority class").get_ydata(), 1 / 16)


def test_accuracy_says_why_its_optimum_depends_on_the_ratio(results):
    # These runs' records do not say what the label is.
    assert "noise" not in note(drawing_of("accuracy", results))
    spec = json.dumps({"training": {"world": {"label": {"kind": "bits"}}}})
    channels = relabelled(results, spec=spec)
    assert "little capacity are noise" in note(drawing_of("accuracy", channels))
    flat = dataclasses.replace(channels, accuracy=channels.accuracy.assign(bayes_accuracy=0.5))
    assert "noise" not in note(drawing_of("accuracy", flat))


def test_without_exact_numbers_the_lines_are_left_out(results):
    axes = drawing_of("accuracy", relabelled(results, truth="{}")).figure.axes[0]
    assert "Majority class" not in [line.get_label() for line in axes.lines]
    axes = drawing_of("label_bits", relabelled(results, truth="{}")).figure.axes[0]
    labels = [line.get_label() for line in axes.lines]
    assert "Exact total" in labels
    assert "Exact shared part" not in labels


def test_unfinished_runs_are_left_out_and_told():
    results = as_results(records(unfinished={("simclr", 0.3, 1), ("raw", 0.0, 0)}))
    drawing = drawing_of("label_bits", results)
    counts = drawing.numbers.set_index(["method", "unique_ratio"])["n_seeds"]
    assert counts["simclr", 0.3] == 2
    assert note(drawing).endswith("over 2 to 3 seeds; 2 unfinished runs left out")


def test_one_wild_interval_does_not_flatten_the_curves():
    results = as_results(records(methods=("simclr",), seeds=(0, 1)))
    wild = results.captured["run_id"].eq("simclr-0.5-1") & results.captured["quantity"].eq("label")
    results.captured.loc[wild, "value_bits"] = -1.0
    axes = drawing_of("label_bits", results).figure.axes[0]
    bottom, top = axes.get_ylim()
    assert -1.0 < bottom < 0
    assert LABEL_BITS < top < 3.0


def test_negative_values_stay_negative():
    results = relabelled(as_results(records(methods=("simclr",))), value_bits=-0.25)
    axes = drawing_of("label_bits", results).figure.axes[0]
    assert set(line(axes, "SimCLR").get_ydata()) == {-0.25}
    assert axes.get_ylim()[0] < -0.25


def test_a_control_far_below_zero_does_not_set_the_scale():
    results = as_results(records(methods=("simclr", "raw")))
    results.captured.loc[results.captured["run_id"].str.startswith("raw"), "value_bits"] = -40.0
    axes = drawing_of("label_bits", results).figure.axes[0]
    bottom, top = axes.get_ylim()
    assert -0.6 * top < bottom < 0
    n = len(line(axes, "Raw inputs").get_ydata())
    (below,) = [marks for marks in axes.get_lines() if marks.get_label() == "_below"]
    assert list(below.get_ydata()) == [bottom] * n
    assert f"{n} means below" in [text.get_text() for text in axes.texts]


def test_one_seed_has_no_interval_and_says_so():
    drawing = drawing_of("label_bits", as_results(records(seeds=(0,))))
    axes = drawing.figure.axes[0]
    assert len(axes.collections) == 0
    assert note(drawing) == "1 seed, no interval"


def test_lines_close_to_the_total_have_a_panel_of_their_own():
    runs = [
        departing(run, "paper", {}, {"label": 0.3 if run.method == "factorcl-ssl" else 0.0})
        for run in records((0.0, 0.5, 1.0), SIX, seeds=(0, 1))
    ]
    whole, near = drawing_of("label_bits", as_results(runs)).figure.axes
    assert near.get_ylim()[0] == pytest.approx(0.85 * LABEL_BITS)
    assert near.get_ylim()[1] > LABEL_BITS
    for label in ("FactorCL-SUP", "Supervised"):
        np.testing.assert_array_equal(line(near, label).get_ydata(), line(whole, label).get_ydata())
    assert len(near.collections) == 0
    assert "means (bits)" in near.get_ylabel()


def test_lines_far_from_the_total_have_one_panel():
    few = as_results(records((0.0, 1.0), ("simclr", "raw", "untrained"), (0,)))
    assert len(drawing_of("label_bits", few).figure.axes) == 1
