import dataclasses

import pytest
from drawings import drawing_of
from synthetic_results import (
    METHODS,
    RELEVANT,
    as_results,
    record,
)

from fctestbed.plotting.figures.latent_bits import MINUS


def headline(results, method, quantity):
    rows = results.captured
    rows = rows[(rows["method"] == method) & (rows["readout"] == "joint")]
    return rows[rows["quantity"] == quantity].groupby("unique_ratio")["value_bits"].mean()


def test_the_heat_map_shows_means_over_seeds_at_the_nearest_ratio(results):
    drawing = drawing_of("latent_bits", results, heatmap_ratio=0.33)
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
    drawing = drawing_of("latent_bits", dataclasses.replace(results, captured=rows))
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
    drawing = drawing_of("latent_bits", results)
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
    drawing = drawing_of(
        "latent_bits", as_results([record("raw", 0.5, 0, captured=rows, truth={})])
    )
    labels = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
    assert labels == ["$w_s$[0]", "$w_s$[2]", "$w_s$[10]", "$w_1$[1]", "$w_2$[0]"]
