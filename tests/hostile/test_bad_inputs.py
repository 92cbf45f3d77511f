"""Bad inputs in this process: a part of the list that ``bad_inputs.py`` runs as a script."""

import shutil

import pytest
from bad_inputs import bad_inputs
from outcomes import faults, outcome, tree
from places import make_place

_EVERY = 6
QUICK = [bad for bad in bad_inputs() if bad.quick][::_EVERY]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    directory = tmp_path_factory.mktemp("place")
    make_place(directory)
    yield directory
    shutil.rmtree(directory)


@pytest.mark.parametrize("bad", QUICK, ids=[f"{bad.kind}-{n}" for n, bad in enumerate(QUICK)])
def test_a_bad_input_is_refused_in_one_line_and_changes_nothing(bad, place, monkeypatch):
    monkeypatch.chdir(place)
    before = tree(place)
    code, said = outcome(bad)
    assert faults(bad, code, said) == [], said[:500]
    assert tree(place) == before


def test_the_list_has_inputs_of_every_kind_and_each_once():
    inputs = bad_inputs()
    assert len(inputs) > 300
    calls = [bad.call for bad in inputs if isinstance(bad.call, tuple)]
    assert len(set(calls)) == len(calls)


@pytest.mark.parametrize(
    ("code", "said", "fault"),
    [
        (0, "fctestbed: --seeds: expected\n", "exit code 0, not 2"),
        (2, "Traceback\nfctestbed: --seeds: expected\n", "not one line"),
        (2, f"fctestbed: --seeds: {'x' * 400}\n", "421 characters"),
        (2, "fctestbed: expected\n", "does not name '--seeds'"),
    ],
)
def test_an_answer_that_is_not_good_is_found(code, said, fault):
    bad = next(bad for bad in bad_inputs() if bad.names == "--seeds|--unique-ratio")
    if fault.startswith("does"):
        fault = "does not name '--seeds|--unique-ratio'"
    assert faults(bad, code, said) == [fault]
