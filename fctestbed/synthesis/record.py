"""The base of every specification: a record with a digest, and the types of its fields.

May import pydantic.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from fctestbed._records import Record


def _without_negative_zero(value: float) -> float:
    # -0.0 and 0.0 are equal but have different JSON, hence different digests.
    return value + 0.0


Ratio = Annotated[float, Field(ge=0.0, le=1.0), AfterValidator(_without_negative_zero)]
PositiveFloat = Annotated[float, Field(gt=0.0)]


@dataclass(frozen=True)
class Option:
    """Marks a field that has its own command-line option, such as ``--noise``."""

    flag: str


class Spec(Record):
    """A record with a digest."""

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
