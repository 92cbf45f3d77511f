"""The laws of the published calibration, and their groups."""

from fctestbed.laws.continuous import (
    GaussianCommonCause,
    GaussianPair,
    GaussianSum,
    StudentPair,
    equal_gaussian_pairs,
)
from fctestbed.laws.discrete import (
    BitChannel,
    IndependentSymbols,
    Xor,
    random_table,
    skewed_symbols,
)
from fctestbed.laws.law import Law
from fctestbed.laws.noisy_bits import BitsInNoise, NoisyXor

LAWS: tuple[Law, ...] = (
    IndependentSymbols(8),
    BitChannel("symmetric", 0.1, 1),
    BitChannel("symmetric", 0.1, 4),
    BitChannel("erasure", 0.3, 1),
    BitChannel("erasure", 0.5, 3),
    BitChannel("symmetric", 0.05, 8),
    skewed_symbols(16, 0.5),
    Xor(conditional=False),
    Xor(conditional=True),
    random_table(4, 3, seed=0),
    GaussianPair((0.0,)),
    GaussianPair((0.5,)),
    GaussianPair((0.9,)),
    GaussianPair((0.8, 0.8), n_independent=3),
    GaussianPair((0.9,), margin="cube"),
    GaussianPair((0.9,), margin="uniform"),
    StudentPair(1, 1.0),
    StudentPair(2, 2.0),
    equal_gaussian_pairs(4.0, 2),
    equal_gaussian_pairs(8.0, 4),
    equal_gaussian_pairs(1.5, 20),
    GaussianPair((0.8, 0.8), n_independent=23),
    GaussianCommonCause(0.8),
    GaussianSum(noise=0.5, conditional=False),
    GaussianSum(noise=0.5, conditional=True),
    BitsInNoise(1.0),
    BitsInNoise(0.5, 3),
    NoisyXor(0.5),
)
"""The published laws, in the order of their rows."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(law.group for law in LAWS))
"""Their groups, in the order of first appearance."""
