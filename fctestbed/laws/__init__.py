"""Distributions whose information is known exactly, with samples without limit.

Calibration and the checks of estimators draw from them. Imports ``fctestbed.information``, numpy
and scipy only; estimators may not import this package.
"""

from fctestbed.laws.continuous import (
    GaussianCommonCause,
    GaussianPair,
    GaussianSum,
    GaussianTriple,
    StudentPair,
    equal_gaussian_pairs,
    gaussian_correlation,
)
from fctestbed.laws.discrete import (
    BitChannel,
    IndependentSymbols,
    JointDistribution,
    Xor,
    random_table,
    skewed_symbols,
)
from fctestbed.laws.drawn import ROUGH, SMOOTH, DrawnLaw, drawn_law
from fctestbed.laws.drawn_classes import DrawnClassLaw, drawn_class_law
from fctestbed.laws.grid import GROUPS, LAWS
from fctestbed.laws.law import Kind, Law
from fctestbed.laws.noisy_bits import BitsInNoise, NoisyXor, noisy_sign_bits

__all__ = [
    "GROUPS",
    "LAWS",
    "ROUGH",
    "SMOOTH",
    "BitChannel",
    "BitsInNoise",
    "DrawnClassLaw",
    "DrawnLaw",
    "GaussianCommonCause",
    "GaussianPair",
    "GaussianSum",
    "GaussianTriple",
    "IndependentSymbols",
    "JointDistribution",
    "Kind",
    "Law",
    "NoisyXor",
    "StudentPair",
    "Xor",
    "drawn_class_law",
    "drawn_law",
    "equal_gaussian_pairs",
    "gaussian_correlation",
    "noisy_sign_bits",
    "random_table",
    "skewed_symbols",
]
