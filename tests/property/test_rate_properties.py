"""Laws of readings at a stated rate, whatever the code."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from codes import random_code, rotation
from hypothesis import given, settings, strategies as st

from fctestbed.measurement.channel import (
    channel_curve,
    channel_information,
    codebook,
    metric,
    noise_of_rate,
    noise_of_variances,
    rate_of_noise,
    whitened,
)

SHARED, OWN = (0, 1, 2), {1: (3, 4), 2: (5, 6)}
GROUPS = {"shared": SHARED, "unique1": OWN[1], "unique2": OWN[2], "bit": (1,)}
RATES = (0.5, 2.0, 6.0, 20.0)
FEW = settings(max_examples=12)

seeds = st.integers(0, 10**6)
dims = st.integers(1, 6)
forms = st.sampled_from([metric, whitened])
rates = st.floats(0.1, 40.0)
spectra = st.lists(st.floats(-30, 30), min_size=1, max_size=40).map(lambda x: 10 ** np.array(x))


def code_of(dim, seed):
    return random_code(5, dim, seed)


def book_of(code, form, modality=1):
    return form(codebook(code, (*SHARED, *OWN[modality])))


def curve(books, *, seed=0, at=RATES):
    taus = [noise_of_rate(books, rate) for rate in at]
    return channel_curve(books, GROUPS, taus=taus, seed=seed, first_draws=256)


def spread(*values):
    """Four standard errors of a difference of independent values."""
    return 4 * sum(value.standard_error_bits**2 for value in values) ** 0.5 + 1e-5


@given(spectra, st.floats(1e-6, 800.0))
def test_the_noise_lets_the_rate_through(variances, rate):
    tau = noise_of_variances(variances, rate)
    assert rate_of_noise(variances, tau) == pytest.approx(rate, rel=1e-9)


@given(spectra, st.floats(0.1, 50.0), st.floats(1.01, 3.0))
def test_a_larger_rate_has_less_noise(variances, rate, factor):
    assert noise_of_variances(variances, rate * factor) < noise_of_variances(variances, rate)


@FEW
@given(seeds, dims, forms)
def test_a_reading_is_at_most_the_rate_and_the_entropy_and_rises_with_the_rate(seed, dim, form):
    found = curve(book_of(code_of(dim, seed), form))
    for name in GROUPS:
        values = [at.information(name) for at in found]
        for value, rate in zip(values, RATES, strict=True):
            limit = min(rate, value.ceiling_bits)
            assert -spread(value) <= value.value_bits <= limit + spread(value)
        for low, high in pairwise(values):
            assert low.value_bits <= high.value_bits + spread(low, high)


@FEW
@given(seeds, dims, dims, forms)
def test_a_pair_s_readings_are_at_most_the_rate(seed, dim1, dim2, form):
    books = [book_of(code_of(dim1, seed), form, 1), book_of(code_of(dim2, seed + 1), form, 2)]
    for found, rate in zip(curve(books), RATES, strict=True):
        every = found.information(range(7))
        assert every.value_bits <= min(rate, 7.0) + spread(every)
        for name in GROUPS:
            value = found.information(name)
            assert value.value_bits <= min(rate, value.ceiling_bits) + spread(value)


@FEW
@given(seeds, st.integers(2, 6), forms, st.floats(1e-3, 1e3), st.floats(-5, 5))
def test_scale_rotation_and_shift_change_nothing(seed, dim, form, scale, shift):
    code = code_of(dim, seed)
    moved = (code @ rotation(dim, seed)) * scale + shift
    for one, other in zip(
        curve(book_of(code, form), seed=1), curve(book_of(moved, form), seed=2), strict=True
    ):
        for name in GROUPS:
            a, b = one.information(name), other.information(name)
            assert abs(a.value_bits - b.value_bits) <= spread(a, b)


def padded(code, kind):
    """The same encoder in more columns."""
    n = len(code)
    columns = {
        "doubled": code,
        "zero": torch.zeros(n, 120, dtype=code.dtype),
        "constant": torch.full((n, 7), -3.0, dtype=code.dtype),
    }[kind]
    return torch.cat([code, columns], 1)


@FEW
@given(seeds, dims, forms, st.sampled_from(["doubled", "zero", "constant"]), st.booleans())
def test_more_columns_of_the_same_encoder_change_no_number(seed, dim, form, kind, pair):
    """Draw by draw: the codebooks are equal to rounding. For a pair, columns of one side alone."""
    code = code_of(dim, seed)
    other = [book_of(code_of(3, seed + 1), form, 2)] if pair else []
    plain = curve([book_of(code, form), *other])
    wide = curve([book_of(padded(code, kind), form), *other])
    for one, two in zip(plain, wide, strict=True):
        assert one.tau == pytest.approx(two.tau, rel=1e-9)
        for name in GROUPS:
            a, b = one.information(name), two.information(name)
            assert a.value_bits == pytest.approx(b.value_bits, abs=1e-4)


@FEW
@given(seeds, st.integers(2, 6), rates)
def test_a_function_of_the_noisy_representation_never_holds_more(seed, dim, rate):
    """Data processing at one noise: fewer of its directions."""
    book = book_of(code_of(dim, seed), metric)
    tau = noise_of_rate(book, rate)
    fewer = codebook(book.points[:, 1:], book.columns)
    same = tau / fewer.power**0.5
    one = channel_information(book, GROUPS, tau=tau, seed=1)
    other = channel_information(fewer, GROUPS, tau=same, seed=2)
    for name in GROUPS:
        a, b = one.information(name), other.information(name)
        assert b.value_bits <= a.value_bits + spread(a, b)


@FEW
@given(seeds, dims, rates)
def test_float32_agrees_with_float64(seed, dim, rate):
    book = book_of(code_of(dim, seed), metric)
    tau = noise_of_rate(book, rate)
    single, double = (
        channel_information(book, GROUPS, tau=tau, max_draws=512, dtype=dtype)
        for dtype in (torch.float32, torch.float64)
    )
    for name in GROUPS:
        difference = single.information(name).value_bits - double.information(name).value_bits
        assert abs(difference) < 5e-5
