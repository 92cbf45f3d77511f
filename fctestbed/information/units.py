"""The only conversions between nats and bits. Imports nothing of the project."""

import math
from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Amount = TypeVar("_Amount", float, npt.NDArray[np.float64])

LN2 = math.log(2.0)


def nats_to_bits(nats: _Amount) -> _Amount:
    """An amount of information (number or array) in nats, as bits."""
    return nats / LN2


def bits_to_nats(bits: _Amount) -> _Amount:
    """An amount of information (number or array) in bits, as nats."""
    return bits * LN2
