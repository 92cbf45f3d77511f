"""Cases of the benchmark: what is timed, and what comes of it as rows.

May import ``timing``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fctestbed.experiments.bench.timing import Work
from fctestbed.nets import Precision


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A work with its inputs made.

    Attributes:
        work: what is timed.
        inputs: what a reference needs to do the same.
        operations: least floating-point operations that one unit needs, or None if they are not
            known or products are not most of the work.
        precision: of its matrix products.
        references: other ways to do the same that the package itself has, by name.
        warm: whether it is done once before it is timed, so that nothing is made anew.
    """

    work: Work
    inputs: Any = None
    operations: float | None = None
    precision: Precision = "float32"
    references: Mapping[str, Work] = field(default_factory=dict)
    warm: bool = True


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something to time.

    Attributes:
        name: its path, such as ``step/factorcl-sup/quick/17``.
        unit: what one unit of the work is.
        prepare: makes the inputs on a torch device.
        plain: the name under which a file of references has its plain form; "" for none.
        is_long: whether one unit takes a second or more on a CPU: such cases come last.
    """

    name: str
    unit: str
    prepare: Callable[[str], Prepared]
    plain: str = ""
    is_long: bool = False


@dataclass(frozen=True, kw_only=True)
class GrowthCase:
    """Something whose time is measured along an axis.

    Attributes:
        name: its path, such as ``growth/critic/batch``.
        unit: what one unit of the work is.
        axis: what grows.
        sizes: values of the axis, rising.
        prepare: makes the work for a torch device and a size.
    """

    name: str
    unit: str
    axis: str
    sizes: tuple[int, ...]
    prepare: Callable[[str, int], Work]


@dataclass(frozen=True, kw_only=True)
class BenchRow:
    """A case, alone or beside one reference.

    Attributes:
        name: the case's.
        unit: what one unit of the work is.
        seconds: shortest time of one unit.
        rounds: how often it was timed.
        reference: the reference's name, or "".
        reference_seconds: the reference's shortest time, or None.
        ratio: median over rounds of the reference's time over the case's in the same round, or
            None.
        ratio_low: the lowest of these ratios, or None.
        ratio_high: the highest of them, or None.
        operations: least floating-point operations of one unit, or None.
        flops: operations in a second of the shortest time, or None.
        matrix_share: median over rounds of the case's operations in a second over those of a matrix
            product in the same round, or None.
        precision: of the matrix products.
        peak_bytes: most memory that the work held above its inputs, or None if it was not measured.
        reference_peak_bytes: that of the reference.
    """

    name: str
    unit: str
    seconds: float
    rounds: int
    reference: str = ""
    reference_seconds: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    operations: float | None = None
    flops: float | None = None
    matrix_share: float | None = None
    precision: Precision = "float32"
    peak_bytes: int | None = None
    reference_peak_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class GrowthRow:
    """How a time grows along an axis.

    Attributes:
        name: the case's.
        unit: what one unit of the work is.
        axis: what grows.
        sizes: values of the axis.
        seconds: shortest time of one unit at each.
        exponent: slope of log seconds along log size, by least squares.
        exponent_error: its standard error, from the residuals; None for two sizes.
        last_exponent: slope between the two largest sizes, where fixed costs weigh least.
    """

    name: str
    unit: str
    axis: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    exponent: float
    exponent_error: float | None
    last_exponent: float


@dataclass(frozen=True)
class LeftOut:
    """A case for which no time was left."""

    name: str
