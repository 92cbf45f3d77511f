"""The contract of a method: the registry's methods keep it, and every clause can be broken."""

import pickle
import subprocess
import sys
from typing import Any

import broken_methods
import pytest
import torch
from broken_methods import Good, ReturnsTheJointItself, WithInnerLoop

import fctestbed.testing
from fctestbed.objectives import METHODS, Method
from fctestbed.testing import (
    METHOD_CLAUSES,
    MethodCheckFailed,
    check_method,
    method_failures,
)

BROKEN = {
    "Nameless": ("importable", "local object"),
    "Thawed": ("settings", "expected Settings to be frozen and to reject unknown keys, got"),
    "Lax": ("settings", "expected Settings to be frozen and to reject unknown keys, got"),
    "NoJoint": ("shapes", "readouts: expected some of each modality, or a fused 'joint', got z1"),
    "FusesUnsaid": (
        "shapes",
        "readouts: expected 'joint' to be z1, z2 side by side, or 'joint' in fused, got another",
    ),
    "SaysAnUnknownFused": ("shapes", "fused: expected some of the readouts z1, z2, got 'code'"),
    "JoinsAFusedReadout": (
        "shapes",
        "joint_parts: expected readouts of one modality each, got 'code'",
    ),
    "FlatHead": ("shapes", "head 'first': expected [3, 32, width] of 3 runs, got [3, 32]"),
    "ReadsTheLabel": (
        "declarations",
        "uses_label: expected True, as loss term 'apart' reads it, got False",
    ),
    "SharesNoTraining": ("declarations", "trains_as: expected simclr's training, got another "),
    "UnknownDeparture": ("declarations", "departures: expected some of its settings, got temp"),
    "UnknownMark": ("declarations", "loss_marks: expected some of the loss's terms, got together"),
    "ReadsTheWidths": ("declarations", "uses_nets: expected True, as parameters depend on the"),
    "GlobalNoise": ("determinism", "expected the same numbers twice, got another loss term"),
    "ChangesItsInputs": ("inputs", "expected the batch as it was, got other numbers in it"),
    "Unreached": (
        "gradients",
        "expected the loss to reach every parameter, got none at unread.weight, unread.bias",
    ),
    "InnerLossReachesTheOuter": (
        "gradients",
        "expected the inner loss to reach inner.* alone, got first.weight, first.bias",
    ),
    "MixesItsMembers": (
        "members",
        "expected a run's data to change its own numbers alone, got another readout 'z1'",
    ),
    "DividesByClassSizes": (
        "classes",
        "expected finite numbers in a batch of one class alone, got others in loss term 'apart'",
    ),
    "Standardised": (
        "rows",
        "expected the same rows of a single sample, got others in readout 'z1'",
    ),
    "ReadsTheOther": ("reads", "reads: expected 2 among those of readout 'z_s1', got (1,)"),
    "KeepsTooLittle": (
        "kept",
        "kept_parameters: expected all that the readouts need, got another 'z2'",
    ),
    "OneGeneratorForAll": ("stack", "expected run 1 of a stack as it is alone, got parameter "),
}


def name_of(kind: str) -> str:
    return f"broken_methods:{kind}"


def failures(method: type[Method] | str, **settings: Any) -> dict[str, str]:
    return {
        clause: failure.detail
        for clause, failure in method_failures(method, settings)
        if failure is not None
    }


@pytest.mark.parametrize("name", METHODS)
def test_every_registered_method_keeps_the_contract(name: str) -> None:
    assert failures(name) == {}


@pytest.mark.parametrize(
    "name", [name for name, kind in METHODS.items() if "contrast" in kind.Settings.model_fields]
)
def test_every_registered_method_keeps_the_contract_with_negatives_of_the_first_argument(
    name: str,
) -> None:
    check_method(name, {"contrast": "first"})


def test_drawn_negatives_have_no_gradient_in_the_inner_loop() -> None:
    check_method("factorcl-ssl", {"conditioning": "exact"})


@pytest.mark.parametrize("method", [Good, ReturnsTheJointItself, WithInnerLoop])
def test_a_good_method_keeps_the_contract(method: type[Method]) -> None:
    check_method(method)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_method_breaks_its_clause_and_no_other(kind: str) -> None:
    clause, detail = BROKEN[kind]
    found = failures(name_of(kind))
    assert list(found) == [clause]
    assert detail in found[clause]
    assert "\n" not in found[clause]


def test_every_clause_is_broken_by_some_method() -> None:
    assert {clause for clause, _ in BROKEN.values()} == set(METHOD_CLAUSES)


@pytest.mark.parametrize(
    ("kind", "clause", "detail"),
    [
        ("Needy", "settings", "expected a default for every setting, got none for width"),
        ("OneLossForAll", "shapes", "loss term 'apart': expected [3] of 3 runs, got []"),
        ("InfiniteLoss", "shapes", "loss term 'apart': expected finite numbers, got others"),
        ("NoTerms", "shapes", "loss: expected a mapping of terms, got Tensor"),
        (
            "HasAnUnsaidInnerLoop",
            "declarations",
            "has_inner_loop: expected True, as 2 parameters are inner.*",
        ),
    ],
)
def test_what_breaks_several_clauses_is_told_at_the_first(
    kind: str, clause: str, detail: str
) -> None:
    found = failures(name_of(kind))
    assert next(iter(found)) == clause
    assert found[clause] == detail


def test_the_first_broken_clause_is_raised_in_one_line() -> None:
    with pytest.raises(MethodCheckFailed) as failed:
        check_method(broken_methods.NoJoint)
    error = failed.value
    assert (error.method, error.clause) == ("broken_methods:NoJoint", "shapes")
    expected = "broken_methods:NoJoint: breaks the clause shapes: readouts: expected some of each"
    assert str(error) == f"{expected} modality, or a fused 'joint', got z1"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_settings_are_those_that_are_checked() -> None:
    check_method("simclr", {"critic": "bilinear"})
    with pytest.raises(ValueError, match=r"settings\.temperature: expected greater than 0, got 0"):
        check_method("simclr", {"temperature": 0})


def test_what_is_no_method_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected one of simclr, .* got 'simclr2'"):
        check_method("simclr2")
    with pytest.raises(
        ValueError, match="method: expected a subclass of Method, a loss or a name, got 3"
    ):
        check_method(3)  # type: ignore[arg-type]


def test_a_class_of_the_registry_has_its_name() -> None:
    with pytest.raises(ValueError, match="settings"):
        check_method(METHODS["raw"], {"foo": 1})
    assert failures(METHODS["raw"]) == {}


def test_threads_are_as_before() -> None:
    torch.set_num_threads(2)
    try:
        check_method("raw")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_the_package_imports_nothing_heavy_until_it_is_used() -> None:
    code = "import sys, fctestbed.testing; assert not {'torch', 'hypothesis'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="foo"):
        fctestbed.testing.foo  # noqa: B018
