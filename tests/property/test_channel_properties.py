"""Laws that channel information obeys whatever the code."""

import pytest
import torch
from codes import random_code, rotation
from hypothesis import given, settings, strategies as st

from fctestbed.measurement.channel import channel_information, codebook, noiseless_information

SHARED, UNIQUE = (0, 1, 2), (3, 4)
GROUPS = {
    "shared": SHARED,
    "unique": UNIQUE,
    "word": (*SHARED, *UNIQUE),
    "bit": (1,),
    "two": (0, 4),
}
FEW = settings(max_examples=15)

seeds = st.integers(0, 10**6)
dims = st.integers(1, 6)
taus = st.floats(0.1, 3.0)


def found(code, tau, *, seed=0, target_bits=0.02):
    book = codebook(code, (*SHARED, *UNIQUE))
    return channel_information(book, GROUPS, tau=tau, seed=seed, target_bits=target_bits)


def spread(*values):
    """Three standard errors of a difference of independent values."""
    return 3 * sum(value.standard_error_bits**2 for value in values) ** 0.5


@FEW
@given(seeds, dims, taus)
def test_information_is_between_zero_and_the_entropy_of_the_group(seed, dim, tau):
    result = found(random_code(5, dim, seed), tau)
    for name, columns in GROUPS.items():
        value = result.information(name)
        assert value.ceiling_bits == len(columns)
        assert -spread(value) <= value.value_bits <= len(columns) + 1e-5


@FEW
@given(seeds, dims, taus)
def test_the_chain_rule_holds_across_blocks(seed, dim, tau):
    result = found(random_code(5, dim, seed), tau)
    chained = [
        result.information("shared").value_bits
        + result.information("unique", given="shared").value_bits,
        result.information("unique").value_bits
        + result.information("shared", given="unique").value_bits,
    ]
    whole = result.information("word").value_bits
    # The same draws serve all terms: what is left is rounding.
    assert all(abs(total - whole) < 1e-9 for total in chained)
    # Blocks are independent, so knowing one more cannot lessen what Z says of the other.
    gain = result.amount("unique", given="shared") - result.amount("unique")
    value = result.evaluate(gain, "unique")
    assert value.value_bits >= -spread(value) - 1e-6


@FEW
@given(seeds, st.integers(2, 6), taus)
def test_a_rotation_changes_nothing(seed, dim, tau):
    code = random_code(5, dim, seed)
    plain, turned = (found(code, tau, seed=1), found(code @ rotation(dim, seed), tau, seed=2))
    for name in GROUPS:
        one, other = plain.information(name), turned.information(name)
        assert abs(one.value_bits - other.value_bits) <= spread(one, other) + 1e-5


@FEW
@given(seeds, dims, st.floats(0.1, 2.0), st.floats(1.2, 3.0))
def test_more_noise_never_raises_it(seed, dim, tau, factor):
    code = random_code(5, dim, seed)
    little, much = found(code, tau, seed=1), found(code, tau * factor, seed=2)
    for name in GROUPS:
        one, other = little.information(name), much.information(name)
        assert other.value_bits <= one.value_bits + spread(one, other) + 1e-5


@FEW
@given(seeds, st.integers(2, 6), taus)
def test_reading_fewer_dimensions_never_raises_it(seed, dim, tau):
    code = random_code(5, dim, seed)
    part = code[:, : dim - 1]
    whole = codebook(code, (*SHARED, *UNIQUE))
    fewer = codebook(part, (*SHARED, *UNIQUE))
    # Each is scaled to unit power: the same noise beside the same columns takes another tau.
    same = tau * (whole.power / fewer.power) ** 0.5
    one = channel_information(whole, GROUPS, tau=tau, seed=1)
    other = channel_information(fewer, GROUPS, tau=same, seed=2)
    for name in GROUPS:
        a, b = one.information(name), other.information(name)
        assert b.value_bits <= a.value_bits + spread(a, b) + 1e-5


@FEW
@given(seeds, dims, taus)
def test_a_second_representation_never_lowers_it(seed, dim, tau):
    books = [
        codebook(random_code(5, dim, seed + m), (*SHARED, 3 + 2 * m, 4 + 2 * m)) for m in (0, 1)
    ]
    result = channel_information(books, {"shared": SHARED, "unique": UNIQUE}, tau=tau)
    for name in ("shared", "unique"):
        gain = result.information(name, of=(2,), known=(1,))
        assert gain.value_bits >= -spread(gain) - 1e-5
    between = result.between()
    assert -spread(between) - 1e-5 <= between.value_bits <= 3 + 1e-5


@FEW
@given(seeds, st.integers(2, 6))
def test_without_noise_everything_that_differs_is_held(seed, dim):
    code = random_code(5, dim, seed)
    exact = noiseless_information(codebook(code, (*SHARED, *UNIQUE)), GROUPS)
    assert {name: value.value_bits for name, value in exact.items()} == pytest.approx(
        {name: float(len(columns)) for name, columns in GROUPS.items()}
    )
    # Sixteen patterns to one point each: the last bit is gone and nothing else.
    merged = code.view(16, 2, dim)[:, :1].expand(16, 2, dim).reshape(32, dim)
    halved = noiseless_information(codebook(merged, (*SHARED, *UNIQUE)), GROUPS)
    assert halved["word"].value_bits == pytest.approx(4.0)
    assert halved["two"].value_bits == pytest.approx(1.0)


@FEW
@given(seeds, dims, st.floats(0.2, 3.0))
def test_float32_agrees_with_float64(seed, dim, tau):
    book = codebook(random_code(5, dim, seed), (*SHARED, *UNIQUE))
    single, double = (
        channel_information(book, GROUPS, tau=tau, max_draws=1024, dtype=dtype)
        for dtype in (torch.float32, torch.float64)
    )
    for name in GROUPS:
        difference = single.information(name).value_bits - double.information(name).value_bits
        # The same draws: what differs is rounding, some 2e-5 bit a draw.
        assert abs(difference) < 5e-5
