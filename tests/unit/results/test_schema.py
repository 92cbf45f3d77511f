import dataclasses
import json

import numpy as np
import pytest
from synthetic_results import record

from fctestbed.results import (
    ACCURACY_COLUMNS,
    ALONG_COLUMNS,
    CAPTURED_COLUMNS,
    SCORE_COLUMNS,
    AccuracyRow,
    AlongRow,
    ScoreRow,
)
from fctestbed.results.plain import to_json
from fctestbed.results.refusal import describe_difference


def test_captured_columns_are_the_published_schema():
    assert ",".join(CAPTURED_COLUMNS) == (
        "run_id,method,variant,preset,unique_ratio,seed,readout,quantity,estimator,rate_bits,bound,"
        "value_bits,low_bits,high_bits,true_bits,ceiling_bits,n_eval,status"
    )


def test_accuracy_columns_are_the_published_schema():
    assert ",".join(ACCURACY_COLUMNS) == (
        "run_id,method,variant,preset,unique_ratio,seed,readout,probe,accuracy,low,high,"
        "bayes_accuracy,n_eval,status"
    )


def test_the_columns_of_scores_and_of_rows_along_training_are_the_published_schema():
    assert ",".join(SCORE_COLUMNS) == (
        "run_id,method,variant,preset,unique_ratio,seed,readout,score,value,unit,n_eval,status"
    )
    assert (*CAPTURED_COLUMNS[:6], "step", *CAPTURED_COLUMNS[6:]) == ALONG_COLUMNS


def test_records_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        record("raw", 0.5, 0).status = "failed"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "done"}, "status: expected one of ok, diverged, failed, got 'done'"),
        ({"run_id": ""}, "run_id: expected a name, got ''"),
        ({"unique_ratio": float("nan")}, "unique_ratio: expected a finite number, got nan"),
        ({"status": "failed", "reason": "x"}, "expected no rows of a failed run, got"),
        (
            {"status": "diverged", "captured": (), "accuracy": (), "scores": (), "along": ()},
            "expected the reason why it diverged, got ''",
        ),
    ],
)
def test_a_record_refuses_nonsense(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(record("raw", 0.5, 0), **changes)


def test_a_record_refuses_two_rows_of_one_key():
    row = record("raw", 0.5, 0).captured[0]
    with pytest.raises(ValueError, match="one row for joint / label / linear_probe, got two"):
        record("raw", 0.5, 0, captured=(row, row))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bound": "roughly"}, "bound: expected one of lower, upper, exact, none, got 'roughly'"),
        ({"quantity": ""}, "quantity: expected a name, got ''"),
        ({"n_eval": -1}, "n_eval: expected 0 or more, got -1"),
    ],
)
def test_a_captured_row_refuses_nonsense(changes, message):
    row = record("raw", 0.5, 0).captured[0]
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(row, **changes)


@pytest.mark.parametrize("rate_bits", [0.0, -1.0, float("nan"), float("inf")])
def test_a_captured_row_refuses_a_rate_that_lets_nothing_or_everything_through(rate_bits):
    row = record("raw", 0.5, 0).captured[0]
    with pytest.raises(ValueError, match="rate_bits: expected a finite number above 0, got"):
        dataclasses.replace(row, rate_bits=rate_bits)


def test_rows_of_different_rates_are_different_rows():
    row = record("raw", 0.5, 0).captured[0]
    rows = tuple(dataclasses.replace(row, rate_bits=rate) for rate in (None, 2.0, 4.0))
    assert record("raw", 0.5, 0, captured=rows).captured == rows
    with pytest.raises(ValueError, match=r"one row for joint / label / linear_probe / 4\.0, got"):
        record("raw", 0.5, 0, captured=(*rows, rows[-1]))


def test_a_row_along_the_training_refuses_a_negative_step():
    row = record("raw", 0.5, 0).along[0]
    assert isinstance(row, AlongRow)
    with pytest.raises(ValueError, match="step: expected 0 or more, got -1"):
        dataclasses.replace(row, step=-1)


@pytest.mark.parametrize("name", ["readout", "score", "unit"])
def test_a_score_row_refuses_an_empty_name(name):
    row = record("raw", 0.5, 0).scores[0]
    assert isinstance(row, ScoreRow)
    with pytest.raises(ValueError, match=f"{name}: expected a name, got ''"):
        dataclasses.replace(row, **{name: ""})


def test_an_accuracy_row_refuses_a_nameless_probe():
    row = record("raw", 0.5, 0).accuracy[0]
    assert isinstance(row, AccuracyRow)
    with pytest.raises(ValueError, match="probe: expected a name, got ''"):
        dataclasses.replace(row, probe="")


def test_json_text_is_canonical_and_holds_numpy_nan_and_infinity():
    text = to_json({"b": np.float32(0.5), "a": [np.int64(1), float("nan"), float("inf")]})
    assert text == '{"a":[1,null,"inf"],"b":0.5}'
    assert float(json.loads(text)["a"][2]) == float("inf")


def test_json_text_names_the_place_of_what_it_cannot_hold():
    with pytest.raises(
        ValueError, match=r"record\.a\[1\]: expected something that JSON holds, .*set"
    ):
        to_json({"a": [1, {2}]})


def test_a_difference_names_the_first_keys_with_both_values():
    stored = {"preset": "quick", "label": {"bits": 2, "kind": "bits"}, "methods": [{"name": "a"}]}
    asked = {"preset": "official", "label": {"bits": 4, "kind": "bits"}, "methods": [{"name": "b"}]}
    assert describe_difference(stored, asked) == (
        "preset: stored 'quick', asked 'official'; label.bits: stored 2, asked 4; "
        "methods[0].name: stored 'a', asked 'b'"
    )


def test_a_difference_shows_what_one_side_lacks_and_counts_the_rest():
    stored = {"a": 1, "b": 2, "c": 3, "d": list(range(99))}
    text = describe_difference(stored, {"e": 5})
    assert text.startswith("a: stored 1, asked nothing; ")
    assert text.endswith("; and 2 more")


def test_a_difference_of_digests_alone_says_so():
    assert "their digests differ" in describe_difference({"a": 1}, {"a": 1})
