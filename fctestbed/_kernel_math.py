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
_TWO = np.float32(2.0)
_L3, _L5 = np.float32(2 / 3), np.float32(2 / 5)
_L7, _L9 = np.float32(2 / 7), np.float32(2 / 9)
# The bits of 2/3.
_TWO_THIRDS = np.int32(0x3F2AAAAB)
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


@compiled(fastmath=FAST, error_model="numpy")
def log_float32(x: np.float32) -> np.float32:
    """log(x) for normal numbers: the whole part of its base-2 logarithm by its bits, and a series
    for the rest. It vectorises, which the library's logarithm does not."""
    bits = np.float32(x).view(np.int32)
    # The rest is between 2/3 and 4/3, so that log(1) is exactly 0.
    whole = (bits - _TWO_THIRDS) >> _MANTISSA_BITS
    rest = np.int32(bits - (whole << _MANTISSA_BITS)).view(np.float32) - _ONE
    # log(1 + r) = 2 artanh(r / (2 + r)), with an argument of at most 1/5 in size.
    s = rest / (_TWO + rest)
    square = s * s
    series = _L7 + square * _L9
    series = _L5 + square * series
    series = _L3 + square * series
    return np.float32(np.float32(whole) * _C1 + s * (_TWO + square * series))
