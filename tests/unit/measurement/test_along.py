"""At which steps of a training encoders are measured."""

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from fctestbed.measurement import along_steps


@given(data=st.data(), steps=st.integers(1, 10**6))
def test_steps_are_as_many_as_asked_increase_and_end_with_the_last(data, steps):
    n = data.draw(st.integers(1, min(steps, 60)))
    found = along_steps(n, steps)
    assert len(found) == n
    assert all(first < second for first, second in pairwise(found))
    assert found[0] >= 1
    assert found[-1] == steps


def test_steps_are_even_on_a_logarithmic_scale():
    assert along_steps(4, 1000) == (1, 10, 100, 1000)
    assert along_steps(1, 1000) == (1000,)
    assert along_steps(5, 5) == (1, 2, 3, 4, 5)


@pytest.mark.parametrize("n", [0, 11])
def test_more_steps_than_there_are_or_none_are_refused(n):
    with pytest.raises(ValueError, match=f"along: expected from 1 to 10 steps, got {n}"):
        along_steps(n, 10)
