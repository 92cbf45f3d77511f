"""CPU kernels of the softmax over rows of scores, compiled by numba.

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
    scores: NDArray[np.float32], shares: NDArray[np.float32], normalisers: NDArray[np.float32]
) -> None:
    """Softmax of each row [runs, rows, columns] into ``shares``, and log sum exp [runs, rows]."""
    for run in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            row = scores[run, i]
            normalisers[run, i] = _softmax(row, shares[run, i])


@compiled(fastmath=FAST)
def masked_row_softmax(
    scores: NDArray[np.float32],
    kept: NDArray[np.bool_],
    shares: NDArray[np.float32],
    normalisers: NDArray[np.float32],
) -> None:
    """As ``row_softmax``, over the columns that ``kept`` [runs, rows, columns] names; the others'
    shares are 0, and their scores may be anything. A row keeps one column at least."""
    for run in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            row, own, out = scores[run, i], kept[run, i], shares[run, i]
            for j in range(len(row)):
                out[j] = row[j] if own[j] else _LOWEST
            normalisers[run, i] = _softmax(out, out)
            for j in range(len(row)):
                out[j] = out[j] if own[j] else _ZERO


@compiled(fastmath=FAST)
def other_row_softmax(
    scores: NDArray[np.float32], shares: NDArray[np.float32], normalisers: NDArray[np.float32]
) -> None:
    """As ``row_softmax`` of square arrays, without the diagonal, whose shares are 0."""
    for run in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            row, out = scores[run, i], shares[run, i]
            for j in range(len(row)):
                out[j] = row[j]
            out[i] = _LOWEST
            normalisers[run, i] = _softmax(out, out)
            out[i] = _ZERO


@compiled(fastmath=FAST)
def _softmax(row: NDArray[np.float32], shares: NDArray[np.float32]) -> np.float32:
    """Write the softmax of a row, which may be ``shares`` itself; log sum exp."""
    top = _LOWEST
    for j in range(len(row)):
        top = max(top, row[j])
    total, unreal = _ZERO, _ZERO
    for j in range(len(row)):
        # A comparison that NaN fails. A score of minus infinity has a share of 0.
        score = _LOWEST if row[j] < _LOWEST else row[j]
        # NaN for NaN and infinity, which the exponential would hide.
        unreal += score - score
        value = exp_float32(max(score - top, LEAST_EXPONENT))
        shares[j] = value
        total += value
    scale = _ONE / total + unreal
    for j in range(len(row)):
        shares[j] *= scale
    return np.float32(np.log(total) + top + unreal)
