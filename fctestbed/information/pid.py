"""Exact partial information decomposition of two finite sources about a target, in bits.

The atoms and their record; the optimisation is in ``broja``. May import numpy and this package.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fctestbed.information.broja import conditional_entropy_bracket
from fctestbed.information.entropy import (
    distribution,
    entropy_bits,
    mutual_information_bits,
)
from fctestbed.information.units import bits_to_nats, nats_to_bits

MAX_TABLE = 1 << 24
_GOAL_BITS = 5e-10
_SUM_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class LeastInformation:
    """The least I_Q(Y; X1, X2) over all Q with the given p(x1, y) and p(x2, y), in bits.

    Attributes:
        bits: an upper bound, attained by a Q with these margins.
        gap_bits: the optimum is at least ``bits - gap_bits`` (up to rounding, about 1e-14).
        iterations: number of steps of the optimisation.
    """

    bits: float
    gap_bits: float
    iterations: int


@dataclass(frozen=True, kw_only=True)
class PartialInformation:
    """The PID of I(X1,X2;Y) into four atoms, and the paper's quantities, in bits.

    Every atom is within ``gap_bits`` of its exact value, and their sum is ``total_bits``.

    Attributes:
        redundancy_bits: information about Y that each source has alone.
        unique1_bits: information about Y that X1 has and X2 has not.
        unique2_bits: information about Y that X2 has and X1 has not.
        synergy_bits: information about Y that only both sources together have.
        gap_bits: certified distance of a primal from a dual point.
        iterations: number of steps of the optimisation.
        x1_bits: I(X1;Y) = redundancy + unique1.
        x2_bits: I(X2;Y) = redundancy + unique2.
        shared_bits: S = I(X1;X2;Y) = redundancy - synergy.
        x1_given_x2_bits: the paper's U1 = I(X1;Y|X2) = unique1 + synergy.
        x2_given_x1_bits: the paper's U2 = I(X2;Y|X1) = unique2 + synergy.
        total_bits: I(X1,X2;Y).

    Source:
        Bertschinger, Rauh, Olbrich, Jost and Ay 2014 (BROJA); Liang et al. 2023 (FactorCL), Eq. 1.
    """

    redundancy_bits: float
    unique1_bits: float
    unique2_bits: float
    synergy_bits: float
    gap_bits: float
    iterations: int
    x1_bits: float
    x2_bits: float
    shared_bits: float
    x1_given_x2_bits: float
    x2_given_x1_bits: float
    total_bits: float


def partial_information(
    table: npt.ArrayLike, *, tolerance_bits: float = 1e-7, max_iterations: int = 1000
) -> PartialInformation:
    """Redundancy, unique and synergistic information of p(x1, x2, y), in bits.

    BROJA's measure: with m the least I_Q(Y; X1, X2) over all Q that keep p(x1, y) and p(x2, y),
    unique1 = m - I(X2;Y), unique2 = m - I(X1;Y), synergy = I(X1,X2;Y) - m and redundancy =
    I(X1;Y) + I(X2;Y) - m. Deterministic.

    Args:
        table: p(x1, x2, y), shape (n1, n2, ny), summing to 1 within 1e-9; zeros are allowed.
        tolerance_bits: the largest certified gap that is accepted; the method stops at 5e-10.
        max_iterations: largest number of steps of each independent part of the problem.

    Raises:
        ValueError: ``table`` is no distribution on three axes or has more than 2^24 entries;
            the certified gap stays above ``tolerance_bits``.
    """
    p = _table("table", table, ndim=3)
    if p.size > MAX_TABLE:
        raise ValueError(
            f"table: expected at most {MAX_TABLE} entries for an exact decomposition, "
            f"got alphabets of {p.shape[0]} x {p.shape[1]} x {p.shape[2]}"
        )
    least = least_information(
        p.sum(axis=1), p.sum(axis=0), tolerance_bits=tolerance_bits, max_iterations=max_iterations
    )
    total = mutual_information_bits(p.reshape(-1, p.shape[2]))
    return decomposition(
        x1_bits=mutual_information_bits(p.sum(axis=1)),
        x2_bits=mutual_information_bits(p.sum(axis=0)),
        total_bits=total,
        least=least,
    )


def least_information(
    p_x1_y: npt.ArrayLike,
    p_x2_y: npt.ArrayLike,
    *,
    tolerance_bits: float = 1e-7,
    max_iterations: int = 1000,
) -> LeastInformation:
    """The least I_Q(Y; X1, X2) in bits over all Q with these two margins.

    BROJA's atoms depend on these margins only through it; ``decomposition`` computes the atoms.

    Args:
        p_x1_y: p(x1, y), shape (n1, ny), summing to 1 within 1e-9.
        p_x2_y: p(x2, y), shape (n2, ny), with the same p(y) within 1e-9.
        tolerance_bits: the largest certified gap that is accepted; the method stops at 5e-10.
        max_iterations: largest number of steps of each independent part of the problem.

    Raises:
        ValueError: a margin is no distribution on two axes; their p(y) differ; n1 n2 ny is above
            2^24; the certified gap stays above ``tolerance_bits``.

    Source:
        Bertschinger et al. 2014, Eq. 1 to 4; Griffith and Koch 2014.
    """
    a, b = _table("p_x1_y", p_x1_y, ndim=2), _table("p_x2_y", p_x2_y, ndim=2)
    if not tolerance_bits > 0:
        raise ValueError(f"tolerance_bits: expected a positive number, got {tolerance_bits:g}")
    if max_iterations < 1:
        raise ValueError(f"max_iterations: expected at least 1, got {max_iterations}")
    p_y, other_p_y = a.sum(axis=0), b.sum(axis=0)
    same = len(p_y) == len(other_p_y) and np.array_equal(p_y > 0, other_p_y > 0)
    if not same or np.abs(other_p_y - p_y).max() > _SUM_TOLERANCE:
        raise ValueError(
            "p_x2_y: expected the same p(y) as that of p_x1_y within 1e-9, got another one"
        )
    if len(a) * b.size > MAX_TABLE:
        raise ValueError(
            f"p_x2_y: expected at most {MAX_TABLE} combinations with p_x1_y for an exact optimum, "
            f"got alphabets of {len(a)} x {b.shape[0]} x {b.shape[1]}"
        )
    b = b * (p_y / np.where(other_p_y > 0, other_p_y, 1.0))
    upper, lower, iterations = conditional_entropy_bracket(
        a,
        b,
        goal_nats=bits_to_nats(min(tolerance_bits, _GOAL_BITS)),
        accepted_nats=bits_to_nats(tolerance_bits) / 2,
        max_iterations=max_iterations,
    )
    gap = nats_to_bits(max(upper - lower, 0.0))
    if gap > tolerance_bits:
        raise ValueError(
            f"tolerance_bits: expected a gap that max_iterations = {max_iterations} reaches, got "
            f"{tolerance_bits:g} (the certified gap is {gap:.3g} bit)"
        )
    return LeastInformation(
        bits=entropy_bits(p_y) + nats_to_bits(upper), gap_bits=gap, iterations=iterations
    )


def decomposition(
    *, x1_bits: float, x2_bits: float, total_bits: float, least: LeastInformation
) -> PartialInformation:
    """The atoms that follow from I(X1;Y), I(X2;Y), I(X1,X2;Y) and the least information."""
    # No atom is negative at the optimum, so it lies between these ends; ``least.bits`` may be
    # outside by its gap or by rounding.
    low, high = max(x1_bits, x2_bits), min(total_bits, x1_bits + x2_bits)
    value = max(min(least.bits, high), low)
    return PartialInformation(
        redundancy_bits=max(x1_bits + x2_bits - value, 0.0),
        unique1_bits=value - x2_bits,
        unique2_bits=value - x1_bits,
        synergy_bits=max(total_bits - value, 0.0),
        gap_bits=least.gap_bits,
        iterations=least.iterations,
        x1_bits=x1_bits,
        x2_bits=x2_bits,
        shared_bits=x1_bits + x2_bits - total_bits,
        x1_given_x2_bits=total_bits - x2_bits,
        x2_given_x1_bits=total_bits - x1_bits,
        total_bits=total_bits,
    )


def _table(name: str, p: npt.ArrayLike, ndim: int) -> npt.NDArray[np.float64]:
    table = distribution(name, p, ndim)
    # A total within 1e-9 of 1 is accepted, but the dual bound holds for a total of 1.
    return np.asarray(table / table.sum())
