"""Hypothesis strategies of distributions whose information is known.

Each draws a record of ``truths``: its ``true_bits``, and its ``sample(n, rng)``.
"""

import numpy as np

from fctestbed.testing.truths import (
    BitChannel,
    BitInNoise,
    GaussianPair,
    GaussianTriple,
    JointDistribution,
)

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "fctestbed.testing.strategies: expected hypothesis, got none: pip install 'fctestbed[test]'"
    ) from error

# Steps of 1/1000 shrink to readable numbers.
_STEPS = 1000


def joint_distributions(
    *, min_values: int = 1, max_values: int = 5
) -> st.SearchStrategy[JointDistribution]:
    """Tables of two discrete variables; cells of probability 0 are likely.

    Args:
        min_values: fewest values of either variable.
        max_values: most values of either.
    """
    sizes = st.integers(min_values, max_values)

    def tables(shape: tuple[int, int]) -> st.SearchStrategy[JointDistribution]:
        cells = shape[0] * shape[1]
        counts = st.lists(st.integers(0, 20), min_size=cells, max_size=cells).filter(any)
        return counts.map(
            lambda drawn: JointDistribution(np.reshape(drawn, shape) / float(sum(drawn)))
        )

    return st.tuples(sizes, sizes).flatmap(tables)


def bit_channels(*, max_bits: int = 3) -> st.SearchStrategy[BitChannel]:
    """Bits through binary symmetric or erasure channels, the useless and the perfect among them.

    Args:
        max_bits: most bits.
    """
    flips = st.integers(0, _STEPS // 2).map(lambda count: count / _STEPS)
    erasures = st.integers(0, _STEPS).map(lambda count: count / _STEPS)
    n_bits = st.integers(1, max_bits)
    return st.one_of(
        st.builds(BitChannel, noise=st.just("symmetric"), probability=flips, n_bits=n_bits),
        st.builds(BitChannel, noise=st.just("erasure"), probability=erasures, n_bits=n_bits),
    )


def gaussian_pairs(
    *, max_pairs: int = 3, max_correlation: float = 0.95
) -> st.SearchStrategy[GaussianPair]:
    """Correlated normal columns.

    Args:
        max_pairs: most pairs of columns.
        max_correlation: largest absolute correlation, below 1.
    """
    rho = st.integers(-_STEPS, _STEPS).map(lambda count: max_correlation * count / _STEPS)
    correlations = st.lists(rho, min_size=1, max_size=max_pairs)
    return correlations.map(lambda drawn: GaussianPair(tuple(drawn)))


def gaussian_triples() -> st.SearchStrategy[GaussianTriple]:
    """Normal X, and Y and Z that see it, with noise from a fifth of it to five times it."""
    noise = st.integers(_STEPS // 5, 5 * _STEPS).map(lambda count: count / _STEPS)
    return st.builds(GaussianTriple, noise_y=noise, noise_z=noise)


def bits_in_noise() -> st.SearchStrategy[BitInNoise]:
    """A bit in normal noise, from a fifth of it to five times it: a discrete Y, a continuous X."""
    noise = st.integers(_STEPS // 5, 5 * _STEPS).map(lambda count: count / _STEPS)
    return st.builds(BitInNoise, noise=noise)
