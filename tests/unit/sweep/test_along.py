"""Encoders that are measured while they train."""

from dataclasses import fields

import pytest
from tiny_sweeps import TINY, tiny_units

from fctestbed.measurement import along_steps
from fctestbed.sweep import merge, sweep_spec
from fctestbed.sweep.execute import execute

RATE = {"rate": {"target_bits": 0.5}}
METHODS = ["simclr", "factorcl-ssl", "raw"]


def records(**measurement):
    units = tiny_units(
        methods=METHODS, unique_ratio=[0.5], seeds=[0, 1], measurement={**RATE, **measurement}
    )
    return {
        (record.method, record.seed): record
        for unit in units
        for record in execute(unit, device="cpu").records
    }


def test_rows_along_the_training_end_in_the_runs_own_rows_and_change_none_of_them():
    plain, along = records(), records(along=3)
    assert plain.keys() == along.keys()
    for key, record in along.items():
        assert record.status == "ok"
        assert record.captured == plain[key].captured
        assert record.accuracy == plain[key].accuracy
        assert plain[key].along == ()
        if record.method == "raw":
            assert record.along == ()
            continue
        assert tuple(dict.fromkeys(row.step for row in record.along)) == along_steps(3, 10)
        own = [row for row in record.captured if row.estimator == "rate"]
        last = [row for row in record.along if row.step == 10]
        names = [field.name for field in fields(own[0])]
        assert [[getattr(row, name) for name in names] for row in last] == [
            [getattr(row, name) for name in names] for row in own
        ]
        first = [row for row in record.along if row.step == 1]
        assert [row.value_bits for row in first] != [row.value_bits for row in last]


def test_more_steps_along_than_the_training_has_are_refused():
    message = r"measurement\.along: expected at most train\.steps \(10\), got 11"
    with pytest.raises(ValueError, match=message):
        tiny_units(measurement={"along": 11})


def test_along_needs_a_meter_that_takes_codewords_only():
    message = r"measurement\.along: expected a meter that needs codewords only with it, got all"
    with pytest.raises(ValueError, match=message):
        sweep_spec(merge(TINY, {"measurement": {"along": 3, "rate": False}}))
