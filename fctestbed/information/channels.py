"""The binary symmetric channel: flip probability and capacity in bits.

May import numpy, scipy, ``entropy`` and ``units``.
"""

import numpy as np
import numpy.typing as npt

from fctestbed.information.entropy import binary_entropy_bits, probabilities
from fctestbed.information.units import LN2, bits_to_nats

_NEWTON_STEPS = 60


def bsc_capacity_bits(flip: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Capacity 1 - h2(flip) in bits of a binary symmetric channel, elementwise.

    The relative error is small also near ``flip`` = 1/2, where the plain formula cancels.

    Args:
        flip: probability that the bit is flipped, in [0, 1].

    Raises:
        ValueError: a probability outside [0, 1].

    Source:
        Cover and Thomas, Elements of Information Theory, Eq. 7.5.
    """
    flip = probabilities("flip", flip)
    tilt = np.abs(1 - 2 * flip)
    near_half = tilt < 0.5
    return np.where(
        near_half,
        _capacity_nats_of_tilt(np.where(near_half, tilt, 0.0)) / LN2,
        1 - binary_entropy_bits(flip),
    )


def bsc_flip_probability(capacity_bits: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Flip probability in [0, 1/2] of the channel with the given capacity in bits, elementwise.

    Exactly 1/2 at capacity 0 and exactly 0 at capacity 1. Newton's method on the tilt 1 - 2 flip
    for small capacities and on the flip for large ones: both functions are monotone and convex or
    concave, so the steps approach the root from one side, and neither cancels at its end.

    Args:
        capacity_bits: capacities in [0, 1].

    Raises:
        ValueError: a capacity outside [0, 1].
    """
    capacity = probabilities("capacity_bits", capacity_bits)
    small = capacity <= 0.5
    flip_small = (1 - _tilt_of_capacity(np.where(small, capacity, 0.5))) / 2
    flip_large = _flip_of_entropy(np.where(small, 0.5, 1 - capacity))
    return np.where(small, flip_small, flip_large)


def _capacity_nats_of_tilt(tilt: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return (np.log1p(-(tilt**2)) + 2 * tilt * np.arctanh(tilt)) / 2


def _tilt_of_capacity(capacity_bits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    target = bits_to_nats(capacity_bits)
    # Capacity is at least tilt^2 / 2 nats, so this start lies above the root.
    tilt = np.sqrt(2 * target)
    for _ in range(_NEWTON_STEPS):
        slope = np.where(tilt > 0, np.arctanh(tilt), 1.0)
        step = (_capacity_nats_of_tilt(tilt) - target) / slope
        tilt = np.maximum(tilt - step, 0.0)
        if np.all(np.abs(step) <= 1e-16 * tilt):
            break
    return tilt


def _flip_of_entropy(entropy_bits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    positive = entropy_bits > 0
    target = np.where(positive, entropy_bits, 0.5)
    # A lower bound of the inverse of h2 on (0, 1), so the start lies below the root.
    flip = target / (2 * np.log2(6 / target))
    for _ in range(_NEWTON_STEPS):
        step = (target - binary_entropy_bits(flip)) / np.log2((1 - flip) / flip)
        flip = flip + step
        if np.all(np.abs(step) <= 1e-16 * flip):
            break
    return np.where(positive, flip, 0.0)
