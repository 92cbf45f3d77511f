"""Neighbour estimators against loops written from their papers, and scikit-learn's numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import digamma

from fctestbed.estimators import make_estimator
from fctestbed.information import nats_to_bits

GOLDEN = Path(__file__).parents[1] / "data" / "sklearn_mutual_information.json"
RNG = np.random.default_rng(0)


def distances(points):
    points = points.reshape(len(points), -1)
    return np.abs(points[:, None] - points[None]).max(axis=2)


def others(row, i):
    return np.delete(row, i)


def plain_ksg1(x, y, k):
    dx, dy = distances(x), distances(y)
    terms = []
    for i in range(len(x)):
        radius = np.sort(others(np.maximum(dx, dy)[i], i))[k - 1]
        nx, ny = ((others(d[i], i) < radius).sum() for d in (dx, dy))
        terms.append(digamma(nx + 1) + digamma(ny + 1))
    return digamma(k) + digamma(len(x)) - np.mean(terms)


def plain_ksg2(x, y, k):
    dx, dy = distances(x), distances(y)
    terms = []
    for i in range(len(x)):
        near = np.argsort(np.maximum(dx, dy)[i])[1 : k + 1]
        nx, ny = ((others(d[i], i) <= d[i, near].max()).sum() for d in (dx, dy))
        terms.append(digamma(nx) + digamma(ny))
    return digamma(k) - 1 / k + digamma(len(x)) - np.mean(terms)


def plain_mixed_ksg(x, y, k):
    dx, dy = distances(x), distances(y)
    terms = []
    for i in range(len(x)):
        joint = np.maximum(dx, dy)[i]
        radius = np.sort(joint)[k]
        if radius == 0:
            same, nx, ny = ((d == 0).sum() for d in (joint, dx[i], dy[i]))
        else:
            same, nx, ny = k, (dx[i] < radius).sum(), (dy[i] < radius).sum()
        terms.append(digamma(same) + digamma(len(x)) - digamma(nx) - digamma(ny))
    return np.mean(terms)


def plain_frenzel_pompe(x, y, z, k):
    dx, dy, dz = distances(x), distances(y), distances(z)
    terms = []
    for i in range(len(x)):
        radius = np.sort(others(np.maximum(np.maximum(dx, dy), dz)[i], i))[k - 1]
        nxz, nyz, nz = (
            (others(d[i], i) < radius).sum() for d in (np.maximum(dx, dz), np.maximum(dy, dz), dz)
        )
        terms.append(digamma(nxz + 1) + digamma(nyz + 1) - digamma(nz + 1))
    return digamma(k) - np.mean(terms)


def plain_mesner_shalizi(x, y, z, k):
    dx, dy, dz = distances(x), distances(y), distances(z)
    joint = np.maximum(np.maximum(dx, dy), dz)
    terms = []
    for i in range(len(x)):
        radius = np.sort(others(joint[i], i))[k - 1]
        same, nxz, nyz, nz = (
            (others(d[i], i) <= radius).sum()
            for d in (joint, np.maximum(dx, dz), np.maximum(dy, dz), dz)
        )
        terms.append(digamma(same) - digamma(nxz) - digamma(nyz) + digamma(nz))
    return np.mean(terms)


def plain_ross(x, y, k):
    dx = distances(x)
    terms = []
    for i in range(len(x)):
        of_class = y == y[i]
        k_here = min(k, of_class.sum() - 1)
        radius = np.sort(dx[i, of_class])[k_here]
        m = (dx[i] < radius).sum()
        terms.append(digamma(k_here) - digamma(of_class.sum()) - digamma(m))
    return digamma(len(x)) + np.mean(terms)


def continuous(n=60, dim=2):
    x = RNG.standard_normal((n, dim))
    return x, 0.7 * x[:, :1] + 0.5 * RNG.standard_normal((n, 1)), x + RNG.standard_normal((n, dim))


def mixed(n=80):
    """Atoms and a bulk in each variable."""
    z = RNG.integers(0, 2, n).astype(float)
    x = np.where(RNG.random(n) < 0.4, 0.0, RNG.standard_normal(n)) + z
    y = np.where(RNG.random(n) < 0.5, x, RNG.integers(0, 3, n))
    return x, y, z


@pytest.mark.parametrize("k", [1, 3, 7])
def test_continuous_families_are_those_of_their_papers(k):
    x, y, z = continuous()
    expected = {
        "ksg1": plain_ksg1(x, y, k),
        "ksg2": plain_ksg2(x, y, k),
        "frenzel-pompe": plain_frenzel_pompe(x, y, z, k),
    }
    for name, nats in expected.items():
        given = (z,) if name == "frenzel-pompe" else ()
        found = make_estimator(name, k=k, margins="raw").estimate(x, y, *given)
        assert found.value_bits == pytest.approx(nats_to_bits(nats), abs=1e-12)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_mixed_families_are_those_of_their_papers(k):
    # On samples without ties at the k-th distance; there the papers leave the neighbours open.
    x, y, z = continuous()
    found = make_estimator("mixed-ksg", k=k, margins="raw").estimate(x, y)
    assert found.value_bits == pytest.approx(nats_to_bits(plain_mixed_ksg(x, y, k)), abs=1e-12)
    for x, y, z in (mixed(), continuous()):
        found = make_estimator("mesner-shalizi", k=k, margins="raw", counts="paper").estimate(
            x, y, z
        )
        expected = nats_to_bits(plain_mesner_shalizi(x, y, z, k))
        assert found.value_bits == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3, 30])
def test_ross_is_that_of_the_paper(k):
    y = RNG.integers(0, 3, 70)
    x = y + RNG.standard_normal(70)
    found = make_estimator("ross", k=k, margins="raw").estimate(x, y)
    assert found.value_bits == pytest.approx(nats_to_bits(plain_ross(x, y, k)), abs=1e-12)


def cases():
    content = json.loads(GOLDEN.read_text())
    assert content["units"] == "nats"
    return content["cases"]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_values_in_one_dimension_are_scikit_learns(case):
    name = {"continuous": "ksg1", "mixed": "ross"}[case["kind"]]
    x, y = np.array(case["x"]), np.array(case["y"])
    found = make_estimator(name, k=case["k"]).estimate(x, y)
    # No ties, so no tie noise: both have the same counts.
    assert found.value_bits == pytest.approx(nats_to_bits(case["value"]), abs=1e-12)
