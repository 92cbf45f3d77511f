"""Methods and their registry."""

from fctestbed.objectives.base import (
    Batch,
    DataShape,
    Groups,
    Method,
    MethodSettings,
    NetSpec,
    group_by_condition,
)
from fctestbed.objectives.registry import METHODS

__all__ = [
    "METHODS",
    "Batch",
    "DataShape",
    "Groups",
    "Method",
    "MethodSettings",
    "NetSpec",
    "group_by_condition",
]
