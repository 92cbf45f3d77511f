"""Functions that compiled kernels share. May import numpy and ``_compilation``."""

import numpy as np

from fctestbed._compilation import compiled

FAST = {"reassoc", "contract", "nsz", "arcp"}
"""Sums may be reassociated, so that loops vectorise; NaN and infinity stay what they are."""

LEAST_EXPONENT = np.float32(-64.0)
"""exp(-64) = 2e-28 has no effect on a sum with a term of 1, and squares of it divided by 2^24 are
normal numbers."""

_LOG2_E = np.float32(1.4426950408889634)
_HALF, _ONE = np.float32(0.5), np.float32(1.0)
_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)
# 2^x on [-1/2, 1/2] to 2e-7, the Taylor series of exp(x log 2): log(2)^k / k!.
_C1, _C2, _C3 = np.float32(0.6931471805599453), np.float32(0.2402265069), np.float32(0.0555041087)
_C4, _C5, _C6 = np.float32(0.0096181291), np.float32(0.0013333558), np.float32(0.000154035304)


@compiled(fastmath=FAST)
def exp_float32(x: np.float32) -> np.float32:
    """exp(x) for -87 < x <= 0: 2^whole by its bits, times a polynomial. It vectorises, which the
    library's exponential does not."""
    doublings = x * _LOG2_E
    whole = np.floor(doublings + _HALF)
    rest = doublings - whole
    series = _C5 + rest * _C6
    series = _C4 + rest * series
    series = _C3 + rest * series
    series = _C2 + rest * series
    series = _C1 + rest * series
    series = _ONE + rest * series
    power = np.int32((np.int32(whole) + _BIAS) << _MANTISSA_BITS).view(np.float32)
    return np.float32(series * power)
