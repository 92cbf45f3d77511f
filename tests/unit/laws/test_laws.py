"""The information of every law against an independent computation on its own samples."""

import math
import pickle

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import multivariate_t

from fctestbed.laws import (
    GROUPS,
    LAWS,
    BitChannel,
    BitsInNoise,
    GaussianPair,
    GaussianTriple,
    JointDistribution,
    StudentPair,
    equal_gaussian_pairs,
    noisy_sign_bits,
    skewed_symbols,
)

N = 100_000
BY_NAME = {law.name: law for law in LAWS}
ALL = (*LAWS, GaussianTriple(0.7, 1.3))
# The laws whose pointwise information is computed from densities here, by name.
STUDENTS = {"Student, nu 1, 1 + 1 dims": (1, 1.0), "Student, nu 2, 2 + 2 dims": (2, 2.0)}
NOISES = {"1 bit in noise 1": 1.0, "3 bits in noise 0.5": 0.5}


def codes(*columns):
    rows = np.column_stack([c.reshape(len(c), -1) for c in columns])
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)


def histogram_bits(x, y, z):
    """Plug-in information, its first-order bias taken off, and its standard error."""
    z = np.zeros(len(x)) if z is None else z
    xz, yz, xyz, z = (codes(*part) for part in ((x, z), (y, z), (x, y, z), (z,)))
    logs = [np.log2(np.bincount(code)[code]) for code in (xyz, z, xz, yz)]
    local = logs[0] + logs[1] - logs[2] - logs[3]
    sizes = [code.max() + 1 for code in (xyz, z, xz, yz)]
    freedom = sizes[0] + sizes[1] - sizes[2] - sizes[3]
    bias = freedom / (2 * len(x) * math.log(2))
    # Near independence the error is of the bias's size.
    return local.mean() - bias, local.std() / math.sqrt(len(x)) + abs(bias)


def covariance_bits(x, y, z):
    """Gaussian information of the sample's covariance, and its standard error."""
    x, y = (a.reshape(len(a), -1) for a in (x, y))
    z = np.zeros((len(x), 0)) if z is None else z.reshape(len(z), -1)

    def log_det(*parts):
        both = np.hstack(parts)
        return np.linalg.slogdet(np.cov(both.T).reshape(both.shape[1], -1))[1] if both.size else 0.0

    nats = (log_det(x, z) + log_det(y, z) - log_det(z) - log_det(x, y, z)) / 2
    dims = x.shape[1] * y.shape[1]
    bias = dims / (2 * len(x))
    # At most one for each pair; under independence that of chi squared.
    error = math.sqrt(2 * nats / len(x)) + math.sqrt(2 * dims) / (2 * len(x))
    return (nats - bias) / math.log(2), error / math.log(2)


def mean_and_error(pointwise):
    return pointwise.mean(), pointwise.std() / math.sqrt(len(pointwise))


def student_bits(x, y, dim, degrees):
    def log_density(values):
        return multivariate_t(np.zeros(values.shape[1]), df=degrees).logpdf(values)

    nats = log_density(np.hstack([x, y])) - log_density(x) - log_density(y)
    assert x.shape[1] == dim
    return mean_and_error(nats / math.log(2))


def noisy_bits(x, sent, noise):
    x, sent = (a.reshape(len(a), -1) for a in (x, sent))
    lost = np.logaddexp(0, -2 * x * (2 * sent - 1) / noise**2) / math.log(2)
    return mean_and_error((1 - lost).sum(1))


def independent_value(law, x, y, z):
    if law.name in STUDENTS:
        return student_bits(x, y, *STUDENTS[law.name])
    if law.name in NOISES:
        return noisy_bits(x, y, NOISES[law.name])
    if law.name == "xor in noise 0.5 given the other bit":
        return noisy_bits(x, y ^ z, 0.5)
    if law.name == "8 bits through BSC(0.05)":
        # Its table has more cells than there are samples.
        pointwise = np.where(x == y, math.log2(2 * 0.95), math.log2(2 * 0.05)).sum(1)
        return mean_and_error(pointwise)
    if law.kind == "discrete":
        return histogram_bits(x, y, z)
    if "margins cube" in law.name:
        x, y = np.cbrt(x), np.cbrt(y)
    if "margins uniform" in law.name:
        x, y = ndtri(x), ndtri(y)
    return covariance_bits(x, y, z)


def sampled(law, n, seed):
    """x, y, and z or None."""
    x, y, *z = law.sample(n, np.random.default_rng(seed))
    return x, y, z[0] if z else None


