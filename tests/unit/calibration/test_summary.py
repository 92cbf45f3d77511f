"""What a summary says of rows that were made by hand."""

import numpy as np
import pandas as pd
import pytest

from fctestbed.calibration import CALIBRATION_COLUMNS, SUMMARY_COLUMNS, summarise, verdicts

HALF = 1.959963984540054


def rows(values, *, se=1.0, truth=1.0, **columns):
    """Rows of one cell with standard error ``se``."""
    values = np.asarray(values, dtype=float)
    plain = {
        "case": "a", "group": "g", "kind": "discrete", "true_bits": truth, "estimator": "e",
        "bound": "none", "target": "information", "n": 100, "tolerance_bits": np.nan,
        "repetition": np.arange(len(values)), "value_bits": values,
        "low_bits": values - HALF * se, "high_bits": values + HALF * se, "se_bits": se,
        "ceiling_bits": 5.0,
        "seconds": 0.5, "refusal": "",
    }  # fmt: skip
    return pd.DataFrame({**plain, **columns})[list(CALIBRATION_COLUMNS)]


def only(frame):
    (row,) = summarise(frame).itertuples()
    return row


def test_bias_spread_and_their_errors_are_those_of_the_repetitions():
    row = only(rows([1.0, 2.0, 3.0], se=2.0))
    assert tuple(summarise(rows([1.0])).columns) == SUMMARY_COLUMNS
    assert (row.repetitions, row.mean_bits, row.bias_bits, row.sd_bits) == (3, 2.0, 1.0, 1.0)
    assert row.bias_se_bits == pytest.approx(1 / np.sqrt(3))
    assert row.se_ratio == pytest.approx(2.0)
    assert (row.ceiling_bits, row.seconds, row.refused, row.refusal) == (5.0, 0.5, 0, "")


@pytest.mark.parametrize(
    ("held", "verdict"), [(95, "within"), (90, "within"), (99, "within"), (89, "below"),
                          (100, "above")]
)  # fmt: skip
def test_coverage_counts_the_intervals_that_hold_the_truth(held, verdict):
    row = only(rows([1.0] * held + [4.0] * (100 - held)))
    assert row.coverage == held / 100
    assert row.coverage_low < held / 100 <= row.coverage_high
    assert row.coverage_verdict == verdict


def test_few_repetitions_penalties_and_missing_intervals_have_no_verdict_of_coverage():
    assert only(rows([1.0] * 99)).coverage_verdict == "few"
    assert only(rows([1.0] * 200, target="jeffreys")).coverage_verdict == ""
    without = only(rows([1.0] * 200, low_bits=np.nan, high_bits=np.nan))
    assert without.coverage_verdict == ""
    assert np.isnan(without.coverage)
    assert (without.repetitions, without.intervals) == (200, 0)
    # The spread is known all the same.
    assert without.above == 0


def test_coverage_is_of_the_intervals_that_there_are():
    given = [1.0] * 95 + [4.0] * 5
    frame = pd.concat(
        [rows(given), rows([9.0] * 100, low_bits=np.nan, high_bits=np.nan)], ignore_index=True
    )
    row = only(frame)
    assert (row.repetitions, row.intervals, row.coverage) == (200, 100, 0.95)
    assert row.coverage_verdict == "within"
    assert only(frame.iloc[1:]).coverage_verdict == "few"


@pytest.mark.parametrize(("bound", "far"), [("lower", -9.0), ("upper", 9.0)])
def test_a_bound_may_be_far_from_the_truth_on_its_own_side(bound, far):
    held = only(rows([far] * 200, bound=bound))
    assert (held.coverage, held.coverage_verdict) == (1.0, "within")
    past = only(rows([-far] * 200, bound=bound))
    assert (past.coverage, past.coverage_verdict) == (0.0, "below")


def test_a_truth_that_a_degenerate_interval_meets_is_held():
    row = only(rows([1.0 + 1e-13] * 100, se=0.0, bound="lower"))
    assert row.coverage == 1.0
    assert (row.above, row.worst_z, row.direction_verdict) == (0, 0.0, "held")


@pytest.mark.parametrize(
    ("n_past", "verdict"),
    # Of 200 readings of a tight bound 0.27 are past three errors by chance: 2 in 3 % of cells, 3 in
    # 0.3 %.
    [(0, "held"), (1, "chance"), (2, "chance"), (3, "broken")],
)
def test_a_lower_bound_may_be_past_the_truth_as_often_as_chance_has_it(n_past, verdict):
    values = [4.5] * n_past + [0.0] * (200 - n_past)
    row = only(rows(values, bound="lower"))
    assert (row.above, row.below) == (n_past, 0)
    assert row.direction_verdict == verdict
    assert row.worst_z == pytest.approx(3.5 if n_past else -1.0)


def test_an_upper_bound_is_broken_from_below_and_no_bound_is_not_judged():
    low = rows([-3.0] * 200, bound="upper")
    assert only(low).direction_verdict == "broken"
    assert only(low).worst_z == pytest.approx(4.0)
    high = rows([9.0] * 200, bound="upper")
    assert only(high).direction_verdict == "held"
    assert only(rows([9.0] * 200)).direction_verdict == ""


def test_a_stated_tolerance_is_kept_within_three_errors_of_the_bias():
    spread = np.tile([-0.1, 0.1], 50)
    # The bias's own standard error: 0.1 / sqrt(100).
    for bias, verdict in (
        (0.0, "within"),
        (0.049, "within"),
        (-0.049, "within"),
        (0.06, "outside"),
    ):
        row = only(rows(1.0 + bias + spread, tolerance_bits=0.02))
        assert (row.tolerance_bits, row.tolerance_verdict) == (0.02, verdict)
    assert only(rows(1.0 + spread)).tolerance_verdict == ""


def test_a_refused_cell_has_its_words_and_no_numbers():
    refused = rows([np.nan], se=np.nan, refusal="x: no")
    row = only(refused)
    assert (row.repetitions, row.refused, row.refusal) == (0, 1, "x: no")
    assert np.isnan(row.mean_bits)
    assert row.coverage_verdict == row.direction_verdict == row.tolerance_verdict == ""
    some = only(pd.concat([rows([1.0, 2.0]), refused]))
    assert (some.repetitions, some.refused, some.refusal) == (2, 1, "x: no")


def test_verdicts_count_the_cells_of_an_estimator():
    frame = pd.concat(
        [
            rows([1.0] * 190 + [4.0] * 10, case="covers", tolerance_bits=0.1),
            rows([1.0] * 200, case="covers too much", tolerance_bits=0.1),
            rows([9.0] * 200, case="covers too little", tolerance_bits=0.1),
            rows([np.nan], se=np.nan, case="refused", refusal="x: no"),
            rows([1.0] * 200, case="mute", low_bits=np.nan, high_bits=np.nan),
            rows([9.0] * 200, case="broken", estimator="bound", bound="lower"),
            rows([0.5] * 200, case="held", estimator="bound", bound="lower"),
            rows([9.0] + [0.5] * 199, case="lucky", estimator="bound", bound="lower"),
        ]
    )
    first, second = verdicts(summarise(frame)).to_dict("records")
    assert first == {
        "estimator": "e", "n": 100, "cells": 5, "refused": 1, "few": 1,
        "cover": 1, "cover_less": 1, "cover_more": 1,
        "held": 0, "by_chance": 0, "broken": 0, "readings": 0, "past": 0,
        "kept": 2, "missed": 1,
    }  # fmt: skip
    assert (second["held"], second["by_chance"], second["broken"]) == (1, 1, 1)
    assert (second["readings"], second["past"]) == (600, 201)
