"""Entropy and mutual information of finite distributions, in bits.

Functionals of probability tables. A table's axes are its variables; every function checks that its
table is a distribution. May import numpy, scipy and ``units``.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import entr, xlog1py, xlogy

from fctestbed.information.units import LN2, nats_to_bits

_SUM_TOLERANCE = 1e-9


def entropy_bits(p: npt.ArrayLike, *axes: int) -> float:
    """Entropy of the variables on the given axes of a table (of all of them by default), in bits.

    Args:
        p: probabilities, any shape, summing to 1.
        axes: the axes of the variables; the others are summed out.

    Raises:
        ValueError: ``p`` is no distribution.

    Source:
        Cover and Thomas, Elements of Information Theory, Eq. 2.1.
    """
    return _entropy_bits(distribution("p", p), *axes)


def mutual_information_bits(p_xy: npt.ArrayLike) -> float:
    """I(X;Y) in bits of a table of shape (x, y).

    Raises:
        ValueError: the table is no distribution or has not two axes.

    Source:
        Cover and Thomas, Eq. 2.45.
    """
    p = distribution("p_xy", p_xy, ndim=2)
    return _entropy_bits(p, 0) + _entropy_bits(p, 1) - _entropy_bits(p)


def conditional_mutual_information_bits(p_xyz: npt.ArrayLike) -> float:
    """I(X;Y|Z) in bits of a table of shape (x, y, z); the condition is the last axis.

    Raises:
        ValueError: as ``mutual_information_bits``, for three axes.

    Source:
        Cover and Thomas, Eq. 2.60.
    """
    p = distribution("p_xyz", p_xyz, ndim=3)
    return _entropy_bits(p, 0, 2) + _entropy_bits(p, 1, 2) - _entropy_bits(p) - _entropy_bits(p, 2)


def co_information_bits(p_xyz: npt.ArrayLike) -> float:
    """I(X;Y;Z) = I(X;Y) - I(X;Y|Z) in bits of a table of shape (x, y, z).

    Symmetric in its axes; negative where synergy exceeds redundancy.

    Raises:
        ValueError: as ``mutual_information_bits``, for three axes.

    Source:
        Liang et al. 2023 (FactorCL), Eq. 1: S = I(X1;X2;Y).
    """
    p = distribution("p_xyz", p_xyz, ndim=3)
    singles = sum(_entropy_bits(p, axis) for axis in range(3))
    pairs = sum(_entropy_bits(p, *axes) for axes in ((0, 1), (0, 2), (1, 2)))
    return singles - pairs + _entropy_bits(p)


def binary_entropy_bits(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Entropy in bits of a coin with probability ``p`` of heads, elementwise.

    Raises:
        ValueError: a probability outside [0, 1].
    """
    heads = probabilities("p", p)
    return np.asarray(-(xlogy(heads, heads) + xlog1py(1 - heads, -heads)) / LN2)


def probabilities(name: str, p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """``p`` as float64; an entry outside [0, 1] is refused with ``name``."""
    return _within(name, p, 1.0)


def _within(name: str, p: npt.ArrayLike, most: float) -> npt.NDArray[np.float64]:
    array = np.asarray(p, dtype=np.float64)
    outside = array[~((array >= 0) & (array <= most))]
    if outside.size:
        raise ValueError(f"{name}: expected probabilities in [0, 1], got {outside.flat[0]:g}")
    return array


def distribution(name: str, p: npt.ArrayLike, ndim: int | None = None) -> npt.NDArray[np.float64]:
    """``p`` as float64; refused with ``name`` where it is no distribution or has other axes.

    Entries must lie in [0, 1] and sum to 1 within 1e-9.
    """
    # The probability of a certain value is a sum, which may round to a little more than 1.
    table = _within(name, p, 1 + _SUM_TOLERANCE)
    if ndim is not None and table.ndim != ndim:
        raise ValueError(f"{name}: expected a table with {ndim} axes, got shape {table.shape}")
    total = table.sum()
    if abs(total - 1) > _SUM_TOLERANCE:
        raise ValueError(f"{name}: expected probabilities that sum to 1, got a sum of {total:.12g}")
    return table


def _entropy_bits(p: npt.NDArray[np.float64], *axes: int) -> float:
    if axes:
        kept = {axis % p.ndim for axis in axes}
        p = p.sum(axis=tuple(axis for axis in range(p.ndim) if axis not in kept))
    return float(nats_to_bits(float(entr(p).sum())))
