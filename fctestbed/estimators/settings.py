"""Checks of an estimator's settings. Imports nothing of the project."""

from collections.abc import Sequence
from numbers import Integral


def check_whole(name: str, value: object, *, least: int) -> None:
    """Refuse a setting that is no whole number of at least ``least``.

    Raises:
        ValueError: one line naming the setting.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, got {value!r}")


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse a setting that is none of the choices.

    Raises:
        ValueError: one line naming the setting.
    """
    if value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
