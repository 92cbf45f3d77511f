"""What a claim is: its fields, its predictions, and the sweeps that it needs.

May import ``fctestbed.objectives``, ``fctestbed.results``, ``fctestbed.sweep`` and
``fctestbed.synthesis``.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, field_validator, model_validator

from fctestbed.objectives import find_method
from fctestbed.results import JOINT, LABEL, LINEAR_PROBE, PAPER, RATE, RATE_WHITENED
from fctestbed.sweep import SweepSpec, merge, parse_grid, read_grids, sweep_spec
from fctestbed.synthesis import PositiveFloat, Ratio, Spec

Relation = Literal["<", "<=", "=", ">=", ">"]
TruthName = Literal[
    "total_bits",
    "shared_bits",
    "unique1_bits",
    "unique2_bits",
    "x1_label_bits",
    "x2_label_bits",
    "w_s_bits",
    "w_1_bits",
    "w_2_bits",
]
"""Exact numbers of a world that a prediction may name."""
_DEFAULT_RATE_BITS = 4.0


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_ratios(value: object) -> object:
    """Ratios also as a number, or as on the command line."""
    if isinstance(value, str):
        return parse_grid(value, low=0.0, high=1.0, option="unique_ratio")
    return (value,) if isinstance(value, int | float) else value


def _as_side(value: object) -> object:
    """A method's name or a number in place of a table."""
    if isinstance(value, str):
        return {"method": value}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"value_bits": value}
    return value


Quantities = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_as_tuple)]
Ratios = Annotated[tuple[Ratio, ...], Field(min_length=1), BeforeValidator(_as_ratios)]


class Reading(Spec):
    """What is read of a method, and how.

    Attributes:
        readout: the readout's name.
        quantity: one quantity, or several whose bits are added.
        estimator: the estimator's name.
        rate_bits: the rate R of an estimator that reads at one; 4 bits unless said otherwise.
        step: the step of the training after which it is read, one of those of
            ``measurement.along``; None for the end.
    """

    readout: str = JOINT
    quantity: Quantities = (LABEL,)
    estimator: str = RATE
    rate_bits: PositiveFloat | None = None
    step: PositiveInt | None = None

    @model_validator(mode="after")
    def _has_a_rate(self) -> Self:
        reads_at_rate = self.estimator in (RATE, RATE_WHITENED)
        if reads_at_rate and self.rate_bits is None:
            object.__setattr__(self, "rate_bits", _DEFAULT_RATE_BITS)
        if not reads_at_rate and self.rate_bits is not None:
            raise ValueError(
                f"rate_bits: expected none with the estimator {self.estimator}, got "
                f"{self.rate_bits:g}"
            )
        return self

    @property
    def text(self) -> str:
        """Such as ``label of joint at R = 4``."""
        how = "by linear probe" if self.estimator == LINEAR_PROBE else f"by {self.estimator}"
        if self.rate_bits is not None:
            whitened = ", whitened" if self.estimator == RATE_WHITENED else ""
            how = f"at R = {self.rate_bits:g}{whitened}"
        after = "" if self.step is None else f" after step {self.step}"
        return f"{' + '.join(self.quantity)} of {self.readout} {how}{after}"


class Side(Spec):
    """One side of a prediction: what a method's readout holds, a number, or an exact truth.

    Fields of the reading that are not given are those of the claim.

    Attributes:
        method: whose readout is read.
        variant: of the method.
        readout: as in ``Reading``.
        quantity: as in ``Reading``.
        estimator: as in ``Reading``.
        rate_bits: as in ``Reading``.
        step: as in ``Reading``.
        unique_ratio: the ratio at which it is read; by default each of the sweep's.
        value_bits: a number in place of a method.
        truth: an exact number of the world in place of a method: a ``TruthName``.
    """

    method: str | None = None
    variant: str = PAPER
    readout: str | None = None
    quantity: Quantities | None = None
    estimator: str | None = None
    rate_bits: PositiveFloat | None = None
    step: PositiveInt | None = None
    unique_ratio: Ratio | None = None
    value_bits: float | None = None
    truth: TruthName | None = None

    @field_validator("method")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                find_method(name)
            except ValueError as error:
                # The field's name is before it.
                raise ValueError(str(error).removeprefix(f"{name}: ")) from None
        return name

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        kinds = ("method", "value_bits", "truth")
        given = [name for name in kinds if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "expected one of method, value_bits and truth, got "
                f"{' and '.join(given) or 'none of them'}"
            )
        if self.method is None:
            for name in (*Reading.model_fields, "unique_ratio"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name}: expected none without a method, got one")
        return self

    def reading(self, usual: Reading) -> Reading:
        """What is read, where ``usual`` says what is not given here."""
        fields = {name: getattr(self, name) for name in Reading.model_fields}
        given = {name: value for name, value in fields.items() if value is not None}
        base = usual.model_dump()
        if "estimator" in given and "rate_bits" not in given:
            base.pop("rate_bits")
        return Reading.model_validate({**base, **given})

    def text(self, usual: Reading) -> str:
        """Such as ``factorcl-sup (label of z_s1 at R = 4)``; the reading where it is another than
        the usual one."""
        if self.method is None:
            return f"{self.value_bits:g}" if self.truth is None else self.truth
        name = self.method if self.variant == PAPER else f"{self.method} ({self.variant})"
        reading = self.reading(usual)
        name += "" if reading == usual else f" [{reading.text}]"
        return name if self.unique_ratio is None else f"{name} at {self.unique_ratio:g}"


