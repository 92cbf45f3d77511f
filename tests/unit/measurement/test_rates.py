"""The noise of a stated rate, and the forms that a codebook is read in."""

import math

import numpy as np
import pytest
import torch
from codes import random_code

from fctestbed.measurement.channel import (
    RESOLUTION,
    channel_curve,
    channel_information,
    codebook,
    constant_codebook,
    gaussian_bounds,
    linear_gaussian_bits,
    linear_noise_of_rate,
    metric,
    noise_of_rate,
    noise_of_variances,
    rate_of_noise,
    samples_noise_of_rate,
    unit_power,
    whitened,
)

BITS = range(5)


@pytest.fixture(scope="module")
def book():
    return codebook(random_code(5, 6), BITS)


def test_equal_variances_have_a_closed_form():
    for n, rate in ((1, 3.0), (8, 2.0), (200, 32.0), (3, 700.0), (3, 1e-9)):
        expected = math.log(2.5) - math.log(math.expm1(2 * rate * math.log(2) / n))
        assert 2 * math.log(noise_of_variances([2.5] * n, rate)) == pytest.approx(expected)


def test_variances_far_apart_are_solved_to_rounding():
    variances = np.array([1e200, 1.0, 0.0, 1e-200])
    for rate in (1e-3, 10.0, 700.0, 1500.0):
        assert rate_of_noise(variances, noise_of_variances(variances, rate)) == pytest.approx(rate)


def test_both_codebooks_of_a_pair_share_one_noise(book):
    other = metric(codebook(random_code(5, 3, 1), BITS))
    books = [metric(book), other]
    every = torch.cat([torch.linalg.eigvalsh(torch.cov(b.points.T, correction=0)) for b in books])
    tau = noise_of_rate(books, 6.0)
    assert rate_of_noise(every.numpy(), tau) == pytest.approx(6.0)
    constant = constant_codebook(BITS, 4)
    assert noise_of_rate([other, constant], 6.0) == noise_of_rate(other, 6.0)


def test_the_metric_form_has_a_total_power_of_one_and_the_whitened_one_of_one_in_each_direction(
    book,
):
    for form, wanted in ((metric, None), (whitened, torch.ones(6, dtype=torch.float64))):
        points = form(book).points
        covariance = points.T @ points / 32
        variances = covariance.diagonal()
        torch.testing.assert_close(covariance, torch.diag(variances))
        if wanted is None:
            assert float(variances.sum()) == pytest.approx(1)
            assert (variances.diff() < 0).all()
            # Distances are as they were, but for one factor.
            before, after = torch.pdist(book.points), torch.pdist(points)
            torch.testing.assert_close(after, before / 6**0.5)
        else:
            torch.testing.assert_close(variances, wanted)


def test_an_encoder_that_is_constant_holds_nothing_at_any_rate():
    book = constant_codebook(BITS, 3)
    for form in (metric, whitened):
        silent = form(book)
        taus = [noise_of_rate(silent, rate) for rate in (1e-3, 2.0, 1e6)]
        for found in channel_curve(silent, {"word": tuple(BITS)}, taus=taus):
            assert found.information("word").value_bits == pytest.approx(0, abs=1e-6)


def test_noise_is_never_below_the_resolution_of_codewords():
    """Two points that differ by a rounding error are one point at every rate."""
    axis = torch.tensor([[-1.0], [-1.0 + 1e-9], [1.0], [1.0 + 1e-9]], dtype=torch.float64)
    book = metric(codebook(axis, (0, 1)))
    assert noise_of_rate(book, 19.0) > RESOLUTION
    for rate in (21.0, 1e6):
        tau = noise_of_rate(book, rate)
        assert tau == RESOLUTION
        found = channel_information(book, {"first": (0,), "second": (1,)}, tau=tau)
        assert found.information("first").value_bits == pytest.approx(1.0)
        assert found.information("second").value_bits == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("rate", [0.5, 8.0, 40.0])
def test_all_latents_of_a_linear_gaussian_encoder_are_read_at_the_rate(rate):
    maps = np.random.default_rng(0).standard_normal((5, 3))

    def read(encoder, block):
        tau = linear_noise_of_rate(encoder, rate, variance=0.7)
        return linear_gaussian_bits(encoder, block, tau=tau, variance=0.7)

    assert read(maps, range(5)) == pytest.approx(rate)
    for block in ((0, 1), (2, 3, 4)):
        assert 0 < read(maps, block) < rate
        for same in (unit_power(maps, variance=0.7), np.hstack([maps, maps, 0 * maps])):
            assert read(same, block) == pytest.approx(read(maps, block))


def test_the_bound_of_any_gaussian_encoder_at_a_rate_is_the_rate():
    rng = np.random.default_rng(0)
    w = rng.standard_normal((4000, 2))
    z = np.hstack([np.tanh(w @ rng.standard_normal((2, 3))), np.zeros((4000, 2))])
    tau = samples_noise_of_rate(z, 5.0)
    found = gaussian_bounds(z, w, tau=tau)
    assert found.upper_bits == pytest.approx(5.0)
    assert 0 < found.lower_bits < 5.0


@pytest.mark.parametrize("rate", [0, 0.0, -1.0, math.inf, -math.inf, math.nan, True, "4", None])
def test_a_rate_that_is_no_positive_number_is_refused(book, rate):
    for call in (
        lambda: noise_of_rate(book, rate),
        lambda: noise_of_variances([1.0], rate),
        lambda: linear_noise_of_rate([[1.0]], rate),
    ):
        with pytest.raises(ValueError, match=r"^rate_bits: expected a finite number above 0, got "):
            call()


@pytest.mark.parametrize("variances", [[], [0.0], [1.0, -1.0], [math.nan], [math.inf, 1.0]])
def test_variances_of_no_covariance_are_refused(variances):
    with pytest.raises(ValueError, match=r"^variances: expected finite numbers of which one is"):
        noise_of_variances(variances, 2.0)


def test_other_numbers_without_a_meaning_are_refused(book):
    with pytest.raises(ValueError, match=r"^tau: expected a number above 0, got 0"):
        rate_of_noise([1.0], 0.0)
    with pytest.raises(ValueError, match=r"^rate_bits: expected a rate whose noise float64 can"):
        noise_of_variances([1.0], 1e5)
    with pytest.raises(ValueError, match=r"^maps: expected a map of some power, got zeros"):
        linear_noise_of_rate([[0.0]], 2.0)
    with pytest.raises(ValueError, match=r"^z: expected points that differ, got zero power"):
        samples_noise_of_rate([[1.0]] * 4, 2.0)
    with pytest.raises(ValueError, match=r"^taus: expected one noise or more, got none"):
        channel_curve(book, {"word": tuple(BITS)}, taus=())
