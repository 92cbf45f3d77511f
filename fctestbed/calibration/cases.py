"""The published grid of truths, and its groups. Imports the laws only."""

from fctestbed.calibration.case import Case
from fctestbed.calibration.continuous import (
    bits_into_gaussian,
    equal_pairs,
    gaussian,
    gaussian_given,
    noisy_xor,
    normal_sum,
    student,
)
from fctestbed.calibration.discrete import (
    bits_through_bec,
    bits_through_bsc,
    independent_symbols,
    skewed_symbols,
    table_case,
    xor,
)

CASES: tuple[Case, ...] = (
    independent_symbols(8),
    bits_through_bsc(1, 0.1),
    bits_through_bsc(4, 0.1),
    bits_through_bec(1, 0.3),
    bits_through_bec(3, 0.5),
    bits_through_bsc(8, 0.05),
    skewed_symbols(16, 0.5),
    xor(conditional=False),
    xor(conditional=True),
    table_case(4, 3, seed=0),
    gaussian((0.0,), 1, group="nothing"),
    gaussian((0.5,), 1),
    gaussian((0.9,), 1),
    gaussian((0.8, 0.8), 5),
    gaussian((0.9,), 1, margin="cube", group="margins"),
    gaussian((0.9,), 1, margin="uniform", group="margins"),
    student(1, 1.0),
    student(2, 2.0),
    equal_pairs(4.0, 2),
    equal_pairs(8.0, 4),
    equal_pairs(1.5, 20),
    gaussian((0.8, 0.8), 25, group="high dimension"),
    gaussian_given(0.8, 1.0, 1),
    normal_sum(0.5, conditional=False),
    normal_sum(0.5, conditional=True),
    bits_into_gaussian(1, 1.0),
    bits_into_gaussian(3, 0.5),
    noisy_xor(0.5),
)
"""The published grid."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(case.group for case in CASES))
"""The questions that it asks."""
