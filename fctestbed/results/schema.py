"""The records that a run is stored as, and the columns of the tables made from them.

Owns the tables of rows, their columns and types, and the records. Imports the standard library
only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Literal

Status = Literal["ok", "diverged", "failed"]
Bound = Literal["lower", "upper", "exact", "none"]
AxisValue = bool | int | float | str
"""What a cell of an axis's column holds."""

STATUSES: tuple[str, ...] = ("ok", "diverged", "failed")
BOUNDS: tuple[str, ...] = ("lower", "upper", "exact", "none")
PAPER = "paper"
"""The variant of a method that follows its paper's equations."""

_RUN_KEYS = ("run_id", "method", "variant", "preset", "unique_ratio", "seed")

RATE_BITS = "rate_bits"
"""The column of captured rows that later stores have."""
_BITS = (
    "readout",
    "quantity",
    "estimator",
    RATE_BITS,
    "bound",
    "value_bits",
    "low_bits",
    "high_bits",
    "true_bits",
    "ceiling_bits",
    "n_eval",
)


@dataclass(frozen=True)
class ValueTable:
    """A table of rows that runs have any number of.

    Attributes:
        name: of the table in a store, of the frame in ``Results``, of a run's field, and of an
            exported file.
        values: the columns of a row, besides those of its run.
        keys: the columns that tell the rows of a run apart.
        has_unfinished: whether the frame has a row without a value for each unfinished run.
    """

    name: str
    values: tuple[str, ...]
    keys: tuple[str, ...]
    has_unfinished: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the frame."""
        return (*_RUN_KEYS, *self.values, "status")


CAPTURED = ValueTable(
    "captured", _BITS, ("readout", "quantity", "estimator", RATE_BITS), has_unfinished=True
)
ACCURACY = ValueTable(
    "accuracy",
    ("readout", "probe", "accuracy", "low", "high", "bayes_accuracy", "n_eval"),
    ("readout", "probe"),
    has_unfinished=True,
)
SCORES = ValueTable(
    "scores",
    ("readout", "score", "value", "unit", "n_eval"),
    ("readout", "score"),
    has_unfinished=False,
)
ALONG = ValueTable("along", ("step", *_BITS), ("step", *CAPTURED.keys), has_unfinished=False)
VALUE_TABLES = (CAPTURED, ACCURACY, SCORES, ALONG)
"""All tables of rows."""

CAPTURED_COLUMNS = CAPTURED.columns
ACCURACY_COLUMNS = ACCURACY.columns
SCORE_COLUMNS = SCORES.columns
ALONG_COLUMNS = ALONG.columns
JSON_COLUMNS: tuple[str, ...] = ("spec", "truth", "provenance", "diagnostics", "warnings")
RUN_COLUMNS: tuple[str, ...] = (*_RUN_KEYS, "status", "reason", "seconds", *JSON_COLUMNS)
RUNS_NAME = "runs"
TABLE_COLUMNS: Mapping[str, Sequence[str]] = {
    **{table.name: table.columns for table in VALUE_TABLES},
    RUNS_NAME: RUN_COLUMNS,
}
"""The columns of every table by its name."""

FLOAT_COLUMNS = frozenset(
    {
        "unique_ratio",
        RATE_BITS,
        "value_bits",
        "low_bits",
        "high_bits",
        "true_bits",
        "ceiling_bits",
        "accuracy",
        "low",
        "high",
        "bayes_accuracy",
        "value",
        "seconds",
    }
)
INTEGER_COLUMNS = frozenset({"seed", "step", "n_eval"})
_BEFORE_AXES, _AFTER_AXES = "unique_ratio", "seed"


def axis_kind(values: Iterable[AxisValue]) -> type[AxisValue]:
    """The type of an axis's column: of truth values, whole numbers, numbers or text, whatever holds
    all values."""
    kinds = {type(value) for value in values}
    if kinds in ({bool}, {int}):
        return kinds.pop()
    return float if kinds <= {int, float} else str


def blank_values(table: ValueTable) -> tuple[str | float, ...]:
    """The values of the row that an unfinished run has in a table."""
    known = {"bound": "none"}
    return tuple(
        0 if name in INTEGER_COLUMNS else nan if name in FLOAT_COLUMNS else known.get(name, "")
        for name in table.values
    )


def with_axes(columns: Sequence[str], axes: Sequence[str]) -> list[str]:
    """A table's columns with those of the sweep's further axes, which follow the unique ratio."""
    place = columns.index(_BEFORE_AXES) + 1
    return [*columns[:place], *axes, *columns[place:]]


def axes_of(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of further axes among a table's columns."""
    return tuple(columns[columns.index(_BEFORE_AXES) + 1 : columns.index(_AFTER_AXES)])


