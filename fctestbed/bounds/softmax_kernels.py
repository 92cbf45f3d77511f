"""The CPU kernel of the softmax over rows of scores, compiled by numba.

Owns the loops that ``fctestbed.bounds.normalisers`` runs on a CPU. May import numpy,
``_compilation`` and ``_kernel_math``.

A row stays in the cache between the passes over it, where torch makes a pass through memory for
each operation. NaN and infinity are propagated, so that a diverged run is recognised.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fctestbed._compilation import compiled
from fctestbed._kernel_math import FAST, LEAST_EXPONENT, exp_float32

Array = NDArray[np.floating[Any]]

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_LOWEST = np.float32(-3e38)


@compiled(fastmath=FAST)
def row_softmax(
    scores: NDArray[np.float32],
    kept: NDArray[np.bool_],
    without_own: bool,
    shares: NDArray[np.float32],
    normalisers: NDArray[np.float32],
) -> None:
    """Softmax of rows of scores [runs, rows, columns], and log sum exp [runs, rows].

    Args:
        scores: the scores.
        kept: the columns that count, [runs, rows, columns], one of each row at least; the others'
            scores may be anything. An array without runs for all columns.
        without_own: whether row i leaves column i out.
        shares: the softmax, written; 0 where a column does not count.
        normalisers: written.
    """
    is_masked = len(kept) > 0
    # One function: code that calls another with arrays came out of numba's cache with another
    # rounding than a fresh compilation had.
    for run in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            row, out = scores[run, i], shares[run, i]
            top = _LOWEST
            if is_masked:
                own = kept[run, i]
                for j in range(len(row)):
                    out[j] = row[j] if own[j] else _LOWEST
            else:
                for j in range(len(row)):
                    # A comparison that NaN fails. A score of minus infinity has a share of 0.
                    out[j] = _LOWEST if row[j] < _LOWEST else row[j]
            if without_own:
                out[i] = _LOWEST
            for j in range(len(row)):
                top = max(top, out[j])
            total, unreal = _ZERO, _ZERO
            for j in range(len(row)):
                score = out[j]
                # NaN for NaN and infinity, which the exponential would hide.
                unreal += score - score
                value = exp_float32(max(score - top, LEAST_EXPONENT))
                out[j] = value
                total += value
            scale = _ONE / total + unreal
            for j in range(len(row)):
                out[j] *= scale
            if is_masked:
                own = kept[run, i]
                for j in range(len(row)):
                    out[j] = out[j] if own[j] else _ZERO
            if without_own:
                out[i] = _ZERO
            normalisers[run, i] = np.log(total) + top + unreal
