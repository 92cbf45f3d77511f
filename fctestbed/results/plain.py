"""JSON text for stored records: canonical, valid, and without numpy in it."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def to_json(content: object) -> str:
    """Canonical JSON text: sorted keys, no spaces, and no token that is not JSON.

    Args:
        content: nested mappings, sequences and scalars; numpy arrays and scalars are taken too.

    Returns:
        The text. NaN becomes null; infinities become the strings ``"inf"`` and ``"-inf"``, which
        ``float`` reads.

    Raises:
        ValueError: naming the place of a value that JSON cannot hold.
    """
    return json.dumps(plain(content), sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(content: object, where: str = "record") -> Any:
    """The same content as dicts, lists, strings, numbers, booleans and None only.

    Args:
        content: as in ``to_json``.
        where: the content's name, for the error message.

    Raises:
        ValueError: naming the place of a value that JSON cannot hold.
    """
    if isinstance(content, np.ndarray | np.generic):
        content = content.tolist()
    if isinstance(content, float):
        if math.isnan(content):
            return None
        return content if math.isfinite(content) else str(content)
    if content is None or isinstance(content, str | int):
        return content
    if isinstance(content, Mapping):
        return {str(key): plain(value, f"{where}.{key}") for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [plain(value, f"{where}[{i}]") for i, value in enumerate(content)]
    raise ValueError(f"{where}: expected something that JSON holds, got {type(content).__name__}")


def number(value: float | None) -> float | None:
    """A float as the store keeps it: None for NaN, infinities as they are."""
    if value is None or math.isnan(value):
        return None
    return float(value)
