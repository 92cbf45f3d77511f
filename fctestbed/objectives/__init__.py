"""Methods and their registry."""

from fctestbed.objectives.base import (
    TERMS,
    Batch,
    CriticSettings,
    DataShape,
    Groups,
    LossMarks,
    Method,
    MethodSettings,
    NetSpec,
    Views,
    group_by_condition,
)
from fctestbed.objectives.registry import METHODS

__all__ = [
    "METHODS",
    "TERMS",
    "Batch",
    "CriticSettings",
    "DataShape",
    "Groups",
    "LossMarks",
    "Method",
    "MethodSettings",
    "NetSpec",
    "Views",
    "group_by_condition",
]
