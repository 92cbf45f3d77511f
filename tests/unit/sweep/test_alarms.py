"""Alarms: collapsed heads, losses at their constant-feature value, InfoNCE at its cap."""

import math

import pytest
from tiny_sweeps import tiny_units

import fctestbed.sweep.alarms as alarms_module
from fctestbed.sweep.alarms import alarms
from fctestbed.sweep.execute import execute
from fctestbed.training import TrainedStack, TrainingSpec, TrainSpec


def trained(method: str, **losses: list[float]) -> TrainedStack:
    spec = TrainingSpec(method=method, train=TrainSpec(batch_size=64))
    built = spec.build_method()
    return TrainedStack(
        specs=[spec],
        method=built,
        module=None,
        device=None,
        dtype=None,
        diverged=[None],
        logged_steps=list(range(len(next(iter(losses.values()))))),
        losses_nats={name: [[value] for value in values] for name, values in losses.items()},
    )


def test_nt_xent_at_its_constant_feature_value_is_an_alarm():
    at_rest = math.log(2 * 64 - 1)
    stack = trained("simclr", nt_xent=[5.0, *[at_rest + 1e-3] * 5])
    (warning,) = alarms(stack, 0, {})
    assert warning == "nt_xent ended at 4.845 nats, its value for constant features (4.844)"


def test_a_loss_that_moved_is_no_alarm():
    stack = trained("simclr", nt_xent=[4.844, *[4.7] * 5])
    assert alarms(stack, 0, {}) == ()


def test_infonce_at_its_cap_is_an_alarm():
    cap = math.log(64)
    stack = trained("unimodal-ssl", nce_x1x1=[-0.995 * cap] * 6, nce_x2x2=[-0.5 * cap] * 6)
    (warning,) = alarms(stack, 0, {})
    assert warning == "nce_x1x1 ended at -4.138 nats, at its limit (-4.159)"


def test_the_last_points_count_and_no_others():
    cap = math.log(64)
    stack = trained("unimodal-ssl", nce_x1x1=[-cap] * 5 + [-1.0] * 5, nce_x2x2=[-1.0] * 10)
    assert alarms(stack, 0, {}) == ()


def test_terms_counted_twice_have_twice_the_limit():
    spec = TrainingSpec(method="factorcl-sup", settings={"counting": "sum"})
    marks = spec.build_method().loss_marks(100)
    assert marks["nce_x1x2_cond"].limit == pytest.approx(-2 * math.log(100))
    assert marks["nce_x1x2"].limit == pytest.approx(-math.log(100))


def test_exact_negatives_set_the_limit_of_their_term():
    spec = TrainingSpec(method="factorcl-ssl", settings={"conditioning": "exact", "n_negatives": 7})
    marks = spec.build_method().loss_marks(100)
    assert marks["nce_x1x2_cond"].limit == pytest.approx(-math.log(8))


def test_a_head_without_spread_is_an_alarm():
    stack = trained("simclr", nt_xent=[1.0])
    found = alarms(stack, 0, {"projection1": 1e-6, "projection2": 0.3})
    assert found == ("head projection1 puts out a constant",)


def test_alarms_are_in_the_record_of_the_run(monkeypatch):
    monkeypatch.setattr(alarms_module, "_CONSTANT_SPREAD", 1e9)
    (unit,) = tiny_units(methods=["simclr"])
    warnings = execute(unit, device="cpu").records[0].warnings
    assert {"head projection1 puts out a constant", "head projection2 puts out a constant"} <= set(
        warnings
    )
