"""Hypothesis strategies of ``fctestbed.laws``: distributions whose information is known.

May import hypothesis and ``fctestbed.laws``.
"""

import numpy as np

from fctestbed.laws import (
    BitChannel,
    BitsInNoise,
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

# Multiples of 1/1000 shrink to readable numbers.
_STEPS = 1000


def joint_distributions(
    *, min_values: int = 1, max_values: int = 5
) -> st.SearchStrategy[JointDistribution]:
    """Tables of two discrete variables, often with cells of probability 0.

    Args:
        min_values: smallest number of values of each variable.
        max_values: largest number of values of each variable.
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
    """Bits through binary symmetric or erasure channels of any capacity, 0 and 1 included.

    Args:
        max_bits: largest number of bits.
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
        max_pairs: largest number of pairs of columns.
        max_correlation: largest absolute correlation, below 1.
    """
    rho = st.integers(-_STEPS, _STEPS).map(lambda count: max_correlation * count / _STEPS)
    correlations = st.lists(rho, min_size=1, max_size=max_pairs)
    return correlations.map(lambda drawn: GaussianPair(tuple(drawn)))


def gaussian_triples() -> st.SearchStrategy[GaussianTriple]:
    """Y and Z are a normal X with noise from a fifth of its scale to five times its scale."""
    noise = st.integers(_STEPS // 5, 5 * _STEPS).map(lambda count: count / _STEPS)
    return st.builds(GaussianTriple, noise_y=noise, noise_z=noise)


def bits_in_noise() -> st.SearchStrategy[BitsInNoise]:
    """One bit with normal noise, from a fifth of its scale to five times its scale."""
    noise = st.integers(_STEPS // 5, 5 * _STEPS).map(lambda count: count / _STEPS)
    return st.builds(BitsInNoise, noise=noise)
