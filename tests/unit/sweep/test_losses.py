"""The loss as rows of scores."""

import pytest
from tiny_sweeps import tiny_units

from fctestbed.results import ScoreRow
from fctestbed.sweep.execute import execute
from fctestbed.sweep.losses import loss_scores


def loss_rows(record):
    return {row.score: row for row in record.scores if row.readout == "training"}


def test_the_last_logged_loss_and_its_sorted_terms_are_rows_in_nats():
    logged = {"step": [5.0, 10.0], "infonce": [-0.5, -1.0], "extra": [2.0, 3.0], "total": [1.5, 2]}
    expected = {"loss": 2, "loss[extra]": 3.0, "loss[infonce]": -1.0}
    assert loss_scores(logged, 64) == tuple(
        ScoreRow(readout="training", score=score, value=value, unit="nats", n_eval=64)
        for score, value in expected.items()
    )


@pytest.mark.parametrize("logged", [{}, {"step": []}, {"step": [], "total": []}])
def test_a_training_without_steps_has_no_loss(logged):
    assert loss_scores(logged, 64) == ()


def test_a_run_s_loss_is_that_of_its_diagnostics_and_controls_have_none():
    records = [record for unit in tiny_units() for record in execute(unit, device="cpu").records]
    assert {record.method for record in records} == {"simclr", "raw"}
    for record in records:
        rows = loss_rows(record)
        if record.method == "raw":
            assert rows == {}
            continue
        assert set(rows) == {"loss", "loss[nt_xent]"}
        assert rows["loss"].value == record.diagnostics["losses_nats"]["total"][-1]
        assert rows["loss"].n_eval == 64


def test_a_measurement_without_scores_has_no_loss():
    units = tiny_units(methods=["simclr"], measurement={"scores": False})
    for unit in units:
        for record in execute(unit, device="cpu").records:
            assert record.scores == ()
