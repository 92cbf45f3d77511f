"""Matrix products that are the same to the last bit whatever the number of threads.

All products that enter data are made here. May import numpy and threadpoolctl.

Threads cut a product into pieces, and at the edge of a piece the library sums in another order.
Without this, data of one seed differ in the last digit between one core and two, and training can
enlarge that difference to another encoder.
"""

from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

Real = TypeVar("Real", np.float32, np.float64)


def product(left: NDArray[Real], right: NDArray[Real]) -> NDArray[Real]:
    """``left @ right``, computed on one thread whatever the process is set to."""
    with _libraries().limit(limits=1, user_api="blas"):
        return left @ right


@cache
def _libraries() -> ThreadpoolController:
    # Looking for them takes milliseconds, and numpy has loaded its own by now.
    return ThreadpoolController()
