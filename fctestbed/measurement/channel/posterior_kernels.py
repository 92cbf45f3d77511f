"""The CPU kernel of posteriors over codewords, compiled by numba.

Owns the softmax over codewords and its entropy at several noises, from products that all noises
share. May import numpy, ``_compilation`` and ``_kernel_math``.

A row of logits stays in the cache between the passes over it. Torch makes a pass through memory for
each operation, and its exponential takes ten times as long where results are near the smallest
float32 numbers, as they are for most codewords in little noise.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed._compilation import compiled
from fctestbed._kernel_math import FAST, LEAST_EXPONENT, exp_float32

Array = NDArray[np.floating[Any]]

_ONE, _ZERO = np.float32(1.0), np.float32(0.0)
_LOWEST = np.float32(-3e38)


@compiled(fastmath=FAST)
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
                logit = max(row[w] - top, LEAST_EXPONENT)
                value = exp_float32(logit)
                row[w] = value
                total += value
                weighted += value * logit
            scale = _ONE / total
            for w in range(n_codewords):
                row[w] *= scale
            # H = log sum exp(l) - sum p l, without a logarithm for each codeword.
            entropies[place, draw] = max(np.log(total) - weighted * scale, _ZERO)
