"""The CPU kernel of entropies of posteriors, compiled by numba.

Owns one pass over the posteriors where torch makes five. May import numpy, ``_compilation`` and
``_kernel_math``.
"""

import numpy as np
from numpy.typing import NDArray

from fctestbed._compilation import compiled
from fctestbed._kernel_math import FAST, log_float32

_ZERO, _SMALLEST = np.float32(0.0), np.float32(1.1754944e-38)


# A division that may raise an error is not vectorised.
@compiled(fastmath=FAST, error_model="numpy")
def row_entropies(p: NDArray[np.float32], entropies: NDArray[np.float32]) -> None:
    """The entropy of each row of posteriors, in nats.

    Args:
        p: [n, outcomes].
        entropies: written, [n].
    """
    for row in range(len(p)):
        own = p[row]
        total = _ZERO
        for outcome in range(len(own)):
            value = own[outcome]
            # 0 times this logarithm is 0.
            total -= value * log_float32(max(value, _SMALLEST))
        entropies[row] = total
