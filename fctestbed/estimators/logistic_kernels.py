"""The CPU kernel of logistic losses, compiled by numba.

Owns the losses of samples that may occur several times, and their gradients, in one pass. May
import numpy, ``_compilation`` and ``_kernel_math``.
"""

import numpy as np
from numpy.typing import NDArray

from fctestbed._compilation import compiled
from fctestbed._kernel_math import FAST, LEAST_EXPONENT, exp_float32

Floats = NDArray[np.float32]

_ZERO, _ONE, _TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)
# log(1 + y) = 2 artanh(s), s = y / (2 + y) up to 1/3: the series 2 s (1 + s^2 / 3 + ...) to 1e-7.
_C3, _C5, _C7 = np.float32(2 / 3), np.float32(2 / 5), np.float32(2 / 7)
_C9, _C11 = np.float32(2 / 9), np.float32(2 / 11)
# Sums of so many terms are in float32, sums of those in float64.
_BLOCK = 512


# A division that may raise an error is not vectorised.
@compiled(fastmath=FAST, error_model="numpy")
def logistic_losses(
    logits: Floats, counts: Floats, ones: Floats, first: int, losses: NDArray[np.float64]
) -> None:
    """Summed cross-entropies of bits, in nats, and their gradients by the logits.

    Args:
        logits: log-odds of a bit that is 1, of some rows, [problems, rows]; overwritten by the
            gradients.
        counts: how often each row occurs, [all rows].
        ones: how often its bit is 1, [problems, all rows].
        first: the first of the rows.
        losses: written, [problems].
    """
    n_problems, n_rows = logits.shape
    for problem in range(n_problems):
        whole = np.float64(0.0)
        for start in range(0, n_rows, _BLOCK):
            own = logits[problem, start : start + _BLOCK]
            of_one = ones[problem, first + start : first + start + len(own)]
            count = counts[first + start : first + start + len(own)]
            total = _ZERO
            for row in range(len(own)):
                logit = own[row]
                size = np.abs(logit)
                small = exp_float32(max(-size, LEAST_EXPONENT))
                s = small / (_TWO + small)
                square = s * s
                series = _C9 + square * _C11
                series = _C7 + square * series
                series = _C5 + square * series
                series = _C3 + square * series
                # The loss of the likelier bit; that of the other is larger by the logit.
                least = s * (_TWO + square * series)
                one = of_one[row]
                zero = count[row] - one
                total += count[row] * least + zero * max(logit, _ZERO) + one * max(-logit, _ZERO)
                share = _ONE / (_ONE + small)
                own[row] = count[row] * (share if logit >= _ZERO else small * share) - one
            whole += np.float64(total)
        losses[problem] = whole