@dataclass(frozen=True, kw_only=True)
class CapturedRow:
    """Information of one readout about one quantity, by one estimator, in bits.

    Args:
        readout: the named array that was read: ``joint``, ``z1``, ``z_s1``, ...
        quantity: ``label``, a block (``shared``), a part of one (``shared_relevant``) or one latent
            bit (``w_s[0]``).
        estimator: the estimator's name, ``linear_probe`` for instance.
        rate_bits: for an estimator that reads at a stated rate, the most bits that it lets through;
            None for others.
        bound: what ``value_bits`` is of the true value: a ``lower`` or ``upper`` bound, ``exact``,
            or ``none`` of these.
        value_bits: the raw value; negative ones stay negative. None or NaN where there is none.
        low_bits: lower end of the value's own interval.
        high_bits: upper end of it.
        true_bits: the exact information that there is to capture.
        ceiling_bits: the largest value that this estimator can return.
        n_eval: number of held-out samples behind the value.

    Raises:
        ValueError: for an unknown bound, an empty name, a negative ``n_eval``, or a rate that is
            not a finite number above 0.
    """

    readout: str
    quantity: str
    estimator: str
    bound: Bound
    value_bits: float | None
    low_bits: float | None
    high_bits: float | None
    true_bits: float | None
    ceiling_bits: float | None
    n_eval: int
    rate_bits: float | None = None

    def __post_init__(self) -> None:
        _one_of("bound", self.bound, BOUNDS)
        _named("readout", self.readout)
        _named("quantity", self.quantity)
        _named("estimator", self.estimator)
        _count("n_eval", self.n_eval)
        if self.rate_bits is not None and not (isfinite(self.rate_bits) and self.rate_bits > 0):
            raise ValueError(f"rate_bits: expected a finite number above 0, got {self.rate_bits}")


@dataclass(frozen=True, kw_only=True)
class AlongRow(CapturedRow):
    """A captured row of the encoder as it was during training.

    Args:
        step: the number of training steps before the measurement.

    Raises:
        ValueError: as ``CapturedRow``, and for a negative step.
    """

    step: int

    def __post_init__(self) -> None:
        super().__post_init__()
        _count("step", self.step)


