import dataclasses
import inspect
import subprocess
import sys

import pytest

from fctestbed.estimators import ESTIMATORS, Estimator, make_estimator, settings_of


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_is_registered_by_its_name_with_what_it_claims(name):
    kind = ESTIMATORS[name]
    assert issubclass(kind, Estimator)
    assert kind.name == name
    assert kind.bound in {"lower", "upper", "exact", "none"}
    assert kind.kinds <= {"discrete", "continuous", "mixed"}
    assert dataclasses.is_dataclass(kind)
    with pytest.raises(dataclasses.FrozenInstanceError):
        kind().name = "other"


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_says_what_it_bounds_when_it_fails_and_where_it_is_from(name):
    text = inspect.getdoc(ESTIMATORS[name])
    for word in ("Bounds: ", "Fails: ", "Source:"):
        assert word in text


def test_estimators_that_claim_no_direction_are_those_that_have_none():
    for name in ("plugin", "miller-madow", "chao-wang-jost", "ksg1", "ksg2", "ross", "mixed-ksg",
                 "frenzel-pompe", "mesner-shalizi", "gaussian", "gaussian-copula"):  # fmt: skip
        assert ESTIMATORS[name].bound == "none"


def test_settings_have_names_and_defaults_and_make_estimators():
    assert settings_of("ksg1") == {"k": 3, "margins": "unit", "seed": 0}
    assert settings_of("plugin") == {}
    assert make_estimator("ksg1", k=7) == ESTIMATORS["ksg1"](k=7)


def test_counts_and_neighbours_need_no_torch():
    code = (
        "import sys; from fctestbed.estimators.knn import Ksg1; "
        "from fctestbed.estimators.discrete import Plugin; import fctestbed.estimators; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_readers_of_classes_are_for_discrete_and_mixed_pairs():
    for name in ("usable-linear", "usable-mlp", "usable-knn", "prequential"):
        assert ESTIMATORS[name].kinds == {"discrete", "mixed"}
        assert ESTIMATORS[name].bound == "lower"
