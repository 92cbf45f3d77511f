"""The base of every specification: a frozen record with a digest, and the types of its fields.

May import pydantic.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _without_negative_zero(value: float) -> float:
    # -0.0 and 0.0 are equal but have different JSON, hence different digests.
    return value + 0.0


Ratio = Annotated[float, Field(ge=0.0, le=1.0), AfterValidator(_without_negative_zero)]
PositiveFloat = Annotated[float, Field(gt=0.0)]


@dataclass(frozen=True)
class Option:
    """Marks a field that has its own command-line option, such as ``--noise``."""

    flag: str


class Spec(BaseModel):
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