@pytest.mark.parametrize("law", ALL, ids=lambda law: law.name)
def test_the_truth_is_what_the_samples_say(law):
    value, error = independent_value(law, *sampled(law, N, 0))
    assert value == pytest.approx(law.true_bits, abs=4 * error + 1e-12)
    # The check has to be able to fail.
    assert error < 0.01 + 0.01 * law.true_bits


@pytest.mark.parametrize("law", ALL, ids=lambda law: law.name)
def test_samples_are_of_the_stated_kind_and_length_and_follow_the_generator(law):
    x, y, z = sampled(law, 50, 3)
    again, other = sampled(law, 50, 3), sampled(law, 50, 4)
    assert (z is not None) == law.conditional
    for array, same in zip((x, y, z), again, strict=True):
        assert array is None or (len(array) == 50 and array.ndim in {1, 2})
        np.testing.assert_array_equal(array, same)
    assert not np.array_equal(x, other[0])
    assert np.issubdtype(x.dtype, np.integer) == (law.kind == "discrete")
    assert np.issubdtype(y.dtype, np.integer) == (law.kind in {"discrete", "mixed"})


@pytest.mark.parametrize("law", ALL, ids=lambda law: law.name)
def test_a_law_that_is_pickled_has_the_same_name_truth_and_samples(law):
    copy = pickle.loads(pickle.dumps(law))
    assert (copy.name, copy.true_bits) == (law.name, law.true_bits)
    np.testing.assert_array_equal(sampled(copy, 20, 0)[0], sampled(law, 20, 0)[0])


@pytest.mark.parametrize(
    "law",
    # Laws without rare outcomes: all are among the samples.
    [law for law in LAWS if 0 < law.n_cells <= 64 and not isinstance(law, JointDistribution)],
    ids=lambda law: law.name,
)
def test_the_cells_of_a_finite_law_are_its_outcomes(law):
    seen = codes(*(array for array in sampled(law, N, 1) if array is not None)).max() + 1
    assert seen == law.n_cells
    assert law.normality == "none"


def test_cells_of_probability_zero_are_not_counted():
    assert JointDistribution(np.eye(16) / 16).n_cells == 16


def test_normality_is_joint_with_normal_margins_and_of_the_copula_with_others():
    assert GaussianPair().normality == "joint"
    assert GaussianPair(margin="cube").normality == "copula"
    assert GaussianPair(margin="uniform").normality == "copula"
    assert GaussianTriple().normality == "joint"
    assert StudentPair(1, 1.0).normality == BitsInNoise().normality == "none"


def test_known_values_of_students_and_channels():
    # By quadrature: 0.2242 and 0.1931 nats.
    assert StudentPair(1, 1.0).true_bits == pytest.approx(0.22417 / math.log(2), abs=1e-4)
    assert StudentPair(2, 2.0).true_bits == pytest.approx(0.19315 / math.log(2), abs=1e-4)
    assert BitChannel("symmetric", 0.11, 2).true_bits == pytest.approx(2 * 0.5000842, abs=1e-6)
    assert BitChannel("erasure", 0.25, 4).true_bits == 3.0
    # By 30-digit quadrature.
    assert noisy_sign_bits(1.0) == pytest.approx(0.485944, abs=1e-6)
    assert noisy_sign_bits(0.5) == pytest.approx(0.912822, abs=1e-6)
    assert GaussianPair((0.0,), n_independent=2).true_bits == 0.0
    assert equal_gaussian_pairs(6.0, 3).true_bits == pytest.approx(6.0)
    assert skewed_symbols(2, 1.0).true_bits == pytest.approx(
        -(2 / 3) * math.log2(2 / 3) - (1 / 3) * math.log2(1 / 3)
    )


@pytest.mark.parametrize("noise", [0.2, 0.8, 2.0, 5.0])
def test_the_information_of_noisy_bits_is_that_of_another_quadrature(noise):
    nodes, weights = np.polynomial.hermite_e.hermegauss(201)
    lost = np.logaddexp(0, -2 * (1 + noise * nodes) / noise**2) @ weights / weights.sum()
    expected = 3 * (1 - lost / math.log(2))
    assert BitsInNoise(noise, 3).true_bits == pytest.approx(expected, abs=1e-9)


def test_the_published_laws_have_every_group_and_kind_and_names_of_their_own():
    assert len(BY_NAME) == len(LAWS)
    assert set(GROUPS) == {
        "nothing", "channels", "gaussian", "bits in noise", "conditional", "synergy",
        "heavy tails", "margins", "high MI", "high dimension",
    }  # fmt: skip
    for group in ("conditional", "synergy"):
        assert any(law.conditional for law in LAWS if law.group == group)
    assert {law.kind for law in LAWS} == {"discrete", "continuous", "mixed"}
    assert max(law.true_bits for law in LAWS) == pytest.approx(8.0)
