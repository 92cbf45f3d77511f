"""The figure of bits against the steps of the training."""

import dataclasses

import pandas as pd
import pytest
from drawings import drawing_of
from synthetic_results import as_results, record

from fctestbed.plotting import NothingToDraw, Yardstick
from fctestbed.results import AlongRow

STEPS = (1, 10, 100)
AT_4 = Yardstick("rate", 4.0)
# Bits at each step; both unique blocks have the same.
BITS = {"label": (0.5, 1.5, 1.0), "shared": (0.2, 1.0, 3.0), "unique1": (0.4, 0.3, 0.1)}


def along_rows(shift, estimator="rate", rate_bits=4.0):
    bits = {**BITS, "unique2": BITS["unique1"], "w_s[0]": (0.0, 0.0, 0.0)}
    return tuple(
        AlongRow(
            step=step,
            readout="joint",
            quantity=quantity,
            estimator=estimator,
            rate_bits=rate_bits,
            bound="exact",
            value_bits=values[place] + shift,
            low_bits=None,
            high_bits=None,
            true_bits=2.0 if quantity == "label" else 6.0,
            ceiling_bits=4.0,
            n_eval=100,
        )
        for place, step in enumerate(STEPS)
        for quantity, values in bits.items()
    )


def results(ratios=(0.0, 0.5, 0.9, 1.0), **kind):
    return as_results(
        [
            record(method, ratio, seed, along=along_rows(0.1 * (seed - 1), **kind))
            for method in ("simclr", "supcon")
            for ratio in ratios
            for seed in (0, 1, 2)
        ]
    )


def drawn(found, **options):
    return drawing_of("along", found, **options)


def test_numbers_are_means_over_seeds_with_unique_blocks_summed_and_limited_by_the_rate():
    numbers = drawn(results(), yardstick=AT_4).numbers
    assert sorted(numbers["unique_ratio"].unique()) == [0.0, 0.5, 1.0]
    own = numbers[(numbers["method"] == "supcon") & (numbers["unique_ratio"] == 0.5)]
    for name, quantity, times in (
        ("label bits", "label", 1),
        ("shared bits", "shared", 1),
        ("unique bits", "unique1", 2),
    ):
        rows = own[own["quantity"] == name].sort_values("step")
        assert rows["step"].tolist() == list(STEPS)
        assert rows["captured_bits"].tolist() == pytest.approx([times * b for b in BITS[quantity]])
        assert set(rows["most_bits"]) == {2.0 if quantity == "label" else 4.0}
        assert set(rows["n_seeds"]) == {3}
        assert set(rows["rate_bits"]) == {4.0}


def test_there_is_a_row_of_panels_for_each_chosen_ratio_and_a_line_for_each_method():
    figure = drawn(results(), yardstick=AT_4, curve_ratios=(0.85, 0.1)).figure
    axes = figure.axes
    assert len(axes) == 6
    assert [one.get_title() for one in axes[:3]] == [
        f"{name} bits read at R = 4 bits" for name in ("label", "shared", "unique")
    ]
    assert [axes[place].get_ylabel() for place in (0, 3)] == [
        "unique ratio 0\nbits",
        "unique ratio 0.9\nbits",
    ]
    assert [one.get_xlabel() for one in axes] == [""] * 3 + ["training step"] * 3
    assert all(one.get_xscale() == "log" for one in axes)
    labels = {line.get_label() for line in axes[0].lines}
    assert {"min(R, exact bits)", "SimCLR", "SupCon"} <= labels


def test_without_a_rate_the_exact_bits_are_the_most():
    found = results(estimator="channel", rate_bits=None)
    numbers = drawn(found, yardstick=Yardstick("channel")).numbers
    assert set(numbers.loc[numbers["quantity"] == "unique bits", "most_bits"]) == {12.0}


@pytest.mark.parametrize("yardstick", [Yardstick("rate", 8.0), Yardstick("linear_probe")])
def test_a_yardstick_that_did_not_measure_along_the_training_has_no_figure(yardstick):
    with pytest.raises(NothingToDraw, match="rows of bits along training"):
        drawn(results(), yardstick=yardstick)


def test_unfinished_runs_are_counted_in_the_note():
    found = results()
    lost = as_results([record("simclr", 0.5, 7, status="diverged")])
    found = dataclasses.replace(found, runs=pd.concat([found.runs, lost.runs]))
    (legend,) = drawn(found, yardstick=AT_4).figure.legends
    assert "1 unfinished run left out" in legend.get_title().get_text()
