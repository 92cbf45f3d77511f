"""The check of whole numbers that users give. Imports the standard library only."""

from operator import index


def checked_count(name: str, value: object) -> int:
    """The value as an int, if it is a whole number of at least 1.

    Raises:
        ValueError: one line that begins with the name.
    """
    try:
        # numpy's whole numbers are taken too; True is a 1 for Python.
        number = None if isinstance(value, bool) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None:
        raise ValueError(f"{name}: expected a whole number, got {value!r}")
    if number < 1:
        raise ValueError(f"{name}: expected at least 1, got {number}")
    return number
