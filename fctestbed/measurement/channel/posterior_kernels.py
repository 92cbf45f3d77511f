"""The CPU kernel of posteriors over codewords, compiled by numba.

Owns the softmax over codewords and its entropy at several noises, from products that all noises
share. May import numpy and ``_compilation``.

A row of logits stays in the cache between the passes over it. Torch makes a pass through memory for
each operation, and its exponential takes ten times as long where results are near the smallest
float32 numbers, as they are for most codewords in little noise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed._compilation import compiled

Array = NDArray[np.floating[Any]]

_FAST = {"reassoc", "contract", "nsz", "arcp"}
# exp(-64) = 2e-28 has no effect on sums, and squares of it divided by 2^24 are normal numbers.
_LEAST_LOGIT = np.float32(-64.0)
_LOG2_E = np.float32(1.4426950408889634)
_HALF, _ONE, _ZERO = np.float32(0.5), np.float32(1.0), np.float32(0.0)
_LOWEST = np.float32(-3e38)
_BIAS, _MANTISSA_BITS = np.int32(127), np.int32(23)
# 2^x on [-1/2, 1/2] to 2e-7, the Taylor series of exp(x log 2): log(2)^k / k!.
_C1, _C2, _C3 = np.float32(0.6931471805599453), np.float32(0.2402265069), np.float32(0.0555041087)
_C4, _C5, _C6 = np.float32(0.0096181291), np.float32(0.0013333558), np.float32(0.000154035304)


@compiled(fastmath=_FAST)
def posteriors(
    squares: Array,
    crosses: Array,
    own: NDArray[np.int64],
    inverse_taus: NDArray[np.float64],
    p: NDArray[np.float32],
    entropies: NDArray[np.float32],
) -> None:
    """Posteriors p(w | c + tau n) and their entropies in nats, for each noise and draw.

    Args:
        squares: <c, c_w> - |c_w|^2 / 2 of each draw's codeword c and all codewords, [n, codewords].
        crosses: <n, c_w> of each draw's noise n, [n, codewords].
        own: the place of each draw's codeword, [n]. Logits are relative to it: they are then small
            where posteriors are not, and float32 suffices for them.
        inverse_taus: 1 / tau, [taus].
        p: the posteriors, written, [taus, n, codewords].
        entropies: written, [taus, n].
    """
    n, n_codewords = squares.shape
    for draw in range(n):
        base = squares[draw, own[draw]]
        cross = crosses[draw, own[draw]]
        for place in range(len(inverse_taus)):
            linear = squares.dtype.type(inverse_taus[place])
            quadratic = squares.dtype.type(inverse_taus[place] * inverse_taus[place])
            row = p[place, draw]
            top = _LOWEST
            for w in range(n_codewords):
                logit = np.float32(
                    (squares[draw, w] - base) * quadratic + (crosses[draw, w] - cross) * linear
                )
                row[w] = logit
                top = max(top, logit)
            total, weighted = _ZERO, _ZERO
            for w in range(n_codewords):
                logit = max(row[w] - top, _LEAST_LOGIT)
                value = _exp(logit)
                row[w] = value
                total += value
                weighted += value * logit
            scale = _ONE / total
            for w in range(n_codewords):
                row[w] *= scale
            # H = log sum exp(l) - sum p l, without a logarithm for each codeword.
            entropies[place, draw] = max(np.log(total) - weighted * scale, _ZERO)


@compiled(fastmath=_FAST)
def _exp(x: np.float32) -> np.float32:
    """exp(x) for -87 < x <= 0: 2^whole by its bits, times a polynomial."""
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