@dataclass(frozen=True, kw_only=True)
class AccuracyRow:
    """Task accuracy of one probe on one readout, as a fraction in [0, 1].

    Args:
        readout: the named array that was read.
        probe: the probe's name, ``linear`` for instance.
        accuracy: share of held-out samples whose label was found. None or NaN where there is none.
        low: lower end of its interval.
        high: upper end of it.
        bayes_accuracy: the most that any classifier could reach.
        n_eval: number of held-out samples behind the value.

    Raises:
        ValueError: for an empty name or a negative ``n_eval``.
    """

    readout: str
    probe: str
    accuracy: float | None
    low: float | None
    high: float | None
    bayes_accuracy: float | None
    n_eval: int

    def __post_init__(self) -> None:
        _named("readout", self.readout)
        _named("probe", self.probe)
        _count("n_eval", self.n_eval)


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """A number about one readout, or about the training, that needs no label, in its own unit.

    Args:
        readout: the named array that was read, or pair of them.
        score: the number's name, ``uniformity`` for instance.
        value: the number. None or NaN where there is none.
        unit: its unit: ``bits``, ``nats``, ``dimensions``, or ``1`` for a number without one.
        n_eval: number of samples behind the value.

    Raises:
        ValueError: for an empty name or a negative ``n_eval``.
    """

    readout: str
    score: str
    value: float | None
    unit: str
    n_eval: int

    def __post_init__(self) -> None:
        _named("readout", self.readout)
        _named("score", self.score)
        _named("unit", self.unit)
        _count("n_eval", self.n_eval)


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run as it is committed: one dataset, one method, one seed, and all that was measured.

    Args:
        run_id: hash of the run's spec.
        method: the method's registered name.
        variant: which variant of it (``paper``, ``official``, ...).
        preset: the preset's name.
        unique_ratio: the ratio that was asked for.
        seed: the run's seed.
        spec: the run's whole spec. This and the next three are JSON-able.
        truth: the world's exact numbers.
        status: ``ok``, ``diverged`` (the same spec would diverge again) or ``failed``.
        reason: why it is not ``ok``; empty where it is.
        seconds: wall time of the run.
        provenance: versions, device, commit, threads, stack size, host.
        diagnostics: losses and whatever else explains the run.
        warnings: one line each.
        captured: rows of information, in bits; none unless the run is ``ok``.
        accuracy: rows of task accuracy; none unless the run is ``ok``.
        scores: rows of numbers that need no label; none unless the run is ``ok``.
        along: rows of information during the training; none unless the run is ``ok``.

    Raises:
        ValueError: for an unknown status, a ratio that is no number, an unfinished run without a
            reason or with rows, or two rows of one key.
    """

    run_id: str
    method: str
    variant: str
    preset: str
    unique_ratio: float
    seed: int
    spec: Mapping[str, object]
    truth: Mapping[str, object] = field(default_factory=dict)
    status: Status = "ok"
    reason: str = ""
    seconds: float = 0.0
    provenance: Mapping[str, object] = field(default_factory=dict)
    diagnostics: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    captured: tuple[CapturedRow, ...] = ()
    accuracy: tuple[AccuracyRow, ...] = ()
    scores: tuple[ScoreRow, ...] = ()
    along: tuple[AlongRow, ...] = ()

    def __post_init__(self) -> None:
        _named("run_id", self.run_id)
        _named("method", self.method)
        _one_of("status", self.status, STATUSES)
        if not isfinite(self.unique_ratio):
            raise ValueError(f"unique_ratio: expected a finite number, got {self.unique_ratio}")
        n_rows = sum(len(getattr(self, table.name)) for table in VALUE_TABLES)
        if self.status != "ok" and n_rows:
            raise ValueError(
                f"run {self.run_id}: expected no rows of a {self.status} run, got {n_rows}"
            )
        if self.status != "ok" and not self.reason:
            raise ValueError(f"run {self.run_id}: expected the reason why it {self.status}, got ''")
        for table in VALUE_TABLES:
            _distinct(
                self.run_id,
                [
                    tuple(getattr(row, name) for name in table.keys)
                    for row in getattr(self, table.name)
                ],
            )


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name}: expected one of {', '.join(known)}, got {value!r}")


def _named(name: str, value: str) -> None:
    if not value:
        raise ValueError(f"{name}: expected a name, got {value!r}")


def _count(name: str, value: int) -> None:
    if value < 0:
        raise ValueError(f"{name}: expected 0 or more, got {value}")


def _distinct(run_id: str, keys: list[tuple[str | float | None, ...]]) -> None:
    seen: set[tuple[str | float | None, ...]] = set()
    for key in keys:
        if key in seen:
            names = " / ".join(str(part) for part in key if part is not None)
            raise ValueError(f"run {run_id}: expected one row for {names}, got two")
        seen.add(key)
