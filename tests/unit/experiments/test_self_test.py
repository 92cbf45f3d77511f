"""The self-test of ``doctor``: exact answers of a tiny sweep, and a time."""

import pytest

import fctestbed.experiments.self_test as module
from fctestbed.experiments import run_self_test


@pytest.mark.slow
def test_the_known_answers_come_out_and_the_default_sweep_has_a_time(monkeypatch):
    monkeypatch.setattr(module, "_TIMED", {**module._EXACT, "methods": ["unimodal-sup"]})
    said = []
    test = run_self_test(device="cpu", workers=2, report=said.append)
    assert test.passed, test.findings
    assert [one.expected for one in test.findings] == [4, 2, 1, 1, 2]
    assert test.default_sweep.seconds > 1
    assert len(said) == 2


def test_a_wrong_answer_is_a_finding(monkeypatch):
    captured = module.pd.DataFrame(
        {
            "method": "raw",
            "readout": "joint",
            "estimator": "linear_probe",
            "quantity": ["label", "shared"],
            "value_bits": [3.9, 2.0],
        }
    )
    passed = {one.name.split()[0]: one.passed for one in module._raw_findings(captured)}
    assert passed == {"label": False, "shared": True, "unique1": False, "unique2": False}
