"""Matrix products that are the same to the last bit for any number of threads.

All products that enter data are computed here. May import numpy and threadpoolctl.

Threads divide a product into pieces, and at the edge of a piece the library sums in another order.
On several threads, data of one seed would differ in the last digit from those on one thread, and
training can amplify that difference to another encoder.
"""

from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

Real = TypeVar("Real", np.float32, np.float64)


def product(left: NDArray[Real], right: NDArray[Real]) -> NDArray[Real]:
    """``left @ right``, computed on one thread whatever the process's setting is."""
    with _libraries().limit(limits=1, user_api="blas"):
        return left @ right


@cache
def _libraries() -> ThreadpoolController:
    # The search takes milliseconds, and numpy has already loaded its libraries.
    return ThreadpoolController()
