"""Tests whether normal scores are jointly normal, for the interval of the Gaussian copula.

May import ``inputs``.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import chi2, lognorm

from fctestbed.estimators.inputs import Floats, rescale

# Each of three tests; some 80 % of Gaussian copulas pass all of them.
_LEVEL = 0.1
# With fewer samples per column, circles among independent columns pass all tests.
_LEAST_PER_COLUMN = 50
# The tensor of fourth moments has dim^4 entries.
_MOST_COLUMNS = 20
_BLOCK = 8192
# Below this smallest eigenvalue of the correlations (a correlation of 0.8) the scores of the
# largest and smallest values change the moments, and simulation replaces the chi-squared law.
_STRONG = 0.2
_SIMULATIONS = 39
# The Henze-Zirkler statistic compares all pairs of rows.
_MOST_ROWS = 2000


def not_gaussian_copula(scores: Sequence[Floats]) -> str:
    """Columns of normal scores whose dependence is not that of a joint normal distribution.

    Mardia's kurtosis alone passes much of the dependence that correlations miss, such as that of
    uniform signals in uniform noise. Three tests find more: of all third moments (Mardia's
    skewness), of all fourth moments, and of the characteristic function (Henze and Zirkler), each
    at 10 %. Fewer than 50 samples a column, or over 20 columns, cannot show it.

    Args:
        scores: normal scores of each variable's columns, [n, columns].

    Returns:
        One line that names the test, or says that there can be none; empty where all pass.

    Source:
        Mardia 1970; Koziol 1989; Henze and Zirkler 1990. Third and fourth moments of each column
        are fixed by its scores, which takes one degree of freedom a column from both chi-squared
        distributions (simulated where columns are strongly correlated).
    """
    points = np.hstack(scores)
    n, dim = points.shape
    if dim > _MOST_COLUMNS:
        return f"{dim} columns, over {_MOST_COLUMNS}, do not show whether their copula is Gaussian"
    if n < _LEAST_PER_COLUMN * dim:
        return (
            f"{n} samples, under {_LEAST_PER_COLUMN} for each of {dim} columns, do not show "
            "whether their copula is Gaussian"
        )
    third, fourth = _moment_shares(points)
    shares = {
        "third moments": third,
        "fourth moments": fourth,
        # Evenly among the samples in the order of a column: the same rows for any order of them.
        "Henze-Zirkler's": henze_zirkler(
            points[np.argsort(points[:, 0], kind="stable")][:: -(-n // _MOST_ROWS)]
        ),
    }
    test, share = min(shares.items(), key=lambda item: item[1])
    if share >= _LEVEL:
        return ""
    kind = "a test of" if test.endswith("moments") else "a test,"
    return (
        f"the dependence is not that of a Gaussian copula: {kind} {test}, finds as much in "
        f"{share:.2g} of Gaussian samples"
    )


def _moment_shares(points: Floats) -> tuple[float, float]:
    """Probabilities that Gaussian samples have third and fourth moments at least as unlike."""
    dim = points.shape[1]
    statistics = _moment_statistics(points)
    freedoms = math.comb(dim + 2, 3) - dim, math.comb(dim + 3, 4) - dim
    third, fourth = (float(chi2.sf(*pair)) for pair in zip(statistics, freedoms, strict=True))
    sizes, directions = np.linalg.eigh(np.corrcoef(points.T))
    if min(third, fourth) >= _LEVEL or sizes[0] >= _STRONG:
        return third, fourth
    # Rounding may turn the smallest eigenvalue of nearly equal columns negative.
    rng, factor = np.random.default_rng(0), directions * np.sqrt(np.maximum(sizes, 0.0))
    simulated = [
        _moment_statistics(rescale(rng.standard_normal(points.shape) @ factor.T, "normal"))
        for _ in range(_SIMULATIONS)
    ]
    as_large = (np.array(simulated) >= statistics).sum(axis=0)
    third, fourth = (float(count + 1) / (_SIMULATIONS + 1) for count in as_large)
    return third, fourth


def _moment_statistics(points: Floats) -> tuple[float, float]:
    """n |E zzz|^2 / 6 and n |E zzzz - that of normal z|^2 / 24 of the whitened rows z."""
    n, dim = points.shape
    white = np.linalg.qr(points - points.mean(axis=0))[0] * math.sqrt(n)
    third, fourth = np.zeros((dim * dim, dim)), np.zeros((dim * dim, dim * dim))
    for start in range(0, n, _BLOCK):
        rows = white[start : start + _BLOCK]
        products = (rows[:, :, None] * rows[:, None, :]).reshape(len(rows), -1)
        third += products.T @ rows / n
        fourth += products.T @ products / n
    one = np.eye(dim)
    normal = sum(np.einsum(f"{pairs}->ijkl", one, one) for pairs in ("ij,kl", "ik,jl", "il,jk"))
    excess = fourth.reshape((dim,) * 4) - normal
    return n * float(np.square(third).sum()) / 6, n * float(np.square(excess).sum()) / 24


def henze_zirkler(points: Floats) -> float:
    """Probability that normal samples have at least the Henze-Zirkler statistic of these.

    Args:
        points: [n, dim], with linearly independent columns.

    Source:
        Henze and Zirkler 1990, with their log-normal approximation.
    """
    n, d = points.shape
    white = np.linalg.qr(points - points.mean(axis=0))[0] * math.sqrt(n)
    b2 = (n * (2 * d + 1) / 4) ** (2 / (d + 4)) / 2
    inner = white @ white.T
    squares = np.diag(inner)
    pairs = np.exp(-b2 / 2 * (squares[:, None] + squares - 2 * inner)).mean()
    lone = np.exp(-b2 / (2 * (1 + b2)) * squares).mean()
    statistic = n * (pairs - 2 * (1 + b2) ** (-d / 2) * lone + (1 + 2 * b2) ** (-d / 2))
    a, b4, b8 = 1 + 2 * b2, b2 * b2, b2**4
    w = (1 + b2) * (1 + 3 * b2)
    mean = 1 - a ** (-d / 2) * (1 + d * b2 / a + d * (d + 2) * b4 / (2 * a * a))
    variance = (
        2 * (1 + 4 * b2) ** (-d / 2)
        + 2 * a**-d * (1 + 2 * d * b4 / a**2 + 3 * d * (d + 2) * b8 / (4 * a**4))
        - 4 * w ** (-d / 2) * (1 + 3 * d * b4 / (2 * w) + d * (d + 2) * b8 / (2 * w * w))
    )
    spread = math.sqrt(math.log1p(variance / mean**2))
    scale = mean**2 / math.sqrt(variance + mean**2)
    return float(lognorm.sf(statistic, spread, scale=scale))
