"""Wall times of pieces of work, measured in turn, and the product that gives the matrix rate.

May import numpy, torch and ``fctestbed.nets``.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from fctestbed.nets import Precision, products_in

Work = Callable[[], float]
"""Does a piece of work once and returns the seconds that one unit of it took."""

LEAST_SECONDS = 0.03
"""How long a work is repeated within a round."""


def timed(work: Callable[[], object], device: str = "cpu", *, times: int = 1) -> Work:
    """A function without arguments as a work.

    Args:
        work: the function.
        device: where it computes; a GPU's work is waited for.
        times: calls in a row, for work so short that a single call could not be timed well.
    """

    def timed_work() -> float:
        started = clock(device)
        for _ in range(times):
            work()
        return (clock(device) - started) / times

    return timed_work


def clock(device: str) -> float:
    """Seconds of a clock, when a device has done all that it was given."""
    if device != "cpu":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def measured_in_turn(
    works: Sequence[Work],
    *,
    rounds: int,
    seconds: float | None = None,
    warm: bool = True,
    least_seconds: float = 0.0,
) -> NDArray[np.float64]:
    """Times of several works, one after the other in every round: what else the machine does then
    falls on all of them.

    Args:
        works: the works.
        rounds: most rounds.
        seconds: no further round is begun after so long, the first try included. One round is
            always done.
        warm: do each work once before, which is not counted.
        least_seconds: a work is repeated within a round until so long has passed, and its shortest
            time counts, so that an interruption does not decide the time of a short work.

    Returns:
        Seconds of one unit of each work, [rounds, works].
    """
    started = time.perf_counter()
    for work in works if warm else ():
        work()
    found = [[_shortest(work, least_seconds) for work in works]]
    while len(found) < rounds and (seconds is None or time.perf_counter() - started < seconds):
        found.append([_shortest(work, least_seconds) for work in works])
    return np.array(found)


def _shortest(work: Work, least_seconds: float) -> float:
    started = time.perf_counter()
    shortest = work()
    while time.perf_counter() - started < least_seconds:
        shortest = min(shortest, work())
    return shortest


def matrix_size(device: str) -> int:
    """Width of the square matrices whose product gives a device's matrix rate: a GPU needs large
    ones to be busy."""
    return 1024 if device == "cpu" else 8192


def matrix_product(device: str, precision: Precision) -> tuple[Work, float]:
    """A product of square matrices as a work, and its floating-point operations.

    Args:
        device: a torch device.
        precision: of the product; bf16 is that of bf16 matrices.
    """
    n = matrix_size(device)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.ones(n, n, device=device, dtype=dtype) for _ in range(2))

    def product() -> None:
        with products_in(precision):
            torch.mm(a, b)

    return timed(product, device), 2.0 * n**3
