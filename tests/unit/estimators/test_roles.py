"""Classes and amounts: what an estimator takes its arguments as, says so, and can be told."""

import numpy as np
import pytest

from fctestbed import estimate
from fctestbed.estimators import make_estimator

RNG = np.random.default_rng(0)
N, K = 400, 4
CLASS = RNG.integers(0, K, N)
LABEL = np.where(RNG.random(N) < 0.8, CLASS, RNG.integers(0, K, N))
FEATURES = np.eye(K)[CLASS] + 0.3 * RNG.standard_normal((N, K))
# Whole numbers of some 50 values, as amounts are when they are rounded.
ROUNDED = np.round(10 * RNG.standard_normal(N)).astype(int)
SIGN = (ROUNDED + 5 * RNG.standard_normal(N) > 0).astype(int)
QUICK = {"infonce": {"steps": 25}, "doe": {"steps": 25}, "l1out": {"steps": 25}}


def answer(name, x, y, given=None, **roles):
    return estimate(x, y, given, estimator=name, **roles, **QUICK.get(name, {}))


def test_an_estimate_says_what_its_arguments_were_taken_as():
    found = answer("usable-linear", FEATURES, LABEL, CLASS % 2)
    assert (found.x_as, found.y_as, found.given_as) == ("amounts", "classes (4)", "classes (2)")
    found = answer("infonce", LABEL, FEATURES)
    assert (found.x_as, found.y_as, found.given_as) == ("classes (4)", "amounts", "")
    found = answer("usable-linear", np.stack([CLASS, CLASS % 2], axis=1), LABEL)
    assert found.x_as == "classes (2 to 4 in each of 2 columns)"
    found = answer("ross", LABEL, FEATURES)
    assert (found.x_as, found.y_as) == ("classes (4)", "amounts")
    assert answer("ksg1", FEATURES, RNG.standard_normal(N)).x_as == ""


@pytest.mark.parametrize("name", ["usable-linear", "usable-knn", "prequential"])
def test_whole_numbers_that_are_amounts_have_the_value_of_the_same_floats(name):
    floats = answer(name, ROUNDED.astype(float), SIGN)
    assert floats.x_as == "amounts"
    assert answer(name, ROUNDED, SIGN, amounts=["x"]) == floats
    names = answer(name, ROUNDED, SIGN)
    assert names.x_as.startswith("classes (")
    assert "x: whole numbers of many values (" in names.note
    assert names.value_bits != floats.value_bits
    assert answer(name, ROUNDED.astype(float), SIGN, classes=["x"]).value_bits == names.value_bits


@pytest.mark.parametrize("name", ["infonce", "doe", "l1out"])
def test_floats_that_are_classes_have_the_value_of_the_same_names(name):
    whole = answer(name, FEATURES, LABEL)
    floats = answer(name, FEATURES, LABEL + 1.0)
    assert "y: floats of few values (4), taken as amounts, not as classes" in floats.note
    assert floats.note.startswith(whole.note)
    named = answer(name, FEATURES, LABEL + 1.0, classes=("y",))
    assert named == whole
    assert answer(name, FEATURES, LABEL, amounts=("y",)).y_as == "amounts"


@pytest.mark.parametrize(
    ("x", "mentioned"),
    [
        (LABEL + 1.0, True),
        (np.stack([LABEL / 2, LABEL % 2 - 0.5], axis=1), True),
        (2.0 * (LABEL > 1) - 1, True),
        ((LABEL > 1).astype(float), False),
        (np.stack([LABEL + 1.0, FEATURES[:, 0]], axis=1), False),
        (np.round(FEATURES[:, 0], 1), False),
        (LABEL, False),
    ],
)
def test_floats_of_few_values_are_mentioned(x, mentioned):
    note = answer("usable-linear", x, CLASS).note
    assert ("x: floats of few values" in note) == mentioned


@pytest.mark.parametrize(
    ("y", "mentioned"),
    [
        (np.eye(K)[LABEL], True),
        (np.eye(K, dtype=int)[LABEL], True),
        (np.eye(K, dtype=bool)[LABEL][:, 1:], True),
        (2 * np.eye(K)[LABEL] - 1, True),
        (np.stack([LABEL % 2, LABEL // 2], axis=1), False),
        (np.stack([LABEL, CLASS], axis=1), False),
        (LABEL, False),
    ],
)
def test_one_hot_targets_are_mentioned(y, mentioned):
    note = answer("usable-linear", FEATURES, y).note
    assert ("one-hot columns, taken as so many targets" in note) == mentioned


def test_one_hot_targets_of_densities_on_pairs_are_mentioned():
    one_hot = np.eye(K)[LABEL]
    assert "y: 4 one-hot columns" in answer("l1out", FEATURES, one_hot).note
    # Components of a mixture hold one class each; critics take the columns together.
    assert "one-hot" not in answer("doe", FEATURES, one_hot).note
    assert "one-hot" not in answer("infonce", FEATURES, one_hot).note


def test_the_discrete_argument_of_ross_can_be_named():
    rounded = np.round(FEATURES[:, 0] * 40) / 40
    values, counts = np.unique(rounded, return_counts=True)
    assert len(values) < N
    kept = np.isin(rounded, values[counts <= 3])
    few, many = CLASS[kept], RNG.standard_normal(kept.sum())
    assert make_estimator("ross", classes=("x",)).estimate(few, many).x_as == "classes (4)"
    assert make_estimator("ross", amounts=("y",)).estimate(few, many).x_as == "classes (4)"
    with pytest.raises(ValueError, match="x: expected continuous values"):
        make_estimator("ross", classes=("y",)).estimate(few, few[::-1])


@pytest.mark.parametrize(
    ("name", "roles", "message"),
    [
        ("ksg1", {"classes": ["x"]}, "classes: expected none, because ksg1 does not distinguish"),
        ("plugin", {"amounts": ("y",)}, "amounts: expected none, because plugin does not disting"),
        ("usable-linear", {"amounts": ["y"]}, "amounts: expected some of x, in a tuple, got ('y"),
        ("infonce", {"classes": ["z"]}, "classes: expected some of x, y, given, in a tuple, got "),
        ("infonce", {"classes": "x"}, "classes: expected some of x, y, given, in a tuple, got 'x"),
        ("infonce", {"classes": ["x"], "amounts": ["x"]}, "amounts: expected none of classes, got"),
        ("ross", {"classes": ["x", "y"]}, "classes: expected one of x, y for ross, got ('x', 'y')"),
        ("infonce", {"classes": ["x"]}, "x: expected at most 200 classes in a column of 400 sampl"),
    ],
)
def test_roles_that_cannot_be_are_refused_in_one_line(name, roles, message):
    with pytest.raises(ValueError, match="expected") as refusal:
        estimate(FEATURES, LABEL, estimator=name, **roles)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)
