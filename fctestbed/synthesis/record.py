"""The base of every specification: a frozen record with a digest, and the types of its fields.

May import pydantic.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator


def _without_negative_zero(value: float) -> float:
    # -0.0 and 0.0 are equal but have different JSON, hence different digests.
    return value + 0.0


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

Ratio = Annotated[float, Field(ge=0.0, le=1.0), AfterValidator(_without_negative_zero)]
PositiveFloat = Annotated[float, Field(gt=0.0)]


@dataclass(frozen=True)
class Option:
    """Marks a field that has its own command-line option, such as ``--noise``."""

    flag: str


class InvalidSpec(ValueError):  # noqa: N818 - it says what the record is
    """A record of fields that it cannot have; the message is one line."""


class _OneLineErrors(ModelMetaclass):
    """Makes the error of a record that is called with wrong fields one line."""

    def __call__(self, *arguments: Any, **fields: Any) -> Any:
        try:
            return super().__call__(*arguments, **fields)
        except ValidationError as error:
            # Its module imports the records.
            from fctestbed.synthesis.spec_errors import spec_error_lines  # noqa: PLC0415

            raise InvalidSpec(spec_error_lines(error)) from error


class Spec(BaseModel, metaclass=_OneLineErrors):
    """A frozen record that rejects unknown keys, infinities and NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_numbers(cls, values: Any) -> Any:
        """Refuse texts and truth values in place of numbers, which pydantic would convert."""
        if isinstance(values, Mapping):
            for name, field in cls.model_fields.items():
                value = values.get(name)
                if field.annotation in (int, float) and isinstance(value, str | bool):
                    raise ValueError(f"{name}: expected a number, got {value!r}")
        return values

    def digest(self) -> str:
        """SHA-256 (hexadecimal) of the record's canonical JSON: equal records, equal digests."""
        return digest(self.model_dump(mode="json"))


def digest(content: Any) -> str:
    """SHA-256 (hexadecimal) of JSON-able content; the order of keys does not matter."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def alternatives(names: Iterable[str]) -> str:
    """The names for a message: ``a, b or c``."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
