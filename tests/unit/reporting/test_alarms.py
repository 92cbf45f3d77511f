"""Alarms: their kinds, which runs are alike, seeds that disagree."""

import json
from types import SimpleNamespace

import pytest
from synthetic_results import as_results, records

from fctestbed.plotting import Yardstick
from fctestbed.reporting.alarms import alarm_sentence, alarms_of, warning_kind
from fctestbed.reporting.label_bits import LabelBits
from fctestbed.sweep.alarms import alarms

TEXT = "(X1;X2) ended at {} nats, its value for constant features (4.852)"
PROBE = Yardstick("linear_probe")


def quiet(**values):
    runs = as_results(records(**values))
    runs.runs["warnings"] = "[]"
    return runs


def found_in(results):
    return alarms_of(results, LabelBits.of(results, PROBE))


@pytest.mark.parametrize(
    ("loss", "spread", "kind"),
    [(0.0, {}, "collapse"), (-9.99, {}, "saturation"), (-5.0, {"Z_S1": 0.0}, "collapse")],
)
def test_warnings_that_a_sweep_writes_are_told_apart(loss, spread, kind):
    marks = SimpleNamespace(constant=0.0, limit=-10.0)
    trained = SimpleNamespace(
        specs=[SimpleNamespace(train=SimpleNamespace(batch_size=8))],
        losses_nats={"nce": [[loss]] * 5},
        method=SimpleNamespace(loss_marks=lambda _: {"nce": marks}),
    )
    (text,) = alarms(trained, 0, spread)
    assert warning_kind(text) == kind


def test_warnings_that_differ_in_numbers_only_are_one_alarm():
    results = quiet(ratios=(0.0, 1.0), methods=("simclr",))
    told = [[TEXT.format(4.85)], [TEXT.format("4.8e+00"), "head Z_S1 puts out a constant"]]
    results.runs.loc[results.runs.index[:2], "warnings"] = [json.dumps(one) for one in told]
    loss, head = found_in(results)
    assert loss.text == TEXT.format("4.8e+00 to 4.85")
    assert (loss.kind, loss.series, len(loss.places)) == ("collapse", "SimCLR", 2)
    assert head.where == "unique ratio 0, seed 1"
    assert alarm_sentence([loss, head]) == "Signs of collapse (2 runs)."


def test_unfinished_runs_have_their_reason_and_place():
    results = quiet(ratios=(0.0, 1.0), methods=("simclr",), unfinished=[("simclr", 1.0, 2)])
    (alarm,) = found_in(results)
    assert (alarm.kind, alarm.text) == ("divergence", "loss is nan at step 40")
    assert alarm.where == "unique ratio 1, seed 2"


def test_seeds_that_differ_by_much_are_an_alarm():
    results = quiet(ratios=(0.0, 1.0), methods=("simclr",))
    rows = results.captured
    wanted = (rows["quantity"] == "label") & (rows["readout"] == "joint") & (rows["seed"] == 0)
    rows.loc[wanted & (rows["unique_ratio"] == 0.0), "value_bits"] = 0.2
    (alarm,) = found_in(results)
    assert alarm.kind == "spread"
    assert alarm.where == "unique ratio 0"
    assert "(0.20 to " in alarm.text
    assert alarm_sentence([alarm]) == "Seeds that disagree (1 cell)."


def test_runs_without_alarms_are_said_to_have_none():
    results = quiet(ratios=(0.0, 1.0), methods=("simclr",))
    assert found_in(results) == []
    assert alarm_sentence([]).startswith("No run diverged")


def test_many_places_are_shortened():
    results = quiet(ratios=(0.0, 0.5, 1.0), methods=("simclr",))
    results.runs["warnings"] = json.dumps(["3 dead units"])
    (alarm,) = found_in(results)
    assert alarm.kind == "warning"
    assert alarm.where.endswith("; 3 more")
