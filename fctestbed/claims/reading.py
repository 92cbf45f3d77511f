"""The sides of a prediction, and what is read of a method.

May import ``fctestbed.objectives``, ``fctestbed.results`` and ``fctestbed.synthesis``.
"""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt, field_validator, model_validator

from fctestbed.objectives import find_method
from fctestbed.results import JOINT, LABEL, LINEAR_PROBE, PAPER, RATE, RATE_WHITENED
from fctestbed.synthesis import PositiveFloat, Ratio, Spec

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


def as_side(value: object) -> object:
    """A method's name or a number in place of a table."""
    if isinstance(value, str):
        return {"method": value}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"value_bits": value}
    return value


Quantities = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_as_tuple)]


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