class Prediction(Spec):
    """An order of two sides, or their equality, up to the smallest effect that matters.

    Attributes:
        left: a method's name, or a table.
        relation: ``<``, ``<=``, ``=``, ``>=`` or ``>``.
        right: a method's name, a number of bits, or a table.
        unique_ratio: where it is predicted; by default at every ratio of the sweep.
        average: whether it is about the mean over these ratios, in place of each of them.
        smallest_effect_bits: as the claim's, for this prediction.
    """

    left: Annotated[Side, BeforeValidator(_as_side)]
    relation: Relation
    right: Annotated[Side, BeforeValidator(_as_side)]
    unique_ratio: Ratios | None = None
    average: bool = False
    smallest_effect_bits: PositiveFloat | None = None

    @model_validator(mode="after")
    def _compares(self) -> Self:
        if self.left.method is None:
            raise ValueError("left: expected a method to compare, got none")
        if self.left == self.right:
            raise ValueError("right: expected another side than left, got the same")
        pinned = [side.unique_ratio for side in (self.left, self.right)]
        if self.average and any(ratio is not None for ratio in pinned):
            raise ValueError("average: expected false where a side has a unique_ratio, got true")
        return self

    @property
    def sides(self) -> tuple[Side, Side]:
        """Left and right."""
        return self.left, self.right

    def text(self, usual: Reading) -> str:
        """Such as ``simclr < untrained at 1``."""
        text = f"{self.left.text(usual)} {self.relation} {self.right.text(usual)}"
        return f"{text}, mean over ratios" if self.average else text


class Assumption(Spec):
    """An assumption of a claim, and how it is broken.

    Attributes:
        statement: what is assumed.
        broken: fields of the sweep with which it does not hold.
    """

    statement: Annotated[str, Field(min_length=1)]
    broken: Annotated[dict[str, Any], Field(min_length=1)]

    @field_validator("broken", mode="before")
    @classmethod
    def _without_methods(cls, values: object) -> object:
        return _without_methods(values)


def _without_methods(values: object) -> object:
    if isinstance(values, Mapping) and "methods" in values:
        raise ValueError(
            f"methods: expected none, because they are those of the predictions, got "
            f"{values['methods']!r}"
        )
    return values


class Claim(Spec):
    """A claim that runs can decide.

    Attributes:
        id: short name, of lower case letters, digits and hyphens.
        source: paper, theorem, figure or table; or the page that makes it.
        statement: what is claimed, in words.
        smallest_effect_bits: the smallest difference that matters.
        sweep: fields of the sweep that has the runs, without methods.
        reading: what is read where a prediction does not say.
        predictions: what has to be so, all of it.
        assumptions: by name.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    source: Annotated[str, Field(min_length=1)]
    statement: Annotated[str, Field(min_length=1)]
    smallest_effect_bits: PositiveFloat
    sweep: dict[str, Any] = Field(default_factory=dict)
    reading: Reading = Reading()
    predictions: Annotated[tuple[Prediction, ...], Field(min_length=1)]
    assumptions: dict[str, Assumption] = Field(default_factory=dict)

    @field_validator("sweep", mode="before")
    @classmethod
    def _methods_are_those_of_the_predictions(cls, values: object) -> object:
        return _without_methods(values)

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods of all predictions, each once."""
        sides = (side for prediction in self.predictions for side in prediction.sides)
        return tuple(dict.fromkeys(side.method for side in sides if side.method is not None))

    def smallest_effect(self, prediction: Prediction) -> float:
        """The smallest difference that matters in a prediction, in bits."""
        own = prediction.smallest_effect_bits
        return self.smallest_effect_bits if own is None else own

    def sweep_spec(self, broken: str | None = None) -> SweepSpec:
        """The sweep that has the claim's runs.

        Args:
            broken: the name of an assumption that is broken; None for none.

        Raises:
            ValueError: one line that begins with the claim's field.
        """
        values = _grids(self.sweep, "sweep.")
        changed: dict[str, Any] = {}
        if broken is not None:
            changed = _grids(self.assumptions[broken].broken, f"assumptions.{broken}.broken.")
        merged = {**merge(values, changed), "methods": list(self.methods)}
        try:
            spec = sweep_spec(merged)
            # Expanded here, so that an impossible run is found before any is done.
            spec.runs()
        except ValueError as error:
            first = str(error).partition(".")[0].partition(":")[0]
            if broken is None:
                raise ValueError(f"sweep.{error}") from None
            field = f"assumptions.{broken}.broken"
            if first in changed:
                raise ValueError(f"{field}.{error}") from None
            raise ValueError(
                f"{field}: expected fields that go with the claim's sweep, got: {error}"
            ) from None
        return spec


def _grids(values: Mapping[str, Any], source: str) -> dict[str, Any]:
    return read_grids(values, source=source)
