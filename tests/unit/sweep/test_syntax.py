import pytest
from hypothesis import given, strategies as st

from fctestbed.sweep import parse_grid, parse_integers


def ratios(text):
    return parse_grid(text, low=0.0, high=1.0, option="--unique-ratio")


def seeds(text):
    return parse_integers(text, option="--seeds")


def test_a_range_holds_its_stop_and_decimals_as_they_are_written():
    assert ratios("0:1:0.1") == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.37", (0.37,)),
        ("1,0", (0.0, 1.0)),
        ("0:0.2:0.1, 0.5 ,1", (0.0, 0.1, 0.2, 0.5, 1.0)),
        ("0:1:0.5,0.5,0.50", (0.0, 0.5, 1.0)),
        ("0:1:0.3", (0.0, 0.3, 0.6, 0.9)),
        ("0.5:0.5:0.1", (0.5,)),
        ("0:1:5", (0.0,)),
        ("-0", (0.0,)),
        ("1e-3", (0.001,)),
    ],
)
def test_numbers_and_ranges_may_be_mixed(text, values):
    assert ratios(text) == values


@given(
    start=st.integers(0, 1000),
    count=st.integers(0, 200),
    step=st.integers(1, 50),
    rest=st.booleans(),
)
def test_a_range_is_its_multiples_of_the_step_up_to_the_stop(start, count, step, rest):
    stop = start + count * step
    beyond = stop + (step - 1 if rest else 0)
    text = f"{start / 1e5}:{beyond / 1e5}:{step / 1e5}"
    expected = tuple((start + place * step) / 1e5 for place in range(count + 1))
    assert ratios(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a number or start:stop:step (stop included), got ''"),
        ("a", "expected a number or start:stop:step (stop included), got 'a'"),
        ("0,,1", "expected a number or start:stop:step (stop included), got ''"),
        ("0:1", "expected a number or start:stop:step (stop included), got '0:1'"),
        ("0:1:0.1:2", "expected a number or start:stop:step (stop included), got '0:1:0.1:2'"),
        ("0:1:", "expected a number or start:stop:step (stop included), got '0:1:'"),
        ("nan", "expected a number or start:stop:step (stop included), got 'nan'"),
        ("0:inf:1", "expected a number or start:stop:step (stop included), got '0:inf:1'"),
        ("0:1:nan", "expected a number or start:stop:step (stop included), got '0:1:nan'"),
        ("1e400", "expected a number or start:stop:step (stop included), got '1e400'"),
        ("0:1:1e-400", "expected a number or start:stop:step (stop included), got '0:1:1e-400'"),
        ("1:0:0.1", "expected start <= stop, got 1 > 0 in '1:0:0.1'"),
        ("0:1:0", "expected a step above 0, got 0 in '0:1:0'"),
        ("1:0:-0.1", "expected a step above 0, got -0.1 in '1:0:-0.1'"),
        ("1.5", "expected values from 0 to 1, got 1.5 in '1.5'"),
        ("-0.1", "expected values from 0 to 1, got -0.1 in '-0.1'"),
        ("0:2:0.5", "expected values from 0 to 1, got 1.5 in '0:2:0.5'"),
        ("0:1:0.0001", "expected at most 10000 points, got more in '0:1:0.0001'"),
        ("0:1:1e-29", "expected at most 10000 points, got more in '0:1:1e-29'"),
    ],
)
def test_what_is_no_grid_is_refused_in_one_line_that_names_the_option(text, message):
    with pytest.raises(ValueError, match="unique-ratio") as refused:
        ratios(text)
    assert str(refused.value) == f"--unique-ratio: {message}"


@pytest.mark.parametrize(
    ("text", "values"),
    [("0:2", (0, 1, 2)), ("7", (7,)), ("0,3,7:9", (0, 3, 7, 8, 9)), ("0:8:4,2", (0, 2, 4, 8))],
)
def test_ranges_of_seeds_step_by_one_unless_told(text, values):
    found = seeds(text)
    assert found == values
    assert all(type(seed) is int for seed in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-1", "expected whole numbers from 0 to 2^63 - 1, got -1 in '-1'"),
        ("0.5", "expected whole numbers from 0 to 2^63 - 1, got 0.5 in '0.5'"),
        (str(2**63), f"expected whole numbers from 0 to 2^63 - 1, got {2**63} in '{2**63}'"),
        ("2:0", "expected start <= stop, got 2 > 0 in '2:0'"),
        ("0:2:0", "expected a step above 0, got 0 in '0:2:0'"),
        ("0:1e9", "expected at most 10000 points, got more in '0:1e9'"),
        ("x", "expected a number or start:stop (stop included), got 'x'"),
    ],
)
def test_what_is_no_grid_of_seeds_is_refused(text, message):
    with pytest.raises(ValueError, match="seeds") as refused:
        seeds(text)
    assert str(refused.value) == f"--seeds: {message}"
