"""How a time grows along an axis. May import numpy and the benchmark's own modules."""

import math
import time
from collections.abc import Sequence

import numpy as np

from fctestbed.experiments.bench.case import GrowthCase, GrowthRow
from fctestbed.experiments.bench.timing import LEAST_SECONDS, measured_in_turn


def growth_row(case: GrowthCase, device: str, *, rounds: int, seconds: float | None) -> GrowthRow:
    """Time a case at all its sizes, and fit the exponent.

    Args:
        case: the case.
        device: a torch device.
        rounds: most repetitions of each size.
        seconds: no repetition is begun after so long; each size is timed once in any case.
    """
    started = time.perf_counter()
    works = [case.prepare(device, size) for size in case.sizes]
    left = None if seconds is None else seconds - (time.perf_counter() - started)
    times = measured_in_turn(works, rounds=rounds, seconds=left, least_seconds=LEAST_SECONDS).min(
        axis=0
    )
    exponent, error = fitted_exponent(case.sizes, times)
    return GrowthRow(
        name=case.name,
        unit=case.unit,
        axis=case.axis,
        sizes=case.sizes,
        seconds=tuple(float(value) for value in times),
        exponent=exponent,
        exponent_error=error,
        last_exponent=fitted_exponent(case.sizes[-2:], times[-2:])[0],
    )


def fitted_exponent(
    sizes: Sequence[int], seconds: Sequence[float] | np.ndarray
) -> tuple[float, float | None]:
    """The slope of log seconds along log size by least squares, and its standard error.

    Args:
        sizes: at least two different sizes.
        seconds: a time at each.

    Returns:
        The error is None for two sizes, which any line fits.
    """
    x, y = np.log(np.asarray(sizes, dtype=float)), np.log(np.asarray(seconds, dtype=float))
    x, y = x - x.mean(), y - y.mean()
    spread = float(x @ x)
    slope = float(x @ y) / spread
    if len(x) == 2:
        return slope, None
    residuals = y - slope * x
    return slope, math.sqrt(float(residuals @ residuals) / (len(x) - 2) / spread)
