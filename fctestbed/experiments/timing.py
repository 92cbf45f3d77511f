"""Wall times of a piece of work, and the rate of this machine's matrix products.

May import torch and ``fctestbed.nets``.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from fctestbed.nets import Precision, products_in


@dataclass(frozen=True)
class Timing:
    """One line of the benchmark.

    Attributes:
        name: what was timed.
        seconds: the shortest of several repetitions.
        reference: what it is compared with, or "".
        reference_seconds: time of the reference, or None.
        operations: least number of floating-point operations that the work needs, or None.
        rate: operations per second of a matrix product on this machine, or None.
    """

    name: str
    seconds: float
    reference: str = ""
    reference_seconds: float | None = None
    operations: float | None = None
    rate: float | None = None

    @property
    def speedup(self) -> float | None:
        """Time of the reference over the time, or None."""
        return None if self.reference_seconds is None else self.reference_seconds / self.seconds

    @property
    def share_of_rate(self) -> float | None:
        """Rate of the needed operations as a share of the matrix rate, or None."""
        if self.operations is None or self.rate is None:
            return None
        return self.operations / self.seconds / self.rate


def best_time(work: Callable[[], object], *, repeat: int = 5) -> float:
    """Shortest wall time of some repetitions, in seconds, after one that is not counted."""
    work()
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def matrix_size(device: str) -> int:
    """Width of the square matrices whose product gives a device's matrix rate: a GPU needs large
    ones to be busy."""
    return 1024 if device == "cpu" else 8192


def matrix_rate(device: str, precision: Precision = "float32") -> float:
    """Floating-point operations per second of a product of square matrices.

    Args:
        device: a torch device.
        precision: of the product; bf16 is that of bf16 matrices.
    """
    n = matrix_size(device)
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.ones(n, n, device=device, dtype=dtype) for _ in range(2))

    def product() -> float:
        # Copying a number to the host waits for the GPU.
        return float((a @ b)[0, 0])

    with products_in(precision):
        return 2 * n**3 / best_time(product)
