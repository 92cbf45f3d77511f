"""Tables and sequences of Python as samples: column by column, whatever their types."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from fctestbed.estimators import make_estimator

RNG = np.random.default_rng(0)
N = 400
WHOLE = RNG.integers(0, 3, N)
B = RNG.random(N) < 0.5
Y = ((WHOLE > 0) ^ B).astype(int)
S = np.array(["NA", "b", "c"])[WHOLE]
PLUGIN = make_estimator("plugin")
FRAME = pd.DataFrame({"i": WHOLE, "b": B, "s": S, "f": WHOLE + 0.5})
EXPECTED = PLUGIN.estimate(np.stack([WHOLE, B], axis=1), Y).value_bits


def test_the_expected_information_is_a_bit():
    assert 0.99 < EXPECTED < 1


@pytest.mark.parametrize(
    "x",
    [
        FRAME[["i", "b"]],
        FRAME[["s", "b"]],
        FRAME[["s", "f", "b"]],
        FRAME[["i", "b"]].to_numpy(),
        FRAME[["s", "b"]].to_numpy(),
        FRAME[["s", "b"]].to_numpy().tolist(),
        FRAME[["i", "b"]].convert_dtypes(),
        FRAME[["s", "b"]].astype({"s": "category"}),
        FRAME[["s", "b"]].astype({"s": object}),
        pd.DataFrame({"i": pd.array(WHOLE, dtype="Int8"), "b": pd.array(B, dtype="boolean")}),
        pd.DataFrame({"i": pd.Categorical(WHOLE + 1.5), "b": B.astype(np.uint64)}),
        pd.Series([f"{s}{b}" for s, b in zip(S, B, strict=True)]),
        np.array([f"{s}{b}" for s, b in zip(S, B, strict=True)], dtype=object),
        pd.Categorical([f"{s}{b}" for s, b in zip(S, B, strict=True)]),
        pd.Index(2 * WHOLE + B),
        pd.array(2 * WHOLE + B, dtype="Int64"),
        np.array([Decimal(int(v)) / 2 for v in 2 * WHOLE + B], dtype=object),
        np.array([Fraction(int(v), 2) for v in 2 * WHOLE + B], dtype=object),
    ],
    ids=lambda x: type(x).__name__,
)
def test_the_same_values_have_the_same_information_in_any_type(x):
    assert PLUGIN.estimate(x, Y).value_bits == pytest.approx(EXPECTED, abs=1e-12)
    assert PLUGIN.estimate(Y, x).value_bits == pytest.approx(EXPECTED, abs=1e-12)


def test_tables_of_numbers_are_numbers_for_every_estimator():
    x = RNG.standard_normal((N, 2))
    y = x[:, 0] + RNG.standard_normal(N)
    frame = pd.DataFrame(x).astype({0: "Float64"})
    for name in ("gaussian", "ksg1", "usable-linear"):
        target = Y if name == "usable-linear" else y
        expected = make_estimator(name).estimate(x, target)
        assert make_estimator(name).estimate(frame, target) == expected
        assert make_estimator(name).estimate(x.astype(object), target) == expected


def test_whole_numbers_that_floats_do_not_tell_apart_stay_apart():
    large = 2**53 + (Y == 1)
    found = PLUGIN.estimate(pd.DataFrame({"id": large, "f": np.full(N, 0.5)}), Y)
    assert found.value_bits == pytest.approx(PLUGIN.estimate(Y, Y).value_bits)


def test_long_text_takes_no_more_memory_than_it_has():
    values = np.array([*S[:-1], "long" * 2**20], dtype=object)
    assert PLUGIN.estimate(values, Y).n_samples == N


def with_one(values, value):
    changed = pd.Series(values).astype(object)
    changed.iloc[7] = value
    return changed


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (with_one(S, None), "x: expected a value in each row, got None in row 7"),
        (with_one(S, np.nan), "x: expected a value in each row, got nan in row 7"),
        (with_one(S, 3), "x: expected numbers alone or text alone, got both"),
        (with_one(WHOLE, pd.NA), "x: expected a value in each row, got <NA> in row 7"),
        (with_one(WHOLE, object()), "x: expected an array of numbers or text, got object in row 7"),
        (
            with_one(WHOLE, pd.Series([1])),
            "x: expected an array of numbers or text, got Series in row",
        ),
        (with_one(WHOLE, 2**70), "x: expected numbers of at most 64 bits, got larger ones"),
        (with_one(WHOLE, np.nan), "x: expected finite numbers, got NaN"),
        (
            pd.DataFrame({"i": WHOLE, "s": with_one(S, None)}),
            "x: expected a value in each row of colu",
        ),
        (
            pd.DataFrame({"s": S, "f": with_one(WHOLE, np.nan)}),
            "x: expected finite numbers, got NaN",
        ),
        (pd.array([None, *WHOLE[1:]], dtype="Int64"), "x: expected finite numbers, got NaN"),
        (pd.date_range("2020", periods=N), "x: expected an array of numbers, got dtype datetime"),
        (pd.DataFrame(index=range(N)), "x: expected shape (n,) or (n, dim), got (400, 0)"),
    ],
)
def test_values_that_are_missing_or_odd_are_refused_by_their_row(x, message):
    with pytest.raises(ValueError, match=r"^x: ") as refusal:
        PLUGIN.estimate(x, Y)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)
    with pytest.raises(ValueError, match=r"^y: "):
        make_estimator("usable-linear").estimate(WHOLE, x)


def test_text_is_refused_where_numbers_are_needed():
    for x in (FRAME["s"], FRAME[["s", "i"]], S, S.astype(object)):
        with pytest.raises(ValueError, match="x: expected an array of numbers, got text"):
            make_estimator("gaussian").estimate(x, Y)
