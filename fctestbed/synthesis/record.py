"""The base of every specification: a record with a digest, and the types of its fields.

May import pydantic.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

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

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As of any record; the copy computes its own cached properties."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


class SeedDigests:
    """The digests of contents that differ in their seed alone: what they share is encoded once.

    Args:
        content: JSON-able content with any seed.
        path: the keys of the seed in it.
    """

    # No text of a specification begins with this character.
    _PLACE = "\0seed"

    def __init__(self, content: Mapping[str, Any], path: tuple[str, ...] = ("seed",)) -> None:
        before, _, after = _canonical(_with(content, path, self._PLACE)).partition(
            json.dumps(self._PLACE)
        )
        self._begun = hashlib.sha256(before.encode())
        self._rest = after.encode()

    def at(self, seed: int) -> str:
        """What ``digest`` gives for the content with this seed."""
        found = self._begun.copy()
        found.update(b"%d" % seed + self._rest)
        return found.hexdigest()


def _with(content: Mapping[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    key, *rest = path
    return {**content, key: _with(content[key], tuple(rest), value) if rest else value}


def digest(content: Any) -> str:
    """SHA-256 (hexadecimal) of JSON-able content; the order of keys does not matter."""
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(content: Any) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def alternatives(names: Iterable[str]) -> str:
    """The names for a message: ``a, b or c``."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
