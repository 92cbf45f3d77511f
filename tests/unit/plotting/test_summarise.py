"""Means over seeds, intervals, and the guards against mixing what is not alike."""

import math

import numpy as np
import pandas as pd
import pytest

from fctestbed.plotting.summarise import Ratios, pooled_intervals, seed_intervals, seeds_note

KEYS = ["method", "variant", "unique_ratio"]


def rows_of(values, method="simclr", ratio=0.5):
    return pd.DataFrame(
        {
            "method": method,
            "variant": "",
            "unique_ratio": ratio,
            "seed": range(len(values)),
            "value_bits": values,
        }
    )


def test_the_interval_is_students_over_seeds():
    (point,) = seed_intervals(rows_of([1.0, 2.0, 3.0]), "value_bits", KEYS).to_dict(
        orient="records"
    )
    # Tables give t(0.975, 2) = 4.302653; s = 1 here.
    half = 4.302653 / math.sqrt(3)
    assert point["mean"] == 2.0
    assert point["high"] - 2.0 == pytest.approx(half, abs=1e-6)
    assert 2.0 - point["low"] == pytest.approx(half, abs=1e-6)
    assert point["n_seeds"] == 3


def test_one_seed_has_a_mean_and_no_interval():
    (point,) = seed_intervals(rows_of([1.5]), "value_bits", KEYS).to_dict(orient="records")
    assert point["mean"] == 1.5
    assert math.isnan(point["low"])
    assert math.isnan(point["high"])


def test_values_that_are_no_numbers_are_left_out_of_the_mean():
    (point,) = seed_intervals(rows_of([1.0, np.nan, 3.0]), "value_bits", KEYS).to_dict(
        orient="records"
    )
    assert (point["mean"], point["n_seeds"]) == (2.0, 2)


@pytest.mark.parametrize(
    ("counts", "unfinished", "note"),
    [
        ([3, 3], 0, "mean and 95 % interval (Student t) over 3 seeds"),
        ([1, 1], 0, "1 seed, no interval"),
        (
            [2, 3],
            1,
            "mean and 95 % interval (Student t) over 2 to 3 seeds; 1 unfinished run left out",
        ),
    ],
)
def test_the_note_says_seeds_interval_and_what_is_missing(counts, unfinished, note):
    assert seeds_note(pd.Series(counts), unfinished) == note


def test_two_rows_of_one_seed_in_one_mean_are_refused():
    rows = pd.concat([rows_of([1.0, 2.0]), rows_of([3.0])])
    with pytest.raises(ValueError, match=r"one row per seed .* method simclr, .* seed 0"):
        seed_intervals(rows, "value_bits", KEYS)
    with pytest.raises(ValueError, match="rows: expected one row per seed in each mean"):
        pooled_intervals(rows, "value_bits", ["method"], Ratios((0.5,)))


def pooling_rows():
    return pd.DataFrame(
        {
            "method": "simclr",
            "unique_ratio": [0.0, 1.0, 0.0, 1.0, 0.0],
            "seed": [0, 0, 1, 1, 2],
            "value_bits": [1.0, 2.0, 2.0, 3.0, 100.0],
        }
    )


def test_a_mean_over_ratios_is_taken_within_seeds_that_have_them_all():
    rows = pooling_rows()
    (point,) = pooled_intervals(rows, "value_bits", ["method"], Ratios.of(rows, None)).to_dict(
        orient="records"
    )
    assert point["mean"] == 2.0
    assert point["n_seeds"] == 2
    # Tables give t(0.975, 1) = 12.7062.
    assert point["high"] - 2.0 == pytest.approx(12.7062 * np.sqrt(0.5 / 2), abs=1e-3)


def test_a_wanted_ratio_is_the_nearest_there_is():
    rows = pooling_rows()
    ratios = Ratios.of(rows, 0.2)
    assert (ratios.values, ratios.name) == ((0.0,), "0")
    (point,) = pooled_intervals(rows, "value_bits", ["method"], ratios).to_dict(orient="records")
    assert point["n_seeds"] == 3


def test_a_number_unknown_at_one_ratio_has_no_mean_over_them():
    ratios = Ratios((0.0, 1.0))
    assert np.isnan(ratios.mean(pd.Series({0.0: 1.0})))
    assert ratios.mean(pd.Series({0.0: 1.0, 1.0: 2.0, 0.5: 9.0})) == 1.5
