"""Errors of the Python API as errors of usage.

Checks of input are made by the Python API; the command line adds only the names of options.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from fctestbed.cli.errors import UsageError
from fctestbed.results import check_directory

Record = TypeVar("Record", bound=BaseModel)


@contextmanager
def usage_errors(option: str | None = None) -> Iterator[None]:
    """Raise the errors that the Python API raises for bad input as ``UsageError``.

    Args:
        option: a name that the line begins with; None where the API's line begins with its field.
    """
    try:
        yield
    except ValueError as error:
        raise UsageError(_line(str(error), option)) from error


def record_of(kind: type[Record], values: Mapping[str, Any]) -> Record:
    """A specification of the values that were given; those that are None take their defaults.

    Raises:
        UsageError: one line that begins with the field.
    """
    with usage_errors():
        return kind.model_validate(
            {name: value for name, value in values.items() if value is not None}
        )


def _line(message: str, option: str | None) -> str:
    return message if option is None else f"{option}: {message}"


def check_places(places: Mapping[str, Path | None]) -> None:
    """Refuse directories that cannot be written to, before any work is done.

    Args:
        places: by option; None is left out.

    Raises:
        UsageError: one line that begins with the option.
    """
    for option, place in places.items():
        if place is not None:
            with usage_errors(option):
                check_directory(place)


def check_rate(rate: float | None) -> None:
    """Refuse a rate that none can be.

    Raises:
        UsageError: one line that begins with the field.
    """
    if rate is not None and not 0 < rate < inf:
        raise UsageError(f"rate: expected a finite number of bits above 0, got {rate:g}")


def check_ratio(field: str, ratio: float | None) -> None:
    """Refuse a unique ratio that is none.

    Raises:
        UsageError: one line that begins with the field.
    """
    if ratio is not None and not 0 <= ratio <= 1:
        raise UsageError(f"{field}: expected a number from 0 to 1, got {ratio:g}")
